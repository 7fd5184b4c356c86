"""Finds a long word behind one slip inside it: a letter lost, added, changed or swapped.

Only words of answer that no other word resembles are found; a slip that could be two words is none.
"""

from collections.abc import Iterator, Mapping
from typing import Final, Generic, Protocol, TypeVar

_SHORTEST: Final = 7
_KEPT_ENDING: Final = 2  # persons, genders and "yes or no" live at the end of the word
_FORGIVEN: Final = frozenset(
    {"agree", "kagree", "kagree_neg", "refuse", "confirm", "tart", "polite", "greeting", "imp"}
)
# A slip near these could hide a person, a condition or a negation.
_WATCHED: Final = _FORGIVEN | {
    "disagree",
    "refuse_neg",
    "litotes_word",
    "other",
    "tart_neg",
    "ktake",
    "ktake_neg",
    "kconfirm",
    "consent_noun",
    "inf",
    "inf_do",
    "they_did",
}


class Found(Protocol):
    """What the lexicon knows of a spelling."""

    @property
    def category(self) -> str: ...


Known = TypeVar("Known", bound=Found)


def _shorter(word: str, kept: int) -> Iterator[str]:
    """The word with one letter left out, but for the first and the last `kept`."""
    for place in range(1, len(word) - kept):
        yield word[:place] + word[place + 1 :]


def _one_slip(one: str, other: str) -> bool:
    """Whether two different words are one letter lost, added, changed or swapped apart."""
    same = 0
    while same < min(len(one), len(other)) and one[same] == other[same]:
        same += 1
    one, other = one[same:], other[same:]
    swapped = one[:2] == other[1::-1] and one[2:] == other[2:]
    return swapped or one[1:] in (other[1:], other) or one == other[1:]


class Slips(Generic[Known]):
    """An index of the long words of one skeleton table by every way to lose a letter."""

    def __init__(self, table: Mapping[str, Known | None]) -> None:
        self._by_loss: dict[str, dict[str, Known]] = {}
        self._watched: dict[str, dict[str, str]] = {}
        for skeleton, entry in table.items():
            if entry is None or entry.category not in _WATCHED or len(skeleton) < _SHORTEST:
                continue
            for spelling in (skeleton, *_shorter(skeleton, _KEPT_ENDING)):
                self._by_loss.setdefault(spelling, {})[skeleton] = entry
            for spelling in (skeleton, *_shorter(skeleton, 0)):
                self._watched.setdefault(spelling, {})[skeleton] = entry.category

    def find(self, skeleton: str) -> Known | None:
        """Return the only word one slip away, or None."""
        if len(skeleton) < _SHORTEST - 1:
            return None
        near = [
            entry
            for spelling in (skeleton, *_shorter(skeleton, _KEPT_ENDING))
            for known, entry in self._by_loss.get(spelling, {}).items()
            if _one_slip(skeleton, known)
        ]
        if not near or near[0].category not in _FORGIVEN:
            return None
        # A slip at the end is not forgiven, but a word that one could lead to is watched.
        possible = {
            category
            for spelling in (skeleton, *_shorter(skeleton, 0))
            for known, category in self._watched.get(spelling, {}).items()
            if _one_slip(skeleton, known)
        }
        return near[0] if possible == {near[0].category} else None
