"""The wordings load whole or not at all, and never come out with a gap or in the wrong language."""

import re
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialogs.engine.model import COMMON, Screen
from dialogs.engine.wording import (
    ALMATY,
    LOCALES,
    WordingError,
    Words,
    clock_time,
    day,
    long_day,
    moment,
    opening_hours,
    stem,
)

SERVICE = {"kk": "бала туғандағы жәрдемақы", "ru": "пособие на рождение"}
ASK = Screen("offer", "ask", {"service": SERVICE})

Edit = Callable[[str, str, str], Path]


@pytest.fixture(scope="module")
def words() -> Words:
    return Words.load()


@pytest.fixture
def edited(tmp_path: Path) -> Edit:
    """A copy of the locales with `old` replaced by `new` in one file."""

    def edit(file: str, old: str, new: str) -> Path:
        root = shutil.copytree(LOCALES, tmp_path / "locales")
        text = (root / file).read_text(encoding="utf-8")
        assert old in text
        (root / file).write_text(text.replace(old, new, 1), encoding="utf-8")
        return root

    return edit


def refusal(root: Path, *, with_lines: bool = False) -> str:
    """What is wrong, without the numbers of the lines unless they are asked for."""
    with pytest.raises(WordingError) as caught:
        Words.load(root)
    told = str(caught.value)
    return told if with_lines else re.sub(r"\.po:\d+:", ".po:", told)


def line_of(root: Path, file: str, text: str) -> int:
    lines = (root / file).read_text(encoding="utf-8").splitlines()
    return next(number for number, line in enumerate(lines, 1) if text in line)


@pytest.mark.parametrize(
    ("old", "new", "at"),
    [
        ('msgid "late"', 'msgid "later"', 'msgid "later"'),
        ("отозвал запрос: {service}.", "отозвал запрос.", 'msgid "withdrawn"'),
        ("отозвал запрос: {service}", "отозвал запрос: {servis}", 'msgid "withdrawn"'),
        ("отозвал запрос: {service}", "отозвал запрос: {service", 'msgid "withdrawn"'),
        ('msgstr "согласие"', 'msgstr ""', 'msgid "answer.yes"'),
        ('msgid "late"', "msgid late", "msgid late"),
        ('msgid "late"', 'msgid "help"', 'msgid "help"'),
    ],
)
def test_a_finding_names_its_file_and_line(edited: Edit, old: str, new: str, at: str) -> None:
    root = edited("ru/LC_MESSAGES/offer.po", old, new)
    lines = [
        n for n in re.findall(r"ru/LC_MESSAGES/offer\.po:(\d+):", refusal(root, with_lines=True))
    ]
    text = (root / "ru/LC_MESSAGES/offer.po").read_text(encoding="utf-8").splitlines()
    places = [n for n, line in enumerate(text, 1) if line == at]
    assert str(places[-1]) in lines


def test_a_key_missing_in_one_language_is_named_where_the_other_has_it(edited: Edit) -> None:
    root = edited("ru/LC_MESSAGES/offer.po", 'msgid "late"', 'msgid "later"')
    place = line_of(root, "kk/LC_MESSAGES/offer.po", 'msgid "late"')
    assert (
        "ru/LC_MESSAGES/offer.po: late: not found, expected it as in"
        f" kk/LC_MESSAGES/offer.po:{place}" in refusal(root, with_lines=True)
    )


def test_a_screen_is_worded_in_the_asked_language(words: Words) -> None:
    assert "бала туғандағы жәрдемақы. Келісесіз бе?" in words.text(ASK, "kk")
    assert "пособие на рождение. Согласны?" in words.text(ASK, "ru")


def test_both_languages_are_kazakh_first_then_russian(words: Words) -> None:
    first, second = words.text(ASK, "both").split("\n")
    assert (first, second) == (words.text(ASK, "kk"), words.text(ASK, "ru"))


def test_values_at_hand_are_laid_over_those_of_the_screen(words: Words) -> None:
    assert "жасына қарай зейнетақы" in words.text(ASK, "kk", {"service": "жасына қарай зейнетақы"})


def test_a_value_that_looks_like_a_placeholder_stays_as_it_is(words: Words) -> None:
    assert "{answer}" in words.text(ASK, "ru", {"service": "{answer}"})


@given(st.text())
def test_a_value_comes_out_whole_whatever_it_is(words: Words, service: str) -> None:
    before, after = words.text(ASK, "kk", {"service": "|"}).split("|")
    assert words.text(ASK, "kk", {"service": service}) == before + service + after


def test_a_missing_value_is_refused_rather_than_sent_as_a_gap(words: Words) -> None:
    with pytest.raises(WordingError, match=r"ask: values \[\], expected also \['service'\]"):
        words.text(Screen("offer", "ask"), "kk")


def test_an_unknown_key_is_refused(words: Words) -> None:
    with pytest.raises(WordingError, match="nonsense: not found"):
        words.text(Screen("offer", "nonsense"), "ru")


def test_a_surface_prefers_its_own_words(words: Words) -> None:
    assert words.text(ASK, "ru", surface="ussd") == "пособие на рождение. Согласны?"
    assert words.text(Screen("offer", "late"), "ru", surface="ussd") == words.text(
        Screen("offer", "late"), "ru"
    )


def test_a_dialog_falls_back_on_the_common_phrases(words: Words) -> None:
    assert words.text(Screen("offer", "stopped"), "kk") == words.text(
        Screen(COMMON, "stopped"), "kk"
    )


def test_a_phrase_in_each_language_serves_as_a_value(words: Words) -> None:
    already = Screen("offer", "already", {"answer": words.each("offer", "answer.no")})
    assert "бас тарту" in words.text(already, "kk")
    assert "отказ" in words.text(already, "ru")


def test_a_key_missing_in_one_language_is_named_with_its_file(edited: Edit) -> None:
    root = edited("ru/LC_MESSAGES/offer.po", 'msgid "late"', 'msgid "later"')
    assert "ru/LC_MESSAGES/offer.po: late: not found, expected a wording" in refusal(root)


def test_an_unused_key_is_refused(edited: Edit) -> None:
    root = edited("kk/LC_MESSAGES/offer.po", 'msgid "late"', 'msgid "later"')
    assert "kk/LC_MESSAGES/offer.po: later: found, but no dialog uses it" in refusal(root)


def test_placeholders_that_differ_are_refused(edited: Edit) -> None:
    root = edited("ru/LC_MESSAGES/offer.po", "отозвал запрос: {service}.", "отозвал запрос.")
    assert (
        "ru/LC_MESSAGES/offer.po: withdrawn: found placeholders [],"
        " expected ['service'] as in kk" in refusal(root)
    )


def test_a_placeholder_nobody_fills_is_refused(edited: Edit) -> None:
    root = edited("kk/LC_MESSAGES/offer.po", "қабылданған: {answer}", "бұрын: {anwser}")
    assert "already: found placeholders ['anwser'], expected none but ['answer']" in refusal(root)


@pytest.mark.parametrize("broken", ["{service", "service}", "{Service}", "{}"])
def test_a_broken_placeholder_is_refused(edited: Edit, broken: str) -> None:
    root = edited(
        "kk/LC_MESSAGES/offer.po", "ұсынылады: {service}", "ұсынылады: {service} " + broken
    )
    assert "kk/LC_MESSAGES/offer.po: ask: found a stray brace" in refusal(root)


def test_an_empty_wording_is_refused(edited: Edit) -> None:
    root = edited("kk/LC_MESSAGES/common.po", '"Артқа"', '""')
    assert "kk/LC_MESSAGES/common.po: back: found an empty text" in refusal(root)


def test_an_unfinished_wording_is_refused(edited: Edit) -> None:
    root = edited("kk/LC_MESSAGES/common.po", 'msgid "back"', '#, fuzzy\nmsgid "back"')
    assert "back: found a fuzzy entry" in refusal(root)


def test_a_key_worded_twice_is_refused(edited: Edit) -> None:
    again = 'msgid "back"\nmsgstr "Кері"\n\nmsgid "back"'
    assert "back: found 2 times" in refusal(
        edited("kk/LC_MESSAGES/common.po", 'msgid "back"', again)
    )


@pytest.mark.parametrize("broken", ["msgid back", 'msgid "back', "back", 'mgsid "back"'])
def test_a_file_that_does_not_parse_is_named(edited: Edit, broken: str) -> None:
    root = edited("ru/LC_MESSAGES/common.po", 'msgid "back"', broken)
    assert "ru/LC_MESSAGES/common.po: found" in refusal(root)
    assert "expected a readable .po file in UTF-8" in refusal(root)


def test_a_file_in_another_encoding_is_named(edited: Edit) -> None:
    root = edited("ru/LC_MESSAGES/common.po", "Назад", "Назад")
    file = root / "ru/LC_MESSAGES/common.po"
    file.write_bytes(file.read_text(encoding="utf-8").encode("cp1251", "replace"))
    assert "expected a readable .po file in UTF-8" in refusal(root)


def test_a_missing_file_is_named(edited: Edit) -> None:
    root = edited("ru/LC_MESSAGES/common.po", "Назад", "Назад")
    (root / "ru/LC_MESSAGES/common.po").unlink()
    assert "ru/LC_MESSAGES/common.po: the file is missing" in refusal(root)


def test_a_file_under_the_wrong_language_is_refused(edited: Edit) -> None:
    root = edited("ru/LC_MESSAGES/common.po", "Language: ru", "Language: kk")
    assert "header: found another Language, expected ru" in refusal(root)


def test_a_file_of_no_dialog_is_held_to_the_same_equality(edited: Edit) -> None:
    root = edited("ru/LC_MESSAGES/common.po", "Назад", "Назад")
    common = (root / "ru/LC_MESSAGES/common.po").read_text(encoding="utf-8")
    (root / "ru/LC_MESSAGES/api.po").write_text(common, encoding="utf-8")
    assert "kk/LC_MESSAGES/api.po: the file is missing" in refusal(root)


def test_all_findings_are_told_together(edited: Edit) -> None:
    root = edited("ru/LC_MESSAGES/offer.po", "{answer}", "")
    shutil.rmtree(root / "kk")
    assert len(refusal(root).splitlines()) >= 2


def test_days_and_hours_are_told_in_asia_almaty() -> None:
    at = datetime(2026, 12, 14, 21, 7, tzinfo=UTC)
    assert day(at, "kk") == day(at, "ru") == "15.12.2026"
    assert clock_time(at) == "02:07"
    assert moment(at, "ru") == "15.12.2026, 02:07"


def test_official_days_are_written_as_the_acts_write_them() -> None:
    at = datetime(2026, 3, 5, 12, tzinfo=UTC)
    assert long_day(at, "kk") == "2026 жылғы 5 наурыз"
    assert long_day(at, "ru") == "5 марта 2026 года"


def test_the_month_is_written_out_in_kazakh_and_declined_in_russian() -> None:
    """CLDR's own long forms are "2026 ж. 5 наурыз" and "5 марта 2026 г."; papers write neither."""
    days = [datetime(2026, month, 1, 12, tzinfo=UTC) for month in range(1, 13)]
    kazakh = [long_day(at, "kk") for at in days]
    assert len({text.split()[-1] for text in kazakh}) == 12
    assert all("ж." not in text and text.endswith(MONTHS[n]) for n, text in enumerate(kazakh))
    assert all(" года" in text and "г." not in text for text in (long_day(d, "ru") for d in days))


MONTHS = (
    "қаңтар", "ақпан", "наурыз", "сәуір", "мамыр", "маусым", "шілде", "тамыз", "қыркүйек", "қазан",
    "қараша", "желтоқсан",
)  # fmt: skip


def test_a_year_of_two_digits_is_never_written() -> None:
    """CLDR's short Kazakh date is 05.03.26."""
    assert day(datetime(2026, 3, 5, tzinfo=UTC), "kk") == "05.03.2026"


def test_dates_and_times_carry_no_odd_spaces() -> None:
    at = datetime(2026, 3, 5, 4, 7, tzinfo=UTC)
    for text in (day(at, "kk"), moment(at, "kk"), long_day(at, "kk"), long_day(at, "ru")):
        assert not re.search(r"[^\S ]|\u202f", text)


def test_a_plural_entry_is_refused_since_kazakh_has_one_form(edited: Edit) -> None:
    """kk says 1 сағат and 24 сағат, ru 1 час, 24 часа, 5 часов: a number stands in no wording."""
    plural = 'msgid "back"\nmsgid_plural "backs"\nmsgstr[0] "Артқа"\nmsgstr[1] "Артқа"'
    root = edited("kk/LC_MESSAGES/common.po", 'msgid "back"\nmsgstr "Артқа"', plural)
    assert "back: found a plural entry, expected one plain text" in refusal(root)


def test_the_country_is_at_utc_plus_five_since_march_2024() -> None:
    assert datetime(2024, 2, 1, tzinfo=ALMATY).utcoffset() == timedelta(hours=6)
    assert datetime(2026, 7, 1, tzinfo=ALMATY).utcoffset() == timedelta(hours=5)


def test_a_naive_time_is_refused() -> None:
    with pytest.raises(ValueError, match="naive"):
        day(datetime(2026, 3, 5), "kk")  # noqa: DTZ001


def test_opening_hours_are_joined_by_a_dash() -> None:
    assert opening_hours("09:00", "18:00") == "09:00–18:00"


def test_a_key_is_told_apart_from_its_surface() -> None:
    assert [stem(key) for key in ("ask", "ask.ussd", "ask.yes.confirm")] == [
        "ask",
        "ask",
        "ask.yes.confirm",
    ]
