"""What is known of phones: the language they chose, whether they were told how to answer, and the
network on which they answered last."""

from collections.abc import Mapping, Sequence
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
# What the register says already is not worth a row; whom no register knows is not remembered.
_ANSWERED = sql(
    """INSERT INTO subscribers (phone_index, network)
    SELECT t.phone_index, t.network
    FROM unnest(CAST(:phones AS bytea[]), CAST(:networks AS text[])) AS t (phone_index, network)
    LEFT JOIN subscribers s ON s.phone_index = t.phone_index
    WHERE s.network IS DISTINCT FROM t.network
      AND (s.network IS NOT NULL OR EXISTS (SELECT 1 FROM recipients r
          WHERE r.phone_index = t.phone_index AND r.network IS DISTINCT FROM t.network))
    ORDER BY t.phone_index
    ON CONFLICT (phone_index) DO UPDATE SET network = excluded.network"""
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
        tx.write(_SPEAKS, {"phones": list(choices), "languages": list(choices.values())})


def helped(tx: Tx, phones: Sequence[bytes], now: datetime) -> None:
    """Remembers that these phones were told how to answer; they are not told again soon."""
    if phones:
        tx.write(_HELPED, {"phones": list(phones), "now": now})


def answered_on(tx: Tx, networks: Mapping[bytes, str]) -> None:
    """Remembers on which network phones answered, where that is news: messages go there first."""
    if networks:
        tx.write(_ANSWERED, {"phones": list(networks), "networks": list(networks.values())})
