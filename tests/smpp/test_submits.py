"""What a message becomes on the wire, by what its bind declares."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from smpp import ussd
from smpp.binds import Bind, BindUssd
from smpp.messages import Outbound, Ussd, UssdOp, segment_reference
from smpp.pdu import Command, SmFields
from smpp.submits import command, cut
from smpp.tlv import Tag, reference_of

BIND = Bind("kcell-1", "kcell", "127.0.0.1", 2775, "jauap", "secret")
BY_CIS = replace(BIND, ussd=BindUssd("*1414#"))
LONG = Outbound("m-1", "+77010000101", "ә" * 150, 3, 86_400)
DIAL = SmFields(
    data_coding=0x0F,
    short_message=b"*1414#",
    tlvs={
        Tag.USSD_SERVICE_OP: b"\x01",
        Tag.ITS_SESSION_INFO: b"\x07\x04",
        Tag.USER_MESSAGE_REFERENCE: b"\x12\x34",
    },
)


def references(out: Outbound) -> list[int | None]:
    return [reference_of(fields.tlvs) for fields in cut(BIND, out)]


def answer(words: str, *, last: bool, bind: Bind = BY_CIS, dial: SmFields = DIAL) -> SmFields:
    incoming = ussd.read(dial, bind.ussd)
    assert incoming is not None
    screen = ussd.answer_op(incoming, last)
    (fields,) = cut(bind, Outbound("u-1", "+77010000101", words, 0, 0, False, screen))
    return fields


def test_each_segment_has_a_reference_of_its_own() -> None:
    assert references(structs.replace(LONG, user_message_reference=7)) == [7, 8, 9]
    assert references(structs.replace(LONG, user_message_reference=254)) == [254, 255, 0]
    assert references(LONG) == [24, 25, 26]
    assert references(structs.replace(LONG, reference=4)) == [32, 33, 34]


@given(st.integers(0, 0xFFFF), st.integers(1, 255))
def test_no_reference_is_wider_than_what_every_smsc_keeps(base: int, segment: int) -> None:
    assert 0 <= segment_reference(base, segment) <= 255


def test_an_smsc_of_the_old_version_gets_no_parameters() -> None:
    old = replace(BIND, interface_version="3.3")
    assert [fields.tlvs for fields in cut(old, LONG)] == [{}, {}, {}]
    assert all(fields.esm_class == 0x40 for fields in cut(old, LONG))


def test_a_screen_carries_all_that_ties_it_to_its_session() -> None:
    menu = answer("1. Иә", last=False)
    assert menu.tlvs == DIAL.tlvs | {Tag.USSD_SERVICE_OP: b"\x02"}
    assert (menu.source, menu.registered_delivery, menu.validity, menu.esm_class) == (
        *("*1414#", 0, ""),
        0,
    )
    last = answer("Рахмет", last=True)
    assert last.tlvs[Tag.USSD_SERVICE_OP] == b"\x11"
    assert last.tlvs[Tag.ITS_SESSION_INFO] == b"\x07\x05"
    assert last.tlvs[Tag.USER_MESSAGE_REFERENCE] == b"\x12\x34"


def test_a_screen_has_no_reference_where_the_session_has_none() -> None:
    bare = structs.replace(DIAL, tlvs={Tag.USSD_SERVICE_OP: b"\x01"})
    assert answer("1", last=False, dial=bare).tlvs == {Tag.USSD_SERVICE_OP: b"\x02"}
    given_apart = Outbound(
        *("u-1", "+77010000101", "1", 0, 0, False),
        Ussd(UssdOp.PSSR_RESPONSE),
        user_message_reference=0xABCD,
    )
    assert reference_of(cut(BY_CIS, given_apart)[0].tlvs) == 0xABCD


def test_a_screen_is_coded_as_the_dial_was_or_as_the_bind_says() -> None:
    by_sms = structs.replace(DIAL, data_coding=0)
    assert answer("Иә", last=False).data_coding == 0x48
    assert answer("Ia", last=False).data_coding == 0x0F
    assert answer("Иә", last=False, dial=by_sms).data_coding == 8
    assert answer("Ia", last=False, dial=structs.replace(DIAL, data_coding=8)).data_coding == 0
    fixed = replace(BIND, ussd=BindUssd("*1414#", data_coding="cbs"))
    assert answer("Иә", last=False, bind=fixed, dial=by_sms).data_coding == 0x48
    fixed = replace(BIND, ussd=BindUssd("*1414#", data_coding="sms"))
    assert answer("Иә", last=False, bind=fixed).data_coding == 8


def test_a_gateway_with_words_of_its_own_is_understood_and_answered_in_them() -> None:
    ops = {"pssr_indication": 128, "pssr_response": 130}
    access = BindUssd("*1414#", pdu="data_sm", session_tlv=0x1400, ops=ops)
    bind = replace(BIND, ussd=access)
    dial = structs.replace(DIAL, tlvs={Tag.USSD_SERVICE_OP: b"\x80", 0x1400: b"\1\2\3\4"})
    incoming = ussd.read(dial, access)
    assert incoming == Ussd(UssdOp.PSSR_INDICATION, b"\1\2\3\4", False, None, 0x0F)
    last = answer("Рахмет", last=True, bind=bind, dial=dial)
    assert last.tlvs[Tag.USSD_SERVICE_OP] == b"\x82"
    assert last.tlvs[0x1400] == b"\1\2\3\4"
    assert (last.short_message, last.tlvs[Tag.MESSAGE_PAYLOAD]) == (
        *(b"", "Рахмет".encode("utf-16-be")),
    )
    out = Outbound("u-1", "+77010000101", "1", 0, 0, False, incoming)
    assert command(bind, out) is Command.DATA_SM
    assert command(BY_CIS, out) is command(bind, LONG) is Command.SUBMIT_SM
