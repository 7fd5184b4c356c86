"""Optional parameters (SMPP 3.4, 3.2.4 and 5.3): tags, and raw values in and out.

Values are taken by the length they came with, never by the size their tag nominally has, and an
unknown tag is kept; what a value means is for receipts, ussd and text to say.
"""

from collections.abc import Mapping
from enum import IntEnum
from struct import Struct
from typing import Final

_TLV: Final = Struct(">HH")


class Tag(IntEnum):
    """The TLV tags that jauap or its simulator reads or writes (5.3.2)."""

    DEST_NETWORK_TYPE = 0x0006
    PAYLOAD_TYPE = 0x0019
    ADDITIONAL_STATUS_INFO_TEXT = 0x001D
    RECEIPTED_MESSAGE_ID = 0x001E
    USER_MESSAGE_REFERENCE = 0x0204
    SOURCE_PORT = 0x020A
    DESTINATION_PORT = 0x020B
    SAR_MSG_REF_NUM = 0x020C
    LANGUAGE_INDICATOR = 0x020D
    SAR_TOTAL_SEGMENTS = 0x020E
    SAR_SEGMENT_SEQNUM = 0x020F
    SC_INTERFACE_VERSION = 0x0210
    SOURCE_SUBADDRESS = 0x0202
    DEST_SUBADDRESS = 0x0203
    NETWORK_ERROR_CODE = 0x0423
    MESSAGE_PAYLOAD = 0x0424
    DELIVERY_FAILURE_REASON = 0x0425
    MORE_MESSAGES_TO_SEND = 0x0426
    MESSAGE_STATE = 0x0427
    USSD_SERVICE_OP = 0x0501
    MS_VALIDITY = 0x1204
    ITS_SESSION_INFO = 0x1383


_REFERENCE: Final = Tag.USER_MESSAGE_REFERENCE


def read_tlvs(body: bytes, at: int) -> dict[int, bytes]:
    """The TLVs from `at` to the end, known and unknown, raw. Raises ValueError when one
    runs past the end."""
    found: dict[int, bytes] = {}
    end = len(body)
    while at < end:
        if end - at < 4:
            raise ValueError("a TLV's header is cut")
        tag, length = _TLV.unpack_from(body, at)
        at += 4
        if at + length > end:
            raise ValueError(f"TLV 0x{tag:04x} runs past the end")
        found[tag] = body[at : at + length]
        at += length
    return found


def tlv_text(value: bytes) -> str:
    """A TLV's string: one NUL at its end is taken off, and a missing one is no harm."""
    return (value[:-1] if value.endswith(b"\0") else value).decode("latin-1")


def tlv_int(value: bytes) -> int:
    """A TLV's integer by the length it came with, not by the one the tag nominally has."""
    return int.from_bytes(value, "big")


def reference_of(tlvs: Mapping[int, bytes]) -> int | None:
    """The user_message_reference (5.3.2.17), or None where there is none of 16 bits."""
    value = tlvs.get(_REFERENCE)
    if not value or len(value) > 4:
        return None
    number = int.from_bytes(value, "big")
    return number if number <= 0xFFFF else None


def pack_tlvs(tlvs: Mapping[int, bytes]) -> bytes:
    """TLVs one behind the other, in the mapping's order."""
    return b"".join([_TLV.pack(tag, len(value)) + value for tag, value in tlvs.items()])


def bound_version(body: bytes) -> int | None:
    """sc_interface_version (5.3.2.25) behind a bind response's system_id, where there is one."""
    nul = body.find(0)
    try:
        value = read_tlvs(body, nul + 1).get(Tag.SC_INTERFACE_VERSION) if nul >= 0 else None
    except ValueError:
        return None
    return tlv_int(value) if value else None
