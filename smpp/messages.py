"""The words smpp shares with the rest of the house: what came in, what goes out, what became of it.

Pure data. The law rooms may import this module and nothing else of `smpp`.
"""

from collections.abc import Sequence
from datetime import datetime
from enum import IntEnum, StrEnum
from typing import Final

from msgspec import Struct


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


class Ussd(Struct, frozen=True):
    """The USSD side of a PDU, incoming or to be sent: the operation, the session octets as they
    came, whether the session ends. An answer takes over, from what it answers, all but `op` and
    `ends` (`smpp.ussd.answer_op` makes one), for gateways tie a session by either of two marks."""

    op: int
    session: bytes = b""  # its_session_info (two octets) or the vendor's own; empty: none came
    ends: bool = False
    user_message_reference: int | None = None  # the gateway's mark of the session, 16 bits
    data_coding: int | None = None  # of the incoming PDU: the answer uses the same family


class SegmentOf(Struct, frozen=True):
    """Which segment of a long message this is: numbers run from 1 to `total`."""

    reference: int
    total: int
    number: int


class Acknowledgement(Struct, frozen=True):
    """What the link needs to answer a deliver_sm or data_sm: only on the connection it came by."""

    cid: str
    connection: int
    sequence: int
    command: int


class Inbound(Struct, frozen=True):
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


class Receipt(Struct, frozen=True):
    """A parsed delivery receipt. `message_ids` are the spellings the SMSC may have meant,
    likeliest first. `done_at` is None unless the bind declares its receipts' time zone;
    `acknowledgement` is None once the network has been answered, and `about` then the id of the
    message that it is about."""

    cid: str
    network: str
    phone: str
    message_ids: tuple[str, ...]
    state: ReceiptState
    error: str
    done_at: datetime | None
    received_at: datetime
    acknowledgement: Acknowledgement | None
    user_message_reference: int | None = None
    about: str = ""


class Outbound(Struct, frozen=True):
    """One MT message to submit; the link cuts it into segments by the bind's `long_message`.

    Segment n carries the user_message_reference `segment_reference(base, n)`, 8 bits wide because
    some SMSCs keep no more. `user_message_reference` is the base, 0 to 255; None takes 8 times
    `reference`, so that the segments of a recipient's messages do not share one. A USSD answer
    carries the one of the PDU it answers, 16 bits, or none. `rank` orders what waits for a bind:
    0 goes before 1, and BULK_RANK last.
    """

    id: str
    phone: str  # E.164 with "+"
    text: str
    reference: int  # concatenation reference, 16 bits, counted per recipient
    validity_s: int
    wants_receipt: bool = True
    ussd: Ussd | None = None
    user_message_reference: int | None = None
    rank: int = 0


BULK_RANK = 2
"""What may wait: nobody has asked for it and no term runs."""


def segment_reference(base: int, segment: int) -> int:
    """The user_message_reference (SMPP 3.4, 5.3.2.17) of the segment with this number, from 1."""
    return (base + segment - 1) & 0xFF


class SubmitOutcome(StrEnum):
    """What became of one submitted segment; the table of error codes is smpp.statuses."""

    ACCEPTED = "accepted"
    RETRY_NOW = "retry-now"
    RETRY_LATER = "retry-later"
    OTHER_BIND = "other-bind"
    UNKNOWN_SUBSCRIBER = "unknown-subscriber"  # permanent here; another network may have the number
    PERMANENT = "permanent"
    UNKNOWN = "unknown"  # the link was lost or the response did not come: never sent again blindly


class SubmitResult(Struct, frozen=True):
    """The answer to one segment's submit_sm, or its absence.

    `user_message_reference` is what the segment carried, for receipts whose id means nothing;
    None where nothing was sent or, with USSD, none was due. `broke_link` says that the link was
    lost while this segment alone was in flight: it may be what breaks it. `is_late` says that this
    segment's outcome was UNKNOWN before, for want of this very answer.
    """

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
    user_message_reference: int | None = None
    broke_link: bool = False
    is_late: bool = False


class QueryResult(Struct, frozen=True):
    """The answer to a query_sm (SMPP 3.4, 4.8), or its absence: `status` None. `state` is None
    unless the SMSC told one; `done_at` where it gave a final_date with its offset from UTC."""

    cid: str
    network: str
    smsc_id: str
    token: object  # what `Link.query` was given
    state: ReceiptState | None
    error: str
    done_at: datetime | None
    at: datetime
    status: int | None


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


class BindState(Struct, frozen=True):
    """One change of a bind, in words and with the SMPP status where there is one."""

    cid: str
    network: str
    event: BindEvent
    at: datetime
    reason: str = ""
    status: int = 0


Heard = Inbound | Receipt | SubmitResult | QueryResult | BindState
DELIVERIES: Final = (Inbound, Receipt)  # what a network hands over, and waits for our answer to


def is_of_reference(receipt: Receipt, response: SubmitResult) -> bool:
    """Whether the user_message_reference of a receipt may be its segment's: one has none, or they
    are alike in the low octet, of which some SMSCs keep no more."""
    theirs, ours = receipt.user_message_reference, response.user_message_reference
    return ours is None or theirs is None or (ours ^ theirs) & 0xFF == 0


def is_owed(item: Heard) -> bool:
    """Whether the network still waits for our answer to it."""
    return isinstance(item, DELIVERIES) and item.acknowledgement is not None


def owed(items: Sequence[Heard]) -> list[Acknowledgement]:
    """What networks wait for."""
    deliveries = (item.acknowledgement for item in items if isinstance(item, DELIVERIES))
    return [one for one in deliveries if one is not None]
