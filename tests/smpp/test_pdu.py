"""Octets to PDUs: what is right is read, what is cut or wrong is refused, never read otherwise."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from smpp.pdu import (
    BindFields,
    Command,
    Frames,
    Pdu,
    PeerError,
    SmFields,
    Status,
    Tag,
    describe,
    pack,
    pack_bind,
    pack_resp,
    pack_sm,
    read_bind,
    read_c_string_resp,
    read_data_sm,
    read_sm,
    tlv_int,
    tlv_text,
)

MO = SmFields(
    service_type="CMT",
    source_ton=3,
    source="77010000101",
    dest="1414",
    esm_class=1,
    data_coding=8,
    short_message="иә".encode("utf-16-be"),
    tlvs={Tag.USER_MESSAGE_REFERENCE: b"\0\x34"},
)
# The same written out by hand from clause 4.6.1: sequence_number 2, one TLV.
WIRE = bytes.fromhex(
    "0000003d 00000005 00000000 00000002"
    "434d5400 0300 373730313030303031303100 0000 3134313400"
    "01 00 00 00 00 00 00 08 00 04 043804d9"
    "0204 0002 0034"
)

octet = st.integers(0, 255)
words = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=16)
fields = st.builds(
    SmFields,
    service_type=words.filter(lambda text: len(text) < 6),
    source_ton=octet,
    source_npi=octet,
    source=words,
    dest_ton=octet,
    dest_npi=octet,
    dest=words,
    esm_class=octet,
    protocol_id=octet,
    priority=octet,
    schedule=words,
    validity=words,
    registered_delivery=octet,
    replace=octet,
    data_coding=octet,
    default_msg=octet,
    short_message=st.binary(max_size=254),
    tlvs=st.dictionaries(st.integers(0, 0xFFFF), st.binary(max_size=40), max_size=4),
)


def one(wire: bytes) -> Pdu:
    (pdu,) = Frames().feed(wire)
    return pdu


def test_a_deliver_sm_is_packed_and_read_octet_by_octet() -> None:
    assert pack_sm(Command.DELIVER_SM, 2, MO) == WIRE
    assert one(WIRE) == Pdu(Command.DELIVER_SM, 0, 2, WIRE[16:])
    assert read_sm(one(WIRE)) == MO


@given(fields)
def test_what_is_packed_is_read_again(made: SmFields) -> None:
    assert read_sm(one(pack_sm(Command.SUBMIT_SM, 1, made))) == made


@given(fields)
def test_data_sm_has_fewer_fields_and_no_short_message(made: SmFields) -> None:
    read = read_data_sm(one(pack_sm(Command.DATA_SM, 1, made)))
    assert read == replace(
        made,
        protocol_id=0,
        priority=0,
        schedule="",
        validity="",
        replace=0,
        default_msg=0,
        short_message=b"",
    )


@given(fields, st.data())
def test_a_cut_body_is_never_read_as_something_else(made: SmFields, data: st.DataObject) -> None:
    made = replace(made, tlvs={})
    whole = one(pack_sm(Command.DELIVER_SM, 1, made))
    shorter = whole.body[: data.draw(st.integers(0, len(whole.body) - 1))]
    with pytest.raises(PeerError):
        read_sm(replace(whole, body=shorter))
    whole = one(pack_sm(Command.DATA_SM, 1, made))
    shorter = whole.body[: data.draw(st.integers(0, len(whole.body) - 1))]
    with pytest.raises(PeerError):
        read_data_sm(replace(whole, body=shorter))


@given(st.binary(max_size=120))
def test_any_body_is_read_or_refused(body: bytes) -> None:
    for read in (read_sm, read_data_sm, read_bind, read_c_string_resp):
        try:
            read(Pdu(Command.DELIVER_SM, 0, 1, body))
        except PeerError as error:
            assert error.status in set(Status)


def test_sm_length_past_the_end_is_refused() -> None:
    body = pack_sm(Command.DELIVER_SM, 1, replace(MO, tlvs={}))[16:]
    longer = body.replace(b"\x04\x04\x38", b"\x05\x04\x38")
    with pytest.raises(PeerError) as refused:
        read_sm(Pdu(Command.DELIVER_SM, 0, 1, longer))
    assert refused.value.status == Status.ESME_RINVMSGLEN


@pytest.mark.parametrize("tail", [b"\x02", b"\x02\x04\0", b"\x02\x04\0\x02\0", b"\x14\x02\xff\xff"])
def test_a_tlv_past_the_end_is_refused(tail: bytes) -> None:
    with pytest.raises(PeerError) as refused:
        read_sm(Pdu(Command.DELIVER_SM, 0, 1, WIRE[16:] + tail))
    assert refused.value.status == Status.ESME_RINVOPTPARSTREAM


def test_an_address_that_never_ends_is_refused() -> None:
    with pytest.raises(PeerError):
        read_sm(one(pack_sm(Command.DELIVER_SM, 1, replace(MO, source="7" * 65))))
    with pytest.raises(PeerError):
        read_sm(one(pack_sm(Command.DELIVER_SM, 1, replace(MO, validity="0" * 20))))


def test_unknown_tlvs_are_kept_and_the_last_of_equal_ones_wins() -> None:
    tail = b"\x15\x00\0\x01a" + b"\x05\x01\0\x01\x12" + b"\x15\x00\0\x02bc"
    tlvs = read_sm(Pdu(Command.DELIVER_SM, 0, 1, WIRE[16:] + tail)).tlvs
    assert tlvs == {0x1500: b"bc", Tag.USSD_SERVICE_OP: b"\x12", 0x0204: b"\0\x34"}


def test_a_tlv_is_taken_by_its_own_length() -> None:
    assert tlv_int(b"\x05") == tlv_int(b"\0\0\0\x05") == 5
    assert tlv_text(b"ABCDEF12") == tlv_text(b"ABCDEF12\0") == "ABCDEF12"


@given(st.lists(st.binary(max_size=60), max_size=6), st.data())
def test_frames_do_not_depend_on_how_the_stream_was_cut(
    bodies: list[bytes], data: st.DataObject
) -> None:
    wire = b"".join(pack(Command.DELIVER_SM, n, 0, body) for n, body in enumerate(bodies))
    whole = Frames().feed(wire)
    assert [pdu.body for pdu in whole] == bodies
    frames, found, rest = Frames(), list[Pdu](), wire
    while rest:
        size = data.draw(st.integers(1, len(rest)))
        found += frames.feed(rest[:size])
        rest = rest[size:]
    assert found == whole


@pytest.mark.parametrize("length", [0, 4, 15, 65_537, 0xFFFF_FFFF])
def test_a_length_that_cannot_be_true_is_refused_at_once(length: int) -> None:
    found: list[Pdu] = []
    with pytest.raises(PeerError) as refused:
        Frames().feed_into(found, pack(Command.UNBIND, 1) + length.to_bytes(4, "big") + b"\0" * 12)
    assert refused.value.status == Status.ESME_RINVCMDLEN
    assert found == [Pdu(Command.UNBIND, 0, 1)]


def test_binds_and_responses_are_read() -> None:
    bind = BindFields("jauap", "secret", "VMA", 0x34, 1, 1, "1414")
    assert read_bind(one(pack_bind(Command.BIND_TRANSCEIVER, 1, bind))) == bind
    with pytest.raises(PeerError):
        read_bind(Pdu(Command.BIND_TRANSCEIVER, 0, 1, b"jauap\0secret"))
    response = one(pack_resp(Command.SUBMIT_SM_RESP, 7, 0, "id-1"))
    assert (response.sequence, read_c_string_resp(response)) == (7, "id-1")
    assert read_c_string_resp(one(pack_resp(Command.SUBMIT_SM_RESP, 7, 8))) == ""
    assert read_c_string_resp(Pdu(Command.SUBMIT_SM_RESP, 0, 1, b"id-1")) == "id-1"


@pytest.mark.parametrize(
    "wrong",
    [
        {"source": "жауап"},
        {"dest": "7701\0"},
        {"esm_class": 256},
        {"short_message": b"x" * 255},
    ],
)
def test_what_smpp_cannot_carry_is_not_packed(wrong: dict[str, object]) -> None:
    with pytest.raises((ValueError, OverflowError)):
        pack_sm(Command.SUBMIT_SM, 1, replace(MO, **wrong))


def test_a_status_is_described_even_when_it_is_the_networks_own() -> None:
    assert describe(0x58).startswith("ESME_RTHROTTLED (0x58): Throttling")
    assert describe(0x0411) == "0x411: a status of the network's own"
