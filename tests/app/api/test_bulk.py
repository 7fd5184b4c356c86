"""Large bodies one at a time: a bounded number waits, everybody else is told when to come again,
nothing of anybody's is lost, and small calls pass by."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial

import httpx
import pytest

from app.api import bulk
from app.api.bulk import Bulk
from app.api.problems import Problem
from app.bench.people import people
from app.ledger.engine import sql
from app.recipients import actions as registers
from app.recipients.actions import RecipientRow
from app.recipients.records import NewConsent
from app.runtime import Runtime
from tests.app.api.conftest import Caller, proposal

BATCHES = "/v1/offer-batches"
PATIENCE_S = 20.0
EVERYBODY = people(40)
_WAITS = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"


@pytest.fixture(autouse=True)
def everything_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.api.door.LARGE", 100)  # two offers; one alone is not


@pytest.fixture(autouse=True)
def known(rt: Runtime) -> None:
    """Recipients whom any provider may offer anything."""
    now = rt.clock()
    with rt.unit() as unit:
        rows = [RecipientRow(p.iin, p.phone, "kk", "kcell", now) for p in EVERYBODY]
        registers.register_recipients(unit, rows)
        given = [NewConsent(p.iin, "personal-data", p.iin, now, None, None) for p in EVERYBODY]
        registers.register_consents(rt.rooms, unit, given)


def batch(number: int) -> dict[str, object]:
    """A batch of two, of people whom no other batch has."""
    two = EVERYBODY[2 * number : 2 * number + 2]
    return {"offers": [proposal(p.iin, f"A-{p.number}") for p in two]}


def until(ready: Callable[[], object], what: str) -> None:
    end = time.monotonic() + PATIENCE_S
    while not ready():
        assert time.monotonic() < end, what
        time.sleep(0.01)


@contextmanager
def the_first_is_held(rt: Runtime, caller: Caller, pool: ThreadPoolExecutor) -> Iterator[None]:
    """While it lasts, batch 0 is being carried out: another transaction has a reference of it."""
    with rt.ledger.begin() as tx:
        held = sql(
            """INSERT INTO offers (id, provider, reference, service, recipient_id, phone_index,
                facts, state, version, head, created_at)
            VALUES (gen_random_uuid(), :provider, :reference, 'x', gen_random_uuid(), ''::bytea,
                ''::bytea, 'expired', 1, ''::bytea, clock_timestamp())"""
        )
        reference = f"A-{EVERYBODY[0].number}"
        tx.execute(held, {"provider": caller.provider, "reference": reference})
        first = pool.submit(post, caller, 0)
        with rt.ledger.alone() as other:
            until(lambda: other.execute(sql(_WAITS)).scalar_one(), "batch 0 is being made")
        yield
        tx.execute(sql("DELETE FROM offers WHERE service = 'x'"))
    assert first.result().json()["accepted"] == 2


def post(caller: Caller, number: int) -> httpx.Response:
    return caller.post(BATCHES, batch(number), headers={"Idempotency-Key": f"b{number}"})


def refused(answers: list["Future[httpx.Response]"]) -> list[httpx.Response]:
    return [a.result() for a in answers if a.done() and a.result().status_code != 202]


def test_more_batches_than_may_wait_are_told_when_to_come_again_and_nothing_is_lost(
    rt: Runtime, provider: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "MOST", 3)
    with ThreadPoolExecutor(8) as pool:
        with the_first_is_held(rt, provider, pool):
            answers = [pool.submit(post, provider, number) for number in range(1, 7)]
            until(lambda: len(refused(answers)) == 4, "two of six wait, four are refused")
        made = [a.result() for a in answers]
    told = [a for a in made if a.status_code == 503]
    assert len(told) == 4 and all(int(a.headers["Retry-After"]) >= 1 for a in told)
    assert {a.json()["type"] for a in told} == {"/docs#unavailable"}
    for number, answer in enumerate(made, start=1):
        if answer.status_code == 503:
            answer = post(provider, number)
            assert "Idempotency-Replayed" not in answer.headers
        assert (answer.status_code, answer.json()["accepted"]) == (202, 2)
        assert post(provider, number).headers["Idempotency-Replayed"] == "true"
    assert len(provider.get("/v1/offers?limit=100").json()["items"]) == 14


def test_one_key_cannot_keep_the_others_out(
    rt: Runtime, provider: Caller, stranger: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "MOST_OF_ONE", 2)
    with ThreadPoolExecutor(8) as pool:
        with the_first_is_held(rt, provider, pool):
            own = [pool.submit(post, provider, number) for number in (1, 2)]
            until(lambda: refused(own), "one of the two is refused")
            [told] = refused(own)
            other = pool.submit(post, stranger, 3)
        assert (told.status_code, told.json()["type"]) == (429, "/docs#too_many")
        assert int(told.headers["Retry-After"]) >= 1
        assert (other.result().status_code, other.result().json()["accepted"]) == (202, 2)


def test_small_calls_and_strangers_do_not_wait_behind_a_batch(
    rt: Runtime, client: httpx.Client, provider: Caller, registry: Caller
) -> None:
    with ThreadPoolExecutor(2) as pool, the_first_is_held(rt, provider, pool):
        single = provider.post("/v1/offers", proposal(EVERYBODY[30].iin, "single"))
        assert single.status_code == 201
        assert post(registry, 1).status_code == 403
        assert post(Caller(client, "jau_" + "x" * 43, ""), 1).status_code == 401


def test_calls_are_carried_out_in_the_order_they_came_and_one_at_a_time() -> None:
    begun, free = [], threading.Event()

    def call(number: int) -> int:
        begun.append(number)
        assert free.wait(PATIENCE_S)
        return number

    async def ask_all() -> tuple[list[int], list[int]]:
        one = Bulk()
        asked = [asyncio.create_task(one.ask("key", partial(call, n))) for n in range(5)]
        while not begun:
            await asyncio.sleep(0)
        alone = list(begun)
        free.set()
        return alone, await asyncio.gather(*asked)

    alone, answers = asyncio.run(ask_all())
    assert (alone, begun, answers) == ([0], [0, 1, 2, 3, 4], [0, 1, 2, 3, 4])


def test_a_stopping_server_sends_away_who_waits_and_ends_what_has_begun() -> None:
    begun, free = threading.Event(), threading.Event()

    def first() -> str:
        begun.set()
        assert free.wait(PATIENCE_S)
        return "done"

    async def stop() -> tuple[str, list[object]]:
        one = Bulk()
        running = asyncio.create_task(one.ask("key", first))
        await asyncio.to_thread(begun.wait, PATIENCE_S)
        waiting = [asyncio.create_task(one.ask("key", lambda: "never")) for _ in range(2)]
        while one.inside["key"] < 3:
            await asyncio.sleep(0)
        one.close()
        free.set()
        return await running, await asyncio.gather(*waiting, return_exceptions=True)

    done, sent_away = asyncio.run(stop())
    assert done == "done"
    for problem in sent_away:
        assert isinstance(problem, Problem)
        assert (problem.status, problem.headers) == (503, {"Retry-After": "1"})


async def refusal_behind(one: Bulk, inside: int) -> Problem:
    """What the next caller is told while so many are inside, each by a key of its own."""
    free = threading.Event()
    waiting = [
        asyncio.create_task(one.ask(f"{n}", lambda: free.wait(PATIENCE_S))) for n in range(inside)
    ]
    while one.inside.total() < inside:
        await asyncio.sleep(0)
    try:
        with pytest.raises(Problem) as told:
            await one.ask("another", lambda: True)
    finally:
        free.set()
        await asyncio.gather(*waiting)
    return told.value


def test_where_calls_take_long_fewer_may_wait() -> None:
    told = asyncio.run(refusal_behind(Bulk(took=20.0), 2))
    assert (told.status, told.headers) == (503, {"Retry-After": "40"})


def test_who_has_waited_too_long_is_told_to_come_again_and_nothing_is_done(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    done: list[str] = []

    async def refusal() -> object:
        one, begun, free = Bulk(), threading.Event(), threading.Event()

        def hold() -> None:
            begun.set()
            assert free.wait(PATIENCE_S)

        first = asyncio.create_task(one.ask("key", hold))
        second = asyncio.create_task(one.ask("key", lambda: done.append("second")))
        await asyncio.to_thread(begun.wait, PATIENCE_S)
        while one.inside["key"] < 2:
            await asyncio.sleep(0)
        monkeypatch.setattr(bulk, "PATIENCE_S", 0.0)
        free.set()
        return (await asyncio.gather(first, second, return_exceptions=True))[1]

    told = asyncio.run(refusal())
    assert isinstance(told, Problem) and told.status == 503
    assert int(told.headers["Retry-After"]) >= 1 and not done


def test_who_waits_is_told_how_long_by_what_calls_have_taken() -> None:
    told = asyncio.run(refusal_behind(Bulk(took=1.5), bulk.MOST))
    assert told.headers == {"Retry-After": "24"}
