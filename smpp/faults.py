"""What goes wrong at the simulator on purpose, and how each kind of PDU is troubled on its way.

A network does all of this without being told to; here a test says when.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

Kind = Literal["response", "mo", "receipt", "ussd"]
Ids = Literal["decimal", "hex", "constant", "empty"]

TURN_ROUND_S: Final = 0.1  # how long one waits to change places with a second that does not come


@dataclass(frozen=True, slots=True)
class Trouble:
    """What befalls the PDUs of one kind. `…_every` n spoils each n-th, `…_after` n the n-th and
    only that; 0 is never. Delays are in a person's seconds."""

    lose_every: int = 0
    delay_s: float = 0
    duplicate: bool = False
    reorder: bool = False  # each two change places
    cut_after: int = 0  # in its middle, and the connection ends
    unbind_after: int = 0
    silent_after: int = 0  # the connection stays open and says and hears nothing any more


NO_TROUBLE: Final = Trouble()


@dataclass(frozen=True, slots=True)
class Faults:
    """What goes wrong on purpose. `responses` are those to submits, `replies` what handsets send.

    A submit that is lost or refused (`…_every` n: each n-th) reaches no handset. `ids`: "hex" are
    hexadecimal in responses and decimal in receipts; "constant" and "empty" ones tell nothing, and
    the receipt has one of its own, as OsmoMSC's.
    """

    lose_submits_every: int = 0
    throttle_every: int = 0
    queue_full_every: int = 0
    responses: Trouble = NO_TROUBLE
    receipts: Trouble = NO_TROUBLE
    replies: Trouble = NO_TROUBLE
    ids: Ids = "decimal"
    receipts_by_data_sm: bool = False
    receipts_elsewhere: bool = False  # by another connection than the submit came, if there is one
    refuse_queries: bool = False

    def of(self, kind: Kind) -> Trouble:
        """What befalls PDUs of this kind; a USSD session is spared."""
        if kind == "response":
            return self.responses
        if kind == "receipt":
            return self.receipts
        return self.replies if kind == "mo" else NO_TROUBLE


NO_FAULTS: Final = Faults()


@dataclass(slots=True)
class Counts:
    """What has happened since the simulator was made; `submitted` counts segments."""

    submitted: int = 0
    throttled: int = 0
    receipts: int = 0
    receipts_delivered: int = 0
    mo: int = 0
    mo_delivered: int = 0
    redelivered: int = 0
    refused: int = 0
    lost: int = 0  # submits, responses, receipts and replies that a fault has swallowed
    queried: int = 0


class Flow:
    """One kind of PDU on its way: counts them and does to each what a trouble says."""

    def __init__(self, later: Callable[[float, Callable[[], None]], None]) -> None:
        self.sent = 0  # how many have reached a connection
        self._later = later  # loop seconds, and what then
        self._begun = 0
        self._held: Callable[[], None] | None = None

    def carry(self, trouble: Trouble, delay_s: float, send: Callable[[], None]) -> bool:
        """Lets `send` happen now, later, twice or never; False when never."""
        if trouble is NO_TROUBLE:
            send()
            return True
        self._begun += 1
        if is_nth(self._begun, trouble.lose_every):
            return False
        for _ in range(2 if trouble.duplicate else 1):
            if delay_s:
                self._later(delay_s, send)
            elif trouble.reorder:
                self._turn_round(send)
            else:
                send()
        return True

    def _turn_round(self, send: Callable[[], None]) -> None:
        if self._held is None:
            self._held = send
            self._later(TURN_ROUND_S, lambda: self._let_go(send))
        else:
            first, self._held = self._held, None
            send()
            first()

    def _let_go(self, send: Callable[[], None]) -> None:
        if self._held is send:
            self._held = None
            send()


def is_nth(count: int, every: int) -> bool:
    """Whether a fault of each n-th is due; 0 is never."""
    return every > 0 and count % every == 0
