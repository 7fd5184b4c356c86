"""The simulated SMSC's manners on the wire, good and, on purpose, bad."""

import asyncio

from smpp import pdu, receipts
from smpp.pdu import Command, Status
from smpp.simulator import Faults, Simulator
from tests.smpp.journey import BIND, Esme, commands, journey, states


def test_a_wrong_name_and_a_wrong_password_are_told_apart() -> None:
    async def script(smsc: Simulator, esme: Esme) -> None:
        other = await Esme(smsc.port).connect()
        assert (await other.bind(password="guess")).status == Status.ESME_RINVPASWD
        stranger = pdu.pack_bind(
            Command.BIND_TRANSMITTER, other.next(), pdu.BindFields("other", "secret")
        )
        assert (await other.asked(stranger)).status == Status.ESME_RINVSYSID
        other.submit("+77011234567")
        assert (await other.response(3)).status == Status.ESME_RINVBNDSTS
        assert (await esme.bind()).status == Status.ESME_RALYBND
        await other.close()

    journey(script)


def test_housekeeping_is_answered() -> None:
    async def script(smsc: Simulator, esme: Esme) -> None:
        alive = await esme.asked(pdu.pack(Command.ENQUIRE_LINK, esme.next()))
        assert alive.command == Command.ENQUIRE_LINK_RESP
        odd = await esme.asked(pdu.pack(Command.QUERY_SM, esme.next()))
        assert (odd.command, odd.status) == (Command.GENERIC_NACK, Status.ESME_RINVCMDID)
        cut = await esme.asked(pdu.pack(Command.SUBMIT_SM, esme.next(), 0, b"\0\1"))
        assert cut.status == Status.ESME_RINVCMDLEN
        esme.submit("+1414")
        assert (await esme.response(5)).status == Status.ESME_RINVDSTADR
        gone = await esme.asked(pdu.pack(Command.UNBIND, esme.next()))
        assert gone.command == Command.UNBIND_RESP
        assert not smsc.is_bound

    journey(script)


def test_a_stream_out_of_step_is_closed() -> None:
    async def script(smsc: Simulator, esme: Esme) -> None:
        esme.write(b"\xff" * 16)
        await smsc.until(lambda: not smsc.is_bound)
        assert commands(esme)[-1] == Command.GENERIC_NACK

    journey(script)


def test_every_second_submit_may_be_throttled_or_unanswered() -> None:
    async def script(smsc: Simulator, esme: Esme) -> None:
        for _ in range(4):
            esme.submit("+77000000500")
        assert [(await esme.response(n)).status for n in (2, 3, 4, 5)] == [0, 0x58, 0, 0x58]
        assert smsc.counts.throttled == 2
        smsc.faults = Faults(no_response_every=2)
        for _ in range(2):
            esme.submit("+77000000500")
        await esme.response(6)
        await smsc.until(lambda: smsc.counts.submitted == 6)
        assert len(smsc.handset("+77000000500").messages) == 4
        assert [one.sequence for one in esme.heard if one.sequence == 7] == []

    journey(script, faults=Faults(throttle_every=2))


def test_receipts_may_be_lost_late_or_double_and_ids_of_another_base() -> None:
    async def script(smsc: Simulator, esme: Esme) -> None:
        esme.submit("+77000000000")
        await esme.response(2)
        smsc.faults = Faults(duplicate_receipts=True, hex_ids=True, receipt_delay_s=3600)
        for _ in range(9):
            esme.submit("+77000000000")
        last = await esme.response(11)
        assert states(esme) == []
        await smsc.until(lambda: smsc.counts.receipts_delivered == 18)
        parsed = receipts.read(esme.delivered[-1], BIND)
        answered = pdu.read_c_string_resp(last)
        assert parsed is not None and answered in parsed.message_ids
        assert parsed.message_ids[0] == str(int(answered, 16))

    journey(script, faults=Faults(lose_receipts=True))


def test_the_network_may_unbind_after_some_submits() -> None:
    async def script(smsc: Simulator, esme: Esme) -> None:
        esme.submit("+77000000500")
        esme.submit("+77000000500")
        await smsc.until(lambda: not smsc.is_bound)
        while Command.UNBIND not in commands(esme):
            await asyncio.sleep(0.001)
        unbind = esme.heard[-1]
        esme.write(pdu.pack_resp(Command.UNBIND_RESP, unbind.sequence))
        while not esme.is_over:
            await asyncio.sleep(0.001)

    journey(script, faults=Faults(unbind_after=2))


def test_the_connection_may_end_inside_a_response() -> None:
    async def script(smsc: Simulator, esme: Esme) -> None:
        esme.submit("+77000000500")
        while not esme.is_over:
            await asyncio.sleep(0.001)
        assert commands(esme) == [Command.BIND_TRANSCEIVER_RESP]
        assert len(smsc.handset("+77000000500").messages) == 1

    journey(script, faults=Faults(cut_mid_pdu_after=1))
