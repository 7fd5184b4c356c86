"""Submits and queries whose response did not come in time; a submit's may still come later.

Pure. What a late response says is worth knowing: the message was taken, and under which id.
"""

from typing import Final

MOST_REMEMBERED: Final = 10_000

Waiting = dict[int, tuple[object, float]]
"""Tokens by sequence number, in the order of their deadlines."""


def expired(waiting: Waiting, now: float) -> dict[int, object]:
    """Takes out the tokens whose deadline has passed, by their sequence numbers."""
    late = []
    for sequence, (_, deadline) in waiting.items():
        if deadline > now:
            break
        late.append(sequence)
    return {sequence: waiting.pop(sequence)[0] for sequence in late}


class Overdue:
    """The latest submits of a connection that were given up; bounded, the oldest are forgotten."""

    def __init__(self) -> None:
        self._tokens: dict[int, object] = {}

    def add(self, late: dict[int, object]) -> None:
        """These were given up."""
        self._tokens |= late
        while len(self._tokens) > MOST_REMEMBERED:
            del self._tokens[next(iter(self._tokens))]

    def take(self, sequence: int) -> object | None:
        """The token of a submit that is answered after all, once; None where nothing is known."""
        return self._tokens.pop(sequence, None)
