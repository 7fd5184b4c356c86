"""Another master key while everybody goes on working: nothing is lost, nobody is stopped, and the
former key is no longer needed."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

import pytest

from app.clock import ManualClock
from app.evidence import verifying
from app.ledger import rotation
from app.ledger.encryption import Vault
from app.ledger.engine import sql
from app.ledger.ids import new_id
from app.ledger.keyring import WrongMasterKey, open_vault
from app.ledger.rotation import SEALED
from app.proactive.records import Offer
from app.rooms import open_rooms
from app.runtime import Runtime
from smpp.messages import ReceiptState, SegmentOf
from tests.app.world import World

NEXT, THIRD = bytes([7]) * 32, bytes([8]) * 32


def vault_of(rt: Runtime, *keys: bytes, reread: tuple[bytes, ...] | None = None) -> Vault:
    return open_vault(rt.ledger, keys, rt.clock(), (lambda: reread) if reread else None)


def process(rt: Runtime, *keys: bytes, reread: tuple[bytes, ...] | None = None) -> Runtime:
    """One process with these keys; with `reread` they lie in files and have changed since."""
    own = replace(rt, vault=vault_of(rt, *keys, reread=reread), rooms={})
    open_rooms(own)
    return own


@pytest.fixture
def fresh(rt: Runtime) -> Iterator[Runtime]:
    """A ledger whose keys nobody else numbers, with the old key list back afterwards."""
    with rt.ledger.begin() as tx:
        kept = [tuple(r) for r in tx.execute(sql("SELECT * FROM vault_keys ORDER BY id"))]
    yield rt
    with rt.ledger.begin() as tx:
        tx.execute(sql("DELETE FROM vault_keys"))
        for row in kept:
            tx.execute(
                sql("INSERT INTO vault_keys VALUES (:a, :b, :c, :d)"),
                dict(zip("abcd", row, strict=True)),
            )


@contextmanager
def town(rt: Runtime, clock: ManualClock) -> Iterator[World]:
    world = World(rt, clock)
    world.register("Айгүл", "kk")
    yield world


def test_live_traffic_goes_on_through_a_rotation(fresh: Runtime, clock: ManualClock) -> None:
    old = fresh.settings.master_key
    running = process(fresh, old, reread=(old, NEXT))  # started long ago, its key lies in a file
    with town(running, clock) as world:
        before = world.offer("birth-benefit", "Айгүл")
        world.receipt(ReceiptState.DELIVRD)
        world.hear([world.mo("неанық", segment=SegmentOf(3, 2, 1))])
        rotating = process(fresh, old, NEXT)
        assert rotating.vault.seal(b"", b"")[0] == 0  # it opens the new key, but seals as before
        done = rotation.rotate(rotating.ledger, rotating.vault, clock())
        assert (done.key, done.left) == (1, 0)
        assert {one.table for one in done.tables if one.rows} >= {
            "recipients", "outbox", "offers", "parts"
        }  # fmt: skip
        world.say("иә")
        after = world.offer("childcare-benefit", "Айгүл")
        assert isinstance(before, Offer) and isinstance(after, Offer)
        assert world.look(before.id).state == "accepted"
        assert running.vault.key_id == 1  # it has met the new key and goes along
        assert rotation.rotate(rotating.ledger, rotating.vault, clock()).left == 0
    alone = process(fresh, NEXT)
    with town(alone, clock) as later:
        later.offer("birth-benefit", "Айгүл")
    verdict = verifying.verify(fresh.ledger, alone.vault, fresh.seal_key, clock())
    assert verdict.breaks == []
    assert alone.vault.index("phone", "+7") == running.vault.index("phone", "+7")


def test_a_context_made_of_several_columns_is_found_again(
    fresh: Runtime, clock: ManualClock
) -> None:
    old, upload = fresh.settings.master_key, new_id(clock())
    with fresh.ledger.begin() as tx:
        context = upload.bytes + (7).to_bytes(4, "big")
        values = {"id": upload, "sealed": vault_of(fresh, old).seal(b"row", context)}
        insert = """INSERT INTO upload_rows (upload_id, number, proposal, state)
            VALUES (:id, 7, :sealed, 'staged')"""
        tx.execute(sql(insert), values)
    rotating = process(fresh, old, NEXT)
    assert rotation.rotate(rotating.ledger, rotating.vault, clock()).left == 0
    with fresh.ledger.begin() as tx:
        sealed = bytes(tx.execute(sql("SELECT proposal FROM upload_rows")).scalar_one())
    assert vault_of(fresh, NEXT).open(sealed, context) == b"row"


def test_a_rotation_that_was_broken_off_goes_on(fresh: Runtime, clock: ManualClock) -> None:
    old = fresh.settings.master_key
    with town(process(fresh, old), clock) as world:
        world.offer("birth-benefit", "Айгүл")
    first = process(fresh, old, NEXT)
    rotation.rotate(first.ledger, first.vault, clock(), sealed=SEALED[:1])
    stale = rotation.left(first.ledger, first.vault)
    assert stale > 0
    again = process(fresh, old, NEXT)
    assert again.vault.key_id == 1
    assert rotation.rotate(again.ledger, again.vault, clock()).left == 0


def test_rows_somebody_holds_are_passed_over_and_counted(
    fresh: Runtime, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rotation, "PASSES", 2)
    old = fresh.settings.master_key
    with town(process(fresh, old), clock) as world:
        world.offer("birth-benefit", "Айгүл")
    rotating = process(fresh, old, NEXT)
    with fresh.ledger.begin() as tx:
        tx.execute(sql("SELECT id FROM offers FOR UPDATE"))
        assert rotation.rotate(rotating.ledger, rotating.vault, clock()).left == 1
    assert rotation.rotate(rotating.ledger, rotating.vault, clock()).left == 0


def test_a_key_of_another_ledger_or_one_left_behind_is_refused(
    fresh: Runtime, clock: ManualClock
) -> None:
    old = fresh.settings.master_key
    vault_of(fresh, old)
    with pytest.raises(WrongMasterKey):
        vault_of(fresh, NEXT)
    rotating = process(fresh, old, NEXT)
    rotation.rotate(rotating.ledger, rotating.vault, clock())
    with pytest.raises(WrongMasterKey):
        vault_of(fresh, old)
    third = process(fresh, NEXT, THIRD)
    assert rotation.rotate(third.ledger, third.vault, clock() + timedelta(days=1)).key == 2


# What is no sealed value, besides indexes and ends of chains: hashes, canonical bodies, the keys'
# own register, faults that name columns.
PLAIN = {
    "api_keys.hash", "events.body", "feed.body", "idempotency.body", "idempotency.fingerprint",
    "journal.body", "journal.hash", "mo_keys.key", "seals.blocks", "seals.body", "seals.hash",
    "seals.signature", "upload_rows.faults", "vault_canary.sealed", "vault_keys.canary",
    "vault_keys.index_key",
}  # fmt: skip


def test_every_column_of_octets_is_either_rotated_or_known_to_hold_nothing_sealed(
    rt: Runtime,
) -> None:
    query = """SELECT table_name || '.' || column_name AS name FROM information_schema.columns
        WHERE table_schema = 'public' AND data_type = 'bytea'"""
    with rt.ledger.begin() as tx:
        found = set(tx.execute(sql(query)).scalars())
    rotated = {f"{one.table}.{column}" for one in SEALED for column in one.columns}
    assert rotated <= found
    unknown = {c for c in found - rotated - PLAIN if not c.endswith(("_index", ".head"))}
    assert unknown == set()  # a sealed column that rotation does not know is lost with its key
