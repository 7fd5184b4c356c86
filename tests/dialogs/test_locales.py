"""What the house says to people: equal in two languages, dignified, without a way to mislead."""

import re

import pytest

from dialogs.common import PHRASES
from dialogs.engine.model import SHARED, Screen
from dialogs.engine.render import segments
from dialogs.engine.understanding import Label, understand
from dialogs.engine.wording import LANGUAGES, Words
from dialogs.every import DIALOGS, dialog
from dialogs.offer import OFFER

WORDS = Words.load()
EVERY = [
    (language, name, key)
    for (language, name), book in WORDS.books.items()
    if name in {*SHARED, *(one.name for one in DIALOGS)}
    for key in book
]
KAZAKH_ONLY = re.compile("[әғқңөұүһі]", re.IGNORECASE)


def text_of(language: str, name: str, key: str) -> str:
    return WORDS.books[language, name][key].text


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_question_tells_both_answers_alike_and_the_24_hours(language: str) -> None:
    ask = WORDS.text(Screen("offer", "ask"), language, {"service": "ж" * 40})
    assert re.search(r"\w+ – 1, \w+ – 2\.", ask)
    assert "24" in ask
    assert segments(ask) <= 2


def test_the_question_in_both_languages_costs_four_segments_at_most() -> None:
    assert segments(WORDS.text(Screen("offer", "ask"), "both", {"service": "ж" * 40})) <= 4


@pytest.mark.parametrize(("language", "name", "key"), EVERY)
def test_a_message_that_asks_nothing_offers_no_choice(language: str, name: str, key: str) -> None:
    asked_by = dialog(name).asked_by(key) if name not in SHARED else None
    if asked_by is None:
        text = re.sub(r"\{[a-z_0-9]+\}", "", text_of(language, name, key))
        assert not re.search(r"(?<!\d)[12](?!\d)", text)


@pytest.mark.parametrize(("language", "name", "key"), EVERY)
def test_no_message_carries_a_link_or_a_typewriter_dash(language: str, name: str, key: str) -> None:
    text = text_of(language, name, key)
    assert not re.search(r"https?:|www\.|\.kz\b|\.com\b", text)
    assert " - " not in text
    assert "  " not in text
    assert text == text.strip()


@pytest.mark.parametrize(("language", "name", "key"), EVERY)
def test_each_file_speaks_its_own_language(language: str, name: str, key: str) -> None:
    text = text_of(language, name, key).replace("ҚАЗ", "")
    if language == "ru":
        assert not KAZAKH_ONLY.search(text)
    else:
        assert not re.search(r"\b(и|в|не|Ваш|для|ответ)\b", text)


@pytest.mark.parametrize(("language", "name", "key"), EVERY)
def test_a_person_is_addressed_with_a_capital(language: str, name: str, key: str) -> None:
    assert not re.search(
        r"\b(сіз|сізге|сізден|вы|вам|вас|ваш|ваше)\b", text_of(language, name, key)
    )


@pytest.mark.parametrize(
    ("word", "label"),
    [
        ("ТОҚТАТ", Label.STOP),
        ("СТОП", Label.STOP),
        ("РУС", Label.LANGUAGE_RU),
        ("ҚАЗ", Label.LANGUAGE_KK),
    ],
)
def test_every_word_that_help_teaches_is_understood(word: str, label: Label) -> None:
    assert any(word in text_of(*one) for one in EVERY if one[2].startswith("help"))
    assert understand(word).label is label


def test_every_label_of_a_choice_is_understood_as_that_choice() -> None:
    for language in LANGUAGES:
        for choice in OFFER.ask("ask").choices:
            assert understand(text_of(language, "offer", f"ask.{choice.id}")).label == choice.id


def test_a_refusal_says_whose_it_is() -> None:
    assert "тқаныңыз" in text_of("kk", "offer", "declined")
    assert "Ваш отказ" in text_of("ru", "offer", "declined")
    assert "қызметті беруші" in text_of("kk", "offer", "refused")
    assert "Услугодатель" in text_of("ru", "offer", "refused")


def test_a_lapse_names_the_branch_its_address_and_its_hours() -> None:
    for language in LANGUAGES:
        named = WORDS.wording("offer", "expired", language).placeholders
        assert named == {"service", "branch", "address", "hours"}


def test_the_question_put_in_another_language_does_not_start_the_24_hours_anew() -> None:
    assert "алғашқы SMS" in text_of("kk", "offer", "ask.switched")
    assert "первого SMS" in text_of("ru", "offer", "ask.switched")


def test_common_phrases_are_declared_once_each() -> None:
    keys = [notice.key for notice in PHRASES.notices]
    assert len(set(keys)) == len(keys)


def test_an_unknown_dialog_has_no_name() -> None:
    with pytest.raises(KeyError, match="no dialog is called"):
        dialog("nonsense")


@pytest.mark.parametrize(("language", "name", "key"), EVERY)
def test_every_wording_explains_itself_to_the_translator(
    language: str, name: str, key: str
) -> None:
    wording = WORDS.books[language, name][key]
    assert wording.budget is not None
    assert len(" ".join(wording.notes)) > len("Budget: sms 2")
    assert wording.notes == WORDS.books["kk", name][key].notes
