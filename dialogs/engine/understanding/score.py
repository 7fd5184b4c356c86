"""Measures the understanding against a corpus of labelled replies. Pure: text in, figures out."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from dialogs.engine.understanding import Label, understand

_ESCAPE: Final = re.compile(r"\\(?:u([0-9a-fA-F]{4})|([ntr\\]))")
_ALSO: Final = re.compile(r"alt:(\w+)")
_PLAIN: Final = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\"}


class BadCorpus(ValueError):
    """A corpus line that cannot be read; says which one and why."""


@dataclass(frozen=True, slots=True)
class Case:
    """One labelled reply: its text, the expected and every right label, its language group."""

    line: int
    text: str
    expected: Label
    right: frozenset[Label]
    language: str


@dataclass(frozen=True, slots=True)
class Miss:
    """A case and the label it got instead."""

    case: Case
    got: Label


def unescape(text: str) -> str:
    """Return the text with \\n, \\t, \\r, \\\\ and \\u spelt out, surrogate pairs joined."""
    spelt = _ESCAPE.sub(lambda m: chr(int(m[1], 16)) if m[1] else _PLAIN[m[2]], text)
    return spelt.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def cases(corpus: str) -> Iterator[Case]:
    """Yield the cases of a corpus "text<TAB>label<TAB>language<TAB>note" with a header line.

    Raises BadCorpus for a line with fewer than three fields or an unknown label.
    """
    for number, line in enumerate(corpus.split("\n")[1:], start=2):
        if not line.strip("\r"):
            continue
        fields = line.rstrip("\r").split("\t")
        if len(fields) < 3:
            raise BadCorpus(f"line {number}: expected text, label and language between tabs")
        note = fields[3] if len(fields) > 3 else ""
        try:
            expected = Label(fields[1])
            right = frozenset({expected, *map(Label, _ALSO.findall(note))})
        except ValueError as error:
            raise BadCorpus(f"line {number}: {error}") from error
        yield Case(number, unescape(fields[0]), expected, right, fields[2])


def misses(corpus: str) -> list[Miss]:
    """Return every case whose label is none of the right ones."""
    heard = ((case, understand(case.text).label) for case in cases(corpus))
    return [Miss(case, got) for case, got in heard if got not in case.right]


def _recall(heard: list[tuple[Case, Label]], wanted: Label) -> float | None:
    """The share of the wanted label that was found; None if the corpus holds none of it."""
    expected = [(case, got) for case, got in heard if case.expected is wanted]
    return sum(got in case.right for case, got in expected) / len(expected) if expected else None


def _figures(heard: list[tuple[Case, Label]]) -> dict[str, Any]:
    def false(label: Label) -> int:
        return sum(got is label and label not in case.right for case, got in heard)

    return {
        "total": len(heard),
        "false_yes": false(Label.YES),
        "false_no": false(Label.NO),
        "recall_yes": _recall(heard, Label.YES),
        "recall_no": _recall(heard, Label.NO),
    }


def score(corpus: str, hear: Callable[[str], Label] | None = None) -> dict[str, Any]:
    """Return total, false_yes, false_no, recall_yes, recall_no (0..1 or None), and by_language."""
    judge = hear or (lambda text: understand(text).label)
    heard = [(case, judge(case.text)) for case in cases(corpus)]
    groups = sorted({case.language for case, _ in heard})
    by_language = {g: _figures([pair for pair in heard if pair[0].language == g]) for g in groups}
    return {**_figures(heard), "by_language": by_language}
