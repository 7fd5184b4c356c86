"""How measures work: people told of a measure, and how far each of them came."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.ledger.engine import Tx, sql

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
_PEOPLE = """WITH people AS (
    SELECT n.recipient_id, n.measure,
        (array_agg(n.region ORDER BY n.id))[1] AS region,
        (array_agg(n.language ORDER BY n.id))[1] AS language,
        (array_agg(n.network ORDER BY n.id))[1] AS network,
        min(n.served_at) AS reached,
        min(least(n.read_at, n.sms_delivered_at)) AS received,
        min(c.data_at) FILTER (WHERE c.data = 'given') AS consented,
        min(g.granted_at) AS granted, min(g.used_at) AS used
    FROM wallet_notices n
    LEFT JOIN wallet_consents c ON c.notice_id = n.id
    LEFT JOIN LATERAL (
        SELECT g.granted_at, u.used_at FROM wallet_grants g
        LEFT JOIN wallet_uses u ON u.grant_id = g.id
        WHERE g.recipient_id = n.recipient_id AND g.measure = n.measure AND g.corrects IS NULL
          AND g.notice_id IS NOT NULL
          AND NOT coalesce((SELECT x.is_cancelled FROM wallet_grants x WHERE x.corrects = g.id
              ORDER BY x.seq DESC LIMIT 1), false)) g ON true
    WHERE n.kind = 'measure-offer' AND n.served_at IS NOT NULL
      AND (CAST(:provider AS text) IS NULL OR n.provider = :provider)
    GROUP BY n.recipient_id, n.measure)"""
_COUNTS = ", ".join(f"count({stage}) AS {stage}" for stage in STAGES)
_MEDIANS = ", ".join(
    f"""percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM
        greatest({step} - {before}, interval '0')) / 3600.0)
        FILTER (WHERE {step} IS NOT NULL AND {before} IS NOT NULL) AS {step}_hours,
    count(*) FILTER (WHERE {step} IS NOT NULL AND {before} IS NOT NULL) AS {step}_pairs"""
    for before, step in zip(STAGES, STEPS, strict=False)
)
_CELLS = {
    name: sql(
        f"""{_PEOPLE} SELECT measure, {column} AS slice, {_COUNTS}, {_MEDIANS}
        FROM people GROUP BY 1, 2 ORDER BY 1, 2"""
    )
    for name, column in DIMENSIONS.items()
}
# Medians cannot be put together from those of parts: groups over all measures are asked apart.
_COLUMNS = {
    name: sql(
        f"""{_PEOPLE} SELECT '' AS measure, {column} AS slice, {_COUNTS}, {_MEDIANS}
        FROM people GROUP BY 2 ORDER BY 2"""
    )
    for name, column in DIMENSIONS.items()
}
_MEASURES = sql(
    f"""{_PEOPLE} SELECT measure, '' AS slice, {_COUNTS}, {_MEDIANS}
    FROM people GROUP BY 1 ORDER BY 1"""
)


def cells(tx: Tx, dimension: str, provider: str | None) -> list[Cell]:
    """People by measure and by a dimension; `provider` None: everybody's."""
    return _read(tx, _CELLS[dimension], provider)


def columns(tx: Tx, dimension: str, provider: str | None) -> list[Cell]:
    """The same by the dimension alone, over all measures: a person counts once a measure."""
    return _read(tx, _COLUMNS[dimension], provider)


def measures(tx: Tx, provider: str | None) -> list[Cell]:
    """The same by measure alone."""
    return _read(tx, _MEASURES, provider)


def _read(tx: Tx, statement: object, provider: str | None) -> list[Cell]:
    rows = tx.execute(statement, {"provider": provider})  # type: ignore[call-overload]
    return [
        Cell(
            r.measure, r.slice, [getattr(r, stage) for stage in STAGES],
            [_hours(getattr(r, f"{step}_hours")) for step in STEPS],
            [getattr(r, f"{step}_pairs") for step in STEPS],
        )
        for r in rows
    ]  # fmt: skip


def _hours(value: float | None) -> float | None:
    return None if value is None else round(float(value), 2)
