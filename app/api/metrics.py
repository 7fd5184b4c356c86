"""Numbers for Prometheus: calls of this process, and what the ledger knows of networks and cases.

Nothing personal. The ledger is asked at most every few seconds, however many scrape.
"""

import threading
import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, Counter, Histogram, generate_latest

from app.api.families import gauge, of_binds, of_ledger, of_outcomes, of_room, text
from app.conversation.inbox import Counts
from app.ledger import binds, figures
from app.ledger.engine import Tx
from app.ledger.failures import FAILURES
from app.ledger.figures import START
from app.ledger.ids import first_id
from app.runtime import Runtime

ANSWERS = Counter("jauap_http_answers", "Calls answered.", ("method", "route", "status"))
SECONDS = Histogram("jauap_http_seconds", "How long calls took.", ("route",))
CONTENT_TYPE = CONTENT_TYPE_LATEST
METHODS = frozenset({"GET", "HEAD", "POST", "PATCH", "PUT", "DELETE", "OPTIONS"})
LEAST_AGE_S: Final = 3.0
SHARE: Final = 20  # the ledger spends at most a twentieth of its time on this
SETTLED = timedelta(minutes=2)  # no transaction is open so long that it could still add an event


def answered(method: str, route: str, status: int, seconds: float) -> None:
    """Counts a call; `route` is a declared address, never what a caller wrote."""
    ANSWERS.labels(method if method in METHODS else "other", route, str(status)).inc()
    SECONDS.labels(route).observe(seconds)


@dataclass(slots=True)
class Numbers:
    """All that /metrics shows of one runtime, kept for a few seconds. Outcomes that are settled
    are counted once and remembered with the id up to which they were."""

    rt: Runtime
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _shown: bytes = b""
    _fresh_until: float = 0.0
    _settled: dict[str, int] = field(default_factory=dict)
    _through: UUID = START

    def shown(self) -> bytes:
        """In Prometheus' text format; without the ledger, the numbers of this process alone."""
        with self._lock:
            if time.monotonic() >= self._fresh_until:
                began = time.monotonic()
                self._shown = self._read()
                took = time.monotonic() - began
                self._fresh_until = time.monotonic() + max(LEAST_AGE_S, SHARE * took)
            return generate_latest(REGISTRY) + self._shown

    def _read(self) -> bytes:
        try:
            with self.rt.ledger.begin() as tx:
                now = self.rt.clock()
                found = figures.read(tx, now)
                rows, counters = binds.every(tx), binds.counters(tx)
                outcomes = self._outcomes(tx, now)
                own = [
                    one
                    for room in self.rt.rooms.values()
                    if isinstance(room, Counts)
                    for one in room.figures(tx, now)
                ]
        except FAILURES:
            return text([gauge("ledger_up", "1 while the ledger answers.", 0)])
        return text(
            [
                gauge("ledger_up", "1 while the ledger answers.", 1),
                *of_binds(rows, counters),
                *of_ledger(found, now),
                *of_room(own),
                of_outcomes(outcomes),
            ]
        )

    def _outcomes(self, tx: Tx, now: datetime) -> dict[str, int]:
        until = first_id(now - self.rt.waiting(SETTLED.total_seconds()))
        if until > self._through:
            for kind, n in figures.outcomes(tx, self._through, until).items():
                self._settled[kind] = self._settled.get(kind, 0) + n
            self._through = until
        total = dict(self._settled)
        for kind, n in figures.outcomes(tx, self._through, UUID(int=(1 << 128) - 1)).items():
            total[kind] = total.get(kind, 0) + n
        return total
