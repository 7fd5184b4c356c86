"""What a campaign file says: who is asked, how people behave, how the networks do. Plain data."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time
from enum import StrEnum

from app.configuration import SendingHours

EVERY_NETWORK = "*"


class Behaviour(StrEnum):
    """What a citizen does once the whole question is on the handset."""

    YES = "yes"
    NO = "no"
    UNCLEAR_THEN_YES = "unclear_then_yes"
    UNCLEAR = "unclear"
    SILENCE = "silence"
    LATE = "late"  # yes, after the 24 hours
    STOP = "stop"
    WRONG_PERSON = "wrong_person"
    USSD_YES = "ussd_yes"
    USSD_NO = "ussd_no"


@dataclass(frozen=True, slots=True)
class Delay:
    """A log-normal time in seconds: half of all take up to `median`, 95 of 100 up to `p95`."""

    median: float
    p95: float


@dataclass(frozen=True, slots=True)
class NetworkPlan:
    """One mobile network. Its fractions are of messages, 0 to 1; `price` is of one segment, in
    tenge; `throughput` is segments a second of each of its `binds`, 0: as the window lets."""

    name: str
    share: float
    price: float
    binds: int = 1
    throughput: float = 50.0
    window: int = 10
    response: Delay = Delay(0.05, 0.3)
    receipt: Delay = Delay(4.0, 90.0)
    reply: Delay = Delay(1.0, 5.0)  # from the handset to us
    ported: float = 0.0  # of its subscribers, the registers name another network
    throttled: float = 0.0  # refused for now, to be sent again
    undelivered: float = 0.0  # a receipt says so
    lost: float = 0.0  # a segment of it never arrives, and no receipt of it does
    no_receipt: float = 0.0  # arrives; the receipt does not
    late_receipts: float = 0.0
    late_by: Delay = Delay(3600.0, 14_400.0)
    duplicate_receipts: float = 0.0
    early_receipts: float = 0.0  # before the response to the submit
    done_dates: bool = True  # receipts say when the handset had the segment, to the minute
    ussd: bool = True

    @property
    def rate(self) -> float:
        """Segments a second that all its binds take: the throughput, or what the window allows."""
        by_window = self.window / self.response.median
        return self.binds * (min(self.throughput, by_window) if self.throughput else by_window)


@dataclass(frozen=True, slots=True)
class OutagePlan:
    """A network ("*": all) is away from `starts_at` to before `ends_at`. A planned one has been
    announced, so that no offer goes out into it."""

    network: str
    starts_at: datetime
    ends_at: datetime
    planned: bool = False

    def concerns(self, network: str) -> bool:
        """Whether this network is away."""
        return self.network in (EVERY_NETWORK, network)


@dataclass(frozen=True, slots=True)
class People:
    """Fractions of the citizens. `behaviours` are by the language somebody speaks; who has no
    `registered` language speaks one of them all the same."""

    kk: float
    ru: float
    unknown: float
    without_phone: float
    without_consent: float
    sms_off: float
    awake: tuple[time, time]
    answer: Delay
    behaviours: Mapping[str, Mapping[Behaviour, float]]


@dataclass(frozen=True, slots=True)
class Campaign:
    """One campaign: `citizens` are offered `service` from `starts_at` on. `offers_per_hour` 0
    proposes all at once; `hours` None lets offers leave at any time."""

    name: str
    service: str
    starts_at: datetime
    citizens: int
    seed: int
    hours: SendingHours | None
    offers_per_hour: int
    drain_grace: float
    people: People
    networks: tuple[NetworkPlan, ...]
    outages: tuple[OutagePlan, ...] = ()
