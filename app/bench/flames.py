"""A flame graph by our own hand: the stacks of one thread, looked at a few hundred times a second.

Broad is what takes long; above each function stand those that it called.
"""

import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from types import FrameType
from typing import Final

Stack = tuple[str, ...]

EVERY_S: Final = 0.002
WIDTH: Final = 1400
ROW: Final = 17
LEAST: Final = 0.004  # of the whole: what is narrower is left out
OURS: Final = "#7fb3d5"
THEIRS: Final = "#d7dbdd"
_LETTER: Final = 6.6


class Sampler:
    """Counts the stacks of the thread that runs it."""

    def __init__(self) -> None:
        self.stacks: Counter[Stack] = Counter()
        self._over = threading.Event()

    @contextmanager
    def running(self, *, of: bool = True) -> Iterator[None]:
        """Looks on while the body runs; `of` False: does nothing."""
        if not of:
            yield
            return
        watched = threading.get_ident()
        watcher = threading.Thread(target=self._watch, args=(watched,), daemon=True)
        watcher.start()
        try:
            yield
        finally:
            self._over.set()
            watcher.join()

    def _watch(self, thread: int) -> None:
        while not self._over.wait(EVERY_S):
            frame = sys._current_frames().get(thread)
            if frame is not None:
                self.stacks[_stack(frame)] += 1


def _stack(frame: FrameType) -> Stack:
    names: list[str] = []
    at: FrameType | None = frame
    while at is not None:
        module = str(at.f_globals.get("__name__", "?"))
        names.append(f"{module}.{at.f_code.co_name}")
        at = at.f_back
    return tuple(reversed(names))


def as_svg(stacks: Counter[Stack], root: str) -> str:
    """The stacks from the first function of a module that is named `…root` on."""
    rooted: Counter[Stack] = Counter()
    for stack, times in stacks.items():
        start = next((i for i, name in enumerate(stack) if f".{root}." in f".{name}."), None)
        if start is not None:
            rooted[stack[start:]] += times
    whole = max(rooted.total(), 1)
    boxes = list(_boxes(sorted(rooted.items()), 0, whole, 0.0))
    height = (max((depth for depth, *_ in boxes), default=0) + 2) * ROW
    drawn = "\n".join(_box(*box, height) for box in boxes)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
        f'font-family="monospace" font-size="11">\n'
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>\n{drawn}\n</svg>\n'
    )


Box = tuple[int, float, float, str]
"""Depth, left edge and breadth as shares of the whole, name."""


def _boxes(stacks: list[tuple[Stack, int]], depth: int, whole: int, left: float) -> Iterator[Box]:
    """Boxes of all that stands at `depth` of these stacks, which are sorted, and of what stands
    above each."""
    while stacks:
        name = stacks[0][0][depth] if len(stacks[0][0]) > depth else None
        same = [s for s in stacks if (s[0][depth] if len(s[0]) > depth else None) == name]
        stacks = stacks[len(same) :]
        share = sum(times for _, times in same) / whole
        if name is not None and share >= LEAST:
            yield depth, left, share, name
            yield from _boxes(same, depth + 1, whole, left)
        left += share


def _box(depth: int, left: float, share: float, name: str, height: int) -> str:
    x, width, y = left * WIDTH, share * WIDTH, height - (depth + 1) * ROW
    fill = OURS if name.split(".")[0] in {"app", "dialogs", "smpp"} else THEIRS
    letters = int((width - 6) / _LETTER)
    words = name if len(name) <= letters else name.rsplit(".", 1)[-1]
    text = ""
    if 3 <= len(words) and letters >= 3:
        shown = words if len(words) <= letters else words[: letters - 1] + "…"
        text = f'<text x="{x + 3:.1f}" y="{y + 12}">{escape(shown)}</text>'
    return (
        f'<g><title>{escape(name)}: {share:.1%}</title><rect x="{x:.1f}" y="{y}" '
        f'width="{max(width - 0.5, 0.5):.1f}" height="{ROW - 1}" fill="{fill}"/>{text}</g>'
    )
