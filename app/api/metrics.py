"""Numbers for Prometheus: calls of this process, and what the ledger knows of networks and cases.

Nothing personal. The ledger is asked at most every few seconds, however many scrape.
"""

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector, CollectorRegistry

from app.ledger import binds, figures
from app.ledger.binds import BindRow
from app.ledger.failures import FAILURES
from app.ledger.figures import START
from app.runtime import Runtime

ANSWERS = Counter("jauap_http_answers", "Calls answered.", ("method", "route", "status"))
SECONDS = Histogram("jauap_http_seconds", "How long calls took.", ("route",))
CONTENT_TYPE = CONTENT_TYPE_LATEST
METHODS = frozenset({"GET", "HEAD", "POST", "PATCH", "PUT", "DELETE", "OPTIONS"})
LEAST_AGE_S: Final = 3.0
SHARE: Final = 20  # the ledger spends at most a twentieth of its time on this
SETTLED = timedelta(minutes=2)  # no transaction is open so long that it could still add an event
PRIORITIES: Final = ("reply", "legal", "bulk")
OUTCOMES: Final = ("accepted", "declined", "expired", "undelivered", "withdrawn")

# Jasmin's figures under its own words; only these would read like a state and not a count.
RENAMED: Final = {
    "connected_count": "connects",
    "disconnected_count": "disconnects",
    "bound_count": "binds",
    "bind_refused_count": "bind_refusals",
}


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
        except FAILURES:
            return _text([_gauge("ledger_up", "Whether the ledger answers.", 0)])
        return _text(
            [
                _gauge("ledger_up", "Whether the ledger answers.", 1),
                *_of_binds(rows, counters),
                *_of_ledger(found, now),
                _outcome_family(outcomes),
            ]
        )

    def _outcomes(self, tx: binds.Tx, now: datetime) -> dict[str, int]:
        until = _first_id(now - self.rt.waiting(SETTLED.total_seconds()))
        if until > self._through:
            for kind, n in figures.outcomes(tx, self._through, until).items():
                self._settled[kind] = self._settled.get(kind, 0) + n
            self._through = until
        total = dict(self._settled)
        for kind, n in figures.outcomes(tx, self._through, UUID(int=(1 << 128) - 1)).items():
            total[kind] = total.get(kind, 0) + n
        return total


def _first_id(at: datetime) -> UUID:
    """Below every id that was made at `at` or later (UUID version 7)."""
    return UUID(int=int(at.timestamp() * 1000) << 80)


class _Given(Collector):
    def __init__(self, families: list[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterator[Metric]:
        yield from self._families


def _text(families: list[Metric]) -> bytes:
    registry = CollectorRegistry()
    registry.register(_Given(families))
    return generate_latest(registry)


def _gauge(name: str, words: str, value: float) -> Metric:
    return GaugeMetricFamily(f"jauap_{name}", words, value=value)


def _labelled(
    name: str, words: str, labels: tuple[str, ...], values: dict[tuple[str, ...], float]
) -> Metric:
    family = GaugeMetricFamily(f"jauap_{name}", words, labels=labels)
    for key, value in values.items():
        family.add_metric(key, value)
    return family


def _of_binds(rows: list[BindRow], counters: dict[str, dict[str, float]]) -> Iterator[Metric]:
    labels = ("cid", "network")
    bound = {(r.cid, r.network): float(r.state == "bound") for r in rows}
    yield _labelled("smpp_bound", "1 while the bind stands.", labels, bound)
    connected = {(r.cid, r.network): float(r.state in ("bound", "unbound")) for r in rows}
    yield _labelled("smpp_connected", "1 while the connection stands.", labels, connected)
    suspended = {(r.cid, r.network): float(r.wanted == "suspended") for r in rows}
    yield _labelled("smpp_suspended", "1 while nothing may leave by it.", labels, suspended)
    since = {(r.cid, r.network): r.since.timestamp() for r in rows}
    yield _labelled("smpp_state_since_seconds", "When the state changed last.", labels, since)
    heard = {(r.cid, r.network): r.heard_through.timestamp() for r in rows if r.heard_through}
    words = "Up to when all that the network handed over is stored."
    yield _labelled("smpp_heard_through_seconds", words, labels, heard)
    for name in sorted({name for counted in counters.values() for name in counted}):
        yield _of_counter(name, {cid: c[name] for cid, c in counters.items() if name in c})
