"""Clocks: the wall's, the sandbox's faster one, and the one that tests move by hand."""

from datetime import UTC, datetime, timedelta

import pytest

from app.clock import ManualClock, ScaledClock, system_clock

REAL = datetime(2026, 9, 1, 4, 0, tzinfo=UTC)
VIRTUAL = datetime(2026, 3, 1, 4, 0, tzinfo=UTC)


def test_the_system_clock_is_aware_and_in_utc() -> None:
    assert system_clock().utcoffset() == timedelta(0)


def test_twenty_seconds_are_a_day_at_4320() -> None:
    wall = ManualClock(REAL)
    clock = ScaledClock(REAL, VIRTUAL, 4320, wall)
    assert clock() == VIRTUAL
    wall.advance(timedelta(seconds=20))
    assert clock.now() == VIRTUAL + timedelta(hours=24)
    assert clock.real_seconds(86400) == 20


def test_two_processes_with_the_same_anchors_agree() -> None:
    wall = ManualClock(REAL + timedelta(seconds=7))
    one, other = (ScaledClock(REAL, VIRTUAL, 60, wall) for _ in range(2))
    assert one.now() == other.now() == VIRTUAL + timedelta(minutes=7)


def test_a_manual_clock_moves_only_forward_and_only_when_told() -> None:
    clock = ManualClock(REAL)
    assert clock() == clock.now() == REAL
    assert clock.advance(timedelta(hours=24)) == REAL + timedelta(hours=24)
    with pytest.raises(ValueError, match="back"):
        clock.advance(timedelta(seconds=-1))


def test_a_manual_clock_refuses_a_naive_time() -> None:
    with pytest.raises(ValueError, match="aware"):
        ManualClock(REAL.replace(tzinfo=None))
