"""What arrives as deliver_sm or data_sm: whatever it holds, it becomes a message or a receipt."""

import logging
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from smpp import incoming, receipts, text, ussd
from smpp.binds import Bind, BindUssd
from smpp.events import Delivered
from smpp.messages import Inbound, Receipt
from smpp.pdu import Command, SmFields
from smpp.tlv import Tag

BIND = Bind("k-1", "kcell", "127.0.0.1", 2775, "jauap", "secret", ussd=BindUssd("*1414#"))
ARRIVAL = incoming.Arrival(BIND, 1, datetime(2026, 11, 21, tzinfo=UTC))
MO = SmFields(source_ton=1, source="77010000101", dest="1414", short_message=b"1")


def read(fields: SmFields) -> Inbound | Receipt:
    return incoming.read(Delivered(Command.DELIVER_SM, 7, fields), ARRIVAL)


@pytest.mark.parametrize("tag", list(Tag))
@pytest.mark.parametrize("size", [0, 1, 2, 3, 4, 5, 300, 5_000, 60_000])
def test_no_parameter_of_any_size_stops_a_reader(tag: Tag, size: int) -> None:
    for filler in (b"\0", b"\1", b"9", b"\xff"):
        for esm_class in (0, 4, 0x40):
            fields = replace(MO, esm_class=esm_class, tlvs={tag: filler * size})
            receipts.read(fields, BIND)
            ussd.read(fields, BIND.ussd)
            text.read(fields, {})
            reference = read(fields).user_message_reference
            assert reference is None or reference <= 0xFFFF


fields_of_any_kind = st.builds(
    SmFields,
    source=st.text(st.characters(max_codepoint=255), max_size=30),
    source_ton=st.integers(0, 255),
    dest=st.sampled_from(["1414", "", "*1414#"]),
    esm_class=st.integers(0, 255),
    data_coding=st.integers(0, 255),
    short_message=st.binary(max_size=60),
    tlvs=st.dictionaries(st.sampled_from(list(Tag)), st.binary(max_size=12), max_size=5),
)


class Faults(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.seen.append(record)


@given(fields_of_any_kind)
def test_whatever_arrives_is_read_without_a_fault_of_ours(fields: SmFields) -> None:
    handler = Faults()
    logger = logging.getLogger("smpp.incoming")
    logger.addHandler(handler)
    try:
        heard = read(fields)
    finally:
        logger.removeHandler(handler)
    assert handler.seen == []
    if isinstance(heard, Inbound):
        assert heard.segment is None or heard.segment.reference <= 0xFFFF
    else:
        assert fields.esm_class & 0x24 or Tag.RECEIPTED_MESSAGE_ID in fields.tlvs


@pytest.mark.parametrize("esm_class", [0x00, 0x01, 0x02, 0x03, 0x80, 0x08, 0x10, 0x18])
def test_an_answer_is_an_answer_in_every_mode(esm_class: int) -> None:
    heard = read(replace(MO, esm_class=esm_class))
    assert isinstance(heard, Inbound)
    assert (heard.text, heard.from_phone) == ("1", True)


def test_a_segment_of_a_network_with_datagram_mode_is_a_segment() -> None:
    header = b"\x05\x00\x03\x07\x02\x01"
    heard = read(replace(MO, esm_class=0x41, short_message=header + b"1"))
    assert isinstance(heard, Inbound)
    assert heard.segment is not None
    assert (heard.segment.reference, heard.segment.total, heard.segment.number) == (7, 2, 1)


@pytest.mark.parametrize(
    ("ton", "source", "is_phone"),
    [(1, "77010000101", True), (0, "77010000101", True), (5, "MTS", False), (3, "1414", False)],
)
def test_a_dial_comes_from_a_phone_or_not(ton: int, source: str, is_phone: bool) -> None:
    tlvs: dict[int, bytes] = {Tag.USSD_SERVICE_OP: b"\x01", Tag.USER_MESSAGE_REFERENCE: b"\x12\x34"}
    heard = read(replace(MO, source=source, source_ton=ton, short_message=b"*1414#", tlvs=tlvs))
    assert isinstance(heard, Inbound)
    assert heard.ussd is not None
    assert (heard.from_phone, heard.ussd.user_message_reference) == (is_phone, 0x1234)
    assert heard.text == "*1414#"
