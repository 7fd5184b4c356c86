"""The promises are worth something only if a breach is found: each is broken here by hand."""

from collections.abc import Callable
from uuid import UUID

import pytest

from app.ledger.engine import sql
from app.runtime import Runtime
from app.simulate.day import Day
from app.simulate.promises import WORDS, hold
from app.simulate.times import Away
from tests.app.campaigns import campaign, lived, table

OFFERS = "UPDATE offers SET "


def day_of(rt: Runtime) -> Day:
    given = table(citizens=12)
    given["behaviours"] = {"yes": 0.5, "silence": 0.5}
    day = lived(rt, given)
    assert hold(day).breaches == []
    return day


def broken(day: Day) -> dict[str, tuple[int, ...]]:
    return {b.promise: b.citizens for b in hold(day).breaches}


def alter(day: Day, statement: str, case: UUID | None) -> None:
    """As somebody would who is more than the application: past the journal's trigger."""
    with day.rt.ledger.begin() as tx:
        tx.execute(sql("SET LOCAL session_replication_role = replica"))
        assert tx.execute(sql(statement), {"case": case}).rowcount > 0


def one(day: Day, state: str) -> tuple[int, UUID]:
    """A citizen whose offer ended so, and the offer."""
    for number, ended in hold(day).ended.items():
        if ended.state == state:
            return number, ended.id
    raise AssertionError(f"nobody's offer is {state}")


TAMPERED = [
    ("one-outcome", "accepted", f"{OFFERS} state = 'awaiting' WHERE id = :case"),
    ("one-outcome", "expired", "UPDATE journal SET kind = 'yes' WHERE case_id = :case"),
    ("one-outcome", "expired", "DELETE FROM offers WHERE id = :case"),
    ("lapse", "expired", f"{OFFERS} closed_at = closed_at - interval '1 hour' WHERE id = :case"),
    ("lapse", "expired", f"{OFFERS} deadline = NULL WHERE id = :case"),
    ("consent", "expired", f"{OFFERS} state = 'accepted' WHERE id = :case"),
    ("consent", "accepted", f"{OFFERS} state = 'expired' WHERE id = :case"),
    ("consent", "accepted", f"{OFFERS} state = 'declined' WHERE id = :case"),
    ("consent", "accepted", f"{OFFERS} state = 'undelivered' WHERE id = :case"),
    ("undelivered", "expired", f"{OFFERS} state = 'undelivered' WHERE id = :case"),
    ("heard", "accepted", "DELETE FROM journal_evidence WHERE case_id = :case"),
    ("closing", "accepted", "DELETE FROM outbox WHERE case_id = :case AND kind <> 'offer.ask'"),
    ("closing", "expired", "UPDATE outbox SET kind = 'offer.expired' WHERE case_id = :case"),
    ("hand-over", "accepted", "DELETE FROM events WHERE case_id = :case"),
    ("hand-over", "expired", "UPDATE events SET type = 'offer.declined' WHERE case_id = :case"),
    ("journal", "accepted", "UPDATE journal SET body = hash WHERE case_id = :case AND seq = 2"),
    ("journal", "accepted", "DELETE FROM journal WHERE case_id = :case AND seq = 1"),
    ("journal", "expired", f"{OFFERS} head = '' WHERE id = :case"),
]


@pytest.mark.parametrize(("promise", "state", "statement"), TAMPERED)
def test_a_ledger_that_says_otherwise_is_found_out(
    rt: Runtime, promise: str, state: str, statement: str
) -> None:
    day = day_of(rt)
    number, case = one(day, state)
    alter(day, statement, case)
    assert number in broken(day)[promise]


def _at_night(day: Day) -> None:
    day.networks["kcell"].questions.append((12 * 3600.0, 3))
    day.times.campaign = campaign(table(hours="09:00-21:00"))


def _refused(day: Day) -> None:
    day.citizens[3].gate = "consent_given"


def _let_through(day: Day) -> None:
    day.citizens[3].fails = "consent_given"


def _answered_no(day: Day) -> None:
    number, _ = one(day, "accepted")
    assert number >= 0
    for citizen in day.citizens:
        citizen.said = [(t, "no") for t, _ in citizen.said]


def _was_away(day: Day) -> None:
    for name in day.networks:
        day.times.away[name] = [Away(3600.0, 90 * 3600.0, False)]


def _stuck_at_the_deadline(day: Day) -> None:
    number, _ = one(day, "expired")
    citizen = day.citizens[number]
    deadline = hold(day).ended[number].deadline
    assert deadline is not None
    t = day.times.seconds(deadline)
    day.times.away[citizen.home] = [Away(t - 60.0, t + 600.0, False)]
    citizen.said = [(t + 601.0, "yes")]


def _asked_in_the_other_language(day: Day) -> None:
    for citizen in day.citizens:
        citizen.language = "ru" if citizen.language == "kk" else "kk"


def _asked_in_one_of_two_languages(day: Day) -> None:
    day.citizens[3].language = None


def _never_received(day: Day) -> None:
    for citizen in day.citizens:
        citizen.proved_at = citizen.asked_at = None


@pytest.mark.parametrize(
    ("promise", "truth"),
    [
        ("hours", _at_night),
        ("gates", _refused),
        ("gates", _let_through),
        ("consent", _answered_no),
        ("consent", _stuck_at_the_deadline),
        ("language", _asked_in_the_other_language),
        ("language", _asked_in_one_of_two_languages),
        ("outage", _was_away),
        ("lapse", _never_received),
    ],
)
def test_a_truth_that_is_otherwise_is_found_out(
    rt: Runtime, promise: str, truth: Callable[[Day], None]
) -> None:
    day = day_of(rt)
    truth(day)
    assert promise in broken(day)


def test_every_promise_is_broken_here_once() -> None:
    known = {"hours", "gates", "outage", "language"} | {promise for promise, _, _ in TAMPERED}
    assert known == set(WORDS)


def test_a_breach_says_what_was_promised_and_to_whom_it_was_broken(rt: Runtime) -> None:
    day = day_of(rt)
    for citizen in day.citizens:
        citizen.gate = "consent_given"
    [breach] = hold(day).breaches
    assert str(breach) == (
        "gates: the gates refuse whom they must, and nobody else: broken 12 times, "
        "by citizens 0, 1, 2, 3, 4"
    )
