"""The steps of tests/journeys: what each line of a transcript does, or says must be so.
`tests/journeys/README.md` tells the language; the wallet's lines are in `measure_steps`."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import msgspec

from app.proactive.records import Offer
from app.settings import SendingHours
from app.wallet.consents.records import Consent
from app.wallet.notices.records import Notice
from smpp.messages import ReceiptState, SegmentOf, SubmitOutcome
from tests.app.keypad import Keypad
from tests.app.wallet.purse import Purse
from tests.app.world import World

ALMATY = ZoneInfo("Asia/Almaty")
SPOKEN = {"kk": "kk", "ru": "ru", "a language we do not know": None}
UNITS = {"d": "days", "h": "hours", "m": "minutes", "s": "seconds"}
RESPONSES = {
    "takes messages": SubmitOutcome.ACCEPTED,
    "does not respond": SubmitOutcome.UNKNOWN,
    "is busy": SubmitOutcome.RETRY_LATER,
    "refuses messages": SubmitOutcome.PERMANENT,
    "does not know the phone": SubmitOutcome.UNKNOWN_SUBSCRIBER,
    "responds late": None,
}


@dataclass(slots=True)
class Play:
    """A journey while it is played: how much of what the phone and the provider were sent has been
    told, and by which names the transcript calls the offers and the notices of measures."""

    world: World
    told: int = 0
    events_told: list[tuple[str, str]] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)
    keypad: Keypad = field(init=False)

    def __post_init__(self) -> None:
        self.keypad = Keypad(self.world)

    @property
    def offers(self) -> list[Offer]:
        return [self.world.look(i) for i in self.world.offers]

    def offer(self, service: str | None) -> Offer:
        found = [o for o in self.offers if service in (None, o.service)]
        assert found, f"no offer of {service}"
        return found[-1]

    @property
    def purse(self) -> Purse:
        assert isinstance(self.world, Purse)
        return self.world

    @property
    def consents(self) -> list[Consent]:
        """The askings of all notices, oldest first."""
        query = "SELECT notice_id FROM wallet_consents WHERE notice_id = ANY(:ids) ORDER BY id"
        rows = self.world.rows(query, ids=[n.id for n in self.notices])
        return [self.purse.asking(r.notice_id) for r in rows]

    @property
    def measured(self) -> list[Notice | Consent]:
        """The cases of the wallet."""
        return [*self.notices, *self.consents] if self.notices else []

    def untold(self) -> list[tuple[str, str]]:
        """What providers were told and the transcript has not mentioned: (event, service)."""
        query = "SELECT case_id, type FROM events ORDER BY case_id, sequence"
        names = {o.id: o.service for o in self.offers}
        names |= {one.id: one.measure for one in self.measured}
        found = [r for r in self.world.rows(query) if r.case_id in names]
        events = [(r.type.removeprefix("offer."), names[r.case_id]) for r in found]
        for told in self.events_told:
            events.remove(told)
        return events


Step = Callable[..., None]


def shown(at: datetime) -> str:
    """A moment as people in Almaty write it."""
    return f"{at.astimezone(ALMATY):%d.%m.%Y %H:%M}"


STEPS: list[tuple[re.Pattern[str], Step]] = []


def says(pattern: str) -> Callable[[Step], Step]:
    """Declares how a step is written; named groups are the step's arguments."""

    def declare(carry_out: Step) -> Step:
        STEPS.append((re.compile(pattern + r"\Z", re.DOTALL), carry_out))
        return carry_out

    return declare


# --- time and the network --------------------------------------------------------------------


@says(r"\+(?P<by>(?:\d+[dhms] ?)+)")
def time_passes(play: Play, by: str) -> None:
    parts = {UNITS[unit]: int(number) for number, unit in re.findall(r"(\d+)([dhms])", by)}
    play.world.pass_time(timedelta(**parts))


@says(r"it is (?P<at>\d\d\.\d\d\.\d{4} \d\d:\d\d)")
def it_is(play: Play, at: str) -> None:
    assert shown(play.world.clock()) == at


@says(r"offers leave from (?P<start>\d\d:\d\d) to (?P<end>\d\d:\d\d)")
def sending_hours(play: Play, start: str, end: str) -> None:
    rt = play.world.rt
    hours = SendingHours(time.fromisoformat(start), time.fromisoformat(end))
    sending = replace(rt.settings.sending, hours=hours)
    play.world.rt = replace(rt, settings=replace(rt.settings, sending=sending))
    play.world.exchange.rt = play.world.rt


@says(rf"network (?P<how>{'|'.join(RESPONSES)})")
def network_answers(play: Play, how: str) -> None:
    play.world.network.answers = RESPONSES[how]


@says(r"there is another network")
def another_network(play: Play) -> None:
    play.world.open_network()


@says(r"network responds")
def network_responds(play: Play) -> None:
    play.world.answer_late()


@says(r"network is down")
def network_down(play: Play) -> None:
    play.world.go_down()


@says(r"network is up")
def network_up(play: Play) -> None:
    play.world.come_back()


@says(r"network delivers the last message again, the link was lost")
def redelivery(play: Play) -> None:
    play.world.deliver_again()


@says(r"gateway is killed, another starts")
def killed(play: Play) -> None:
    play.world.die()


@says(
    r"receipt (?P<state>[A-Z]+)(?: for segment (?P<segment>\d))?"
    r"(?: of message (?P<of>\d+))?(?P<twice>, twice)?"
)
def receipt(play: Play, state: str, segment: str | None, of: str | None, twice: str | None) -> None:
    segments = [int(segment)] if segment else []
    for _ in range(2 if twice else 1):
        play.world.receipt(ReceiptState(state), segments, int(of) - 1 if of else -1)


# --- the phone -------------------------------------------------------------------------------


@says(r"1414 → phone: (?P<body>.+)")
def phone_gets(play: Play, body: str) -> None:
    assert play.told < len(play.world.mts), "nothing was sent to the phone"
    sent = play.world.mts[play.told].message
    assert (sent.body, sent.phone) == (body, play.world.phone)
    play.told += 1


@says(r"phone → 1414: (?P<words>.*)")
def phone_says(play: Play, words: str) -> None:
    play.world.say(words)


@says(r"phone → 1414 in segments (?P<order>\d(?:, \d)+): (?P<words>.+)")
def phone_says_at_length(play: Play, order: str, words: str) -> None:
    play.world.say_in_segments(words, [int(n) for n in order.split(", ")])


@says(r"phone → 1414 segment (?P<number>\d) of (?P<total>\d): (?P<words>.+)")
def phone_says_a_segment(play: Play, number: str, total: str, words: str) -> None:
    segment = SegmentOf(7, int(total), int(number))
    play.world.hear([play.world.mo(words, segment=segment)])


@says(r"phone → 1414 in octets: (?P<octets>[0-9A-F ]+)")
def phone_sends_noise(play: Play, octets: str) -> None:
    play.world.hear([play.world.mo(None, bytes.fromhex(octets))])


@says(r"(?P<sender>[A-Z]+) → 1414: (?P<words>.+)")
def a_machine_says(play: Play, sender: str, words: str) -> None:
    play.world.say(words, sender=sender, from_phone=False)


@says(r"silence")
def silence(play: Play) -> None:
    """Only for the reader: what is not in the transcript must not happen anyway."""


@says(r"kept unread: (?P<why>.+)")
def kept(play: Play, why: str) -> None:
    assert ", ".join(play.world.heard()) == why


# --- USSD ------------------------------------------------------------------------------------


@says(r"phone dials (?P<code>\S+)")
def phone_dials(play: Play, code: str) -> None:
    play.keypad.dial(code)


@says(r"phone presses (?P<key>.+)")
def phone_presses(play: Play, key: str) -> None:
    play.keypad.press(key)


@says(r"phone hangs up")
def phone_hangs_up(play: Play) -> None:
    play.keypad.hang_up()


@says(r"(?P<last>last )?screen: (?P<text>.+)")
def phone_shows(play: Play, last: str | None, text: str) -> None:
    shown = play.keypad.ends_with() if last else play.keypad.shows()
    assert shown == text, shown


@says(r"Redis is (?P<how>down|up|flushed)")
def redis_is(play: Play, how: str) -> None:
    if how == "flushed":
        play.world.rt.redis.flushdb()
    else:
        play.keypad.lose_redis() if how == "down" else play.keypad.find_redis()


# --- the registers and the provider ----------------------------------------------------------


@says(
    r"(?P<name>\w+) speaks (?P<language>kk|ru|a language we do not know)"
    r"(?:, consent for (?P<hours>\d+)h)?"
)
def registered(play: Play, name: str, language: str, hours: str | None) -> None:
    ends = timedelta(hours=int(hours)) if hours else None
    play.world.register(name, SPOKEN[language], consent_ends=ends)


@says(r"(?P<name>\w+) has another phone")
def another_phone(play: Play, name: str) -> None:
    play.world.register(name, None, phone="+77059998877")


@says(r"(?P<name>\w+) revokes the consent")
def revoked(play: Play, name: str) -> None:
    play.world.revoke(name)


@says(
    r"provider offers (?P<service>[\w-]+)(?: to (?P<name>\w+))?"
    r"(?: with accounts (?P<accounts>.+))?"
)
def offered(play: Play, service: str, name: str | None, accounts: str | None) -> None:
    labels = accounts.split(", ") if accounts else []
    made = play.world.offer(service, name or next(iter(play.world.people)), labels)
    assert isinstance(made, Offer), made


@says(r"provider may not offer (?P<service>[\w-]+): (?P<gate>\w+)")
def not_offered(play: Play, service: str, gate: str) -> None:
    made = play.world.offer(service, next(iter(play.world.people)))
    assert getattr(made, "gate", None) == gate, made


@says(r"provider withdraws(?: (?P<service>[\w-]+))?")
def withdrawn(play: Play, service: str | None) -> None:
    play.world.withdraw(play.offer(service).id)


@says(r"provider reports (?P<result>rendered|refused)(?: of (?P<service>[\w-]+))?")
def reported(play: Play, result: str, service: str | None) -> None:
    play.world.report(play.offer(service).id, result)


@says(r"provider is told the account: (?P<told>.+)")
def provider_hears_the_account(play: Play, told: str) -> None:
    query = "SELECT body FROM events WHERE case_id = :id AND type = 'offer.account'"
    [row] = play.world.rows(query, id=play.offer(None).id)
    data = msgspec.json.decode(row.body)["data"]["account"]
    assert ", ".join(str(data[k]) for k in ("choice", "index", "label", "why") if data[k]) == told
    provider_hears(play, "account", None)


@says(r"provider is told: (?P<event>[a-z]+)(?: of (?P<service>[\w-]+))?")
def provider_hears(play: Play, event: str, service: str | None) -> None:
    told = (event, play.offer(service).service)
    assert told in play.untold()
    play.events_told.append(told)


@says(
    r"(?P<service>[\w-]+) is (?P<state>[a-z]+)(?:, result (?P<result>.+?))?"
    r"(?:, until (?P<until>\d\d\.\d\d\.\d{4} \d\d:\d\d))?"
)
def stands(play: Play, service: str, state: str, result: str | None, until: str | None) -> None:
    offer = play.offer(None if service == "offer" else service)
    assert offer.state == state
    assert result is None or offer.result == result
    if until is not None:
        assert offer.deadline is not None
        assert shown(offer.deadline) == until


@says(r"journal(?: of (?P<service>[\w-]+))?: (?P<kinds>.+)")
def journal_says(play: Play, service: str | None, kinds: str) -> None:
    entries = play.world.journal(play.offer(service).id)
    assert ", ".join(e.kind for e in entries) == kinds
