"""A batch of thousands is made whole and asked in turns: nobody else waits for all of it."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest

from app.bench.people import people
from app.clock import ManualClock
from app.ledger.failures import FAILURES
from app.ledger.unit import Unit
from app.proactive.actions import offering, opening, providing, sweeping
from app.proactive.actions.offering import Draft, Made
from app.proactive.actions.proposing import propose
from app.proactive.records import Offer
from app.recipients import actions as registers
from app.recipients.actions import RecipientRow
from app.recipients.records import NewConsent
from app.runtime import Runtime
from tests.app.world import PROVIDER, World

MANY = 25
NOBODY = "900101300126"  # in no register
WAITING = "SELECT count(*) AS n FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
BIRTH, CHILDCARE = "birth-benefit", "childcare-benefit"


@pytest.fixture(autouse=True)
def short_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "TURN", 10)


@pytest.fixture
def world(rt: Runtime, clock: ManualClock) -> World:
    return World(rt, clock)


@pytest.fixture
def iins(world: World) -> list[str]:
    """Recipients whom any provider may offer anything."""
    now, many = world.clock(), people(MANY)
    with world.rt.unit() as unit:
        rows = [RecipientRow(p.iin, p.phone, "kk", "kcell", now) for p in many]
        registers.register_recipients(unit, rows)
        given = [NewConsent(p.iin, "personal-data", p.iin, now, None, None) for p in many]
        registers.register_consents(world.rt.rooms, unit, given)
    return [p.iin for p in many]


def drafts(iins: Sequence[str], service: str = BIRTH) -> list[Draft]:
    return [Draft(service, iin, f"{service} {iin}", {}) for iin in iins]


def make(rt: Runtime, unit: Unit, iins: Sequence[str], service: str = BIRTH) -> list[Offer]:
    made = offering.make(rt, unit, PROVIDER, drafts(iins, service))
    return [offer for offer in made if isinstance(offer, Offer)]


def asked(world: World) -> int:
    """How many questions are in the outbox."""
    return int(world.rows("SELECT count(*) AS n FROM outbox WHERE kind = 'offer.ask'")[0].n)


def states(world: World) -> dict[str, int]:
    found = world.rows("SELECT state, count(*) AS n FROM questions GROUP BY state")
    return {row.state: row.n for row in found}


def test_a_batch_of_many_turns_asks_everybody_once(world: World, iins: list[str]) -> None:
    with world.rt.unit() as unit:
        offers = make(world.rt, unit, iins)
    assert len(offers) == MANY
    assert (asked(world), states(world)) == (MANY, {"open": MANY})


def test_while_a_batch_is_being_made_its_phones_are_free_for_others(
    world: World, iins: list[str]
) -> None:
    """Another transaction takes the same phones and commits while the batch is still open."""
    with world.rt.unit() as batch:
        make(world.rt, batch, iins)
        with world.rt.unit() as single:
            made = make(world.rt, single, iins[:1], CHILDCARE)
    assert len(made) == 1
    assert states(world) == {"open": MANY, "waiting": 1}
    assert asked(world) == MANY


def test_what_a_dead_process_left_unasked_is_asked_by_the_sweep(
    world: World, iins: list[str]
) -> None:
    with world.rt.unit() as unit:
        make(world.rt, unit, iins)
        unit.after_commit.clear()  # as if the process had ended right after the commit
    assert (asked(world), states(world)) == (0, {"waiting": MANY})
    assert sweeping.sweep(world.rt) == 0
    world.clock.advance(timedelta(seconds=opening.PATIENCE_S + 1))
    assert sweeping.sweep(world.rt) == MANY
    assert (asked(world), states(world)) == (MANY, {"open": MANY})
    assert sweeping.sweep(world.rt) == 0


def test_what_was_withdrawn_before_its_turn_is_not_asked(world: World, iins: list[str]) -> None:
    with world.rt.unit() as unit:
        offers = make(world.rt, unit, iins)
        unit.after_commit.insert(0, lambda: withdraw(world.rt, offers[-1]))
    assert asked(world) == MANY - 1
    assert states(world) == {"open": MANY - 1}


def withdraw(rt: Runtime, offer: Offer) -> None:
    with rt.unit() as unit:
        assert providing.withdraw(rt, unit, PROVIDER, offer.id, "a mistake") is not None


def told(world: World, rows: Sequence[Draft]) -> list[str]:
    """What became of each row; all of it is taken back."""
    told: list[str] = []
    with suppress(TakenBack), world.rt.unit() as unit:
        for one in propose(world.rt, unit, PROVIDER, rows):
            told.append(one.state if isinstance(one, Offer) else repr(one))
        raise TakenBack
    return told


class TakenBack(Exception):
    """Ends a transaction."""


def test_a_batch_in_slices_is_told_the_same_as_in_one(
    world: World, iins: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twins, wrong rows and refused ones, near one another and far apart."""
    rows = drafts(iins) + drafts(iins[:3]) + drafts(iins[5:9], CHILDCARE)
    rows += [replace(rows[2], service=CHILDCARE), replace(rows[4], reference="again")]
    rows += [Draft(BIRTH, "900101300125", "no such IIN", {}), Draft(BIRTH, NOBODY, "unknown", {})]
    rows += [replace(row, reference=f"last {n}") for n, row in enumerate(rows[:2])]
    whole = told(world, rows)
    assert len({answer.partition("(")[0] for answer in whole}) == 4
    for size in (1, 3, 7):
        monkeypatch.setattr(offering, "SLICE", size)
        assert told(world, rows) == whole
    assert world.rows("SELECT count(*) AS n FROM offers")[0].n == 0


@pytest.mark.provokes('ERROR:  invalid byte sequence for encoding "UTF8": 0x00$')
def test_a_batch_in_slices_is_made_whole_or_not_at_all(
    world: World, iins: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(offering, "SLICE", 10)
    poisoned = [*drafts(iins[:-1]), Draft(BIRTH, iins[-1], "no text \0 of the ledger", {})]
    with pytest.raises(FAILURES), world.rt.unit() as unit:
        offering.make(world.rt, unit, PROVIDER, poisoned)
    for table in ("offers", "journal", "questions", "outbox"):
        assert world.rows(f"SELECT count(*) AS n FROM {table}")[0].n == 0
    with world.rt.unit() as unit:
        assert len(make(world.rt, unit, iins)) == MANY
    entries = world.rows("SELECT count(*) AS n, count(DISTINCT case_id) AS cases FROM journal")[0]
    assert (entries.n, entries.cases, asked(world)) == (MANY, MANY, MANY)


def test_who_comes_second_with_a_twin_takes_nobody_elses_first_entry_away(
    world: World, iins: list[str]
) -> None:
    """Two providers' offers in one transaction; a third was quicker with the second's."""
    with ThreadPoolExecutor(1) as pool:
        with world.rt.unit() as quicker:
            offering.make(world.rt, quicker, "quicker", drafts(iins[:1]))
            slower = pool.submit(both, world.rt, iins)
            until(lambda: world.rows(WAITING)[0].n)
        mine, twin = slower.result()
    assert isinstance(mine, Offer) and twin == offering.ALREADY_OPEN
    cases = {row.case_id for row in world.rows("SELECT case_id FROM journal")}
    assert {row.id for row in world.rows("SELECT id FROM offers")} == cases and mine.id in cases


def both(rt: Runtime, iins: Sequence[str]) -> tuple[Made, Made]:
    with rt.unit() as unit:
        [mine] = offering.make(rt, unit, PROVIDER, drafts(iins[1:2]))
        [twin] = offering.make(rt, unit, "slower", drafts(iins[:1]))
    return mine, twin


def until(ready: Callable[[], object]) -> None:
    end = time.monotonic() + 20
    while not ready():
        assert time.monotonic() < end
        time.sleep(0.01)
