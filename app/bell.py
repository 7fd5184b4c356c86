"""Wakes other processes from a thread of its own: whoever has committed waits for no Redis, least
of all for one that hangs.
"""

import threading
from collections.abc import Callable
from contextlib import suppress
from time import monotonic, sleep

GAP_S = 0.05  # between two rings: whoever was woken just now is still looking
REST_S = 1.0  # without anything to ring; the thread then ends, and the next ring begins another


class Bell:
    """Rings channels by `publish`. Rings that come while one is under way become one: a wake-up
    says only that there may be something."""

    def __init__(self, publish: Callable[[str], object]) -> None:
        self._publish = publish
        self._due: set[str] = set()
        self._changed = threading.Condition()
        self._is_up = False
        self._is_ringing = False

    def ring(self, channel: str) -> None:
        """Soon, and without waiting for it."""
        with self._changed:
            self._due.add(channel)
            self._changed.notify_all()
            if not self._is_up:
                self._is_up = True
                threading.Thread(target=self._run, name="bell", daemon=True).start()

    def wait(self, seconds: float) -> bool:
        """Until everything is rung; False where that takes longer."""
        with self._changed:
            return self._changed.wait_for(lambda: not (self._due or self._is_ringing), seconds)

    def _run(self) -> None:
        rung_at = -GAP_S
        while self._has_due():
            sleep(max(0.0, rung_at + GAP_S - monotonic()))
            for channel in sorted(self._take()):
                with suppress(Exception):  # a second is lost; the bell must not fall silent
                    self._publish(channel)
            rung_at = monotonic()

    def _has_due(self) -> bool:
        with self._changed:
            self._is_ringing = False
            self._changed.notify_all()
            found = self._changed.wait_for(lambda: bool(self._due), REST_S)
            self._is_ringing = self._is_up = found
            return found

    def _take(self) -> set[str]:
        with self._changed:
            due, self._due = self._due, set()
            return due
