"""Figures of binds and of the ledger as Prometheus' families, with Jasmin's meanings where it has
such a figure. The label of a bind is `cid`; nothing personal."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from prometheus_client import generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector, CollectorRegistry

from app.calendar import local_date
from app.conversation.inbox import Figure
from app.ledger.binds import BindRow, Counters
from app.ledger.figures import Figures

PRIORITIES: Final = ("reply", "legal", "bulk")
OUTCOMES: Final = ("accepted", "declined", "expired", "undelivered", "withdrawn")
DAY_S: Final = 86_400.0

# Under Jasmin's own words these would read like a state and not like a count.
RENAMED: Final = {
    "connected_count": "connects",
    "disconnected_count": "disconnects",
    "bound_count": "binds",
    "bind_refused_count": "bind_refusals",
    "orphan_receipts_count": "dlr_orphan",
    "ambiguous_receipts_count": "dlr_ambiguous",
}
NOT_SHOWN: Final = ("is_bound",)  # the state says it, also of a bind whose gateway is gone

Labelled = Iterable[tuple[tuple[str, ...], float]]

STATES: Final[tuple[tuple[str, str, Callable[[BindRow], float]], ...]] = (
    ("bound", "1 while the bind stands.", lambda r: r.state == "bound"),
    # A refused or lost bind has no connection; what is connecting has none yet.
    ("connected", "1 while the connection stands.", lambda r: r.state == "bound"),
    ("suspended", "1 while an engineer lets nothing leave.", lambda r: r.wanted == "suspended"),
    ("state_since_seconds", "When the state changed last.", lambda r: r.since.timestamp()),
)


class _Given(Collector):
    def __init__(self, families: Sequence[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterator[Metric]:
        yield from self._families


def text(families: Sequence[Metric]) -> bytes:
    """In Prometheus' text format."""
    registry = CollectorRegistry()
    registry.register(_Given(families))
    return generate_latest(registry)


def gauge(name: str, words: str, value: float) -> Metric:
    """One number without labels."""
    return GaugeMetricFamily(f"jauap_{name}", words, value=value)


def _gauges(name: str, words: str, labels: tuple[str, ...], values: Labelled) -> Metric:
    family = GaugeMetricFamily(f"jauap_{name}", words, labels=labels)
    for key, value in values:
        family.add_metric(key, value)
    return family


def _counts(name: str, words: str, labels: tuple[str, ...], values: Labelled) -> Metric:
    family = CounterMetricFamily(f"jauap_{name}", words, labels=labels)
    for key, value in values:
        family.add_metric(key, value)
    return family


def of_binds(rows: Sequence[BindRow], counters: Mapping[str, Counters]) -> Iterator[Metric]:
    """How every bind is doing, and what its gateway has counted since it started."""
    for name, words, value in STATES:
        yield _gauges(f"smpp_{name}", words, ("cid",), [((r.cid,), float(value(r))) for r in rows])
    heard = [((r.cid,), r.heard_through.timestamp()) for r in rows if r.heard_through]
    words = "Up to when all that the network handed over is stored, in seconds since 1970."
    yield _gauges("smpp_heard_through_seconds", words, ("cid",), heard)
    plain: dict[str, dict[tuple[str, ...], float]] = {}
    tables: dict[str, dict[tuple[str, ...], float]] = {}
    for cid, counted in counters.items():
        for key, number in counted.items():
            name, _, entry = key.partition(".")
            if entry:
                tables.setdefault(name, {})[cid, entry] = float(number)
            elif name not in NOT_SHOWN:
                plain.setdefault(name, {})[(cid,)] = float(number)
    yield from (_figure(name, values.items()) for name, values in sorted(plain.items()))
    for name, values in sorted(tables.items()):
        yield _counts(f"smpp_{name}", f"{name} by status.", ("cid", "status"), values.items())
    orphans = [c.get("orphan_receipts_count", 0) for c in counters.values()]
    words = "Receipts that belong to no message we know."
    yield CounterMetricFamily("jauap_dlr_orphan", words, value=sum(orphans))


def _figure(name: str, values: Labelled) -> Metric:
    if name.endswith("_at"):
        words = f"{name}, in seconds since 1970."
        return _gauges(f"smpp_{name}_seconds", words, ("cid",), values)
    if name.endswith("_count"):
        shown = RENAMED.get(name, name.removesuffix("_count"))
        return _counts(f"smpp_{shown}", f"{name} since the gateway started.", ("cid",), values)
    return _gauges(f"smpp_{name}", f"{name} now.", ("cid",), values)


def of_ledger(found: Figures, now: datetime) -> Iterator[Metric]:
    """What waits, and for how long."""
    words = "Offers whose 24 hours are over and which are still open."
    yield gauge("case_open_overdue", words, found.overdue)
    replies = [now - b.oldest for b in found.backlog if not b.priority]
    age = max(replies, default=timedelta()).total_seconds()
    yield gauge("reply_age_seconds", "How long the oldest answer waits to leave.", max(age, 0.0))
    words = "Long messages of people of which a segment is missing yet."
    yield gauge("reassembly_pending", words, found.reassembly)
    words = "Receipts that came before their submit response, or belong to nothing."
    yield gauge("dlr_orphan_waiting", words, found.orphans)
    words = "Messages that are ready to leave."
    waiting = [((b.network, PRIORITIES[b.priority]), float(b.messages)) for b in found.backlog]
    yield _gauges("outbox_ready", words, ("network", "priority"), waiting)
    words = "Deliveries to providers that are due, or parked after too many tries."
    webhooks = [((state,), float(n)) for state, n in found.deliveries.items()]
    yield _gauges("webhook_deliveries", words, ("state",), webhooks)
    words = "Since the end of the last day whose cases are sealed, in seconds."
    yield gauge("journal_lag", words, _journal_lag(found, now))


def _journal_lag(found: Figures, now: datetime) -> float:
    """Whole days are sealed, in the night after; a ledger without cases has nothing to seal."""
    if found.first_at is None:
        return 0.0
    if found.sealed_through is None:
        return max(0.0, (now - found.first_at).total_seconds())
    return max(0.0, ((local_date(now) - found.sealed_through).days - 1) * DAY_S)


def of_room(found: Sequence[Figure]) -> Iterator[Metric]:
    """What a law room counts by itself."""
    for one in found:
        values = [((key,), float(n)) for key, n in one.values.items()]
        yield _gauges(one.name, one.words, (one.label,), values)


def of_outcomes(counted: Mapping[str, int]) -> Metric:
    """How offers ended, since the first."""
    values = [((outcome,), float(counted.get(f"offer.{outcome}", 0))) for outcome in OUTCOMES]
    return _counts("outcome", "Offers by how they ended.", ("outcome",), values)
