"""Delivery receipts: which PDUs are some, and what they say, however a network words them.

Pure. A receipt is never taken for a reply, and a reply that looks like one never for a receipt:
only esm_class and TLVs decide, which no handset can write.
"""

import re
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from msgspec import Struct

from smpp import addresses
from smpp.binds import Bind, MessageIds
from smpp.messages import ReceiptState
from smpp.pdu import SmFields
from smpp.tlv import Tag, reference_of, tlv_int, tlv_text

_RECEIPT: Final = 0x04  # bits of esm_class that say what a PDU is (5.2.12)
_INTERMEDIATE: Final = 0x20
_UCS2: Final = 8

# Appendix B names the fields; their order, case and number are each network's own. What follows
# "text:" is the message's begin and may say anything.
_FIELD: Final = re.compile(
    r"(?<![a-z])(id|sub|dlvrd|submit[ _]?date|done[ _]?date|stat|err|text)\s*:", re.IGNORECASE
)
# As Appendix B of SMPP 3.4 has it, and nearly everybody: read at once.
USUAL_NAMES: Final = ("id", "sub", "dlvrd", "submit date", "done date", "stat", "err")
USUAL: Final = re.compile(" ".join(rf"{n}:([^\s\0,;:]+)" for n in USUAL_NAMES) + " [Tt]ext:")
_STATES_BY_NUMBER: Final = dict(enumerate(ReceiptState, 1))  # message_state (5.2.28)
_STATES_BY_START: Final = {state.value[:5]: state for state in ReceiptState} | {
    "DELIV": ReceiptState.DELIVRD,  # DELIVERED
    "BUFFE": ReceiptState.ENROUTE,
    "BUFFR": ReceiptState.ENROUTE,
    "SCHED": ReceiptState.ENROUTE,
}
_DIGITS: Final = re.compile(r"[0-9]{1,64}")  # an id is no longer (5.2.23)
_LONGEST_ID: Final = 255
_LONGEST_ERROR: Final = 32
_HEX: Final = re.compile(r"(?:0[xX])?([0-9a-fA-F]{1,64})")


class ParsedReceipt(Struct, frozen=True):
    """What a receipt says. `message_ids` are the spellings of the id that submit_sm_resp may
    have used, likeliest first, perhaps none. `done_at` is in UTC."""

    message_ids: tuple[str, ...]
    state: ReceiptState
    error: str
    done_at: datetime | None
    phone: str
    user_message_reference: int | None = None


def read(fields: SmFields, bind: Bind) -> ParsedReceipt | None:
    """The receipt in a deliver_sm or data_sm, or None where it is none. `phone` is E.164 where
    the address is a phone, else as it came."""
    tlvs = fields.tlvs
    if not fields.esm_class & (_RECEIPT | _INTERMEDIATE) and Tag.RECEIPTED_MESSAGE_ID not in tlvs:
        return None
    said = fields_of(_text(fields))
    if not fields.esm_class & (_RECEIPT | _INTERMEDIATE):
        # An id alone may stand beside somebody's answer; with a state it is a receipt without
        # its esm_class, or a handset's acknowledgement (esm_class 0x08) passed on.
        if Tag.MESSAGE_STATE not in tlvs and "stat" not in said:
            return None
    state = _state(tlvs.get(Tag.MESSAGE_STATE), said.get("stat", ""))
    if fields.esm_class & _INTERMEDIATE and state is ReceiptState.UNKNOWN:
        state = ReceiptState.ENROUTE
    return ParsedReceipt(
        _message_ids(tlvs.get(Tag.RECEIPTED_MESSAGE_ID, b""), said.get("id", ""), bind.message_id),
        state,
        said.get("err", "")[:_LONGEST_ERROR] or _network_error(tlvs.get(Tag.NETWORK_ERROR_CODE)),
        _done_at(said.get("done date", ""), bind.receipt_time_zone),
        _phone(fields, bind),
        reference_of(tlvs),
    )


def _message_ids(tlv: bytes, said: str, mode: MessageIds) -> tuple[str, ...]:
    """The spellings of both ids, that of the TLV first; they are one with most networks."""
    named = tlv_text(tlv)
    spellings = candidates(named, mode)
    if said == named:
        return spellings
    return tuple(dict.fromkeys((*spellings, *candidates(said, mode))))


def candidates(id: str, mode: MessageIds) -> tuple[str, ...]:
    """Spellings under which a receipt's id may have been given in submit_sm_resp, and its plain
    one: in small letters, without leading zeros and "0x".

    The mode says how to turn the receipt's id into the response's: "hex-to-dec" where receipts
    have hexadecimal and responses decimal ids. "auto" tries all; an empty id has none.
    """
    if not id or len(id) > _LONGEST_ID:
        return ()
    if mode == "verbatim":
        return (id,)
    to_hex, to_decimal = _to_hex(id), _to_decimal(id)
    same: tuple[str, ...] = (id, id.lstrip("0") or "0")
    if not to_hex:  # letters have two spellings
        small = id.lower()
        same = (id, small, id.upper(), same[1], small.lstrip("0x") or "0")
    match mode:
        case "hex-to-dec":
            spellings = (*to_decimal, *same)
        case "dec-to-hex":
            spellings = (*to_hex, *same)
        case _:
            spellings = (*same, *to_hex, *to_decimal)
    return tuple(dict.fromkeys(spellings))


def _to_hex(id: str) -> tuple[str, ...]:
    if not _DIGITS.fullmatch(id):
        return ()
    digits = f"{int(id):x}"
    return digits, digits.upper(), digits.zfill(8), digits.upper().zfill(8)


def _to_decimal(id: str) -> tuple[str, ...]:
    digits = _HEX.fullmatch(id)
    if digits is None:
        return ()
    number = str(int(digits[1], 16))
    return number, number.zfill(10)


def _text(fields: SmFields) -> str:
    """Receipts are ASCII whatever their data_coding says (OsmoMSC says 2), or true UTF-16."""
    data = fields.short_message or fields.tlvs.get(Tag.MESSAGE_PAYLOAD, b"")
    if fields.data_coding == _UCS2 and b"\0" in data:
        return data.decode("utf-16-be", "replace")
    return data.decode("latin-1")


def fields_of(text: str) -> dict[str, str]:
    """The first value of each field, by its name in small letters; "" where it is empty."""
    usual = USUAL.match(text)
    if usual is not None:
        return dict(zip(USUAL_NAMES, usual.groups(), strict=True))
    return fields_anyhow(text)


def fields_anyhow(text: str) -> dict[str, str]:
    """The same of whatever order and spelling."""
    found: dict[str, str] = {}
    marks = list(_FIELD.finditer(text))
    ends = [mark.start() for mark in marks[1:]] + [len(text)]
    for mark, end in zip(marks, ends, strict=False):
        name = mark[1].lower()
        if name == "text":
            break
        if name.endswith("date"):
            name = name.removesuffix("date").rstrip(" _") + " date"
        value = text[mark.end() : end].split()
        found.setdefault(name, value[0].strip("\0,;") if value else "")
    return found


def _state(tlv: bytes | None, stat: str) -> ReceiptState:
    if tlv and tlv_int(tlv) in _STATES_BY_NUMBER:
        return _STATES_BY_NUMBER[tlv_int(tlv)]
    if _DIGITS.fullmatch(stat):
        return _STATES_BY_NUMBER.get(int(stat), ReceiptState.UNKNOWN)
    return _STATES_BY_START.get(stat.upper()[:5], ReceiptState.UNKNOWN)


def _network_error(tlv: bytes | None) -> str:
    """network_error_code (5.3.2.31): the network's kind, then its code."""
    return str(tlv_int(tlv[1:])) if tlv and len(tlv) <= 5 else ""


def _done_at(date: str, time_zone: str) -> datetime | None:
    """A moment that is never too early: without seconds, the end of its minute."""
    if not time_zone or not _DIGITS.fullmatch(date):
        return None
    formats = {10: ("%y%m%d%H%M",), 12: ("%y%m%d%H%M%S", "%Y%m%d%H%M"), 14: ("%Y%m%d%H%M%S",)}
    for form in formats.get(len(date), ()):
        try:
            local = datetime.strptime(date, form).replace(tzinfo=ZoneInfo(time_zone))
            precise = local if form.endswith("%S") else local + timedelta(minutes=1)
            return precise.astimezone(UTC)
        except (ValueError, OverflowError):
            continue
    return None


def _phone(fields: SmFields, bind: Bind) -> str:
    """The handset: the source, or the destination where the SMSC does not turn them round."""
    source = addresses.phone(fields.source, fields.source_ton)
    if source is None or fields.source == bind.source_addr:
        return addresses.phone(fields.dest, fields.dest_ton) or source or fields.source
    return source
