"""One screen on three surfaces, each within what the surface can hold."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from dialogs.engine import render
from dialogs.engine.lint import Finding, lint
from dialogs.engine.model import COMMON, Screen, Value
from dialogs.engine.render import PageTooLong, mobile, segments, sms, units, ussd
from dialogs.engine.wording import Wording, Words
from dialogs.offer import OFFER

SERVICE = {"kk": "бала туғандағы жәрдемақы", "ru": "пособие на рождение"}
VALUES = {"service": SERVICE}
LONGEST: dict[str, Value] = {
    "service": "ж" * 40,
    "branch": "ц" * 40,
    "address": "а" * 50,
    "hours": "15.12.2026, 09:00–18:00",
    "answer": {"kk": "бас тарту", "ru": "согласие"},
    "measure": "ш" * 40,
    "status": {"kk": "Беруші бас тартты.", "ru": "В мере отказано органом."},
    "account": "ш" * 24,
    "accounts": ", ".join(f"{n} – {'ш' * 24}" for n in range(1, 9)) + ", 9 – другой",
    **{f"account{n}": "ш" * 24 for n in range(1, 9)},
}
ASK = Screen("offer", "ask")

Reworded = Callable[[str, str], Words]


@pytest.fixture(scope="module")
def words() -> Words:
    return Words.load()


@pytest.fixture
def reworded(words: Words) -> Reworded:
    """The wordings with one Russian text of the offer changed."""

    def change(key: str, text: str) -> Words:
        book = words.books["ru", "offer"]
        changed: dict[str, Wording] = {**book, key: replace(book[key], text=text)}
        return Words({**words.books, ("ru", "offer"): changed})

    return change


def test_units_are_utf16_code_units() -> None:
    assert [units(text) for text in ("", "ә", "a\n", "👍")] == [0, 1, 2, 2]


@pytest.mark.parametrize(("length", "count"), [(0, 1), (70, 1), (71, 2), (134, 2), (135, 3)])
def test_a_single_segment_holds_70_units_and_each_of_several_67(length: int, count: int) -> None:
    assert segments("ж" * length) == count


def test_an_sms_question_names_both_digits_and_the_24_hours(words: Words) -> None:
    assert sms(words, ASK, "kk", VALUES) == (
        "Өтінішсіз мемлекеттік қызмет ұсынылады: бала туғандағы жәрдемақы."
        " Келісесіз бе? Иә – 1, жоқ – 2. Мерзімі: 24 сағат."
    )
    assert sms(words, ASK, "ru", VALUES) == (
        "Предлагается государственная услуга без заявления: пособие на рождение."
        " Согласны? Да – 1, нет – 2. Срок: 24 часа."
    )


def test_a_ussd_question_lists_its_choices_and_a_way_back(words: Words) -> None:
    assert ussd(words, OFFER, ASK, "kk", VALUES).split("\n") == [
        "бала туғандағы жәрдемақы. Келісесіз бе?",
        "1. Иә",
        "2. Жоқ",
        "0. Артқа",
    ]


def test_a_ussd_notice_stands_alone(words: Words) -> None:
    page = ussd(words, OFFER, Screen("offer", "declined"), "ru")
    assert page == "Ваш отказ принят. Услугу можно позже получить в ЦОНе. 1414"


@pytest.mark.parametrize(("choice", "said"), [("yes", "согласие"), ("no", "отказ")])
def test_a_ussd_choice_is_confirmed_by_name(words: Words, choice: str, said: str) -> None:
    page = render.ussd_confirm(words, OFFER, "ask", choice, "ru")
    assert page == f"Подтверждаете {said}?\n1. Подтверждаю\n0. Назад"


def test_a_ussd_page_too_long_is_refused_not_cut(words: Words) -> None:
    with pytest.raises(PageTooLong, match="found a page of 81 units, expected at most 80"):
        ussd(words, OFFER, ASK, "kk", {"service": "ж" * 44})


def test_the_app_shows_buttons_and_no_digits(words: Words) -> None:
    card = mobile(words, OFFER, ASK, "ru", VALUES)
    assert card["choices"] == [{"id": "yes", "label": "Да"}, {"id": "no", "label": "Нет"}]
    assert "пособие на рождение. Вы согласны?" in card["body"]
    assert "– 1" not in card["body"]


def test_a_notice_in_the_app_has_no_buttons(words: Words) -> None:
    card = mobile(words, OFFER, Screen("offer", "late"), "kk")
    assert card["choices"] == []
    assert card["body"].startswith("Мерзімі өтті")


def test_the_house_wordings_are_clean(words: Words) -> None:
    assert lint(words, LONGEST) == []


def test_lint_measures_with_the_longest_value_and_shows_what_is_over(words: Words) -> None:
    found = lint(words, {**LONGEST, "service": "ж" * 41})
    line = words.wording("offer", "ask", "ru").line
    file = "ru/LC_MESSAGES/offer.po"
    over = Finding("offer.ask", "ru", "sms", 135, 134, ".", "budget", 3, file, line)
    assert over in found
    assert over.where == f"locales/ru/LC_MESSAGES/offer.po:{line}"


def test_lint_measures_a_ussd_question_with_its_choices(words: Words) -> None:
    found = lint(words, {**LONGEST, "service": "ж" * 44})
    assert ("offer.ask.ussd", "kk", 81, 80) in [
        (f.key, f.language, f.units, f.budget) for f in found if f.surface == "ussd"
    ]


def test_lint_measures_both_languages_in_one_message(words: Words) -> None:
    found = lint(words, {**LONGEST, "service": "ж" * 42})
    assert [(f.key, f.surface) for f in found if f.language == "both"] == [("offer.ask", "both")]


@pytest.mark.parametrize("link", ["https://egov.kz", "www.gov", "eGov.kz"])
def test_lint_refuses_a_link(reworded: Reworded, link: str) -> None:
    rules = {f.rule for f in lint(reworded("late", f"Смотрите {link}"), LONGEST)}
    assert rules == {"a link"}


@pytest.mark.parametrize("text", ["{answer}-ке", "{answer}ға", "за{answer}"])
def test_lint_refuses_an_ending_glued_to_a_value(reworded: Reworded, text: str) -> None:
    found = lint(reworded("already", text), LONGEST)
    assert [(f.key, f.offending, f.rule) for f in found] == [
        ("offer.already", text, "an ending on a value")
    ]


def test_lint_refuses_digits_where_nothing_is_asked(reworded: Reworded) -> None:
    found = lint(reworded("late", "Да – 1, нет – 2"), LONGEST)
    assert [(f.offending, f.rule) for f in found] == [("1 2", "a digit where nothing is asked")]


def test_lint_refuses_a_question_that_favours_one_answer(reworded: Reworded) -> None:
    found = lint(reworded("ask", "{service}. Согласны – 1. Срок: 24 часа."), LONGEST)
    assert [f.offending for f in found] == ["2"]


@pytest.mark.parametrize("text", ["Отправьте код из SMS", "Назовите ПИН", "Скажите пароль"])
def test_lint_refuses_to_ask_for_a_code(reworded: Reworded, text: str) -> None:
    assert {f.rule for f in lint(reworded("late", text), LONGEST)} == {"a code"}


@pytest.mark.parametrize(
    ("text", "offending"),
    [
        ("Cрок истёк.", "'C' U+0043 LATIN CAPITAL LETTER C"),
        ("Срок\u00a0истёк.", "'\\xa0' U+00A0 NO-BREAK SPACE"),
        ("Срок истёк\u200b.", "'\\u200b' U+200B ZERO WIDTH SPACE"),
        ("Срок истёк 👍", "'👍' U+1F44D THUMBS UP SIGN"),
    ],
)
def test_lint_names_the_character_that_is_not_what_it_seems(
    reworded: Reworded, text: str, offending: str
) -> None:
    assert [f.offending for f in lint(reworded("late", text), LONGEST)] == [offending]


def test_lint_lets_sms_and_a_kazakh_word_stand_side_by_side(reworded: Reworded) -> None:
    assert lint(reworded("late", "SMS-хабарлама, eGov Mobile"), LONGEST) == []


def test_a_question_whose_choices_are_listed_must_list_them(words: Words) -> None:
    book = words.books["ru", "account"]
    bare = {**book, "ask": replace(book["ask"], text="На какой счёт?", placeholders=frozenset())}
    found = lint(Words({**words.books, ("ru", "account"): bare}), LONGEST)
    assert [(f.key, f.offending) for f in found] == [("account.ask", "{accounts}")]


def test_lint_refuses_a_wording_without_a_budget(words: Words) -> None:
    book = words.books["kk", COMMON]
    bare = {**book, "back": replace(book["back"], budget=None)}
    found = lint(Words({**words.books, ("kk", COMMON): bare}), LONGEST)
    assert [(f.key, f.rule) for f in found] == [("common.back", "no budget is declared")]
