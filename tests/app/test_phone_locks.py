"""Batches wait for each other where they speak of the same phones, and only there."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from random import Random

import pytest

from app.clock import ManualClock
from app.conversation.records import open_free
from app.conversation.records.questions import MANY
from app.runtime import Runtime
from tests.app.interleaving import LONG_S, WAITING
from tests.app.worker_fixtures import eventually
from tests.app.world import World

SOME = 50


def phones(number: int, seed: int) -> list[bytes]:
    return [Random(f"{seed} {n}").randbytes(32) for n in range(number)]


def take(rt: Runtime, ours: Sequence[bytes]) -> None:
    with rt.unit() as unit:
        open_free(unit.tx, ours)


def test_two_batches_of_other_phones_do_not_wait_for_each_other(rt: Runtime) -> None:
    with ThreadPoolExecutor(1) as other, rt.unit() as unit:
        open_free(unit.tx, phones(SOME, 1))
        other.submit(take, rt, phones(SOME, 2)).result(LONG_S)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (phones(SOME, 1), phones(1, 1)),
        (phones(MANY + 1, 1), phones(1, 2)),  # so many are locked with all the others
        (phones(1, 1), phones(MANY + 1, 2)),
        (phones(MANY + 1, 1), phones(MANY + 1, 1)),
    ],
    ids=["one of some", "one beside many", "many beside one", "the same many"],
)
def test_whoever_speaks_of_the_same_phones_waits(
    rt: Runtime, clock: ManualClock, ours: list[bytes], theirs: list[bytes]
) -> None:
    world = World(rt, clock)
    with ThreadPoolExecutor(1) as other:
        with rt.unit() as unit:
            open_free(unit.tx, ours)
            waiting = other.submit(take, rt, theirs)
            eventually(lambda: world.rows(WAITING)[0].n > 0, LONG_S)
            assert not waiting.done()
        waiting.result(LONG_S)
