"""The queue of one bind, without a link: order, pace, and what is given back."""

from datetime import timedelta

import pytest

from smpp.binds import Bind
from smpp.messages import Outbound, SubmitOutcome, Ussd, UssdOp
from smpp.outgoing import MAX_REFUSALS, SCREEN_WAITS_S, Job, Outgoing
from smpp.pdu import SmFields, Status
from smpp.submits import relative

BIND = Bind("kcell-1", "kcell", "127.0.0.1", 2775, "jauap", "secret")
SLOW = int(Status.ESME_RTHROTTLED)


def queue(*phones: str) -> Outgoing:
    outgoing = Outgoing(BIND, 0)
    for n, phone in enumerate(phones):
        outgoing.add(Outbound(f"m-{n}", f"+7701000000{phone}", "Иә?", n, 3600), 0)
    return outgoing


def taken(outgoing: Outgoing, now: float = 0) -> list[Job]:
    jobs = []
    while job := outgoing.take(now):
        jobs.append(job)
    return jobs


def ids(jobs: list[Job]) -> list[str]:
    return [job.out.id for job in jobs]


def test_messages_of_one_recipient_go_one_after_the_other() -> None:
    outgoing = queue("1", "2", "1", "1")
    first, second = taken(outgoing)
    assert ids([first, second]) == ["m-0", "m-1"]
    assert outgoing.queued == 2
    outgoing.answered(first, 0, 1, 0)
    (third,) = taken(outgoing)
    assert third.out.id == "m-2"
    outgoing.answered(third, None, 1, 0)
    assert ids(taken(outgoing)) == ["m-3"]


def test_what_was_refused_for_the_pace_comes_first_and_in_its_order() -> None:
    outgoing = queue("1", "2", "3", "1")
    jobs = taken(outgoing)
    for job in (jobs[1], jobs[0], jobs[2]):
        assert outgoing.answered(job, SLOW, 0, 0) is None
    assert (outgoing.is_paused, outgoing.queued) == (True, 4)
    assert outgoing.take(0.9) is None
    assert outgoing.wait_s(0.5) == 0.5
    (probe,) = taken(outgoing, 1)
    assert probe.out.id == "m-0"
    assert outgoing.answered(probe, 0, 1, 0) is SubmitOutcome.ACCEPTED
    assert ids(taken(outgoing, 1)) == ["m-1", "m-2", "m-3"]


def test_a_segment_refused_too_often_is_given_back() -> None:
    outgoing = queue("1")
    now = 0.0
    for n in range(1, MAX_REFUSALS + 1):
        (job,) = taken(outgoing, now)
        said = outgoing.answered(job, SLOW, now, 0)
        assert said is (SubmitOutcome.RETRY_LATER if n == MAX_REFUSALS else None)
        now += 60
    assert outgoing.is_paused
    assert outgoing.take(now) is None
    assert not outgoing.is_paused


def test_draining_takes_all_that_is_not_sent_in_the_order_it_came() -> None:
    outgoing = queue("1", "2", "1", "3")
    sent = outgoing.take(0)
    assert sent is not None
    assert ids(outgoing.drain()) == ["m-1", "m-2", "m-3"]
    assert (outgoing.queued, outgoing.drain()) == (0, [])
    outgoing.add(Outbound("m-4", sent.out.phone, "Иә?", 4, 3600), 0)
    assert outgoing.take(0) is None  # behind the one that is still under way
    assert outgoing.answered(sent, 0, 0, 0) is SubmitOutcome.ACCEPTED
    assert ids(taken(outgoing)) == ["m-4"]


def test_what_was_in_flight_when_the_link_broke_goes_alone() -> None:
    outgoing = queue("1", "2", "3")
    for job in taken(outgoing)[:2]:
        outgoing.suspect(job)
        assert outgoing.answered(job, None, 0, 0) is SubmitOutcome.UNKNOWN
    third = Outbound("m-2", "+77010000003", "Иә?", 2, 3600)
    for n, phone in ((0, "1"), (1, "2"), (3, "4"), (4, "5")):
        outgoing.add(Outbound(f"m-{n}", f"+7701000000{phone}", "Иә?", n, 3600), 0)
    assert taken(outgoing) == []  # m-2 is still in flight
    assert outgoing.wait_s(0) is None
    outgoing.answered(Job(3, third, 1, 1, SmFields()), 0, 0, 0)
    for expected in ("m-0", "m-1"):
        (alone,) = taken(outgoing)
        assert alone.out.id == expected
        outgoing.answered(alone, 0, 0, 0)
    assert ids(taken(outgoing)) == ["m-3", "m-4"]


def test_a_screen_goes_first_and_is_never_sent_again_nor_late() -> None:
    outgoing = queue("1", "2")
    for n in range(3):
        screen = Outbound(f"u-{n}", "+77010000001", "1", 0, 0, False, Ussd(UssdOp.USSR_REQUEST))
        outgoing.add(screen, 5 * n)
    first = outgoing.take(0)
    assert first is not None
    assert first.out.id == "u-0"
    assert outgoing.answered(first, SLOW, 0, 0) is SubmitOutcome.RETRY_LATER
    assert outgoing.take(0.5) is None
    probe = outgoing.take(SCREEN_WAITS_S + 5)
    assert probe is not None
    assert (probe.out.id, ids(outgoing.late), outgoing.queued) == ("u-2", ["u-1"], 2)
    outgoing.answered(probe, 0, 30, 0)
    assert ids(taken(outgoing, 30)) == ["m-0", "m-1"]


@pytest.mark.parametrize(
    ("asked", "most", "said"),
    [
        (timedelta(days=1), timedelta(days=1), "000001000000000R"),
        (timedelta(hours=2, minutes=3, seconds=4), timedelta(days=1), "000000020304000R"),
        (timedelta(days=9), timedelta(days=2), "000002000000000R"),
        (timedelta(0), timedelta(days=63), "000203000000000R"),
    ],
)
def test_no_message_may_live_longer_than_its_bind_allows(
    asked: timedelta, most: timedelta, said: str
) -> None:
    assert relative(int(asked.total_seconds()), int(most.total_seconds())) == said


def ranked(n: int, phone: int, rank: int, words: str = "Иә?") -> Outbound:
    return Outbound(f"m-{n}", f"+7701000000{phone}", words, n, 3600, rank=rank)


def test_a_reply_overtakes_what_the_law_orders_and_both_overtake_offers() -> None:
    outgoing = Outgoing(BIND, 0)
    for n, rank in enumerate((2, 2, 1, 0, 2, 1, 0)):
        outgoing.add(ranked(n, n, rank), 0)
    assert (outgoing.queued, outgoing.queued_urgent) == (7, 4)
    assert ids(taken(outgoing)) == ["m-3", "m-6", "m-2", "m-5", "m-0", "m-1", "m-4"]
    assert (outgoing.queued, outgoing.queued_urgent) == (0, 0)


def test_messages_to_one_recipient_keep_their_order_and_hasten_what_is_before_them() -> None:
    outgoing = Outgoing(BIND, 0)
    for n, (phone, rank) in enumerate(((1, 2), (2, 2), (2, 0), (2, 2))):
        outgoing.add(ranked(n, phone, rank), 0)
    order = []
    while job := outgoing.take(0):
        order.append(job.out.id)
        outgoing.answered(job, 0, 0, 0)
    assert order == ["m-1", "m-2", "m-0", "m-3"]


def test_offers_of_which_nothing_has_left_can_be_taken_back() -> None:
    outgoing = Outgoing(BIND, 0)
    long_one = "ә" * 130
    for n, (phone, rank) in enumerate(((1, 2), (2, 1), (3, 2), (4, 2))):
        outgoing.add(ranked(n, phone, rank, long_one), 0)
    outgoing.add(ranked(4, 3, 2), 0)  # behind m-2
    for _ in range(3):
        assert outgoing.take(0) is not None  # m-1, and the first segment of m-0
    assert [(job.out.id, job.number) for job in outgoing.recall()] == [("m-3", 1), ("m-3", 2)]
    assert (outgoing.queued, outgoing.queued_urgent) == (4, 0)
    assert outgoing.recall() == []
    assert ids(taken(outgoing)) == ["m-0", "m-2", "m-2"]
