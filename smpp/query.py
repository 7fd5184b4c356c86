"""query_sm and its response (SMPP 3.4, 4.8), for the ESME and the SMSC side alike.

Pure. Few message centres answer it, and some close the connection; a bind says whether to ask.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from smpp.messages import ReceiptState
from smpp.pdu import Command, Pdu, PeerError, Status, pack

STATES: Final = dict(enumerate(ReceiptState, 1))  # message_state (5.2.28)
NUMBERS: Final = {state: number for number, state in STATES.items()}


@dataclass(frozen=True, slots=True)
class QueryFields:
    """The body of query_sm: the message's id and the source address it was submitted with."""

    message_id: str
    source_ton: int = 0
    source_npi: int = 0
    source: str = ""


@dataclass(frozen=True, slots=True)
class QueryAnswer:
    """The body of query_sm_resp; `final_date` is as it came, empty before a final state."""

    message_id: str
    final_date: str
    state: int
    error: int

    @property
    def receipt_state(self) -> ReceiptState | None:
        """The state in the words of receipts, or None for a number that 3.4 does not know."""
        return STATES.get(self.state)

    @property
    def done_at(self) -> datetime | None:
        """The final date in UTC where it is an absolute time with its offset (7.1.1)."""
        return absolute(self.final_date)


def pack_query(sequence: int, fields: QueryFields) -> bytes:
    """A query_sm. Raises ValueError for an id or address that is not ASCII or holds a NUL."""
    body = b"%b\0%c%c%b\0" % (
        *(_ascii(fields.message_id), fields.source_ton, fields.source_npi),
        _ascii(fields.source),
    )
    return pack(Command.QUERY_SM, sequence, 0, body)


def read_query(pdu: Pdu) -> QueryFields:
    """The fields of a query_sm. Raises PeerError when the body is cut."""
    id, nul, rest = pdu.body.partition(b"\0")
    source, end, _ = rest[2:].partition(b"\0")
    if not nul or not end or len(rest) < 3:
        raise PeerError(Status.ESME_RINVCMDLEN, "the body of query_sm is cut")
    return QueryFields(id.decode("latin-1"), rest[0], rest[1], source.decode("latin-1"))


def pack_query_resp(sequence: int, status: int, answer: QueryAnswer | None) -> bytes:
    """A query_sm_resp; None has no body, as usual beside an error."""
    body = b""
    if answer is not None:
        words = (_ascii(answer.message_id), _ascii(answer.final_date))
        body = b"%b\0%b\0%c%c" % (*words, answer.state, answer.error)
    return pack(Command.QUERY_SM_RESP, sequence, status, body)


def read_query_resp(pdu: Pdu) -> QueryAnswer | None:
    """What a query_sm_resp says, or None where its body is absent or cut."""
    id, first, rest = pdu.body.partition(b"\0")
    date, second, numbers = rest.partition(b"\0")
    if not first or not second or not numbers:
        return None
    error = numbers[1] if len(numbers) > 1 else 0
    return QueryAnswer(id.decode("latin-1"), date.decode("latin-1"), numbers[0], error)


def absolute(time: str) -> datetime | None:
    """An absolute time "YYMMDDhhmmsstnnp" (7.1.1.1) in UTC; None for any other text."""
    if len(time) != 16 or time[15] not in "+-" or not (time[:15].isascii() and time[:15].isdigit()):
        return None
    try:
        local = datetime.strptime(time[:12], "%y%m%d%H%M%S").replace(tzinfo=UTC)
        offset = timedelta(minutes=15 * int(time[13:15]))
        return local - offset if time[15] == "+" else local + offset
    except (ValueError, OverflowError):
        return None


def _ascii(text: str) -> bytes:
    if "\0" in text:
        raise ValueError("a NUL inside a C-octet string")
    return text.encode("ascii")
