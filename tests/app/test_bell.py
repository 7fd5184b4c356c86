"""Wake-ups are rung by a thread of their own."""

import threading
from dataclasses import replace
from queue import Queue
from threading import Event

import pytest

from app import bell
from app.bell import Bell
from app.clock import ManualClock
from app.proactive.records import Offer
from app.runtime import Runtime
from tests.app.worker_fixtures import eventually
from tests.app.world import World

LONG_S = 20.0


def test_a_reply_is_committed_while_redis_hangs(rt: Runtime, clock: ManualClock) -> None:
    began, may_end = Event(), Event()

    def hang(channel: str) -> None:
        began.set()
        assert may_end.wait(LONG_S)

    world = World(replace(rt, bell=Bell(hang)), clock)
    world.register("Айгүл", "kk")
    offer = world.offer("birth-benefit", "Айгүл")
    assert isinstance(offer, Offer)
    world.say("1")
    assert world.look(offer.id).state == "accepted"
    assert began.wait(LONG_S)
    assert not may_end.is_set()
    may_end.set()


def test_what_is_rung_while_it_rings_is_rung_once_more() -> None:
    rung: Queue[str] = Queue()
    may_end = Event()

    def publish(channel: str) -> None:
        rung.put(channel)
        assert may_end.wait(LONG_S)

    one = Bell(publish)
    one.ring("first")
    assert rung.get(timeout=LONG_S) == "first"
    for _ in range(3):
        one.ring("second")
        one.ring("first")
    assert not one.wait(0.0)
    may_end.set()
    assert one.wait(LONG_S)
    assert sorted(rung.queue) == ["first", "second"]


def test_a_failure_does_not_silence_it() -> None:
    rung: Queue[str] = Queue()

    def publish(channel: str) -> None:
        rung.put(channel)
        raise ConnectionError

    one = Bell(publish)
    for channel in ("first", "second"):
        one.ring(channel)
        assert rung.get(timeout=LONG_S) == channel


def test_its_thread_ends_when_there_is_nothing_to_ring_and_begins_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bell, "REST_S", 0.01)
    before = threading.active_count()
    rung: Queue[str] = Queue()
    one = Bell(rung.put)
    for _ in range(2):
        one.ring("outbox")
        assert rung.get(timeout=LONG_S) == "outbox"
        eventually(lambda: threading.active_count() <= before, LONG_S)


def test_rings_that_come_close_together_are_rung_as_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever was woken just now is still looking."""
    paused, may_go_on = Event(), Event()

    def pause(seconds: float) -> None:
        if seconds > 0.0:
            paused.set()
            assert may_go_on.wait(LONG_S)

    monkeypatch.setattr(bell, "sleep", pause)
    monkeypatch.setattr(bell, "GAP_S", LONG_S)
    rung: Queue[str] = Queue()
    one = Bell(rung.put)
    one.ring("outbox")
    assert rung.get(timeout=LONG_S) == "outbox"  # the first one at once
    for _ in range(3):
        one.ring("outbox")
        assert paused.wait(LONG_S)
    may_go_on.set()
    assert one.wait(LONG_S)
    assert list(rung.queue) == ["outbox"]
