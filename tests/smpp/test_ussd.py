"""USSD operations as gateways of both kinds understand them, and screens that fit."""

import pytest

from smpp import text, ussd
from smpp.messages import Ussd, UssdOp
from smpp.pdu import SmFields
from smpp.tlv import Tag


def incoming(op: int, session: bytes = b"\x07\x00") -> Ussd:
    parsed = ussd.read(
        SmFields(
            data_coding=0x0F,
            tlvs={
                Tag.USSD_SERVICE_OP: bytes((op,)),
                Tag.ITS_SESSION_INFO: session,
                Tag.USER_MESSAGE_REFERENCE: b"\x12\x34",
            },
        )
    )
    assert parsed is not None
    return parsed


def test_a_short_message_is_not_ussd() -> None:
    assert ussd.read(SmFields(short_message=b"*1414#")) is None
    assert ussd.read(SmFields(tlvs={Tag.ITS_SESSION_INFO: b"\x07\x00"})) is None


def test_a_dial_is_answered_with_a_menu_in_the_same_session() -> None:
    answer = ussd.answer_op(incoming(UssdOp.PSSR_INDICATION), last=False)
    assert answer == Ussd(UssdOp.USSR_REQUEST, b"\x07\x00", False, 0x1234, 0x0F)


@pytest.mark.parametrize(
    ("heard", "answered"),
    [
        (UssdOp.PSSR_INDICATION, UssdOp.PSSR_RESPONSE),
        (UssdOp.USSR_CONFIRM, UssdOp.PSSR_RESPONSE),
        (UssdOp.PSSD_INDICATION, UssdOp.PSSD_RESPONSE),
        (UssdOp.USSN_CONFIRM, UssdOp.USSN_REQUEST),
        (7, UssdOp.PSSR_RESPONSE),
    ],
)
def test_the_last_screen_ends_the_session_by_operation_and_by_bit(
    heard: int, answered: UssdOp
) -> None:
    answer = ussd.answer_op(incoming(heard, b"\x07\x04"), last=True)
    assert answer == Ussd(answered, b"\x07\x04", True, 0x1234, 0x0F)
    assert ussd.tlvs(answer) == {
        Tag.USSD_SERVICE_OP: bytes((answered,)),
        Tag.ITS_SESSION_INFO: b"\x07\x05",
    }


def test_the_end_bit_of_the_network_ends_the_session() -> None:
    over = incoming(UssdOp.USSR_CONFIRM, b"\x07\x05")
    assert over.ends
    with pytest.raises(ValueError, match="ended the session"):
        ussd.answer_op(over, last=True)


@pytest.mark.parametrize("op", [32, 65, 129, 255])
def test_a_vendors_operation_ends_the_session(op: int) -> None:
    assert incoming(op).ends


def test_a_session_of_another_shape_is_given_back_untouched() -> None:
    answer = ussd.answer_op(incoming(UssdOp.USSR_CONFIRM, b"\x01\x02\x03\x05"), last=True)
    assert ussd.tlvs(answer)[Tag.ITS_SESSION_INFO] == b"\x01\x02\x03\x05"
    assert ussd.tlvs(Ussd(UssdOp.USSR_REQUEST)) == {Tag.USSD_SERVICE_OP: b"\x02"}


def test_a_screen_holds_182_septets_or_80_code_units() -> None:
    assert ussd.fits("a" * 182) and not ussd.fits("a" * 183)
    assert ussd.fits("ә" * 80) and not ussd.fits("ә" * 81)
    assert ussd.fits("😀" * 40) and not ussd.fits("😀" * 40 + "1")


def test_a_screen_is_encoded_as_cell_broadcasts_are() -> None:
    for screen, coding in [("1. Ia\n2. Joq", 0x0F), ("1. Иә\n2. Жоқ", 0x48)]:
        data_coding, octets = ussd.encode(screen)
        assert data_coding == coding
        assert text.decode(octets, data_coding, {}) == screen
    with pytest.raises(ValueError, match="does not fit"):
        ussd.encode("ә" * 81)
