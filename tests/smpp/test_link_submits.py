"""What the link does with messages to send, against a scripted SMSC."""

import asyncio

import pytest
from msgspec.structs import replace

from smpp.messages import (
    BindEvent,
    SubmitOutcome,
    Ussd,
    UssdOp,
)
from smpp.pdu import (
    Command,
    Status,
    Tag,
    read_sm,
)
from tests.smpp.scripted import (
    line,
    ok,
    quick,
    silence,
    status,
    text,
)

pytestmark = pytest.mark.anyio


async def test_a_message_is_submitted_with_all_that_the_bind_declares() -> None:
    async with line() as on:
        on.link.submit(text(0x1234, "+77010000101"))
        await on.until(lambda: on.results)
        (sent,) = on.smsc.submitted()
        assert (sent.source, sent.source_ton, sent.dest, sent.dest_ton, sent.dest_npi) == (
            *("1414", 3, "77010000101", 1, 1),
        )
        assert (sent.validity, sent.registered_delivery) == ("000000010000000R", 1)
        assert (sent.data_coding, sent.short_message) == (8, "Иә?".encode("utf-16-be"))
        assert sent.tlvs == {Tag.USER_MESSAGE_REFERENCE: b"\x00\xa0"}
        (result,) = on.results
        assert (result.outcome, result.smsc_id) == (SubmitOutcome.ACCEPTED, "id-1")
        assert (result.segment, result.total, result.phone) == (1, 1, "+77010000101")
        assert result.user_message_reference == 0xA0


async def test_a_long_message_has_a_result_for_each_segment() -> None:
    async with line() as on:
        on.link.submit(text(1, words="ә" * 150))
        await on.until(lambda: len(on.results) == 3)
        assert [(one.segment, one.total) for one in on.results] == [(1, 3), (2, 3), (3, 3)]
        assert all(sent.esm_class == 0x40 for sent in on.smsc.submitted())


async def test_a_ussd_screen_is_one_pdu_without_a_receipt() -> None:
    async with line() as on:
        ussd = Ussd(UssdOp.PSSR_RESPONSE, b"\x07\x03", ends=True)
        on.link.submit(replace(text(0x1234, words="ә" * 80), ussd=ussd))
        on.link.submit(replace(text(2, words="ә" * 81), ussd=ussd))
        await on.until(lambda: len(on.results) == 2)
        (sent,) = on.smsc.submitted()
        assert sent.tlvs[Tag.USSD_SERVICE_OP] == b"\x11"
        assert sent.tlvs[Tag.ITS_SESSION_INFO] == b"\x07\x03"
        assert sent.tlvs[Tag.USER_MESSAGE_REFERENCE] == b"\x12\x34"
        assert (sent.registered_delivery, sent.validity, len(sent.short_message)) == (
            0,
            "",
            160,
        )
        assert on.results[0].outcome is SubmitOutcome.PERMANENT


async def test_the_window_is_never_exceeded_and_one_write_fills_it() -> None:
    async with line(quick(window=3, response_timeout=5), submit_sm=silence) as on:
        for n in range(8):
            on.link.submit(text(n))
        assert on.link.free == 0
        await on.until(lambda: len(on.smsc.submitted()) == 3)
        await asyncio.sleep(0.05)
        pending = on.smsc.of(Command.SUBMIT_SM)
        assert len(pending) == 3
        on.smsc.answers = {}
        for pdu in pending:
            ok(on.smsc, pdu)
        await on.until(lambda: len(on.results) == 8)
        assert [one.message_id for one in on.results] == [f"m-{n}" for n in range(8)]


async def test_what_is_flushed_leaves_before_the_loop_turns_and_once() -> None:
    async with line(quick(response_timeout=5), submit_sm=silence) as on:
        on.link.submit(text(1))
        on.link.submit(text(2))
        assert on.link.queued == 2
        on.link.flush()
        on.link.flush()
        assert on.link.queued == 0
        await on.until(lambda: len(on.smsc.submitted()) == 2)
        await asyncio.sleep(0.03)
        assert len(on.smsc.of(Command.SUBMIT_SM)) == 2


async def test_one_recipients_messages_wait_for_one_another() -> None:
    async with line(quick(response_timeout=5), submit_sm=silence) as on:
        for n in (1, 2, 3):
            on.link.submit(text(n, "+77010000101"))
        on.link.submit(text(4))
        await on.until(lambda: len(on.smsc.submitted()) == 2)
        await asyncio.sleep(0.03)
        first, other = on.smsc.of(Command.SUBMIT_SM)
        assert read_sm(other).dest == "77010000004"
        on.smsc.answers = {}
        ok(on.smsc, first)
        ok(on.smsc, other)
        await on.until(lambda: len(on.results) == 4)
        assert [one.message_id for one in on.results] == ["m-1", "m-4", "m-2", "m-3"]


async def test_a_response_that_does_not_come_leaves_the_outcome_unknown_until_it_does() -> None:
    async with line(quick(response_timeout=0.1), submit_sm=silence) as on:
        on.link.submit(text(1))
        await on.until(lambda: on.results)
        assert (on.results[0].outcome, on.results[0].is_late) == (SubmitOutcome.UNKNOWN, False)
        assert on.link.is_bound
        late = on.smsc.of(Command.SUBMIT_SM)[0]
        ok(on.smsc, late)
        await on.until(lambda: len(on.results) == 2)
        assert (on.results[1].outcome, on.results[1].is_late) == (SubmitOutcome.ACCEPTED, True)
        ok(on.smsc, late)
        await asyncio.sleep(0.03)
        assert len(on.results) == 2


async def test_a_late_refusal_leaves_the_outcome_unknown() -> None:
    async with line(quick(response_timeout=0.1), submit_sm=silence) as on:
        on.link.submit(text(1))
        await on.until(lambda: on.results)
        status(Status.ESME_RSYSERR)(on.smsc, on.smsc.of(Command.SUBMIT_SM)[0])
        await asyncio.sleep(0.03)
        assert len(on.results) == 1


@pytest.mark.parametrize(
    ("code", "outcome"),
    [
        (Status.ESME_RINVDSTADR, SubmitOutcome.UNKNOWN_SUBSCRIBER),
        (Status.ESME_RSYSERR, SubmitOutcome.RETRY_LATER),
        (Status.ESME_RINVSRCADR, SubmitOutcome.OTHER_BIND),
        (Status.ESME_RINVMSGLEN, SubmitOutcome.PERMANENT),
        (0x0400, SubmitOutcome.RETRY_LATER),
    ],
)
async def test_an_error_of_the_network_becomes_an_outcome(
    code: int, outcome: SubmitOutcome
) -> None:
    async with line(submit_sm=status(code)) as on:
        on.link.submit(text(1))
        await on.until(lambda: on.results)
        assert (on.results[0].outcome, on.results[0].status) == (outcome, code)


async def test_throttling_pauses_the_bind_probes_once_and_keeps_the_order() -> None:
    slow = (Status.ESME_RTHROTTLED, Status.ESME_RMSGQFUL)
    async with line(quick(window=2, response_timeout=2), submit_sm=status(*slow * 2)) as on:
        for n in range(6):
            on.link.submit(text(n))
        await on.until(lambda: BindEvent.THROTTLED in on.events)
        assert on.link.free == 0
        assert on.link.is_bound
        await on.until(lambda: len(on.results) == 6)
        assert [one.message_id for one in on.results] == [f"m-{n}" for n in range(6)]
        assert {one.outcome for one in on.results} == {SubmitOutcome.ACCEPTED}
        assert on.events[-2:] == [BindEvent.THROTTLED, BindEvent.RESUMED]
        # two refused, then probes of the oldest alone until one went through
        dests = [sent.dest[-1] for sent in on.smsc.submitted()]
        assert dests == ["0", "1", "0", "0", "0", "1", "2", "3", "4", "5"]
        assert on.link.free == 4


async def test_a_segment_throttled_for_ever_is_given_back_and_the_bind_opens() -> None:
    bind = quick(reconnect_delay=0.01, reconnect_delay_max=0.02)
    async with line(bind, submit_sm=status(*[Status.ESME_RTHROTTLED] * 10)) as on:
        on.link.submit(text(1))
        await on.until(lambda: on.results)
        assert on.results[0].outcome is SubmitOutcome.RETRY_LATER
        await on.until(lambda: on.link.free == 20)
        assert on.events[-1] is BindEvent.RESUMED


async def test_throughput_spreads_the_segments() -> None:
    async with line(quick(throughput=100)) as on:
        loop = asyncio.get_running_loop()
        begun = loop.time()
        for n in range(21):
            on.link.submit(text(n))
        await on.until(lambda: len(on.results) == 21)
        assert 0.14 < loop.time() - begun < 0.6


async def test_a_lost_link_says_what_it_does_not_know_and_gives_back_the_rest() -> None:
    async with line(quick(window=2, response_timeout=5), submit_sm=silence) as on:
        for n in range(4):
            on.link.submit(text(n))
        await on.until(lambda: len(on.smsc.submitted()) == 2)
        on.smsc.drop()
        await on.until(lambda: len(on.results) == 4)
        assert [one.outcome for one in on.results] == [
            *[SubmitOutcome.UNKNOWN] * 2,
            *[SubmitOutcome.RETRY_NOW] * 2,
        ]
        assert on.link.up_since is None or on.smsc.connections == 2
        await on.until(lambda: on.link.is_bound)
        assert BindEvent.LOST in on.events
        assert on.smsc.connections == 2
