"""The words smpp shares with the rest of the house: what came in, what goes out, what became of it.

Pure data. The law rooms may import this module and nothing else of `smpp`.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum, StrEnum


class ReceiptState(StrEnum):
    """A receipt's message state (SMPP 3.4, 5.2.28), spelled as the short text has it."""

    ENROUTE = "ENROUTE"
    DELIVRD = "DELIVRD"
    EXPIRED = "EXPIRED"
    DELETED = "DELETED"
    UNDELIV = "UNDELIV"
    ACCEPTD = "ACCEPTD"
    UNKNOWN = "UNKNOWN"
    REJECTD = "REJECTD"

    @property
    def is_final(self) -> bool:
        """ENROUTE and ACCEPTD say only that the message is still on its way, UNKNOWN nothing."""
        return self not in (ReceiptState.ENROUTE, ReceiptState.ACCEPTD, ReceiptState.UNKNOWN)


class UssdOp(IntEnum):
    """`ussd_service_op` (SMPP 3.4, 5.3.2.44); values from 32 up are vendors' own."""

    PSSD_INDICATION = 0
    PSSR_INDICATION = 1
    USSR_REQUEST = 2
    USSN_REQUEST = 3
    PSSD_RESPONSE = 16
    PSSR_RESPONSE = 17
    USSR_CONFIRM = 18
    USSN_CONFIRM = 19


@dataclass(frozen=True, slots=True)
class Ussd:
    """The USSD side of a PDU: the operation, the session octets as sent, whether it ends."""

    op: int
    session: bytes = b""  # its_session_info, two octets or empty
    ends: bool = False


@dataclass(frozen=True, slots=True)
class SegmentOf:
    """Which segment of a long message this is: numbers run from 1 to `total`."""

    reference: int
    total: int
    number: int


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """What the link needs to answer a deliver_sm or data_sm: only on the connection it came by."""

    cid: str
    connection: int
    sequence: int
    command: int


@dataclass(frozen=True, slots=True)
class Inbound:
    """One MO PDU: a whole message, or one segment of it. `text` is None where the octets
    cannot be decoded; `raw` always holds them as they came."""

    cid: str
    network: str
    sender: str  # E.164 with "+" where it is a phone, else as received
    destination: str
    text: str | None
    raw: bytes
    data_coding: int
    received_at: datetime
    acknowledgement: Acknowledgement
    segment: SegmentOf | None = None
    ussd: Ussd | None = None
    user_message_reference: int | None = None
    from_phone: bool = True  # False: alphanumeric or short-code sender, never answered


@dataclass(frozen=True, slots=True)
class Receipt:
    """A parsed delivery receipt. `message_ids` are the spellings the SMSC may have meant,
    likeliest first. `done_at` is None unless the bind declares its receipts' time zone."""

    cid: str
    network: str
    phone: str
    message_ids: tuple[str, ...]
    state: ReceiptState
    error: str
    done_at: datetime | None
    received_at: datetime
    acknowledgement: Acknowledgement
    user_message_reference: int | None = None


@dataclass(frozen=True, slots=True)
class Outbound:
    """One MT message to submit; the link cuts it into segments by the bind's `long_message`."""

    id: str
    phone: str  # E.164 with "+"
    text: str
    reference: int  # concatenation reference, 16 bits, counted per recipient
    validity_s: int
    wants_receipt: bool = True
    ussd: Ussd | None = None


class SubmitOutcome(StrEnum):
    """What became of one submitted segment; the table of error codes is smpp.statuses."""

    ACCEPTED = "accepted"
    RETRY_NOW = "retry-now"
    RETRY_LATER = "retry-later"
    OTHER_BIND = "other-bind"
    UNKNOWN_SUBSCRIBER = "unknown-subscriber"  # permanent here; another network may have the number
    PERMANENT = "permanent"
    UNKNOWN = "unknown"  # the link was lost or the response did not come: never sent again blindly


@dataclass(frozen=True, slots=True)
class SubmitResult:
    """The answer to one segment's submit_sm, or its absence."""

    cid: str
    network: str
    message_id: str  # Outbound.id
    segment: int
    total: int
    status: int
    smsc_id: str
    outcome: SubmitOutcome
    at: datetime
    phone: str


class BindEvent(StrEnum):
    """Changes of a bind's state, with the vocabulary engineers know."""

    CONNECTING = "connecting"
    BOUND = "bound"
    UNBOUND = "unbound"
    LOST = "lost"
    REFUSED = "refused"
    THROTTLED = "throttled"
    RESUMED = "resumed"
    SUSPENDED = "suspended"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class BindState:
    """One change of a bind, in words and with the SMPP status where there is one."""

    cid: str
    network: str
    event: BindEvent
    at: datetime
    reason: str = ""
    status: int = 0


Heard = Inbound | Receipt | SubmitResult | BindState
