"""Personal data goes when its term is over, the proof stays: a case whose words were erased still
verifies, and says that they were."""

import shutil
from datetime import date, timedelta
from pathlib import Path
from uuid import UUID

import msgspec
import pytest

from app.catalogue import retention as policy
from app.catalogue.loader import BUILT_IN, CatalogueError
from app.catalogue.retention import Keep, Kind
from app.clock import ManualClock
from app.evidence import offline, verifying
from app.evidence.casefile import case_file
from app.ledger import retention, seals
from app.ledger.retention import Erased
from app.proactive.records import Offer
from app.runtime import Runtime
from smpp.messages import ReceiptState
from tests.app.world import World

TODAY = date(2026, 3, 2)
TERMS = policy.on(policy.terms(), TODAY)


def days(kind: Kind) -> timedelta:
    return timedelta(days=TERMS[kind].days)


def answered(rt: Runtime, clock: ManualClock) -> tuple[World, UUID]:
    """A closed case with words, and a message that belongs to none."""
    world = World(rt, clock)
    world.register("Айгүл", "kk")
    offer = world.offer("birth-benefit", "Айгүл")
    assert isinstance(offer, Offer)
    world.receipt(ReceiptState.DELIVRD)
    world.say("неанық сөз")
    world.say("иә")
    world.hear([world.mo(None, raw=b"\xd8\x00")])
    return world, offer.id


def run(rt: Runtime, *, dry: bool = False) -> dict[Kind, int]:
    done: list[Erased] = retention.run(rt.ledger, rt.vault, TERMS, rt.clock(), dry=dry)
    return {one.what: one.rows for one in done}


def count(world: World, table: str) -> int:
    return int(world.rows(f"SELECT count(*) AS n FROM {table}")[0].n)


def test_nothing_goes_before_its_term(rt: Runtime, clock: ManualClock) -> None:
    answered(rt, clock)
    clock.advance(min(days(kind) for kind in Kind) - timedelta(hours=1))
    assert set(run(rt).values()) == {0}


def test_words_go_and_the_case_still_verifies_and_says_so(rt: Runtime, clock: ManualClock) -> None:
    world, case = answered(rt, clock)
    clock.advance(timedelta(days=1))
    with rt.ledger.begin() as tx:
        assert seals.make(tx, rt.seal_key, clock()) is not None
    clock.advance(days(Kind.WORDS))
    assert run(rt)[Kind.WORDS] == 2
    assert count(world, "journal_evidence") == 0
    entries = world.journal(case)
    told = msgspec.json.decode(entries[-1].body)["facts"]
    said = [e.seq for e in entries if b'"said"' in e.body]
    assert (entries[-1].kind, told["what"], told["entries"]) == ("erased", "words", said)
    assert (told["days"], told["rule_of"]) == (TERMS[Kind.WORDS].days, "2026-01-01")
    assert verifying.verify(rt.ledger, rt.vault, rt.seal_key, clock()).breaks == []
    with rt.ledger.begin() as tx:
        file = case_file(tx, rt.vault, case, clock(), with_said=True)
    assert offline.check(msgspec.json.encode(file)).breaks == []
    assert run(rt)[Kind.WORDS] == 0  # once more finds nothing more


def test_a_case_goes_on_after_an_erasure(rt: Runtime, clock: ManualClock) -> None:
    world, case = answered(rt, clock)
    clock.advance(days(Kind.WORDS) + timedelta(hours=1))
    run(rt)
    world.report(case, "rendered")
    assert world.look(case).state == "rendered"
    assert verifying.verify(rt.ledger, rt.vault, rt.seal_key, clock()).breaks == []


def test_words_of_an_open_case_and_young_words_of_a_closed_one_stay(
    rt: Runtime, clock: ManualClock
) -> None:
    world, _ = answered(rt, clock)
    still_open = world.offer("childcare-benefit", "Айгүл")
    assert isinstance(still_open, Offer)
    world.receipt(ReceiptState.DELIVRD)
    world.say("неанық")
    clock.advance(days(Kind.WORDS) + timedelta(hours=1))  # and no worker sweeps
    assert run(rt)[Kind.WORDS] == 2
    assert count(world, "journal_evidence") == 1


def test_messages_and_what_belonged_to_no_case_go_altogether(
    rt: Runtime, clock: ManualClock
) -> None:
    world, _ = answered(rt, clock)
    assert min(count(world, table) for table in ("outbox", "segments", "heard")) > 0
    clock.advance(days(Kind.HEARD) + timedelta(hours=1))
    run(rt)
    assert [count(world, table) for table in ("outbox", "segments", "heard")] == [0, 0, 0]
    assert verifying.verify(rt.ledger, rt.vault, rt.seal_key, clock()).breaks == []


def test_after_years_the_phone_goes_too_once(rt: Runtime, clock: ManualClock) -> None:
    world, case = answered(rt, clock)
    clock.advance(days(Kind.ADDRESS) + timedelta(hours=1))
    assert (run(rt)[Kind.ADDRESS], run(rt)[Kind.ADDRESS]) == (1, 0)
    [row] = world.rows("SELECT phone_index, facts FROM offers WHERE id = :c", c=case)
    assert bytes(row.phone_index) == b""
    assert b"+7" not in rt.vault.open(bytes(row.facts), case.bytes)
    assert world.look(case).secret.open().phone == ""
    assert [e.kind for e in world.journal(case)][-2:] == ["erased", "erased"]
    assert verifying.verify(rt.ledger, rt.vault, rt.seal_key, clock()).breaks == []


def test_a_dry_run_counts_and_erases_nothing(rt: Runtime, clock: ManualClock) -> None:
    world, _ = answered(rt, clock)
    clock.advance(days(Kind.ADDRESS) + timedelta(hours=1))
    before = [count(world, t) for t in ("journal", "journal_evidence", "outbox", "heard")]
    counted = run(rt, dry=True)
    assert [count(world, t) for t in ("journal", "journal_evidence", "outbox", "heard")] == before
    assert count(world, "erasures") == 0
    assert counted == run(rt)
    assert count(world, "erasures") == len(Kind)


def test_one_worker_runs_a_day(rt: Runtime, clock: ManualClock) -> None:
    with retention.turn(rt.ledger, TODAY) as mine, retention.turn(rt.ledger, TODAY) as another:
        assert (mine, another) == (True, False)
        run(rt)
    with retention.turn(rt.ledger, TODAY) as again:
        assert not again
    with retention.turn(rt.ledger, TODAY + timedelta(days=1)) as tomorrow:
        assert tomorrow


def test_the_policy_is_dated_and_whole(tmp_path: Path) -> None:
    assert set(TERMS) == set(Kind)
    assert policy.on(policy.terms(), date(2025, 12, 31)) == {}
    folder = tmp_path / "retention"
    shutil.copytree(BUILT_IN / "retention", folder)
    text = (folder / "personal-data.toml").read_text("utf-8")
    (folder / "twice.toml").write_text(text, "utf-8")
    (folder / "slips.toml").write_text('[[keep]]\nwhat = "everything"\ndays = 0\n', "utf-8")
    with pytest.raises(CatalogueError) as refused:
        policy.terms(tmp_path)
    words = str(refused.value)
    assert "dates that do not overlap" in words
    assert "one of words, messages, heard, address" in words
    assert "keep[0].days: found 0" in words


def test_terms_can_change_from_a_day_on() -> None:
    first = next(k for k in policy.terms() if k.what is Kind.WORDS)
    ends = Keep(first.what, 90, TODAY, None, first.counted, first.reason, True)
    began = Keep(
        first.what, first.days, first.start, TODAY - timedelta(days=1),
        first.counted, first.reason, True,
    )  # fmt: skip
    assert policy.on((began, ends), TODAY)[Kind.WORDS].days == 90
    assert policy.on((began, ends), TODAY - timedelta(days=1))[Kind.WORDS].days == first.days
