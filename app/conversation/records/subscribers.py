"""What phones prefer: the language they chose, and whether they were told how to answer."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from app.ledger.engine import Tx, sql

_LANGUAGES = sql(
    """SELECT phone_index, language, helped_at FROM subscribers
    WHERE phone_index = ANY(CAST(:phones AS bytea[]))"""
)
_SPEAKS = sql(
    """INSERT INTO subscribers (phone_index, language)
    SELECT * FROM unnest(CAST(:phones AS bytea[]), CAST(:languages AS text[]))
    ON CONFLICT (phone_index) DO UPDATE SET language = excluded.language
        WHERE subscribers.language IS DISTINCT FROM excluded.language"""
)
_HELPED = sql(
    """INSERT INTO subscribers (phone_index, helped_at)
    SELECT p, :now FROM unnest(CAST(:phones AS bytea[])) AS t (p)
    ON CONFLICT (phone_index) DO UPDATE SET helped_at = excluded.helped_at"""
)


@dataclass(frozen=True, slots=True)
class Subscriber:
    """What is known of a phone: the language it last chose, when it was last given help."""

    language: str | None
    helped_at: datetime | None


def subscribers(tx: Tx, phones: Sequence[bytes]) -> dict[bytes, Subscriber]:
    """What phones prefer, for those that ever wrote."""
    found = tx.execute(_LANGUAGES, {"phones": list(phones)})
    return {bytes(r.phone_index): Subscriber(r.language, r.helped_at) for r in found}


def speaks(tx: Tx, choices: dict[bytes, str]) -> None:
    """Remembers the language phones answered in (52, clause 16: a recorded choice)."""
    if choices:
        tx.execute(_SPEAKS, {"phones": list(choices), "languages": list(choices.values())})


def helped(tx: Tx, phones: Sequence[bytes], now: datetime) -> None:
    """Remembers that these phones were told how to answer; they are not told again soon."""
    if phones:
        tx.execute(_HELPED, {"phones": list(phones), "now": now})
