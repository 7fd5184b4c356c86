"""The citizen's live events: in order, none lost, whoever is restarted or flushed meanwhile."""

from collections.abc import Iterator
from datetime import timedelta
from threading import Thread
from uuid import uuid4

import httpx
import pytest

from app import sandbox_issuer
from app.api import auth, streams
from app.api.auth import Caller as Known
from app.clock import ManualClock, system_clock
from app.ledger import feed
from app.ledger.engine import sql
from app.ledger.feed import BEGINNING, as_place
from app.runtime import Runtime
from tests.app.api.citizens import BIRTH, CHILDCARE, asked, citizen, following
from tests.app.api.conftest import Caller, plain_http, served
from tests.app.world import World

STEPS = ("sent", "awaiting", "declined")


@pytest.fixture
def world(rt: Runtime, clock: ManualClock) -> World:
    return World(rt, clock)


@pytest.fixture
def client(world: World) -> Iterator[httpx.Client]:
    with served(world.rt) as url, plain_http(url) as opened:
        yield opened


@pytest.fixture
def aida(world: World, client: httpx.Client) -> Caller:
    return citizen(world, client, world.register("aida", "kk"))


def test_a_stream_tells_what_happens_as_it_happens(world: World, aida: Caller) -> None:
    with following(str(aida.client.base_url), aida.secret) as stream:
        offer_id = str(asked(world))
        assert stream.next().told == ("offer.sent", offer_id)
        awaiting = stream.next()
        assert awaiting.told == ("offer.awaiting", offer_id)
        assert awaiting.data["offer"]["deadline"] and "reference" not in awaiting.data["offer"]
        world.say("1")
        assert stream.next().told == ("offer.accepted", offer_id)


def test_what_was_missed_is_told_on_return_once_and_in_order(world: World, aida: Caller) -> None:
    url = str(aida.client.base_url)
    with following(url, aida.secret) as stream:
        first = str(asked(world))
        seen = [stream.next(), stream.next()]
    world.say("2")
    second = str(asked(world, CHILDCARE))
    expected = [("offer.declined", first), ("offer.sent", second), ("offer.awaiting", second)]
    with following(url, aida.secret, seen[-1].id) as stream:
        assert [stream.next().told for _ in expected] == expected
    with following(url, aida.secret, "0") as stream:
        every = [stream.next() for _ in range(5)]
    assert [e.told for e in every] == [e.told for e in seen] + expected
    places = [as_place(e.id) for e in every]
    assert places == sorted(p for p in places if p is not None)


def test_who_has_seen_no_event_yet_loses_none_either(world: World, aida: Caller) -> None:
    url = str(aida.client.base_url)
    with following(url, aida.secret) as stream:
        begun_at = stream.last_id
    offer_id = str(asked(world))
    with following(url, aida.secret, begun_at) as stream:
        assert stream.next().told == ("offer.sent", offer_id)


def test_no_event_is_lost_over_a_restart_of_the_web_process(world: World) -> None:
    iin = world.register("aida", "kk")
    token = sandbox_issuer.issue(world.rt.settings.paths.data, iin, system_clock())
    told: list[tuple[str, str]] = []
    expected: list[tuple[str, str]] = []
    last_id = None
    for number in range(6):
        with served(world.rt) as url, following(url, token, last_id) as stream:
            for event in expected[len(told) :]:
                told.append(stream.next().told)
                assert told[-1] == event
            offer_id = str(asked(world))
            expected += [("offer.sent", offer_id), ("offer.awaiting", offer_id)]
            if number % 2:  # the process ends with events on their way, or with none
                told += [stream.next().told, stream.next().told]
        stream.thread.join()
        told += [event.told for event in stream.rest()]
        last_id = stream.last_id
        world.say("2")
        expected.append(("offer.declined", offer_id))
    with served(world.rt) as url, following(url, token, last_id) as stream:
        while len(told) < len(expected):
            told.append(stream.next().told)
    assert told == expected


def test_a_stopping_process_ends_its_streams_at_once(world: World) -> None:
    token = sandbox_issuer.issue(
        world.rt.settings.paths.data, world.register("aida", "kk"), system_clock()
    )
    with served(world.rt) as url:
        entered = following(url, token)
        stream = entered.__enter__()
    assert stream.ended()
    entered.__exit__(None, None, None)


def test_nobody_is_told_of_anothers_offers(world: World, aida: Caller) -> None:
    bolat = citizen(world, aida.client, world.register("bolat", "ru"))
    url = str(aida.client.base_url)
    with following(url, aida.secret) as hers, following(url, bolat.secret) as his:
        first = str(asked(world))
        assert hers.next().told == ("offer.sent", first)
        world.say("2")
        second = str(asked(world, BIRTH, "bolat"))
        assert his.next().told == ("offer.sent", second)
        assert {hers.next().told[1], hers.next().told[1]} == {first}


def test_what_waits_for_its_turn_is_not_told(world: World, aida: Caller) -> None:
    asked(world)
    world.clock.advance(timedelta(minutes=1))
    waiting = world.offer(CHILDCARE, "aida")
    world.withdraw(waiting.id)  # type: ignore[union-attr]
    with following(str(aida.client.base_url), aida.secret, "0") as stream:
        assert [stream.next().data["offer"]["service"] for _ in range(2)] == [BIRTH, BIRTH]
        world.say("1")
        assert stream.next().told[0] == "offer.accepted"


@pytest.mark.parametrize("named", ["strange", "9" * 17 + "-0", "1-1-1", "-1", "1" * 99])
def test_a_place_of_another_feed_means_reading_everything_anew(
    world: World, aida: Caller, named: str
) -> None:
    with following(str(aida.client.base_url), aida.secret, named) as stream:
        assert stream.next().data == {"type": "reset"}
        asked(world)
        assert stream.next().told[0] == "offer.sent"


def test_a_flushed_redis_costs_no_event(world: World, aida: Caller) -> None:
    with following(str(aida.client.base_url), aida.secret) as stream:
        world.rt.redis.flushall()
        world.rt.redis.client_kill_filter(_type="pubsub")
        asked(world)
        assert [stream.next().told[0] for _ in range(2)] == ["offer.sent", "offer.awaiting"]


def test_all_streams_of_a_process_share_one_subscription(world: World, aida: Caller) -> None:
    url = str(aida.client.base_url)
    with following(url, aida.secret), following(url, aida.secret), following(url, aida.secret):
        # A process that has just ended may still be leaving.
        while (listening := len(world.rt.redis.client_list(_type="pubsub"))) != 1:
            assert listening


def test_what_commits_late_is_still_told_in_its_place(world: World, aida: Caller) -> None:
    """A transaction that drew its number first and commits last hides nothing."""
    person = uuid4()
    body = '{"n": %d}'
    insert = "INSERT INTO feed (recipient_id, kind, body) VALUES ('{}', 'x', '{}')"
    with world.rt.ledger.begin() as slow:
        slow.execute(sql(insert.format(person, body % 1)))
        with world.rt.ledger.begin() as quick:
            quick.execute(sql(insert.format(person, body % 2)))
        with world.rt.ledger.begin() as reader:
            early = feed.after(reader, BEGINNING, 10, person)
    assert (early.items, early.unsettled) == ([], True)
    with world.rt.ledger.begin() as reader:
        late = feed.after(reader, early.through, 10, person)
    assert [item.body for item in late.items] == [b'{"n": 1}', b'{"n": 2}']
    assert not late.unsettled


def test_a_stream_ends_with_its_token(world: World, aida: Caller) -> None:
    iin = world.people["aida"]
    ends = system_clock() + timedelta(seconds=1)
    short = auth.ticket(world.rt.vault, Known("", frozenset(), iin=iin, expires=ends))
    url, path = str(aida.client.base_url), f"/v1/me/events?ticket={short}"
    with following(url, "", path=path) as stream:
        assert stream.ended()
    assert httpx.get(url + path).status_code == 401


def test_a_ticket_opens_the_events_and_nothing_else(world: World, aida: Caller) -> None:
    made = aida.post("/v1/me/events/tickets")
    assert made.status_code == 201 and made.json()["expires_at"]
    assert world.people["aida"] not in made.text
    with following(str(aida.client.base_url), "", path=made.json()["url"]) as stream:
        asked(world)
        assert stream.next().told[0] == "offer.sent"
    ticket = Caller(aida.client, made.json()["ticket"], "")
    assert ticket.get("/v1/me").status_code == 403
    assert ticket.get("/v1/me/offers?ticket=x").status_code == 403
    for wrong in (made.json()["ticket"][:-6], "jat_", "jat_%00", "jat_é"):
        assert aida.client.get("/v1/me/events", params={"ticket": wrong}).status_code == 401


def test_who_comes_while_others_listen_misses_nothing_either(world: World, aida: Caller) -> None:
    """A stream that begins while the reader is on its way is told what fell between."""
    url = str(aida.client.base_url)
    expected: list[tuple[str, str]] = []
    with following(url, aida.secret) as always:
        for number in range(5):
            service = (BIRTH, CHILDCARE)[number % 2]
            with following(url, aida.secret, always.last_id) as late:
                offer_id = str(asked(world, service))
                world.say("2")
                expected = [(f"offer.{state}", offer_id) for state in STEPS]
                assert [late.next().told for _ in STEPS] == expected
            assert [always.next().told for _ in STEPS] == expected


def test_a_reader_that_falls_far_behind_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    class Full:
        aborted = False

        def abort(self) -> None:
            self.aborted = True

    monkeypatch.setattr(streams, "MOST_WAITING", 3)
    stream = streams.Stream(None, uuid4(), BEGINNING, None, 0)  # type: ignore[arg-type]
    stream.transport = full = Full()  # type: ignore[assignment]
    stream.pause_writing()
    for _ in range(3):
        stream.put(b":")
    assert not stream.ending
    stream.put(b":")
    assert stream.ending and full.aborted


def test_only_citizens_have_events(world: World, aida: Caller, provider: Caller) -> None:
    assert provider.get("/v1/me/events").status_code == 403
    assert aida.client.get("/v1/me/events").status_code == 401
    unknown = citizen(world, aida.client, "900101300126")
    assert unknown.get("/v1/me/events").status_code == 404
    head = aida.call("HEAD", "/v1/me/events")
    assert (head.status_code, head.content) == (200, b"")


def test_an_idle_stream_hears_that_the_other_side_lives(
    world: World, aida: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "HEARTBEAT_S", 0.05)
    with following(str(aida.client.base_url), aida.secret) as stream:
        asked(world)
        assert stream.next().told[0] == "offer.sent"
        while not stream.comments:
            stream.thread.join(0.01)


def test_a_hundred_streams_are_told_by_one_reader(world: World, aida: Caller) -> None:
    url, found = str(aida.client.base_url), []

    def follow() -> None:
        with following(url, aida.secret, "0") as stream:
            found.append([stream.next().told[0] for _ in range(3)])

    threads = [Thread(target=follow) for _ in range(100)]
    for thread in threads:
        thread.start()
    asked(world)
    world.say("1")
    for thread in threads:
        thread.join()
    assert found == [["offer.sent", "offer.awaiting", "offer.accepted"]] * 100
