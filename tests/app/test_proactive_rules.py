"""155/НҚ in tables: every pair of the lifecycle, the reply window to the second, every gate."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.catalogue.model import Bilingual, Edition, Provider, RecipientKind, Service
from app.proactive import rules
from app.proactive.rules import Event, Facts, IllegalTransition, State
from app.recipients.rules import PhoneKind

NOON = datetime(2026, 3, 5, 12, tzinfo=UTC)
DAY = timedelta(hours=24)
SECOND = timedelta(seconds=1)

# The table once more, written as a person reads it: rows are states, columns events.
EXPECTED = {
    State.MADE: {
        Event.SUBMITTED: State.SENT,
        Event.NOT_DELIVERED: State.UNDELIVERED,
        Event.STOPPED: State.WITHDRAWN,
        Event.WITHDRAWN: State.WITHDRAWN,
        Event.CONSENT_REVOKED: State.WITHDRAWN,
        Event.GATE_FAILED: State.WITHDRAWN,
    },
    State.SENT: {
        Event.RETURNED: State.MADE,
        Event.RECEIVED: State.AWAITING,
        Event.YES: State.ACCEPTED,
        Event.NO: State.DECLINED,
        Event.STOPPED: State.DECLINED,
        Event.WRONG_PERSON: State.UNDELIVERED,
        Event.NOT_DELIVERED: State.UNDELIVERED,
        Event.WITHDRAWN: State.WITHDRAWN,
        Event.CONSENT_REVOKED: State.WITHDRAWN,
    },
    State.AWAITING: {
        Event.YES: State.ACCEPTED,
        Event.NO: State.DECLINED,
        Event.STOPPED: State.DECLINED,
        Event.WRONG_PERSON: State.UNDELIVERED,
        Event.LAPSED: State.EXPIRED,
        Event.WITHDRAWN: State.WITHDRAWN,
        Event.CONSENT_REVOKED: State.WITHDRAWN,
    },
    State.ACCEPTED: {Event.RENDERED: State.RENDERED, Event.REFUSED: State.REFUSED},
}
PAIRS = [(state, event) for state in State for event in Event]


@pytest.mark.parametrize(("state", "event"), PAIRS)
def test_every_pair_leads_where_the_table_says_or_is_refused(state: State, event: Event) -> None:
    expected = EXPECTED.get(state, {}).get(event)
    assert rules.allows(state, event) == (expected is not None)
    if expected is None:
        with pytest.raises(IllegalTransition, match=f"found {event} while {state}"):
            rules.step(state, event)
    else:
        assert rules.step(state, event) is expected


@given(st.lists(st.sampled_from(list(Event)), max_size=30))
def test_whatever_happens_an_offer_has_at_most_one_outcome(events: list[Event]) -> None:
    state, outcomes = State.MADE, []
    for event in events:
        if rules.allows(state, event):
            state = rules.step(state, event)
            outcomes += [state] if state in rules.OUTCOMES else []
    assert len(outcomes) <= 1
    assert (state in rules.OPEN) == (not outcomes)


def test_silence_is_never_consent_and_only_a_yes_accepts() -> None:
    accepting = {event for (_, event), to in rules.LIFECYCLE.items() if to is State.ACCEPTED}
    assert accepting == {Event.YES}


def test_only_a_received_offer_can_lapse() -> None:
    lapsing = {state for state, event in rules.LIFECYCLE if event is Event.LAPSED}
    assert lapsing == {State.AWAITING}


def test_a_reply_before_the_receipt_counts() -> None:
    assert rules.step(State.SENT, Event.YES) is State.ACCEPTED
    assert not rules.allows(State.ACCEPTED, Event.RECEIVED)


def test_nobody_answers_what_was_not_sent() -> None:
    assert not rules.allows(State.MADE, Event.YES)
    assert not rules.allows(State.MADE, Event.NO)
    assert {s for s in State if rules.allows(s, Event.YES)} == rules.ANSWERABLE


def test_from_every_open_state_some_outcome_can_be_reached() -> None:
    for state in rules.OPEN:
        assert {rules.step(state, e) for e in rules.events_of(state)} & rules.OUTCOMES


def test_an_ended_offer_hears_nothing_more() -> None:
    ended = set(State) - rules.OPEN - {State.ACCEPTED}
    assert all(rules.events_of(state) == () for state in ended)


# The reply window


def test_the_window_is_twenty_four_clock_hours_from_receipt() -> None:
    assert rules.deadline_of(NOON) == datetime(2026, 3, 6, 12, tzinfo=UTC)
    assert rules.deadline_of(NOON, timedelta(hours=72)) == datetime(2026, 3, 8, 12, tzinfo=UTC)


def test_the_window_knows_neither_zone_nor_holiday() -> None:
    almaty = timezone(timedelta(hours=5))
    new_year = datetime(2026, 1, 1, 2, tzinfo=almaty)
    assert rules.deadline_of(new_year) == datetime(2026, 1, 1, 21, tzinfo=UTC)
    assert rules.deadline_of(new_year).tzinfo is UTC


def test_a_time_without_a_zone_is_our_bug() -> None:
    with pytest.raises(ValueError, match="without a zone"):
        rules.deadline_of(NOON.replace(tzinfo=None))


@pytest.mark.parametrize(
    ("late_by", "stuck", "counts"),
    [
        (-SECOND, False, True),
        (timedelta(0), False, True),
        (timedelta(microseconds=1), False, False),
        (SECOND, False, False),
        (SECOND, True, True),
        (timedelta(hours=5), True, True),
    ],
)
def test_a_reply_counts_up_to_the_very_deadline_and_after_an_outage_of_ours(
    late_by: timedelta, stuck: bool, counts: bool
) -> None:
    assert rules.in_time(NOON + late_by, NOON, stuck=stuck) is counts


def test_a_reply_without_a_deadline_is_in_time() -> None:
    assert rules.in_time(NOON, None)


SUBMITTED = datetime(2026, 3, 5, 10, 30, 20, tzinfo=UTC)
ARRIVED = datetime(2026, 3, 5, 10, 45, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("done", "received"),
    [
        (None, ARRIVED),
        (
            datetime(2026, 3, 5, 10, 40, 17, tzinfo=UTC),
            datetime(2026, 3, 5, 10, 40, 17, tzinfo=UTC),
        ),
        (datetime(2026, 3, 5, 10, 40, tzinfo=UTC), datetime(2026, 3, 5, 10, 41, tzinfo=UTC)),
        # the minute of the submission itself, cut down by the network
        (datetime(2026, 3, 5, 10, 30, tzinfo=UTC), datetime(2026, 3, 5, 10, 31, tzinfo=UTC)),
        # rounding up stops at the arrival
        (datetime(2026, 3, 5, 10, 45, tzinfo=UTC), ARRIVED),
        # before the submission or after the arrival: another clock, not believed
        (datetime(2026, 3, 5, 10, 29, tzinfo=UTC), ARRIVED),
        (datetime(2026, 3, 5, 5, 40, tzinfo=UTC), ARRIVED),
        (datetime(2026, 3, 5, 15, 40, tzinfo=UTC), ARRIVED),
    ],
)
def test_the_done_date_counts_where_it_can_be_true(
    done: datetime | None, received: datetime
) -> None:
    assert rules.received_at_of(done, SUBMITTED, ARRIVED) == received


moments = st.timedeltas(timedelta(0), timedelta(days=365)).map(lambda after: NOON + after)


@given(st.none() | moments, moments, st.timedeltas(timedelta(0), timedelta(days=3)))
def test_receipt_never_lies_before_submission_or_after_arrival(
    done: datetime | None, submitted: datetime, took: timedelta
) -> None:
    received = rules.received_at_of(done, submitted, submitted + took)
    assert submitted <= received <= submitted + took


def test_the_reckoning_is_shown_in_utc_and_on_the_clock_in_almaty() -> None:
    assert rules.explain(NOON) == (
        "received: 2026-03-05 12:00:00Z (2026-03-05 17:00:00 Almaty),"
        " the last segment on the handset",
        "window: 24 clock hours, counted in UTC, nights and holidays included (155/НҚ, clause 4)",
        "ends: 2026-03-06 12:00:00Z (2026-03-06 17:00:00 Almaty);"
        " a reply at that very moment is in time",
    )


# The gates

BIRTH = Service(
    code="birth-benefit",
    name=Bilingual("Бала туғанда берілетін жәрдемақы", "Пособие на рождение ребёнка"),
    short=Bilingual("бала туғандағы жәрдемақы", "пособие на рождение"),
    provider=Provider("labour", Bilingual("Еңбек министрлігі", "Министерство труда")),
    by_law="169 (2023)",
    proactive_from=date(2023, 7, 1),
    proactive_to=date(2026, 12, 31),
    in_force_verified=False,
    branch_kind="state-corporation",
    apply_in_person=Bilingual("ХҚКО-ға жүгініңіз", "Обратитесь в ЦОН"),
)
GOOD = Facts(
    service=BIRTH,
    recipient_kind=RecipientKind.INDIVIDUAL,
    phone_kind=PhoneKind.MOBILE,
    phone_registered_at=NOON - DAY,
    consent_given_at=NOON - DAY,
)


def test_good_facts_pass_every_gate() -> None:
    assert rules.judge(GOOD, NOON) is None
    assert rules.judge_all(GOOD, NOON) == ()


REFUSED = [
    (replace(GOOD, service=None), "service_proactive", "155:2", "unknown"),
    (
        replace(GOOD, service=replace(BIRTH, proactive_from=None, proactive_to=None)),
        "service_proactive",
        "155:2",
        "on-application",
    ),
    (
        replace(GOOD, service=replace(BIRTH, proactive_from=date(2026, 3, 6))),
        "service_in_force",
        "155:5",
        "not-today",
    ),
    (
        replace(GOOD, service=replace(BIRTH, proactive_to=date(2026, 3, 4))),
        "service_in_force",
        "155:5",
        "not-today",
    ),
    (
        replace(GOOD, recipient_kind=RecipientKind.STATE_BODY),
        "recipient_kind",
        "155:2",
        "state-body",
    ),
    (
        replace(GOOD, recipient_kind=RecipientKind.LEGAL_ENTITY),
        "recipient_kind",
        "155:2",
        "not-this-service",
    ),
    (replace(GOOD, phone_registered_at=None), "phone_registered", "155:3", "missing"),
    (replace(GOOD, phone_registered_at=NOON + SECOND), "phone_registered", "155:3", "missing"),
    (replace(GOOD, consent_given_at=None), "consent_given", "155:3", "missing"),
    (replace(GOOD, consent_given_at=NOON + SECOND), "consent_given", "155:3", "missing"),
    (replace(GOOD, consent_revoked_at=NOON), "consent_given", "155:3", "revoked"),
    (replace(GOOD, consent_valid_until=NOON), "consent_given", "155:3", "ended"),
    (replace(GOOD, phone_kind=None), "phone_reachable", "155:4", "not-mobile"),
    (replace(GOOD, phone_kind=PhoneKind.LANDLINE), "phone_reachable", "155:4", "not-mobile"),
    (replace(GOOD, phone_kind=PhoneKind.FOREIGN), "phone_reachable", "155:4", "not-mobile"),
    (replace(GOOD, sms_enabled=False), "phone_reachable", "155:4", "sms-off"),
    (replace(GOOD, network_has_receipts=False), "phone_reachable", "155:4", "no-receipts"),
    (replace(GOOD, open_offer_exists=True), "already_open", "155:4", "same-service"),
]


@pytest.mark.parametrize(("facts", "gate", "clause", "detail"), REFUSED)
def test_one_bad_fact_is_refused_by_its_own_gate_with_its_clause(
    facts: Facts, gate: str, clause: str, detail: str
) -> None:
    refusal = rules.judge(facts, NOON)
    assert refusal is not None
    assert (refusal.gate, refusal.clause) == (gate, clause)
    assert refusal.detail_key == f"gate.{gate}.{detail}"


def test_consent_and_registration_hold_while_they_last() -> None:
    lasting = replace(
        GOOD,
        phone_registered_at=NOON,
        consent_given_at=NOON,
        consent_valid_until=NOON + SECOND,
        consent_revoked_at=NOON + SECOND,
    )
    assert rules.judge(lasting, NOON) is None


def test_the_gates_stand_in_the_order_of_the_contract() -> None:
    assert [gate.__name__ for gate in rules.GATES] == [
        "service_proactive",
        "service_in_force",
        "recipient_kind",
        "phone_registered",
        "consent_given",
        "phone_reachable",
        "already_open",
    ]


def test_all_refusals_are_told_at_once_and_the_first_is_the_answer() -> None:
    bad = replace(GOOD, phone_registered_at=None, consent_given_at=None, open_offer_exists=True)
    refusals = rules.judge_all(bad, NOON)
    assert [r.gate for r in refusals] == ["phone_registered", "consent_given", "already_open"]
    assert rules.judge(bad, NOON) == refusals[0]


def test_an_unknown_service_is_told_once() -> None:
    assert [r.gate for r in rules.judge_all(replace(GOOD, service=None), NOON)] == [
        "service_proactive"
    ]


def test_a_service_comes_into_force_at_midnight_in_almaty() -> None:
    new = replace(GOOD, service=replace(BIRTH, proactive_from=date(2026, 3, 6)))
    midnight = datetime(2026, 3, 5, 19, tzinfo=UTC)
    assert rules.judge(new, midnight - SECOND) is not None
    assert rules.judge(new, midnight) is None


def test_a_service_may_have_its_own_window_in_an_edition() -> None:
    longer = Edition(date(2022, 1, 1), date(2023, 12, 31), "an older edition", (), 72)
    service = replace(BIRTH, editions=(longer,))
    assert service.window_on(date(2023, 12, 31)) == timedelta(hours=72)
    assert service.window_on(date(2024, 1, 1)) == DAY
