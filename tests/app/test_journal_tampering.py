"""A curious administrator with every right of a superuser edits the journal and its seals. The
verifier finds it every time and says where."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from app.clock import ManualClock
from app.evidence import verifying
from app.evidence.verifying import Verdict
from app.ledger import seals
from app.ledger.chain import Chain
from app.ledger.engine import sql
from app.proactive.records import Offer
from app.runtime import Runtime
from smpp.messages import ReceiptState
from tests.app.world import World

DAY = timedelta(days=1)


@pytest.fixture
def cases(rt: Runtime, clock: ManualClock) -> list[UUID]:
    """Three cases of a day that is sealed, the last one answered a day later, sealed as well."""
    world = World(rt, clock)
    made: list[UUID] = []
    for name, service in (("Айгүл", "birth-benefit"), ("Ерлан", "childcare-benefit")):
        world.register(name, "kk")
        made.append(_answered(world, service, name, "иә"))
    offer = world.offer("birth-benefit", "Ерлан")
    assert isinstance(offer, Offer)
    world.receipt(ReceiptState.DELIVRD)
    clock.advance(timedelta(hours=20))
    seal(rt)
    world.say("жоқ")
    clock.advance(DAY)
    seal(rt)
    return sorted([*made, offer.id])


def _answered(world: World, service: str, name: str, words: str) -> UUID:
    offer = world.offer(service, name)
    assert isinstance(offer, Offer)
    world.receipt(ReceiptState.DELIVRD)
    world.say(words)
    return offer.id


def seal(rt: Runtime) -> int:
    """Seals what is over; returns how many seals were made."""
    made = 0
    while True:
        with rt.ledger.begin() as tx:
            if seals.make(tx, rt.seal_key, rt.clock()) is None:
                return made
        made += 1


def tamper(rt: Runtime, statement: str, **values: object) -> None:
    """Does what only a superuser can do, and only past the trigger; something must come of it."""
    with rt.ledger.begin() as tx:
        tx.execute(sql("SET LOCAL session_replication_role = replica"))
        assert tx.execute(sql(statement), values).rowcount > 0


def found(rt: Runtime, case_id: UUID | None = None) -> Verdict:
    return verifying.verify(rt.ledger, rt.vault, rt.seal_key, rt.clock(), case_id)


def about(verdict: Verdict, case_id: UUID, seq: int) -> str:
    """What is said of one entry."""
    mine = (b for b in verdict.breaks if (b.case_id, b.seq) == (str(case_id), seq))
    return "; ".join(b.what for b in mine)


def test_what_nobody_touched_holds(rt: Runtime, cases: list[UUID]) -> None:
    verdict = found(rt)
    assert (verdict.breaks, verdict.cases, verdict.seals) == ([], 3, 2)
    assert verdict.entries == 12
    assert found(rt, cases[0]).breaks == []


COLUMNS = {
    "case_id": f"'{uuid4()}'",
    "seq": "seq + 100",
    "at": "at + interval '1 microsecond'",
    "kind": "kind || 'x'",
    "body": "replace(convert_from(body, 'UTF8'), '\"seq\"', '\"sep\"')::bytea",
    "hash": "sha256(hash)",
}


def test_every_column_of_the_journal_is_tried(rt: Runtime) -> None:
    query = "SELECT column_name FROM information_schema.columns WHERE table_name = 'journal'"
    with rt.ledger.begin() as tx:
        assert set(tx.execute(sql(query)).scalars()) == set(COLUMNS)


@pytest.mark.parametrize("seq", [1, 2, 4])
@pytest.mark.parametrize("column", COLUMNS)
def test_an_edit_of_any_column_is_found_with_its_place(
    rt: Runtime, cases: list[UUID], column: str, seq: int
) -> None:
    case = cases[0]
    # Entry 4 is the recipient's answer; where it is the last of the case, nothing follows it.
    statement = f"UPDATE journal SET {column} = {COLUMNS[column]} WHERE case_id = :c AND seq = :s"
    tamper(rt, statement, c=case, s=seq)
    verdict = found(rt)
    if column == "case_id":
        moved = next(b for b in verdict.breaks if "column case_id" in b.what)
        assert (moved.seq, str(case) in moved.what) == (seq, True)
        assert "gone, though the seal of" in about(verdict, case, seq) or seq < 4
    else:
        place = seq + 100 if column == "seq" else seq
        assert f"column {column}" in about(verdict, case, place)
    assert not {b.case_id for b in verdict.breaks} & {str(c) for c in cases[1:]}
    assert found(rt, case).broken > 0


@pytest.mark.parametrize(
    ("column", "forged"),
    [
        ("state", "CASE state WHEN 'declined' THEN 'accepted' ELSE 'declined' END"),
        ("service", "'age-pension'"),
        ("created_at", "created_at - interval '1 microsecond'"),
        ("received_at", "NULL"),
        ("deadline", "deadline + interval '1 second'"),
        ("closed_at", "closed_at - interval '1 hour'"),
        ("answered_by", "'app'"),
    ],
)
def test_an_offer_s_own_row_says_what_its_journal_says(
    rt: Runtime, cases: list[UUID], column: str, forged: str
) -> None:
    tamper(rt, f"UPDATE offers SET {column} = {forged} WHERE id = :c", c=cases[0])
    for verdict in (found(rt), found(rt, cases[0])):
        [one] = verdict.breaks
        assert one.case_id == str(cases[0])
        assert f"its row in offers, column {column}: found" in one.what


def test_the_last_entry_of_a_case_tells_which_column_was_edited(
    rt: Runtime, cases: list[UUID]
) -> None:
    last = "seq = (SELECT max(seq) FROM journal WHERE case_id = :c)"
    tamper(rt, f"UPDATE journal SET hash = sha256(hash) WHERE case_id = :c AND {last}", c=cases[0])
    edited = "replace(convert_from(body, 'UTF8'), 'made', 'male')::bytea"
    tamper(rt, f"UPDATE journal SET body = {edited} WHERE case_id = :c AND seq = 1", c=cases[1])
    verdict = found(rt)
    words = "; ".join(b.what for b in verdict.breaks if b.case_id == str(cases[0]))
    assert "column hash: altered; the case's own row has the right one" in words
    assert "column body" in about(verdict, cases[1], 1)


@pytest.mark.parametrize("seq", [1, 2, 3])
def test_a_deleted_row_is_found(rt: Runtime, cases: list[UUID], seq: int) -> None:
    tamper(rt, "DELETE FROM journal WHERE case_id = :c AND seq = :s", c=cases[0], s=seq)
    assert "missing" in about(found(rt), cases[0], seq + 1)


def test_a_cut_end_is_found(rt: Runtime, cases: list[UUID]) -> None:
    tamper(rt, "DELETE FROM journal WHERE case_id = :c AND seq >= 3", c=cases[0])
    verdict = found(rt)
    assert "entries were cut off" in about(verdict, cases[0], 2)
    assert any("gone, though the seal of" in b.what for b in verdict.breaks)


def test_two_swapped_rows_are_found(rt: Runtime, cases: list[UUID]) -> None:
    swap = """UPDATE journal j SET (at, kind, body, hash) =
        (SELECT o.at, o.kind, o.body, o.hash FROM journal o
         WHERE o.case_id = j.case_id AND o.seq = 5 - j.seq)
        WHERE j.case_id = :c AND j.seq IN (2, 3)"""
    tamper(rt, swap, c=cases[0])
    verdict = found(rt)
    for seq, other in ((2, 3), (3, 2)):
        assert f"column seq: found {seq}, the body says {other}" in about(verdict, cases[0], seq)


def test_a_removed_case_is_found_by_name(rt: Runtime, cases: list[UUID]) -> None:
    for table in ("journal", "journal_evidence"):
        tamper(rt, f"DELETE FROM {table} WHERE case_id = :c", c=cases[0])
    tamper(rt, "DELETE FROM offers WHERE id = :c", c=cases[0])
    breaks = found(rt).breaks
    assert breaks and {b.case_id for b in breaks} == {str(cases[0])}
    assert all("gone, though the seal of" in b.what for b in breaks)


def test_a_case_removed_together_with_its_leaves_breaks_the_seals(
    rt: Runtime, cases: list[UUID]
) -> None:
    for table in ("journal", "journal_evidence", "seal_leaves"):
        tamper(rt, f"DELETE FROM {table} WHERE case_id = :c", c=cases[0])
    tamper(rt, "DELETE FROM offers WHERE id = :c", c=cases[0])
    whats = [b.what for b in found(rt).breaks]
    assert any("seal 1 of 2026-03-02: its list of cases" in what for what in whats)


def test_a_case_removed_before_its_day_is_sealed_is_missed_by_its_own_row(
    rt: Runtime, clock: ManualClock
) -> None:
    world = World(rt, clock)
    world.register("Айгүл", "kk")
    case = _answered(world, "birth-benefit", "Айгүл", "иә")
    tamper(rt, "DELETE FROM journal WHERE case_id = :c", c=case)
    assert [b.case_id for b in found(rt).breaks] == [str(case)]
    assert "the whole case is gone" in found(rt, case).breaks[0].what


def test_edited_or_missing_words_are_found(rt: Runtime, cases: list[UUID]) -> None:
    tamper(rt, "DELETE FROM journal_evidence WHERE case_id = :c", c=cases[0])
    forged = rt.vault.seal(bytes(16) + "жоқ".encode(), cases[1].bytes)
    statement = "UPDATE journal_evidence SET sealed = :f WHERE case_id = :c"
    tamper(rt, statement, f=forged, c=cases[1])
    tamper(rt, "UPDATE journal_evidence SET sealed = sha256(sealed) WHERE case_id = :c", c=cases[2])
    words = {b.case_id: b.what for b in found(rt).breaks}
    assert "gone" in words[str(cases[0])]
    assert "does not match its digest" in words[str(cases[1])]
    assert "column sealed" in words[str(cases[2])]


SEALS = {
    "UPDATE seals SET body = replace(convert_from(body, 'UTF8'), '03-02', '03-01')::bytea "
    "WHERE number = 1": "seal 1 of 2026-03-02: column hash or body",
    "UPDATE seals SET hash = sha256(hash) WHERE number = 1": "seal 1 of 2026-03-02: column hash",
    "UPDATE seals SET signature = sha512(signature) WHERE number = 2": "column signature",
    "UPDATE seals SET blocks = sha256(blocks) WHERE number = 2": "column blocks",
    "UPDATE seals SET day = day - 100 WHERE number = 2": "columns number, day",
    "UPDATE seals SET number = 7 WHERE number = 2": "columns number, day",
    "DELETE FROM seals WHERE number = 1": "seal 1 is missing",
    "DELETE FROM seals WHERE number = 2": "seal 2 is gone",
    "UPDATE seal_leaves SET head = sha256(head) WHERE number = 1 AND place = 1": "its list of",
    "UPDATE seal_leaves SET seq = seq - 1 WHERE number = 1 AND place = 1": "its hash is not",
    "UPDATE seal_leaves SET since = 1 WHERE number = 1 AND place = 1": "begins after entry 1",
    "UPDATE seal_leaves SET place = 9 WHERE number = 1 AND place = 1": "no place 1",
    "UPDATE seal_leaves SET number = 9 WHERE number = 1 AND place = 1": "seal 9 is gone",
    "UPDATE seal_leaves SET case_id = gen_random_uuid() WHERE number = 1 AND place = 1": "gone",
    "DELETE FROM seal_leaves WHERE number = 1 AND place = 1": "its list has no place 1",
}


@pytest.mark.parametrize("statement", SEALS)
def test_an_edited_or_removed_seal_is_found(rt: Runtime, cases: list[UUID], statement: str) -> None:
    tamper(rt, statement)
    assert any(SEALS[statement] in b.what for b in found(rt).breaks), found(rt).breaks


def test_seals_forged_with_another_key_are_found(rt: Runtime, cases: list[UUID]) -> None:
    forger = rt.seal_key.__class__(bytes(32))
    for table in ("seals", "seal_leaves"):
        tamper(rt, f"DELETE FROM {table}")
    with rt.ledger.begin() as tx:
        assert seals.make(tx, forger, rt.clock()) is not None
    assert any("not known here" in b.what for b in found(rt).breaks)


def test_a_ledger_rewritten_with_our_own_key_differs_from_seals_kept_elsewhere(
    rt: Runtime, cases: list[UUID]
) -> None:
    with rt.ledger.begin() as tx:
        kept = [
            {"number": s.number, "day": s.day.isoformat(), "hash": s.hash.hex()}
            for s in seals.every(tx)
        ]
    for table in ("seals", "seal_leaves", "journal", "journal_evidence"):
        tamper(rt, f"DELETE FROM {table}" + (" WHERE case_id = :c" if table[0] == "j" else ""),
               **({"c": cases[0]} if table[0] == "j" else {}))  # fmt: skip
    tamper(rt, "DELETE FROM offers WHERE id = :c", c=cases[0])
    assert seal(rt) == 2
    assert found(rt).breaks == []
    verdict = verifying.verify(rt.ledger, rt.vault, rt.seal_key, rt.clock(), anchored=kept)
    assert any("another one than was kept elsewhere" in b.what for b in verdict.breaks)


def test_an_entry_slipped_in_among_old_days_is_found(
    rt: Runtime, clock: ManualClock, cases: list[UUID]
) -> None:
    with rt.unit() as unit:
        offer = unit.tx.execute(
            sql("SELECT version, head FROM offers WHERE id = :c"), {"c": cases[0]}
        ).one()
    clock.advance(5 * DAY)
    seal(rt)
    with rt.unit() as unit:
        chain = Chain(cases[0], offer.version, bytes(offer.head))
        unit.journal.append(chain, "yes", rt.clock() - 6 * DAY)
    words = [b.what for b in found(rt).breaks if b.case_id == str(cases[0])]
    assert any("under no seal" in what for what in words)
    assert any("entries were added beside it" in what for what in words)
