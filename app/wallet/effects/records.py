"""How measures work: people told of a measure, and how far each of them came."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.ledger.engine import Row, Tx, sql

STAGES = ("reached", "received", "consented", "granted", "used")
STEPS = ("received", "consented", "granted", "used")
# Every group is a word of this list, never a caller's.
DIMENSIONS = {
    "measure": "''",
    "region": "coalesce(region, '')",
    "language": "coalesce(language, '')",
    "network": "coalesce(network, '')",
    "week": """to_char(reached AT TIME ZONE 'Asia/Almaty', 'IYYY-"W"IW')""",
}


@dataclass(frozen=True, slots=True)
class Cell:
    """People of one measure in one group: how many came to each stage, and for each step after
    reaching how many hours it took half of them, over how many people."""

    measure: str
    group: str
    counts: Sequence[int]
    medians: Sequence[float | None]
    pairs: Sequence[int]


# One line a person and measure: the first notice gives the groups, each stage its first moment.
# A grant counts as it stands after its corrections, whoever made it.
_PEOPLE = """WITH standing AS (
    SELECT DISTINCT ON (coalesce(g.corrects, g.id)) coalesce(g.corrects, g.id) AS first,
        g.recipient_id, g.measure, g.granted_at, g.is_cancelled
    FROM wallet_grants g ORDER BY coalesce(g.corrects, g.id), g.seq DESC),
grants AS (
    SELECT s.recipient_id, s.measure, min(s.granted_at) AS granted, min(u.used_at) AS used
    FROM standing s LEFT JOIN wallet_uses u ON u.grant_id = s.first
    WHERE NOT s.is_cancelled GROUP BY s.recipient_id, s.measure),
told AS (
    SELECT n.recipient_id, n.measure,
        (array_agg(n.region ORDER BY n.id))[1] AS region,
        (array_agg(n.language ORDER BY n.id))[1] AS language,
        (array_agg(n.network ORDER BY n.id))[1] AS network,
        min(n.served_at) AS reached,
        min(least(n.read_at, n.sms_delivered_at)) AS received,
        min(c.data_at) FILTER (WHERE c.data = 'given') AS consented
    FROM wallet_notices n
    LEFT JOIN wallet_consents c ON c.notice_id = n.id
    WHERE n.kind = 'measure-offer' AND n.served_at IS NOT NULL
      AND (CAST(:provider AS text) IS NULL OR n.provider = :provider)
    GROUP BY n.recipient_id, n.measure),
people AS (
    SELECT t.*, g.granted, g.used FROM told t
    LEFT JOIN grants g ON g.recipient_id = t.recipient_id AND g.measure = t.measure)"""
_COUNTS = ", ".join(f"count({stage}) AS {stage}" for stage in STAGES)
_MEDIANS = ", ".join(
    f"""percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM
        greatest({step} - {before}, interval '0')) / 3600.0)
        FILTER (WHERE {step} IS NOT NULL AND {before} IS NOT NULL) AS {step}_hours,
    count(*) FILTER (WHERE {step} IS NOT NULL AND {before} IS NOT NULL) AS {step}_pairs"""
    for before, step in zip(STAGES, STEPS, strict=False)
)
# Medians cannot be put together from those of parts: both kinds of lines come out of one look.
_CELLS = {
    name: sql(
        f"""{_PEOPLE}, sliced AS (SELECT *, {column} AS slice FROM people)
        SELECT measure, slice, {_COUNTS}, {_MEDIANS} FROM sliced
        GROUP BY GROUPING SETS ((measure, slice), (slice)) ORDER BY measure, slice"""
    )
    for name, column in DIMENSIONS.items()
}


def cells(tx: Tx, dimension: str, provider: str | None) -> tuple[list[Cell], list[Cell]]:
    """People by measure and by a dimension, and by the dimension alone over all measures (a person
    counts once a measure). `provider` None: those whom anybody told."""
    rows = tx.execute(_CELLS[dimension], {"provider": provider}).all()
    return (
        [_cell(r) for r in rows if r.measure is not None],
        [_cell(r) for r in rows if r.measure is None],
    )


def _cell(r: Row) -> Cell:
    return Cell(
        r.measure or "", r.slice, [getattr(r, stage) for stage in STAGES],
        [_hours(getattr(r, f"{step}_hours")) for step in STEPS],
        [getattr(r, f"{step}_pairs") for step in STEPS],
    )  # fmt: skip


def _hours(value: float | None) -> float | None:
    return None if value is None else round(float(value), 2)
