"""The release gate over our own replies: no false yes, no false no, enough of both known."""

from pathlib import Path
from typing import Any

import pytest

from dialogs.engine.understanding.score import BadCorpus, cases, misses, score, unescape

CORPORA = sorted((Path(__file__).parent / "replies").glob("*.tsv"))
WHOLE = "header\n" + "\n".join(
    line for path in CORPORA for line in path.read_text(encoding="utf-8").split("\n")[1:] if line
)


@pytest.fixture(scope="module")
def figures() -> dict[str, Any]:
    return score(WHOLE)


def test_the_corpus_is_large_enough_to_mean_something(figures: dict[str, Any]) -> None:
    assert figures["total"] >= 1500


def test_nothing_but_a_yes_is_ever_read_as_yes(figures: dict[str, Any]) -> None:
    assert [miss for miss in misses(WHOLE) if miss.got == "yes"] == []
    assert figures["false_yes"] == 0


def test_nothing_but_a_no_is_ever_read_as_no(figures: dict[str, Any]) -> None:
    assert [miss for miss in misses(WHOLE) if miss.got == "no"] == []
    assert figures["false_no"] == 0


@pytest.mark.parametrize("language", ["kk", "ru", "latin"])
@pytest.mark.parametrize("recall", ["recall_yes", "recall_no"])
def test_nine_answers_in_ten_are_understood_in_every_writing(
    figures: dict[str, Any], language: str, recall: str
) -> None:
    assert figures["by_language"][language][recall] >= 0.9


@pytest.mark.parametrize("name", ["public", "asides"])
def test_every_reply_of_the_small_corpora_is_understood(name: str) -> None:
    corpus = next(path for path in CORPORA if path.stem == name)
    assert misses(corpus.read_text(encoding="utf-8")) == []


def test_escapes_spell_line_ends_tabs_and_characters() -> None:
    assert unescape(r"a\nb\tc\rd\u0020\\n") == "a\nb\tc\rd \\n"
    assert unescape(r"\ud83d\udc4d") == "👍"


def test_a_second_right_label_in_the_note_is_right_too() -> None:
    figures = score("text\tlabel\tlanguage\tnote\nда\tunclear\tru\tcode; alt:yes\n")
    assert (figures["total"], figures["false_yes"], figures["recall_yes"]) == (1, 0, None)


def test_a_false_yes_is_counted_in_its_language() -> None:
    figures = score("text\tlabel\tlanguage\tnote\nда\tno\tru\t\nжоқ\tno\tkk\t\n")
    assert figures["false_yes"] == 1
    assert figures["recall_no"] == 0.5
    assert figures["by_language"]["ru"]["false_yes"] == 1
    assert figures["by_language"]["kk"]["recall_no"] == 1.0


@pytest.mark.parametrize("line", ["да", "да\tmaybe\tru\t"])
def test_a_line_that_cannot_be_read_is_named(line: str) -> None:
    with pytest.raises(BadCorpus, match="line 3"):
        list(cases(f"text\tlabel\tlanguage\tnote\nда\tyes\tru\t\n{line}"))
