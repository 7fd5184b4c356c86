"""How often, to whom and how many: limits of keys, recipients and phones, test and team keys."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

import pytest
import redis

from app.clock import ManualClock
from app.ledger import keys
from app.ledger.engine import sql
from app.ledger.keys import Kind, Scope
from app.recipients import actions as registers
from app.recipients import reach
from app.recipients.actions import RecipientRow
from app.recipients.records import NewConsent
from app.runtime import Runtime
from app.settings import Environment
from tests.app.api.conftest import AIDA, AIDA_PHONE, Caller, plain_http, proposal, served

BOLAT, HANDSET = "999999000012", "+77000000100"


def register(rt: Runtime, iin: str, phone: str) -> None:
    ago = rt.clock() - timedelta(days=30)
    with rt.unit() as unit:
        rows = [RecipientRow(iin, phone, "kk", "kcell", ago)]
        assert registers.register_recipients(unit, rows).accepted == 1
        given = [NewConsent(iin, "personal-data", "C-1", ago, None, None)]
        assert registers.register_consents(rt.rooms, unit, given).accepted == 1


@contextmanager
def calling(rt: Runtime, kind: Kind = Kind.LIVE, phones: tuple[str, ...] = ()) -> Iterator[Caller]:
    """A provider with a key of this kind."""
    with rt.unit() as unit:
        indexes = [rt.vault.index("phone", phone) for phone in phones]
        name = f"mtszn-{kind}"
        _, secret = keys.add(unit.tx, name, [Scope.PROVIDER], unit.now, kind=kind, phones=indexes)
    with served(rt) as url, plain_http(url) as client:
        yield Caller(client, secret, name)


def limited(rt: Runtime, **limits: float) -> Runtime:
    return replace(rt, settings=replace(rt.settings, limits=replace(rt.settings.limits, **limits)))


def test_who_calls_too_often_is_told_when_to_come_again(rt: Runtime) -> None:
    with calling(limited(rt, key_per_second=0.5, key_burst=3)) as caller:
        answers = [caller.get("/v1/offers") for _ in range(4)]
        assert [a.status_code for a in answers] == [200, 200, 200, 429]
        refused = answers[-1]
        assert 1 <= int(refused.headers["Retry-After"]) <= 3
        assert refused.json()["type"] == "/docs#too_many"
        with ThreadPoolExecutor(8) as pool:
            together = list(pool.map(lambda _: caller.post("/v1/offers", {}), range(8)))
        assert 429 in {a.status_code for a in together}


def test_a_bucket_fills_again_and_is_shared_by_all_processes(rt: Runtime) -> None:
    assert rt.take("x", 5, 1000, 3)[0] == 3
    granted, wait = rt.take("x", 1, 0.001, 3)
    while not granted:
        assert wait > 0
        granted, wait = rt.take("x", 1, 1000, 3)


def test_without_redis_everybody_is_let_through(rt: Runtime) -> None:
    nowhere = redis.Redis(host="127.0.0.1", port=9, socket_connect_timeout=1)
    without = replace(limited(rt, key_per_second=0.5, key_burst=1), redis=nowhere)
    with calling(without) as caller:
        assert [caller.get("/v1/offers").status_code for _ in range(3)] == [200] * 3
    nowhere.close()


@pytest.mark.parametrize("cap", ["recipient_per_day", "phone_per_day"])
def test_a_person_is_not_asked_more_often_a_day_than_they_may_be(
    rt: Runtime, clock: ManualClock, cap: str
) -> None:
    register(rt, AIDA, AIDA_PHONE)
    with calling(limited(rt, **{cap: 1.0})) as caller:
        first = caller.post("/v1/offers", proposal())
        clock.advance(timedelta(hours=1))
        second = proposal(reference="A-2", service="childcare-benefit")
        refused = caller.post("/v1/offers", second)
        assert (first.status_code, refused.status_code) == (201, 429)
        assert refused.headers["Retry-After"] == str(23 * 3600)
        [row] = caller.post("/v1/offer-batches", {"offers": [second]}).json()["refused"]
        assert (row["gate"], row["clause"]) == ("too_many", None)
        clock.advance(timedelta(hours=23, seconds=1))
        assert caller.post("/v1/offers", second).status_code == 201


def test_a_cap_counts_within_one_batch_and_over_providers_of_one_phone(rt: Runtime) -> None:
    register(rt, AIDA, AIDA_PHONE)
    register(rt, BOLAT, AIDA_PHONE)
    with calling(limited(rt, phone_per_day=2)) as caller:
        rows = [
            proposal(),
            proposal(BOLAT, "B-1"),
            proposal(BOLAT, "B-2", service="childcare-benefit"),
        ]
        answer = caller.post("/v1/offer-batches", {"offers": rows}).json()
        assert [(r["index"], r["gate"]) for r in answer["refused"]] == [(2, "too_many")]


def test_a_team_key_reaches_only_its_phones(rt: Runtime) -> None:
    register(rt, AIDA, AIDA_PHONE)
    register(rt, BOLAT, "+77010000200")
    with calling(rt, Kind.TEAM, (AIDA_PHONE,)) as caller:
        assert caller.post("/v1/offers", proposal()).status_code == 201
        refused = caller.post("/v1/offers", proposal(BOLAT, "B-1"))
        assert (refused.status_code, refused.json()["gate"]) == (422, "phone_reachable")
        assert "team" in refused.json()["detail"]


def test_a_test_key_reaches_nobody_but_the_simulators_handsets(rt: Runtime) -> None:
    register(rt, AIDA, AIDA_PHONE)
    register(rt, BOLAT, HANDSET)
    settings = replace(rt.settings, environment=Environment.PRODUCTION)
    live = replace(rt, settings=settings, rooms={})
    with calling(live, Kind.TEST) as caller:
        refused = caller.post("/v1/offers", proposal())
        assert (refused.status_code, refused.json()["gate"]) == (422, "phone_reachable")
        made = caller.post("/v1/offers", proposal(BOLAT, "B-1"))
        assert made.status_code == 201
    with rt.ledger.begin() as tx:
        [row] = tx.execute(sql("SELECT network, id FROM outbox")).all()
        assert row.network == reach.SIMULATOR
        [entry] = tx.execute(sql("SELECT body FROM journal WHERE kind = 'made'")).all()
        assert b'"key":"test"' in bytes(entry.body)


def test_whoever_comes_while_too_many_wait_is_sent_away(
    monkeypatch: pytest.MonkeyPatch, rt: Runtime
) -> None:
    monkeypatch.setattr("app.api.gathering.MOST_WAITING", 0)
    with calling(rt) as caller:
        refused = caller.post("/v1/offers", proposal())
        assert (refused.status_code, refused.headers["Retry-After"]) == (503, "1")


def test_calls_that_come_at_once_each_get_their_own_answer(rt: Runtime) -> None:
    register(rt, AIDA, AIDA_PHONE)
    with calling(rt) as caller, ThreadPoolExecutor(16) as pool:
        bodies: list[dict[str, object]] = [proposal(reference=f"R-{n}") for n in range(12)]
        bodies += [proposal("123", "bad"), {"nonsense": 1}, proposal(), proposal()]
        answers = list(pool.map(lambda body: caller.post("/v1/offers", body), bodies))
        assert sorted(a.status_code for a in answers).count(201) == 1
        problems = {a.json()["type"] for a in answers if a.status_code != 201}
        assert {"/docs#invalid", "/docs#refused"} <= problems
        assert {a.json().get("gate") for a in answers} >= {"already_open"}


def test_twins_at_once_with_one_key_are_one_offer(rt: Runtime) -> None:
    register(rt, AIDA, AIDA_PHONE)
    with calling(rt) as caller, ThreadPoolExecutor(16) as pool:
        key = {"Idempotency-Key": "one"}
        answers = list(
            pool.map(lambda _: caller.post("/v1/offers", proposal(), headers=key), range(16))
        )
    assert {a.status_code for a in answers} == {201}
    assert len({a.json()["id"] for a in answers}) == 1


def test_a_key_that_met_a_limit_may_be_used_again(rt: Runtime, clock: ManualClock) -> None:
    register(rt, AIDA, AIDA_PHONE)
    with calling(limited(rt, recipient_per_day=1.0)) as caller, ThreadPoolExecutor(8) as pool:
        assert caller.post("/v1/offers", proposal()).status_code == 201
        later = [proposal(reference=f"L-{n}", service="childcare-benefit") for n in range(8)]

        def press(n: int) -> int:
            key = {"Idempotency-Key": f"k-{n}"}
            return caller.post("/v1/offers", later[n], headers=key).status_code

        assert set(pool.map(press, range(8))) == {429}
        clock.advance(timedelta(days=1, seconds=1))
        assert sorted(pool.map(press, range(8)))[0] == 201
