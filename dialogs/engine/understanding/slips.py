"""Finds a long word behind one slip inside it: a letter lost, added, changed or swapped.

Only words of answer that no other word resembles are found; a slip that could be two words is none.
"""

from collections.abc import Iterator, Mapping
from typing import Final, Generic, Protocol, TypeVar

_SHORTEST: Final = 7
_KEPT_ENDING: Final = 2  # persons, genders and "yes or no" live at the end of the word
_FORGIVEN: Final = frozenset(
    {"agree", "kagree", "kagree_neg", "refuse", "confirm", "tart", "polite", "greeting"}
)
# A slip near these could hide a person, a condition or a negation.
_WATCHED: Final = _FORGIVEN | {
    "disagree",
    "other",
    "tart_neg",
    "ktake",
    "ktake_neg",
    "kconfirm",
    "consent_noun",
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


class Slips(Generic[Known]):
    """An index of the long words of one skeleton table by every way to lose a letter."""

    def __init__(self, table: Mapping[str, Known | None]) -> None:
        self._by_loss: dict[str, list[Known]] = {}
        self._watched: dict[str, set[str]] = {}
        for skeleton, entry in table.items():
            if entry is None or entry.category not in _WATCHED or len(skeleton) < _SHORTEST:
                continue
            for spelling in (skeleton, *_shorter(skeleton, _KEPT_ENDING)):
                self._by_loss.setdefault(spelling, []).append(entry)
            for spelling in (skeleton, *_shorter(skeleton, 0)):
                self._watched.setdefault(spelling, set()).add(entry.category)

    def find(self, skeleton: str) -> Known | None:
        """Return the only word one slip away, or None."""
        if len(skeleton) < _SHORTEST - 1:
            return None
        near = [
            entry
            for spelling in (skeleton, *_shorter(skeleton, _KEPT_ENDING))
            for entry in self._by_loss.get(spelling, ())
        ]
        if not near or near[0].category not in _FORGIVEN:
            return None
        # A slip at the end is not forgiven, but a word that one could lead to is watched.
        possible: set[str] = set()
        for spelling in (skeleton, *_shorter(skeleton, 0)):
            possible |= self._watched.get(spelling, set())
        return near[0] if possible == {near[0].category} else None
