"""Which master keys a ledger has been sealed with, by ids that never change their meaning.

`vault_keys` holds, for every key, a canary that only it opens and the index key sealed under it;
so a former key can be taken out of the configuration once nothing is sealed with it any more.
"""

from collections.abc import Callable, Sequence
from datetime import datetime

from app.ledger.encryption import KEY_OCTETS, Vault
from app.ledger.engine import Ledger, Row, Tx, canary, sql

CANARY = b"jauap"
_IN_CANARY, _IN_INDEX = b"canary", b"index"

Keys = Callable[[], Sequence[bytes]]
"""The configured master keys as they are now, the current one last."""

_ROWS = sql("SELECT id, canary, index_key, sealing_since FROM vault_keys ORDER BY id")
_ADD = sql(
    """INSERT INTO vault_keys (id, canary, index_key, sealing_since)
    VALUES (:id, :canary, :index_key, :since) ON CONFLICT (id) DO NOTHING"""
)
_BEGIN = sql("UPDATE vault_keys SET sealing_since = :now WHERE id = :id AND sealing_since IS NULL")
_LOCK = sql("SELECT pg_advisory_xact_lock(155, 3)")


class WrongMasterKey(Exception):
    """The master key does not open this ledger."""


def open_vault(ledger: Ledger, given: Sequence[bytes], now: datetime, reread: Keys | None) -> Vault:
    """A vault of the `given` keys, the current one last, under the ids this ledger knows them by.
    A new one gets an id and opens, but seals nothing until `begin`. `reread` is asked when a
    value turns up that none of them opens.

    Raises WrongMasterKey where the key that seals at present is not among them."""
    with ledger.begin() as tx:
        tx.write(_LOCK)
        rows = _rows(tx) or _first(tx, given, now)
        keys = _identified(rows, given)
        sealing = max(r.id for r in rows if r.sealing_since is not None)
        if sealing not in keys:
            raise _wrong()
        index_key = _with(keys[sealing], sealing).open(
            bytes(_of(rows, sealing).index_key), _IN_INDEX
        )
        if given[-1] not in keys.values():
            newest = max(r.id for r in rows) + 1
            keys[newest] = given[-1]
            _add(tx, newest, given[-1], index_key, None)
    newest = max(keys)
    learn = None if reread is None else (lambda: _learned(ledger, reread))
    return Vault(
        keys.pop(newest), keys, key_id=newest, sealing=sealing, index_key=index_key, learn=learn
    )


def begin(tx: Tx, vault: Vault, now: datetime) -> tuple[int, int]:
    """Seals under the configured key from now on; returns the ids of the key that
    sealed till now and of the one that does. Equal ids: there is no other key to change to."""
    tx.write(_LOCK)
    rows = _rows(tx)
    before = max(r.id for r in rows if r.sealing_since is not None)
    tx.write(_BEGIN, {"id": vault.newest, "now": now})
    vault.seal_under(vault.newest)
    return before, vault.newest


def _rows(tx: Tx) -> list[Row]:
    return list(tx.execute(_ROWS))


def _first(tx: Tx, given: Sequence[bytes], now: datetime) -> list[Row]:
    """A fresh ledger, or one that numbered its keys by their order: the first has id 0."""
    vault = Vault(given[-1], dict(enumerate(given[:-1])))
    if not vault.opens(canary(tx, vault.seal(CANARY, _IN_CANARY)), _IN_CANARY):
        raise _wrong()
    for key_id, key in enumerate(given):
        _add(tx, key_id, key, vault.index_key, now)
    return _rows(tx)


def _add(tx: Tx, key_id: int, key: bytes, index_key: bytes, since: datetime | None) -> None:
    one = _with(key, key_id)
    tx.write(
        _ADD,
        {
            "id": key_id,
            "canary": one.seal(CANARY, _IN_CANARY),
            "index_key": one.seal(index_key, _IN_INDEX),
            "since": since,
        },
    )


def _with(key: bytes, key_id: int) -> Vault:
    """A vault of one key, for what the ledger keeps about that key."""
    return Vault(key, key_id=key_id, index_key=bytes(KEY_OCTETS))


def _of(rows: Sequence[Row], key_id: int) -> Row:
    return next(r for r in rows if r.id == key_id)


def _identified(rows: Sequence[Row], given: Sequence[bytes]) -> dict[int, bytes]:
    return {
        row.id: key
        for row in rows
        for key in given
        if _with(key, row.id).opens(bytes(row.canary), _IN_CANARY)
    }


def _learned(ledger: Ledger, reread: Keys) -> dict[int, bytes]:
    with ledger.begin() as tx:
        return _identified(_rows(tx), reread())


def _wrong() -> WrongMasterKey:
    return WrongMasterKey(
        "the master key does not open this ledger: found another key than the one it is sealed "
        "with, expected the same JAUAP_MASTER_KEY as before, or that one among "
        "JAUAP_OLD_MASTER_KEYS"
    )
