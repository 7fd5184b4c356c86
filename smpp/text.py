"""Texts to segments and octets to texts: alphabets, concatenation and reassembly.

Pure. Nothing here alters a text, not even its Unicode form, and nothing guesses: octets that cannot
be read with certainty have no text, for noise must never become a consent.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final, Literal

from msgspec import Struct, field

from smpp import gsm
from smpp.binds import Bind, LongMessage
from smpp.messages import Inbound, SegmentOf
from smpp.pdu import SmFields
from smpp.tlv import Tag, tlv_int

Mode = LongMessage
Encoding = Literal["gsm7", "ucs2"]

GSM7: Final = 0x00
UCS2: Final = 0x08
UDH_INDICATOR: Final = 0x40  # esm_class (5.2.12)
MAX_SEGMENTS: Final = 255
MAX_PAYLOAD: Final = 64_000  # octets of message_payload (5.3.2.32)

_SINGLE: Final = {"gsm7": 160, "ucs2": 70}
_EACH: Final[dict[Mode, dict[Encoding, int]]] = {
    "udh8": {"gsm7": 153, "ucs2": 67},
    "udh16": {"gsm7": 152, "ucs2": 66},
    # The SMSC makes a user data header of sar_ TLVs, and of a 16-bit reference a 16-bit one.
    "sar": {"gsm7": 152, "ucs2": 66},
}
_CONCAT_8: Final = 0x00  # information elements (3GPP TS 23.040, 9.2.3.24)
_CONCAT_16: Final = 0x08
_NATIONAL_TABLES: Final = (0x24, 0x25)  # another alphabet than ours: the octets mean other letters


class Segment(Struct, frozen=True):
    """What one submit_sm carries of a text."""

    esm_class: int
    data_coding: int
    short_message: bytes
    tlvs: dict[int, bytes] = field(default_factory=dict)


class SegmentCount(Struct, frozen=True):
    """What a text costs: `units` are septets or UTF-16 code units, `offending` the characters,
    each once and in order, that alone forced UCS-2."""

    segments: int
    units: int
    encoding: Encoding
    offending: tuple[str, ...]


class ParsedText(Struct, frozen=True):
    """A PDU's text. `text` is None where the octets cannot be read with certainty; `raw` are the
    octets behind the user data header, or with it where the header itself is broken."""

    text: str | None
    raw: bytes
    data_coding: int
    segment: SegmentOf | None = None


def segments(text: str, reference: int, mode: Mode) -> list[Segment]:
    """The segments of a text, never cut inside a character. `reference` is 16 bits wide; udh8
    sends its low 8. Raises ValueError beyond 255 segments or 64 000 octets of payload."""
    data_coding, octets = encode(text)
    encoding: Encoding = "gsm7" if data_coding == GSM7 else "ucs2"
    width = 1 if encoding == "gsm7" else 2
    if len(octets) <= _SINGLE[encoding] * width:
        return [Segment(0, data_coding, octets)]
    if mode == "payload":
        if len(octets) > MAX_PAYLOAD:
            raise ValueError(f"a text of {len(octets)} octets, at most {MAX_PAYLOAD}")
        return [Segment(0, data_coding, b"", {Tag.MESSAGE_PAYLOAD: octets})]
    pieces = _cut_evenly(octets, _EACH[mode][encoding] * width, width)
    return headed(pieces, data_coding, reference, mode)


def count(text: str, mode: Mode) -> SegmentCount:
    """How many segments a text takes, and why; "payload" counts as the udh16 the SMSC makes."""
    encoding = _encoding(text)
    octets = encode(text)[1]
    width = 1 if encoding == "gsm7" else 2
    total = 1
    if len(octets) > _SINGLE[encoding] * width:
        shape: Mode = "udh16" if mode == "payload" else mode
        total = len(_cut(octets, _EACH[shape][encoding] * width, width))
    offending = tuple(dict.fromkeys(char for char in text if char not in gsm.PLAIN))
    return SegmentCount(total, len(octets) // width, encoding, offending)


def encode(text: str) -> tuple[int, bytes]:
    """data_coding and octets: GSM 7-bit only for plain texts, else UTF-16BE without a BOM.
    A lone surrogate raises UnicodeEncodeError."""
    if gsm.is_plain(text):
        return GSM7, gsm.encode(text)
    return UCS2, text.encode("utf-16-be")


def headed(pieces: Sequence[bytes], data_coding: int, reference: int, mode: Mode) -> list[Segment]:
    """Pieces with the headers or TLVs that join them again. Raises ValueError beyond 255."""
    total = len(pieces)
    if total > MAX_SEGMENTS:
        raise ValueError(f"a text of {total} segments, at most {MAX_SEGMENTS}")
    made = []
    for number, piece in enumerate(pieces, 1):
        match mode:
            case "udh8":
                header = bytes((5, _CONCAT_8, 3, reference & 0xFF, total, number))
                made.append(Segment(UDH_INDICATOR, data_coding, header + piece))
            case "udh16":
                wide = (reference & 0xFFFF).to_bytes(2, "big")
                header = bytes((6, _CONCAT_16, 4, *wide, total, number))
                made.append(Segment(UDH_INDICATOR, data_coding, header + piece))
            case _:
                made.append(Segment(0, data_coding, piece, _sar(reference, total, number)))
    return made


def decode(data: bytes, data_coding: int, overrides: Mapping[str, str]) -> str | None:
    """The text of octets, or None. `overrides` is the bind's `data_coding_in`: data_coding in
    decimal to a name of `READERS`. The rest follows SMPP 3.4, 5.2.19 and the cell broadcast
    codings of 3GPP TS 23.038 that USSD gateways send."""
    name = overrides.get(str(data_coding)) if overrides else None
    reader = READERS.get(name or _NAMES.get(data_coding, ""))
    return reader(data) if reader else None


def read_inbound(fields: SmFields, bind: Bind) -> ParsedText:
    """The text of a deliver_sm or data_sm by the bind's `data_coding_in`."""
    return read(fields, bind.data_coding_in)


def read(fields: SmFields, overrides: Mapping[str, str]) -> ParsedText:
    """The text in short_message or message_payload, and which segment it is. Where the two
    contradict, or the header or the sar_ TLVs are broken, the octets are kept and text is None."""
    payload = fields.tlvs.get(Tag.MESSAGE_PAYLOAD, b"")
    data = fields.short_message + payload
    broken = ParsedText(None, data, fields.data_coding)
    if fields.short_message and payload:
        return broken
    segment: SegmentOf | None
    readable = True
    try:
        segment = _read_sar(fields.tlvs)
        if fields.esm_class & UDH_INDICATOR:
            elements, data = _read_header(data)
            segment = _read_concat(elements) or segment
            readable = not any(tag in elements for tag in _NATIONAL_TABLES)
    except ValueError:
        return broken
    text = decode(data, fields.data_coding, overrides) if readable else None
    return ParsedText(text, data, fields.data_coding, segment)


def joined(
    parts: Sequence[Inbound] | Sequence[ParsedText], overrides: Mapping[str, str] | None = None
) -> tuple[str | None, bytes]:
    """The whole text and octets of segments in any order, repeats allowed. Text is None when a
    number is missing or the octets cannot be read. A handset may cut a character between two
    segments, so what is unreadable apart is read once more together."""
    by_number = {part.segment.number: part for part in parts if part.segment}
    total = max((part.segment.total for part in parts if part.segment), default=0)
    ordered = [by_number[number] for number in sorted(by_number)]
    raw = b"".join(part.raw for part in ordered)
    if not ordered or len(ordered) != total:
        return None, raw
    texts = [part.text for part in ordered if part.text is not None]
    if len(texts) == total:
        return "".join(texts), raw
    codings = {part.data_coding for part in ordered}
    if len(codings) > 1:
        return None, raw
    return decode(raw, codings.pop(), overrides or {}), raw


def _encoding(text: str) -> Encoding:
    return "gsm7" if gsm.is_plain(text) else "ucs2"


def _cut_evenly(octets: bytes, limit: int, width: int) -> list[bytes]:
    """As few pieces as may be, of nearly one length; a surrogate pair stays whole."""
    full = _cut(octets, limit, width)
    units = -(-len(octets) // (width * len(full)))
    # A piece that is a unit longer makes up for the pairs that do not end where a piece should.
    for each in (units * width, (units + 1) * width):
        even = _cut(octets, min(each, limit), width)
        if len(even) == len(full):
            return even
    return full


def _cut(octets: bytes, limit: int, width: int) -> list[bytes]:
    """Full pieces of at most `limit` octets; a surrogate pair moves whole to the next one."""
    pieces, at = [], 0
    while at < len(octets):
        end = min(at + limit, len(octets))
        if width == 2 and end < len(octets) and octets[end] & 0xFC == 0xDC:
            end -= 2
        pieces.append(octets[at:end])
        at = end
    return pieces


def _sar(reference: int, total: int, number: int) -> dict[int, bytes]:
    return {
        Tag.SAR_MSG_REF_NUM: (reference & 0xFFFF).to_bytes(2, "big"),
        Tag.SAR_TOTAL_SEGMENTS: bytes((total,)),
        Tag.SAR_SEGMENT_SEQNUM: bytes((number,)),
    }


def _read_sar(tlvs: Mapping[int, bytes]) -> SegmentOf | None:
    tags = (Tag.SAR_MSG_REF_NUM, Tag.SAR_TOTAL_SEGMENTS, Tag.SAR_SEGMENT_SEQNUM)
    values = [tlv_int(tlvs[tag]) for tag in tags if tag in tlvs]
    if not values:
        return None
    if len(values) < len(tags):
        raise ValueError("one sar_ TLV without the others")
    return _segment_of(*values)


def _read_header(data: bytes) -> tuple[dict[int, bytes], bytes]:
    """Information elements, the last of equal ones, and the octets behind the header."""
    end = data[0] + 1 if data else 1
    if end > len(data):
        raise ValueError("a user data header longer than its message")
    elements: dict[int, bytes] = {}
    at = 1
    while at < end:
        behind = at + 2 + data[at + 1] if at + 1 < end else end + 1
        if behind > end:
            raise ValueError("an information element runs past its header")
        elements[data[at]] = data[at + 2 : behind]
        at = behind
    return elements, data[end:]


def _read_concat(elements: Mapping[int, bytes]) -> SegmentOf | None:
    for tag, size in ((_CONCAT_16, 4), (_CONCAT_8, 3)):
        if tag in elements:
            value = elements[tag]
            if len(value) != size:
                raise ValueError("a concatenation element of a wrong length")
            return _segment_of(int.from_bytes(value[:-2], "big"), value[-2], value[-1])
    return None


def _segment_of(reference: int, total: int, number: int) -> SegmentOf | None:
    # 23.040 would show such a piece as a message of its own. A piece of a sentence is not an
    # answer, so we do not.
    if not 1 <= number <= total <= MAX_SEGMENTS or reference > 0xFFFF:
        raise ValueError(f"segment {number} of {total}")
    return SegmentOf(reference, total, number) if total > 1 else None


def _read_ucs2(data: bytes) -> str | None:
    byte_order = "utf-16-be"
    if data[:2] in (b"\xfe\xff", b"\xff\xfe"):
        byte_order = "utf-16-be" if data[0] == 0xFE else "utf-16-le"
        data = data[2:]
    return _strictly(data, byte_order)


def _read_single(codec: str) -> Callable[[bytes], str | None]:
    def read_octets(data: bytes) -> str | None:
        text = _strictly(data, codec)
        # The C1 controls are nobody's letters: the octets are of another alphabet.
        return None if text is None or any("\x80" <= c <= "\x9f" for c in text) else text

    return read_octets


def _strictly(data: bytes, codec: str) -> str | None:
    try:
        return data.decode(codec)
    except UnicodeDecodeError:
        return None


READERS: Final[Mapping[str, Callable[[bytes], str | None]]] = {
    "gsm7": gsm.decode,
    "ascii": _read_single("ascii"),
    "latin1": _read_single("latin-1"),
    "cyrillic": _read_single("iso8859-5"),
    "cp1251": _read_single("cp1251"),
    "ucs2": _read_ucs2,
    "utf8": _read_single("utf-8"),
}

_NAMES: Final[Mapping[int, str]] = {
    0x00: "gsm7",
    0x01: "ascii",
    0x03: "latin1",
    0x06: "cyrillic",
    0x08: "ucs2",
    0x0F: "gsm7",  # cell broadcast: the default alphabet, language unspecified
    # The others are 23.038's own, passed on as they are: with a message class (0x1_), to be deleted
    # (0x4_, 0x5_), waiting indication (0xC_ to 0xE_), data coding and class (0xF_, bit 3 reserved).
    # What is compressed or of eight bits is not read.
    **{group + low: "gsm7" for group in (0x10, 0x40, 0x50) for low in range(4)},
    **{group + low: "ucs2" for group in (0x10, 0x40, 0x50) for low in range(8, 12)},
    **dict.fromkeys(range(0xC0, 0xE0), "gsm7"),
    **dict.fromkeys(range(0xE0, 0xF0), "ucs2"),
    **dict.fromkeys((*range(0xF0, 0xF4), *range(0xF8, 0xFC)), "gsm7"),
}
