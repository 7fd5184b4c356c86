"""A bind that comes up, goes down and comes back, against a scripted SMSC."""

import asyncio
from random import Random

import pytest

from smpp.link import Link
from smpp.messages import (
    BindEvent,
    BindState,
    Heard,
    Inbound,
    SubmitOutcome,
    SubmitResult,
)
from smpp.pdu import (
    Command,
    Pdu,
    Status,
    pack,
    read_bind,
)
from tests.smpp.scripted import (
    MO,
    NOON,
    Smsc,
    line,
    ok,
    opened,
    quick,
    silence,
    status,
    text,
)

pytestmark = pytest.mark.anyio


async def test_a_bind_says_who_it_is_and_is_up_from_then_on() -> None:
    async with line(quick(address_range="1414", system_type="VMA")) as on:
        fields = read_bind(on.smsc.heard[0])
        assert (fields.system_id, fields.password) == ("jauap", "secret")
        assert (fields.system_type, fields.address_range) == ("VMA", "1414")
        assert on.events == [BindEvent.CONNECTING, BindEvent.BOUND]
        assert on.link.up_since == NOON
        assert on.link.free == 20


@pytest.mark.parametrize("kind", ["transmitter", "receiver", "transceiver"])
async def test_each_kind_of_bind_asks_for_itself(kind: str) -> None:
    async with line(quick(bind=kind)) as on:
        assert on.smsc.heard[0].command == Command[f"BIND_{kind.upper()}"]


async def test_nothing_is_submitted_while_not_bound() -> None:
    said: list[Heard] = []
    link = Link(quick(), said.append, lambda: NOON)
    assert (link.free, link.is_bound, link.up_since) == (0, False, None)
    link.submit(text(1))
    (result,) = said
    assert isinstance(result, SubmitResult)
    assert result.outcome is SubmitOutcome.RETRY_NOW
    await link.stop()


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (Status.ESME_RINVPASWD, "password"),
        (Status.ESME_RALYBND, "bound already"),
        (Status.ESME_RBINDFAIL, "refuses the bind"),
        (Status.ESME_RINVSYSID, "does not know this system_id"),
        (0x0411, "0x411"),
    ],
)
async def test_a_refused_bind_says_why_and_tries_again(code: int, words: str) -> None:
    async with line(bind_transceiver=status(code)) as on:
        refused = next(one for one in on.states if one.event is BindEvent.REFUSED)
        assert refused.status == code
        assert words in refused.reason
        assert on.smsc.connections == 2
        assert BindEvent.LOST not in on.events


async def test_a_bind_without_an_answer_is_given_up_and_tried_again() -> None:
    smsc = Smsc({Command.BIND_TRANSCEIVER: silence})
    async with opened(smsc, quick(response_timeout=0.1)) as on:
        await on.until(lambda: smsc.connections == 2)
        lost = next(one for one in on.states if one.event is BindEvent.LOST)
        assert lost.reason == "no response to bind within 0.1 s"


async def test_a_dead_smsc_is_noticed_within_the_interval_and_the_timeout() -> None:
    async with line(quick(enquire_link_interval=0.1, response_timeout=0.1)) as on:
        await on.until(lambda: on.smsc.of(Command.ENQUIRE_LINK))
        assert on.link.is_bound
        on.smsc.is_deaf = True
        await on.until(lambda: BindEvent.LOST in on.events, within_s=0.4)
        assert "nothing heard" in on.states[-1].reason


async def test_nothing_listening_is_said_in_words_and_tried_with_growing_pauses() -> None:
    said: list[Heard] = []
    link = Link(quick(port=1, host="127.0.0.1"), said.append, lambda: NOON, jitter=Random(1))
    running = asyncio.create_task(link.run())
    await asyncio.sleep(0.25)
    await link.stop()
    await running
    states = [one for one in said if isinstance(one, BindState)]
    lost = [one for one in states if one.event is BindEvent.LOST]
    assert lost[0].reason == "nothing listens at 127.0.0.1:1"
    assert 2 <= len(lost) <= 6
    assert states[-1].event is BindEvent.STOPPED


async def test_an_unbind_of_the_network_is_answered_and_we_come_back() -> None:
    async with line() as on:
        on.smsc.write(pack(Command.UNBIND, 9))
        await on.until(lambda: on.smsc.connections == 2 and on.link.is_bound)
        assert on.smsc.of(Command.UNBIND_RESP) == [Pdu(Command.UNBIND_RESP, 0, 9)]
        assert BindEvent.UNBOUND in on.events
        assert BindEvent.LOST not in on.events


async def test_nonsense_on_the_wire_ends_the_connection_and_not_the_link() -> None:
    async with line() as on:
        on.smsc.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await on.until(lambda: on.smsc.connections == 2 and on.link.is_bound)
        (nack,) = on.smsc.of(Command.GENERIC_NACK)
        assert nack.status == Status.ESME_RINVCMDLEN


async def test_a_suspended_bind_hears_and_does_not_send() -> None:
    async with line(quick(window=1, response_timeout=5), submit_sm=silence) as on:
        on.link.submit(text(1))
        on.link.submit(text(2))
        await on.until(lambda: on.smsc.submitted())
        on.link.suspend()
        on.link.submit(text(3))
        assert [(one.message_id, one.outcome) for one in on.results] == [
            ("m-2", SubmitOutcome.RETRY_NOW),
            ("m-3", SubmitOutcome.RETRY_NOW),
        ]
        assert on.link.free == 0
        on.smsc.deliver(MO)
        await on.until(lambda: isinstance(on.said[-1], Inbound))
        on.link.resume()
        assert on.link.free == 2
        assert on.events[-2:] == [BindEvent.SUSPENDED, BindEvent.RESUMED]


async def test_stopping_waits_for_the_window_and_unbinds() -> None:
    async with line(quick(window=1, response_timeout=5), submit_sm=silence) as on:
        on.link.submit(text(1))
        on.link.submit(text(2))
        await on.until(lambda: on.smsc.submitted())
        stopping = asyncio.create_task(on.link.stop(drain_s=5))
        await asyncio.sleep(0.05)
        assert not on.smsc.of(Command.UNBIND)
        on.link.submit(text(3))
        ok(on.smsc, on.smsc.of(Command.SUBMIT_SM)[0])
        await stopping
        assert on.smsc.heard[-1].command == Command.UNBIND
        assert {one.message_id: one.outcome for one in on.results} == {
            "m-1": SubmitOutcome.ACCEPTED,
            "m-2": SubmitOutcome.RETRY_NOW,
            "m-3": SubmitOutcome.RETRY_NOW,
        }
        assert on.events[-2:] == [BindEvent.UNBOUND, BindEvent.STOPPED]


async def test_stopping_does_not_wait_longer_than_it_is_told() -> None:
    quiet = {"submit_sm": silence, "unbind": silence}
    async with line(quick(response_timeout=0.2), **quiet) as on:
        on.smsc.deliver(MO)  # never acknowledged
        await on.until(lambda: isinstance(on.said[-1], Inbound))
        on.link.submit(text(1))
        await on.until(lambda: on.smsc.submitted())
        async with asyncio.timeout(1):
            await on.link.stop(drain_s=0.05)
        assert on.results[-1].outcome is SubmitOutcome.UNKNOWN
        assert on.events[-1] is BindEvent.STOPPED
