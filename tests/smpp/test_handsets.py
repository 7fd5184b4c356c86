"""Magic numbers, what counts as a question, and how a handset cuts and joins."""

import pytest

from smpp import handsets, text
from smpp.handsets import Behaviour, Handset
from smpp.messages import ReceiptState
from smpp.pdu import SmFields
from tests.smpp.journey import AT

OFFER_KK = "Келіссеңіз – 1, бас тартсаңыз – 2 деп жазыңыз. Мерзімі: 24 сағат. 1414"
OFFER_RU = "Согласны – ответьте 1, не согласны – 2. Срок: 24 часа. 1414"


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        ("+77000000000", Behaviour()),
        ("+77000000100", Behaviour(("Иә",))),
        ("+77000000101", Behaviour(("Да",))),
        ("+77000000102", Behaviour(("1",))),
        ("+77000000200", Behaviour(("Жоқ",))),
        ("+77000000301", Behaviour(("Подумаю", "Да"))),
        ("+77000000404", Behaviour(state=ReceiptState.UNDELIV)),
        ("+77000000500", Behaviour(receipts=0)),
        ("+77000000600", Behaviour(receipt_first=True)),
        ("+77000000700", Behaviour(receipts=2)),
        ("+77000000801", Behaviour(("Да, согласен",), order=(3, 1, 2))),
        ("+77000000900", Behaviour(("Иә",), answers_after_s=86_460)),
        ("+77000001000", Behaviour()),
        ("+77011234567", Behaviour()),
    ],
)
def test_the_last_four_digits_say_what_a_handset_does(number: str, expected: Behaviour) -> None:
    assert handsets.behaviour(number) == expected


@pytest.mark.parametrize(
    "shown",
    [
        OFFER_KK,
        OFFER_RU,
        "Kelisseniz - 1, bas tartsanyz - 2 dep jazynyz.",
        "Келісесіз бе?\n1. Иә\n2. Жоқ",
        "1 = келісемін, 2 = бас тартамын",
    ],
)
def test_a_text_that_offers_1_and_2_is_a_question(shown: str) -> None:
    assert handsets.is_question(shown)


@pytest.mark.parametrize(
    "shown",
    [
        "Өтініш 15.12.2026 дейін, 09:00-18:00. Кеңес: 1414",
        "Срок: 1.2, 12:10, до 21.12. Справка: 1414",
        "Ваш ответ 1 принят. Справка: 1414",
        "Ұсыныс 24 сағаттан кейін жойылды. 1414",
    ],
)
def test_a_notice_with_dates_and_hours_is_not_a_question(shown: str) -> None:
    assert not handsets.is_question(shown)


def test_each_question_is_answered_once_and_a_notice_never() -> None:
    handset = Handset("+77000000301", handsets.behaviour("+77000000301"))
    shown = [handsets.Received(handset.phone, said, AT) for said in (OFFER_RU, OFFER_RU, "Рахмет")]
    assert [handset.answer(one) for one in shown] == ["Подумаю", "Да", None]


def test_segments_of_two_messages_do_not_mix_on_a_handset() -> None:
    handset = Handset("+77000000000", Behaviour())
    first, second = "ә" * 100, "ө" * 100
    cut = [*zip(text.segments(first, 1, "udh16"), text.segments(second, 2, "udh16"), strict=True)]
    for pair in reversed(cut):
        for segment in pair:
            fields = SmFields(
                esm_class=segment.esm_class,
                data_coding=segment.data_coding,
                short_message=segment.short_message,
            )
            handset.take(text.read(fields, {}), AT)
    assert [(one.text, one.segments) for one in handset.messages] == [(first, 2), (second, 2)]


def test_a_handset_cuts_an_answer_into_as_many_segments_as_asked() -> None:
    pieces = handsets.cut("Иә, келісемін", 5, 3)
    assert [len(one.short_message) for one in pieces] == [6 + 8, 6 + 8, 6 + 10]
    with pytest.raises(ValueError, match="cannot make 3"):
        handsets.cut("иә", 5, 3)
