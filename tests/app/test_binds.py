"""A network's low-water mark, and what a bind that is gone for good does to it."""

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

from app.ledger import binds
from app.ledger.binds import NEVER, BindRow
from app.runtime import Runtime
from tests.conftest import NOON

UP = BindRow("a-1", "a", uuid4(), "bound", "", NOON, NOON)
DOWN = replace(UP, cid="a-2", state="lost", heard_through=NOON - timedelta(hours=1))


def test_the_lowest_mark_of_the_hearing_binds_counts_up_or_down() -> None:
    assert binds.heard_through([UP, DOWN]) == {"a": NOON - timedelta(hours=1)}


def test_a_transmitter_holds_nothing_back() -> None:
    assert binds.heard_through([UP, replace(DOWN, hears=False)]) == {"a": NOON}


def test_a_bind_that_never_drained_holds_its_network_back() -> None:
    assert binds.heard_through([UP, replace(DOWN, heard_through=None)]) == {"a": NEVER}


def test_a_bind_that_is_no_longer_named_holds_nothing_back(rt: Runtime) -> None:
    with rt.unit() as unit:
        for row in (UP, DOWN):
            binds.write(unit.tx, row)
        binds.heard(unit.tx, ["a-1"], NOON)
        assert binds.heard_through(binds.every(unit.tx)) == {"a": NEVER}
        assert binds.forget_all_but(unit.tx, ["a-1"]) == ["a-2"]
        assert binds.heard_through(binds.every(unit.tx)) == {"a": NOON}


def test_what_is_counted_of_a_bind_is_told_as_it_was_counted_last(rt: Runtime) -> None:
    with rt.unit() as unit:
        binds.write(unit.tx, UP)
        binds.count(unit.tx, {"a-1": {"submit_sm": 3}, "gone": {"submit_sm": 9}})
        binds.count(unit.tx, {"a-1": {"submit_sm": 4, "lag_s": 0.5}})
        binds.write(unit.tx, replace(UP, state="lost"))
        assert binds.counters(unit.tx) == {"a-1": {"submit_sm": 4, "lag_s": 0.5}}
