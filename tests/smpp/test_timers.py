"""Timers, pauses and paces, walked through by hand."""

import pytest

from smpp.timers import Alive, Backoff, Bucket, Due, Throttle


def test_silence_is_asked_about_once_and_then_is_death() -> None:
    alive = Alive(enquire_s=30, response_s=10, heard_at=0)
    seen = []
    for now in (0, 29, 30, 31, 39, 40):
        alive, due = alive.tick(now)
        seen.append(due)
    quiet = Due.NOTHING
    assert seen == [quiet, quiet, Due.ENQUIRE, quiet, quiet, Due.DEAD]


def test_anything_heard_starts_the_silence_anew() -> None:
    alive, due = Alive(30, 10, 0).tick(30)
    assert (due, alive.due_at) == (Due.ENQUIRE, 40)
    alive = alive.heard(35)
    assert alive.tick(64)[1] is Due.NOTHING
    assert alive.tick(65)[1] is Due.ENQUIRE


def test_pauses_double_up_to_their_most_and_begin_anew() -> None:
    backoff = Backoff(1, 10)
    pauses = []
    for _ in range(6):
        backoff = backoff.failed()
        pauses.append(backoff.pause_s(0))
    assert pauses == [1, 2, 4, 8, 10, 10]
    assert backoff.succeeded().failed().pause_s(0) == 1


def test_jitter_takes_off_at_most_a_half() -> None:
    backoff = Backoff(1, 10, failures=4)
    assert (backoff.pause_s(0), backoff.pause_s(0.5)) == (8, 6)
    assert backoff.pause_s(0.9999) > 4
    assert Backoff(1, 10, failures=10_000).pause_s(0) == 10


@pytest.mark.parametrize("rate", [1, 7.5, 50, 1000])
def test_no_second_takes_more_than_its_rate_and_a_small_burst(rate: float) -> None:
    bucket = Bucket(rate, 0.0)
    taken = sum(bucket.take(step / 10_000) for step in range(100_000))
    assert rate * 10 - 1 <= taken <= rate * 10 + 1 + rate * 0.05


def test_a_bucket_says_how_long_to_wait() -> None:
    bucket = Bucket(10, 0)
    assert bucket.take(0)
    assert not bucket.take(0.04)
    assert bucket.wait_s() == pytest.approx(0.06)
    assert bucket.take(0.1)
    assert (Bucket(0, 0).take(0), Bucket(0, 0).wait_s()) == (True, 0)


def test_a_throttled_bind_sends_one_probe_after_each_growing_pause() -> None:
    throttle = Throttle(1, 8)
    throttle.sent("a")
    throttle.sent("b")
    assert throttle.slowed("a", 0, 0)
    assert not throttle.slowed("b", 0.1, 0)  # was under way already
    assert not throttle.may_send(0.9)
    assert throttle.wait_s(0.5) == 0.5
    assert throttle.may_send(1)
    throttle.sent("a")
    assert (throttle.may_send(1), throttle.wait_s(1)) == (False, None)
    assert not throttle.slowed("a", 2, 0)
    assert (throttle.may_send(3.9), throttle.may_send(4)) == (False, True)


def test_only_the_probe_opens_the_bind() -> None:
    throttle = Throttle(1, 8)
    throttle.slowed("a", 0, 0)
    assert not throttle.went_through("b")
    throttle.sent("a")
    assert throttle.went_through("a")
    assert throttle.may_send(0)
    throttle.slowed("c", 10, 0)
    assert throttle.wait_s(10) == 1


def test_a_probe_without_an_answer_is_followed_by_another() -> None:
    throttle = Throttle(1, 8)
    throttle.slowed("a", 0, 0)
    throttle.sent("a")
    throttle.lost("a", 5, 0)
    assert throttle.wait_s(5) == 2
    throttle.lost("b", 6, 0)
    assert throttle.wait_s(6) == 1
