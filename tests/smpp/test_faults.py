"""What the simulator can do wrong on command, each thing to submits, receipts or replies."""

import asyncio
from collections.abc import Callable

import pytest

from smpp import pdu, receipts
from smpp.faults import NO_FAULTS, Faults, Flow, Trouble
from smpp.messages import ReceiptState
from smpp.pdu import Command, Status
from smpp.query import QueryFields, pack_query, read_query_resp
from smpp.simulator import Simulator
from smpp.tlv import reference_of
from tests.smpp.journey import BIND, Esme, commands, journey, replies, states

SILENT = "+77000000500"  # a handset whose receipts never come
USUAL = "+77000000000"


async def until(true: Callable[[], object]) -> None:
    async with asyncio.timeout(5):
        while not true():
            await asyncio.sleep(0.001)


def only(kind: str, trouble: Trouble) -> Faults:
    return Faults(**{kind: trouble})  # type: ignore[arg-type]


def ids(esme: Esme) -> list[str]:
    return [
        one.message_ids[0] if one.message_ids else ""
        for fields in esme.delivered
        if (one := receipts.read(fields, BIND))
    ]


def test_every_second_submit_may_be_refused_or_swallowed() -> None:
    async def script(smsc: Simulator, esme: Esme) -> None:
        for _ in range(4):
            esme.submit(SILENT)
        assert [(await esme.response(n)).status for n in (2, 3, 4, 5)] == [0, 0x58, 0, 0x58]
        smsc.faults = Faults(queue_full_every=2)
        esme.submit(SILENT)
        esme.submit(SILENT)
        assert [(await esme.response(n)).status for n in (6, 7)] == [0, 0x14]
        assert smsc.counts.throttled == 3
        smsc.faults = Faults(lose_submits_every=1)
        esme.submit(SILENT)
        await smsc.until(lambda: smsc.counts.submitted == 7)
        assert smsc.counts.lost == 1
        assert len(smsc.handset(SILENT).messages) == 3

    journey(script, faults=Faults(throttle_every=2))


def test_responses_may_be_lost_late_double_or_out_of_order() -> None:
    async def script(smsc: Simulator, esme: Esme) -> None:
        esme.submit(SILENT)
        await smsc.until(lambda: smsc.counts.lost == 1)
        smsc.faults = Faults(responses=Trouble(reorder=True))
        for _ in range(3):
            esme.submit(SILENT)
        await esme.response(5)
        assert [one.sequence for one in esme.heard] == [1, 4, 3, 5]
        smsc.faults = Faults(responses=Trouble(duplicate=True, delay_s=864_000))
        esme.submit(SILENT)
        await esme.response(6)
        await until(lambda: [one.sequence for one in esme.heard].count(6) == 2)
        assert len(smsc.handset(SILENT).messages) == 5

    journey(script, faults=Faults(responses=Trouble(lose_every=1)))


def test_receipts_may_be_lost_late_double_or_out_of_order() -> None:
    async def script(smsc: Simulator, esme: Esme) -> None:
        esme.submit(USUAL)
        await esme.response(2)
        assert smsc.counts.lost == 1
        smsc.faults = Faults(receipts=Trouble(duplicate=True, delay_s=864_000))
        for _ in range(9):
            esme.submit(USUAL)
        await esme.response(11)
        assert states(esme) == []
        await smsc.until(lambda: smsc.counts.receipts_delivered == 18)
        smsc.faults = Faults(receipts=Trouble(reorder=True))
        esme.submit(USUAL)
        esme.submit(USUAL)
        answered = [pdu.read_c_string_resp(await esme.response(n)) for n in (12, 13)]
        await smsc.until(lambda: smsc.counts.receipts_delivered == 20)
        assert ids(esme)[-2:] == answered[::-1]

    journey(script, faults=Faults(receipts=Trouble(lose_every=1)))


def test_replies_may_be_lost_late_double_or_out_of_order() -> None:
    async def script(smsc: Simulator, esme: Esme) -> None:
        smsc.send(USUAL, "1")
        smsc.send(USUAL, "2")
        smsc.faults = Faults(replies=Trouble(reorder=True))
        smsc.send(USUAL, "3")
        smsc.send(USUAL, "4")
        await smsc.until(lambda: smsc.counts.mo_delivered == 3)
        smsc.faults = Faults(replies=Trouble(duplicate=True, delay_s=864_000))
        smsc.send(USUAL, "5")
        await smsc.until(lambda: smsc.counts.mo_delivered == 5)
        assert replies(esme) == ["1", "4", "3", "5", "5"]
        assert smsc.counts.lost == 1

    journey(script, faults=Faults(replies=Trouble(lose_every=2)))


def test_ids_may_be_of_another_base_constant_or_empty() -> None:
    async def script(smsc: Simulator, esme: Esme) -> None:
        esme.submit(USUAL)
        answered = pdu.read_c_string_resp(await esme.response(2))
        await smsc.until(lambda: smsc.counts.receipts_delivered == 1)
        parsed = receipts.read(esme.delivered[-1], BIND)
        assert parsed is not None
        assert answered in parsed.message_ids
        assert parsed.message_ids[0] == str(int(answered, 16))
        for kind, said in (("constant", "msg_id_not_implemented"), ("empty", "")):
            smsc.faults = Faults(ids=kind)  # type: ignore[arg-type]
            esme.submit(USUAL)
            assert pdu.read_c_string_resp(await esme.response(esme._sequence)) == said
        await smsc.until(lambda: smsc.counts.receipts_delivered == 3)
        assert "msg_id_not_implemented" not in ids(esme)

    journey(script, faults=Faults(ids="hex"))


def test_receipts_may_come_by_data_sm_with_the_same_words() -> None:
    async def script(smsc: Simulator, esme: Esme) -> None:
        esme.submit(USUAL)
        answered = pdu.read_c_string_resp(await esme.response(2))
        await smsc.until(lambda: smsc.counts.receipts_delivered == 1)
        assert commands(esme)[-1] == Command.DATA_SM
        assert (ids(esme), states(esme)) == ([answered], [ReceiptState.DELIVRD])

    journey(script, faults=Faults(receipts_by_data_sm=True))


def test_receipts_may_come_by_another_bind() -> None:
    async def script(smsc: Simulator, esme: Esme) -> None:
        other = await Esme(smsc.port).connect()
        await other.bind()
        for one in (esme, other):
            one.submit(USUAL)
            await one.response(2)
        await smsc.until(lambda: smsc.counts.receipts_delivered == 2)
        assert ids(esme) == [pdu.read_c_string_resp(await other.response(2))]
        assert ids(other) == [pdu.read_c_string_resp(await esme.response(2))]
        await other.close()
        esme.submit(USUAL)
        await smsc.until(lambda: smsc.counts.receipts_delivered == 3)

    journey(script, faults=Faults(receipts_elsewhere=True))


@pytest.mark.parametrize("kind", ["responses", "receipts", "replies"])
def test_the_connection_may_end_inside_a_pdu_of_any_kind(kind: str) -> None:
    async def script(smsc: Simulator, esme: Esme) -> None:
        esme.submit("+77000000101")  # answers yes
        await until(lambda: esme.is_over)
        smsc.faults = NO_FAULTS
        again = await Esme(smsc.port).connect()
        await again.bind()
        await smsc.until(lambda: smsc.counts.mo_delivered == smsc.counts.receipts_delivered == 1)
        assert replies(esme) + replies(again)
        assert states(esme) + states(again)
        assert len(smsc.handset("+77000000101").messages) == 1
        await again.close()

    journey(script, faults=only(kind, Trouble(cut_after=1)))


@pytest.mark.parametrize("kind", ["responses", "receipts", "replies"])
def test_the_network_may_unbind_after_a_pdu_of_any_kind(kind: str) -> None:
    async def script(smsc: Simulator, esme: Esme) -> None:
        esme.submit("+77000000101")
        await until(lambda: Command.UNBIND in commands(esme))
        assert not smsc.is_bound
        unbind = next(one for one in esme.heard if one.command == Command.UNBIND)
        esme.write(pdu.pack_resp(Command.UNBIND_RESP, unbind.sequence))
        await until(lambda: esme.is_over)

    journey(script, faults=only(kind, Trouble(unbind_after=1)))


@pytest.mark.parametrize("kind", ["responses", "receipts", "replies"])
def test_a_connection_may_fall_silent_and_what_it_owed_comes_by_the_next(kind: str) -> None:
    async def script(smsc: Simulator, esme: Esme) -> None:
        esme.submit("+77000000101")
        await until(lambda: smsc.counts.submitted and not smsc._out.lines[0].may_deliver)
        esme.write(pdu.pack(Command.ENQUIRE_LINK, esme.next()))
        smsc.faults = NO_FAULTS
        again = await Esme(smsc.port).connect()
        await again.bind()
        await smsc.until(lambda: smsc.counts.mo_delivered == smsc.counts.receipts_delivered == 1)
        assert Command.ENQUIRE_LINK_RESP not in commands(esme)
        assert not esme.is_over
        await again.close()

    faults = only(kind, Trouble(silent_after=1))
    journey(script, faults=faults, response_timeout_s=0.2)


def test_all_connections_fall_silent_on_command() -> None:
    async def script(smsc: Simulator, esme: Esme) -> None:
        smsc.fall_silent()
        esme.submit(USUAL)
        esme.write(pdu.pack(Command.ENQUIRE_LINK, esme.next()))
        fresh = await Esme(smsc.port).connect()
        assert (await fresh.bind()).status == 0
        assert (commands(esme), smsc.counts.submitted) == ([Command.BIND_TRANSCEIVER_RESP], 0)
        await fresh.close()

    journey(script)


def test_the_fate_of_a_message_can_be_asked() -> None:
    async def script(smsc: Simulator, esme: Esme) -> None:
        esme.submit("+77000000400")
        id = pdu.read_c_string_resp(await esme.response(2))
        told = read_query_resp(await esme.asked(pack_query(esme.next(), QueryFields(id))))
        assert told is not None
        assert (told.message_id, told.receipt_state) == (id, ReceiptState.UNDELIV)
        unknown = await esme.asked(pack_query(esme.next(), QueryFields("9")))
        assert unknown.status == Status.ESME_RQUERYFAIL
        assert smsc.counts.queried == 2

    journey(script)


def test_the_reference_of_a_submit_comes_back_in_its_receipt() -> None:
    async def script(smsc: Simulator, esme: Esme) -> None:
        fields = pdu.SmFields(
            source="1414", dest="77000000000", registered_delivery=1, tlvs={0x0204: b"\0\x2a"}
        )
        esme.write(pdu.pack_sm(Command.SUBMIT_SM, esme.next(), fields))
        await smsc.until(lambda: smsc.counts.receipts_delivered == 1)
        assert reference_of(esme.delivered[0].tlvs) == 42

    journey(script)


def test_one_that_waits_to_change_places_leaves_alone_in_the_end() -> None:
    later: list[Callable[[], None]] = []
    gone: list[int] = []
    flow = Flow(lambda seconds, do: later.append(do))
    for n in range(3):
        flow.carry(Trouble(reorder=True), 0, lambda n=n: gone.append(n))  # type: ignore[misc]
    assert gone == [1, 0]
    for do in later:
        do()
    assert gone == [1, 0, 2]
