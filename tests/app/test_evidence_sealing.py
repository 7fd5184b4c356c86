"""Days are sealed once, in order, by whichever worker comes first; what is late belongs to the
next seal, and nothing is left out."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta
from uuid import UUID, uuid4

import msgspec

import worker
from app.clock import ManualClock
from app.evidence import verifying
from app.evidence.casefile import case_file, seals_of
from app.evidence.offline import check
from app.ledger import seals
from app.ledger.chain import Chain
from app.ledger.engine import sql
from app.ledger.ids import new_id
from app.ledger.seals import LOOK_BACK, Seal
from app.ledger.signing import SealKey
from app.runtime import Runtime

DAY = timedelta(days=1)


def write(rt: Runtime, *chains: Chain) -> None:
    """One more entry in each of these cases, now."""
    with rt.unit() as unit:
        for chain in chains:
            unit.journal.append(chain, "noted", unit.now)


def begin(rt: Runtime, count: int = 1) -> list[Chain]:
    chains = [Chain(new_id(rt.clock())) for _ in range(count)]
    write(rt, *chains)
    return chains


def seal(rt: Runtime, *, everything: bool = False) -> Seal | None:
    with rt.ledger.begin() as tx:
        return seals.make(tx, rt.seal_key, rt.clock(), everything=everything)


def covered(rt: Runtime, number: int) -> dict[UUID, tuple[int, int]]:
    with rt.ledger.begin() as tx:
        return {leaf.case_id: (leaf.since, leaf.seq) for leaf in seals.leaves(tx, number)}


def breaks(rt: Runtime) -> list[str]:
    verdict = verifying.verify(rt.ledger, rt.vault, rt.seal_key, rt.clock())
    return [b.what for b in verdict.breaks]


def test_a_day_is_sealed_after_midnight_in_almaty_and_once(rt: Runtime, clock: ManualClock) -> None:
    assert seal(rt) is None  # nothing has happened yet
    [case] = begin(rt)  # noon in Almaty
    clock.advance(timedelta(hours=11, minutes=59))
    assert seal(rt) is None
    clock.advance(timedelta(minutes=2))
    made = seal(rt)
    assert made is not None and made.day == date(2026, 3, 2)
    assert covered(rt, 1) == {case.case_id: (0, 1)}
    assert seal(rt) is None


def test_each_seal_covers_what_grew_and_an_empty_day_is_sealed_too(
    rt: Runtime, clock: ManualClock
) -> None:
    first, second = begin(rt, 2)
    clock.advance(DAY)
    write(rt, first)
    clock.advance(2 * DAY)
    made = [seal(rt) for _ in range(4)]
    assert [m.day.day if m else None for m in made] == [2, 3, 4, None]
    assert covered(rt, 1) == {first.case_id: (0, 1), second.case_id: (0, 1)}
    assert covered(rt, 2) == {first.case_id: (1, 2)}
    assert covered(rt, 3) == {}
    assert breaks(rt) == []


def test_what_was_committed_late_belongs_to_the_next_seal(rt: Runtime, clock: ManualClock) -> None:
    [case] = begin(rt)
    clock.advance(DAY)
    assert seal(rt) is not None
    late = replace(rt, clock=lambda: clock() - DAY)  # began before midnight, commits after
    [other] = begin(late)
    write(late, case)
    clock.advance(DAY)
    assert seal(rt) is not None
    assert covered(rt, 2) == {case.case_id: (1, 2), other.case_id: (0, 1)}
    assert breaks(rt) == []


def test_what_came_far_too_late_is_told_of_and_can_be_sealed_by_hand(
    rt: Runtime, clock: ManualClock
) -> None:
    begin(rt)
    clock.advance(DAY)
    assert seal(rt) is not None
    clock.advance(5 * DAY)
    while seal(rt):
        continue
    begin(replace(rt, clock=lambda: clock() - LOOK_BACK - 2 * DAY))
    clock.advance(DAY)
    assert seal(rt) is not None
    assert any("under no seal" in what for what in breaks(rt))
    clock.advance(DAY)
    assert seal(rt, everything=True) is not None
    assert breaks(rt) == []


def test_of_many_workers_one_seals(rt: Runtime, clock: ManualClock) -> None:
    begin(rt, 20)
    clock.advance(DAY)
    with ThreadPoolExecutor(6) as pool:
        made = [s for s in pool.map(lambda _: seal(rt), range(12)) if s]
    assert [s.number for s in made] == [1]
    assert breaks(rt) == []


def test_sealing_goes_on_beside_a_gateway_that_writes(rt: Runtime, clock: ManualClock) -> None:
    begin(rt)
    clock.advance(DAY)
    over = threading.Event()

    def writes() -> int:
        written = 0
        while not over.is_set():
            write(rt, Chain(uuid4()))
            written += 1
        return written

    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(writes)
        for _ in range(5):
            assert seal(rt) is not None
            clock.advance(DAY)
        over.set()
        assert writing.result() > 0
    while seal(rt):
        continue
    assert breaks(rt) == []


def test_the_worker_seals_and_erases_by_itself(rt: Runtime, clock: ManualClock) -> None:
    house = worker.House(rt, threading.Event())
    begin(rt)
    clock.advance(3 * DAY)
    for _ in range(2):
        worker.seal(house)
        worker.erase(house)
    with rt.ledger.begin() as tx:
        assert [s.day.day for s in seals.every(tx)] == [2, 3, 4]
        assert tx.execute(sql("SELECT count(*) FROM erasures")).scalar_one() == 4


def test_seals_of_a_former_key_count_where_it_is_known(rt: Runtime, clock: ManualClock) -> None:
    begin(rt)
    clock.advance(DAY)
    assert seal(rt) is not None
    fresh = SealKey(bytes(31) + b"1")
    assert "not known here" in breaks(replace(rt, seal_key=fresh))[0]
    known = replace(rt, seal_key=SealKey(fresh.seed, (rt.seal_key.public,)))
    clock.advance(DAY)
    assert seal(known) is not None
    assert breaks(known) == []


def test_a_case_is_proved_to_be_in_a_seal_of_many_blocks(rt: Runtime, clock: ManualClock) -> None:
    chains = begin(rt, 2500)
    clock.advance(DAY)
    made = seal(rt)
    assert made is not None and made.facts["cases"] == 2500
    assert len(made.blocks) == 3 * 32
    for chain in (chains[0], chains[1023], chains[1024], chains[-1]):
        with rt.ledger.begin() as tx:
            assert len(seals_of(tx, chain.case_id)) == 1
            file = case_file(tx, rt.vault, chain.case_id, clock())
        assert check(msgspec.json.encode(file), rt.seal_key.known).breaks == []
    assert breaks(rt) == []
