"""Pages hold everything once, in order, and each fits one screen."""

from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.catalogue.loader import load as load_catalogue
from dialogs.engine import pages, ussd
from dialogs.engine.model import Screen
from dialogs.engine.pages import Foot, Item, PageTooLong, paged, units
from dialogs.engine.wording import LANGUAGES, Words
from dialogs.language import CHOICES
from dialogs.menu import ENTRIES
from dialogs.offer import OFFER
from tests.test_house import HOUSE

FOOT = Foot("Тағы", "Артқа")
WORD = st.text("абвгәіңғүұқөһ👍", min_size=1, max_size=25)
BODY = st.lists(WORD, max_size=60).map(" ".join)
LABEL = st.text("абвәіңғ 👍", min_size=1, max_size=28).map(str.strip).filter(bool)
LABELS = st.lists(LABEL, max_size=30)


def items(labels: list[str]) -> list[Item]:
    return [Item(str(n), label) for n, label in enumerate(labels)]


def lines_of(page: pages.Page) -> list[str]:
    return page.text.split("\n")


@given(BODY, LABELS, st.booleans(), st.booleans())
@example("а" * 400, [], False, True)
@example("", [], False, False)
def test_every_page_fits_and_has_its_9_and_its_0(
    body: str, labels: list[str], ends: bool, together: bool
) -> None:
    made = paged(body, items(labels), replace(FOOT, ends=ends), together=together)
    for number, page in enumerate(made, 1):
        assert units(page.text) <= 80
        assert len(page.text.encode("utf-16-be")) <= 160
        is_last = number == len(made)
        assert page.has_more is not is_last
        assert ("9. Тағы" in lines_of(page)) is not is_last
        assert ("0. Артқа" in lines_of(page)) is not (is_last and ends)


@given(BODY, LABELS, st.booleans())
def test_every_item_is_on_exactly_one_page_behind_the_digit_beside_it(
    body: str, labels: list[str], together: bool
) -> None:
    made = paged(body, items(labels), FOOT, together=together)
    shown = [id for page in made for id in page.keys.values()]
    assert shown == [item.id for item in items(labels)]
    for page in made:
        assert list(page.keys) == [str(n) for n in range(1, len(page.keys) + 1)]
        for digit, id in page.keys.items():
            assert f"{digit}. {labels[int(id)]}" in lines_of(page)


@given(BODY, LABELS)
def test_no_letter_of_a_text_is_lost(body: str, labels: list[str]) -> None:
    told = ""
    for page in paged(body, items(labels), FOOT):
        foot = 1 + page.has_more
        told += "".join(lines_of(page)[: len(lines_of(page)) - len(page.keys) - foot])
    assert told.replace(" ", "") == body.replace(" ", "")


@given(BODY, st.lists(WORD, min_size=2, max_size=2))
def test_the_choices_of_a_question_stand_together_on_its_last_page(
    body: str, labels: list[str]
) -> None:
    made = paged(body, items(labels), FOOT, together=True)
    assert [len(page.keys) for page in made] == [0] * (len(made) - 1) + [2]


def test_a_word_longer_than_a_page_is_cut_and_goes_on() -> None:
    made = paged("👍" * 100, [], FOOT)
    assert "".join(lines_of(page)[0] for page in made) == "👍" * 100


def test_a_line_that_no_page_can_hold_is_refused_not_cut() -> None:
    with pytest.raises(PageTooLong, match="found a line of 70 units"):
        paged("Ұсыныстар:", [Item("a", "ж" * 70)], FOOT)


# --- with the house's own words ---------------------------------------------------------------

WORDS = Words.load()
CATALOGUE = load_catalogue(HOUSE / "app" / "catalogue")


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_main_page_is_one_page(language: str) -> None:
    [page] = ussd.menu(WORDS, language)
    assert list(page.keys.values()) == [entry.id for entry in ENTRIES]
    assert list(page.keys) == [entry.digit for entry in ENTRIES]


@pytest.mark.parametrize("language", [None, *LANGUAGES])
def test_the_choice_of_a_language_is_one_page_in_both_languages(language: str | None) -> None:
    [page] = ussd.languages(WORDS, language)
    assert page.text.startswith("1414\n1. Қазақша\n2. Русский")
    assert page.keys == {choice.digit: choice.id for choice in CHOICES}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("code", CATALOGUE.services)
def test_every_service_of_the_catalogue_is_asked_on_one_page(code: str, language: str) -> None:
    short = CATALOGUE.service(code).short
    values = {"service": {"kk": short.kk, "ru": short.ru}}
    [page] = ussd.question(WORDS, OFFER, Screen("offer", "ask"), language, values)
    assert list(page.keys.items()) == [("1", "yes"), ("2", "no")]
    assert short.of(language) in page.text


@pytest.mark.parametrize("language", LANGUAGES)
def test_all_services_of_the_catalogue_make_a_list_of_pages(language: str) -> None:
    entries = [(s.code, s.short.of(language)) for s in CATALOGUE.services.values()]
    made = ussd.listing(WORDS, "offers", entries, language)
    assert [id for page in made for id in page.keys.values()] == [id for id, _ in entries]
    assert max(len(page.keys) for page in made) <= pages.MOST_ITEMS


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_list_without_entries_says_so(language: str) -> None:
    for name in ("offers", "measures"):
        [page] = ussd.listing(WORDS, name, [], language)
        assert page.keys == {}
        assert "\n0. " in page.text


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("choice", ["yes", "no"])
def test_both_answers_are_asked_once_more(choice: str, language: str) -> None:
    [page] = ussd.confirmation(WORDS, OFFER, "ask", choice, language)
    assert page.keys == {"1": ussd.CONFIRMED}


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_last_page_offers_no_key_and_pages_before_it_an_exit(language: str) -> None:
    values = {"service": "ж" * 40, "branch": "ц" * 40, "address": "а" * 50, "hours": "09:00"}
    made = ussd.notice(WORDS, Screen("offer", "expired", values), language, ends=True, in_full=True)
    assert len(made) > 1
    assert [page.text.count("\n0. ") for page in made] == [1] * (len(made) - 1) + [0]
