"""What the peer has certainly read: TCP keeps the order, so whoever answers what was asked has read
all that was said before.

Pure. A mark is whatever the caller calls what it has said up to then.
"""

from typing import Final

MOST_ASKED: Final = 2_000  # without an answer; the oldest never get one


class Marks:
    """Of one connection. `read` is the last mark that the peer has certainly read."""

    __slots__ = ("_asked", "_asked_last", "_said", "read")

    def __init__(self) -> None:
        self.read: object = None
        self._said: object = None
        self._asked_last: object = None
        self._asked: dict[int, object] = {}

    def say(self, mark: object) -> None:
        """Names all that has been said so far."""
        self._said = mark

    @property
    def is_unasked(self) -> bool:
        """Whether nothing has been asked since the last mark, so that nothing will prove it."""
        return self._said is not self._asked_last

    def ask(self, sequence: int) -> None:
        """Something leaves that awaits an answer."""
        self._asked_last = self._said
        if self._said is not self.read:
            self._asked[sequence] = self._said
            if len(self._asked) > MOST_ASKED:
                del self._asked[next(iter(self._asked))]

    def answered(self, sequence: int) -> None:
        """An answer came, whatever it says."""
        if self._asked:
            self.read = self._asked.pop(sequence, self.read)
