"""Links in trouble: what breaks them, what hangs, and what they count meanwhile."""

import asyncio

import pytest
from msgspec.structs import replace

from smpp import connection
from smpp.messages import BindEvent, SubmitOutcome, Ussd, UssdOp
from smpp.pdu import Command, Pdu, Status, pack, pack_sm, read_sm
from tests.smpp.scripted import MO, NOON, Smsc, line, ok, quick, silence, status, text

pytestmark = pytest.mark.anyio

POISON = "77010000003"


def breaks_by_poison(smsc: Smsc, pdu: Pdu) -> None:
    if read_sm(pdu).dest == POISON:
        smsc.drop()
    else:
        silence(smsc, pdu)


async def test_one_message_that_breaks_the_link_does_not_take_the_others_with_it() -> None:
    async with line(quick(response_timeout=5), submit_sm=breaks_by_poison) as on:
        for n in range(6):
            on.link.submit(text(n))
        await on.until(lambda: len(on.results) == 6)
        assert {one.outcome for one in on.results} == {SubmitOutcome.UNKNOWN}
        assert not any(one.broke_link for one in on.results)
        on.smsc.answers[Command.SUBMIT_SM] = lambda smsc, pdu: (
            smsc.drop() if read_sm(pdu).dest == POISON else ok(smsc, pdu)
        )
        await on.until(lambda: on.link.is_bound)
        for n in (0, 1, 2, 4, 5, 3):
            on.link.submit(text(n))
        await on.until(lambda: len(on.results) == 12)
        again = {one.message_id: one for one in on.results[6:]}
        assert again["m-3"].outcome is SubmitOutcome.UNKNOWN
        assert again["m-3"].broke_link
        del again["m-3"]
        assert {one.outcome for one in again.values()} == {SubmitOutcome.ACCEPTED}


async def test_a_network_that_reads_nothing_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "MOST_UNREAD", 200_000)
    async with line(quick(enquire_link_interval=30, response_timeout=30)) as on:
        assert on.smsc.writer is not None
        on.smsc.writer.transport.pause_reading()  # type: ignore[attr-defined]
        flood = pack(Command.ENQUIRE_LINK, 1) * 1_000
        while BindEvent.LOST not in on.events:
            on.smsc.write(flood)
            await asyncio.sleep(0)
        assert on.states[-1].reason == "the network does not read what we send"


async def test_a_dead_connection_leaves_nothing_behind() -> None:
    async with line(quick(enquire_link_interval=0.1, response_timeout=0.1)) as on:
        first = on.smsc.writer
        assert first is not None
        on.smsc.is_deaf = True
        await on.until(lambda: BindEvent.LOST in on.events)
        await on.until(lambda: first.transport.is_closing())
        on.smsc.is_deaf = False
        await on.until(lambda: on.link.is_bound)
        assert on.smsc.connections >= 2


async def test_a_length_that_cannot_be_true_is_said_in_words() -> None:
    async with line() as on:
        on.smsc.write(b"\xff\xff\xff\xff\0\0\0\5\0\0\0\0\0\0\0\1")
        await on.until(lambda: BindEvent.LOST in on.events)
        lost = next(one for one in on.states if one.event is BindEvent.LOST)
        assert lost.status == Status.ESME_RINVCMDLEN
        assert lost.reason.startswith("command_length 4294967295, expected 16 to 65536")


async def test_a_screen_that_cannot_go_is_not_to_be_sent_again() -> None:
    screen = replace(text(1), ussd=Ussd(UssdOp.USSR_REQUEST))
    async with line(submit_sm=status(Status.ESME_RTHROTTLED, Status.ESME_RSYSERR)) as on:
        on.link.submit(screen)
        await on.until(lambda: len(on.results) == 1)
        await on.until(lambda: on.link.free)
        on.link.submit(replace(screen, id="m-2"))
        await on.until(lambda: len(on.results) == 2)
        on.link.suspend()
        on.link.submit(replace(screen, id="m-3"))
        assert [one.outcome for one in on.results] == [SubmitOutcome.PERMANENT] * 3
        assert len(on.smsc.submitted()) == 2


async def test_a_link_counts_what_it_does() -> None:
    codes = (Status.ESME_RTHROTTLED, Status.ESME_RINVDSTADR, 0x0411)
    bind = quick(enquire_link_interval=0.1)
    async with line(bind, submit_sm=status(*codes)) as on:
        counters = on.link.counters
        for n in range(4):
            on.link.submit(text(n))
            await on.until(lambda n=n: len(on.results) == n + 1)  # type: ignore[misc]
        on.smsc.deliver(MO)
        on.smsc.write(pack_sm(Command.DATA_SM, 2, replace(MO, short_message=b"")))
        on.smsc.write(pack(Command.ENQUIRE_LINK, 3))
        on.smsc.write(pack(Command.ALERT_NOTIFICATION, 4, 0, b"\1\0001\0\1\0002\0"))
        on.smsc.write(pack(0x0001_0200, 5) + pack(Command.GENERIC_NACK, 0, 3))
        await on.until(lambda: counters.elink_count and counters.generic_nack_count)
        assert (counters.connected_count, counters.bound_count) == (1, 1)
        assert (counters.submit_sm_request_count, counters.submit_sm_count) == (5, 2)
        assert (counters.throttling_error_count, counters.other_submit_error_count) == (1, 2)
        assert counters.submit_sm_resp == {
            "ESME_RTHROTTLED": 1,
            "ESME_RINVDSTADR": 1,
            "0x411": 1,
            "ESME_ROK": 2,
        }
        assert (counters.deliver_sm_count, counters.data_sm_count) == (1, 1)
        assert counters.elink_received_count == counters.alert_notification_count == 1
        assert counters.refused_pdu_count == counters.generic_nack_count == 1
        assert counters.last_received_elink_at == counters.last_sent_elink_at == NOON
        assert counters.last_received_pdu_at == counters.last_sent_pdu_at == NOON
        on.smsc.drop()
        await on.until(lambda: counters.bound_count == 2)
        assert counters.disconnected_count == 1
