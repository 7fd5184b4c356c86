"""What is said outside the yes/no question: one digit of many, and the wish to get SMS again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialogs.engine.understanding import bare_digit, understand, wants_start


@pytest.mark.parametrize(
    ("said", "digit"),
    [
        ("3", "3"),
        (" 3. ", "3"),
        ("(3)", "3"),
        ("3)", "3"),
        ("№3", "3"),
        ("３", "3"),
        ("٣", "3"),
        ("③", "3"),
        ("3️⃣", "3"),
        ("вариант 3", "3"),
        ("3 вариант", "3"),
        ("3-нұсқа", "3"),
        ("үшінші нұсқа", "3"),
        ("3 деп", "3"),
        ("R 3", "3"),
        ("үш", "3"),
        ("уш", "3"),
        ("úsh", "3"),
        ("три", "3"),
        ("Третий", "3"),
        ("тоғыз", "9"),
        ("togyz", "9"),
        ("торт", "4"),
        ("zheti", "7"),
        ("пять", "5"),
        ("Пятёрка, спасибо!", "5"),
        ("5 🙏", "5"),
        ("Здравствуйте, 4", "4"),
        ("баға 5", "5"),
        ("5 баллов", "5"),
        ("счет 2", "2"),
        ("> 1 или 2\n2", "2"),
    ],
)
def test_a_plain_digit_is_heard_in_any_form(said: str, digit: str) -> None:
    assert bare_digit(said) == digit


@pytest.mark.parametrize(
    "said",
    [
        "",
        "0",
        "10",
        "33",
        "3 3",
        "1 или 2",
        "3?",
        "-3",
        "3.5",
        "2 балам бар",
        "3 счета",
        "не 3",
        "3 емес",
        "5 👎",
        "> 3",
        "нет",
        "R 1 1",
        "если 3",
        "три или четыре",
        "3" * 100,
    ],
)
def test_anything_more_than_a_digit_is_none(said: str) -> None:
    assert bare_digit(said) is None


@pytest.mark.parametrize(
    "said",
    [
        "СТАРТ",
        "start",
        "Қосу",
        "косу",
        "qosu",
        "включите SMS",
        "Включите смс обратно, пожалуйста",
        "қайта қосыңыз",
        "кайта косыныз",
        "qaita qosynyz",
        "SMS қайта жіберіңіз",
        "хабарлама жібере беріңіз",
        "присылайте снова",
        "хочу снова получать сообщения",
        "vklyuchite sms",
        "Иә, қайта қосыңыз, рахмет 🙏",
        "возобновите рассылку",
    ],
)
def test_the_wish_for_sms_again_is_heard(said: str) -> None:
    assert wants_start(said)


@pytest.mark.parametrize(
    "said",
    [
        "",
        "да",
        "иә",
        "1",
        "стоп",
        "не включайте смс",
        "хабарлама жібермеңіз",
        "не присылайте смс",
        "включите смс?",
        "включите",
        "старт 1",
        "включите свет",
        "если можно, включите смс",
        "смс",
        "снова",
        "спасибо",
        "қоспаңыз",
        "старт не надо",
    ],
)
def test_anything_else_is_no_wish_for_sms(said: str) -> None:
    assert not wants_start(said)


@given(st.text())
def test_no_text_whatever_raises_or_is_more_than_a_digit(said: str) -> None:
    assert bare_digit(said) in {None, *"123456789"}
    assert wants_start(said) in (True, False)


@given(st.sampled_from(["включите смс", "қайта қосыңыз", "старт"]))
def test_a_wish_for_sms_is_never_read_as_an_answer(said: str) -> None:
    assert understand(said).label not in ("yes", "no")
