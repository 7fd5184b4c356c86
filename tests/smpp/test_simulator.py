"""The simulated SMSC on a real socket: handsets by number, USSD, and nothing lost."""

import asyncio
import time

import pytest

from smpp import pdu, receipts, text, ussd
from smpp.handsets import Handset, Received
from smpp.messages import ReceiptState, Ussd, UssdOp
from smpp.pdu import Command, SmFields, Status
from smpp.simulator import Simulator
from smpp.tlv import Tag
from tests.smpp.journey import AT, BIND, QUESTION, Esme, commands, journey, replies, states


def test_a_message_is_answered_received_and_receipted() -> None:
    async def script(smsc: Simulator, esme: Esme) -> None:
        esme.submit("+77000000000", "ә" * 100)
        await smsc.until(lambda: smsc.counts.receipts_delivered == 2)
        assert smsc.handset("+77000000000").messages == [Received("+77000000000", "ә" * 100, AT, 2)]
        ids = [
            pdu.read_c_string_resp(one)
            for one in esme.heard
            if one.command == Command.SUBMIT_SM_RESP
        ]
        parsed = [receipts.read(one, BIND) for one in esme.delivered]
        assert [one and one.message_ids[0] for one in parsed] == ids
        assert len(set(ids)) == 2
        assert [one and one.phone for one in parsed] == ["+77000000000"] * 2

    journey(script)


def test_no_receipt_comes_unasked() -> None:
    async def script(smsc: Simulator, esme: Esme) -> None:
        esme.submit("+77000000000", registered=0)
        esme.submit("+77000000000", registered=2)
        esme.submit("+77000000400", registered=2)
        await smsc.until(lambda: smsc.counts.receipts_delivered == 1)
        assert states(esme) == [ReceiptState.UNDELIV]

    journey(script)


@pytest.mark.parametrize(
    ("number", "answer"),
    [("0100", "Иә"), ("0101", "Да"), ("0200", "Жоқ"), ("0201", "Нет"), ("0900", "Иә")],
)
def test_a_handset_answers_a_question_and_not_a_notice(number: str, answer: str) -> None:
    async def script(smsc: Simulator, esme: Esme) -> None:
        esme.submit("+7700000" + number)
        await smsc.until(lambda: smsc.counts.mo_delivered == 1)
        esme.submit("+7700000" + number, "Жауабыңыз қабылданды. 1414")
        await smsc.until(lambda: len(smsc.handset("+7700000" + number).messages) == 2)
        await asyncio.sleep(0.05)
        assert replies(esme) == [answer]

    journey(script)


def test_the_unclear_handset_says_yes_when_asked_again() -> None:
    async def script(smsc: Simulator, esme: Esme) -> None:
        esme.submit("+77000000300")
        await smsc.until(lambda: smsc.counts.mo_delivered == 1)
        esme.submit("+77000000300")
        await smsc.until(lambda: smsc.counts.mo_delivered == 2)
        assert replies(esme) == ["Ойланамын", "Иә"]

    journey(script)


def test_an_undeliverable_handset_receives_nothing() -> None:
    async def script(smsc: Simulator, esme: Esme) -> None:
        esme.submit("+77000000400")
        await smsc.until(lambda: smsc.counts.receipts_delivered == 1)
        assert states(esme) == [ReceiptState.UNDELIV]
        assert smsc.handset("+77000000400").messages == []

    journey(script)


def test_a_handset_without_receipts_still_shows_the_message() -> None:
    async def script(smsc: Simulator, esme: Esme) -> None:
        esme.submit("+77000000500")
        await smsc.until(lambda: bool(smsc.handset("+77000000500").messages))
        esme.submit("+77000000000")
        await smsc.until(lambda: smsc.counts.receipts_delivered == 1)
        assert smsc.counts.receipts == 1

    journey(script)


def test_a_receipt_may_overtake_its_response() -> None:
    async def script(smsc: Simulator, esme: Esme) -> None:
        esme.submit("+77000000600")
        await smsc.until(lambda: smsc.counts.receipts_delivered == 1)
        await esme.response(2)
        assert commands(esme)[1:] == [Command.DELIVER_SM, Command.SUBMIT_SM_RESP]

    journey(script)


def test_a_receipt_overtakes_its_response_on_another_connection_too() -> None:
    async def script(smsc: Simulator, esme: Esme) -> None:
        await esme.close()
        hears = await Esme(smsc.port).connect()
        await hears.bind(Command.BIND_RECEIVER)
        sends = await Esme(smsc.port).connect()
        await sends.bind(Command.BIND_TRANSMITTER)
        sends.submit("+77000000600")
        await smsc.until(lambda: smsc.counts.receipts_delivered == 1)
        assert Command.SUBMIT_SM_RESP not in commands(sends)
        await sends.response(2)
        assert states(hears) == [ReceiptState.DELIVRD]
        await hears.close()
        await sends.close()

    journey(script)


def test_a_receipt_may_come_twice() -> None:
    async def script(smsc: Simulator, esme: Esme) -> None:
        esme.submit("+77000000700")
        await smsc.until(lambda: smsc.counts.receipts_delivered == 2)
        assert esme.delivered[0] == esme.delivered[1]

    journey(script)


def test_an_answer_may_come_in_three_segments_out_of_order() -> None:
    async def script(smsc: Simulator, esme: Esme) -> None:
        esme.submit("+77000000800")
        await smsc.until(lambda: smsc.counts.mo_delivered == 3)
        parsed = [text.read(one, {}) for one in esme.delivered if receipts.read(one, BIND) is None]
        assert [one.segment and one.segment.number for one in parsed] == [3, 1, 2]
        assert text.joined(parsed)[0] == "Иә, келісемін"

    journey(script)


def test_any_other_phone_gets_its_message_and_keeps_silent() -> None:
    async def script(smsc: Simulator, esme: Esme) -> None:
        esme.submit("+77011234567")
        await smsc.until(lambda: smsc.counts.receipts_delivered == 1)
        await asyncio.sleep(0.02)
        assert replies(esme) == []

    journey(script)


def test_a_reply_that_cannot_be_kept_comes_again() -> None:
    async def script(smsc: Simulator, esme: Esme) -> None:
        statuses = iter([Status.ESME_RX_T_APPN, Status.ESME_RSYSERR, Status.ESME_ROK])
        esme.answers = lambda fields: next(statuses)
        (reply,) = smsc.send("+77011234567", "иә")
        await smsc.until(lambda: smsc.counts.mo_delivered == 1)
        assert (reply.attempts, reply.delivered_at) == (3, AT)
        assert esme.delivered[0] == esme.delivered[1] == esme.delivered[2]

    journey(script)


def test_a_reply_refused_for_good_does_not_come_again() -> None:
    async def script(smsc: Simulator, esme: Esme) -> None:
        esme.answers = lambda fields: Status.ESME_RX_R_APPN
        (reply,) = smsc.send("+77011234567", "иә")
        await smsc.until(lambda: smsc.counts.refused == 1)
        assert (reply.delivered_at, reply.refused_with) == (None, Status.ESME_RX_R_APPN)

    journey(script)


def test_replies_under_way_when_the_link_is_lost_come_again_in_order() -> None:
    async def script(smsc: Simulator, esme: Esme) -> None:
        esme.answers = lambda fields: None
        for said in ("бір", "екі", "үш"):
            smsc.send("+77011234567", said)
        while len(esme.delivered) < 3:
            await asyncio.sleep(0.001)
        smsc.drop()
        await smsc.until(lambda: not smsc.is_bound)
        assert (smsc.undelivered, smsc.counts.redelivered) == (3, 3)
        again = await Esme(smsc.port).connect()
        await again.bind()
        await smsc.until(lambda: smsc.counts.mo_delivered == 3)
        assert replies(again) == ["бір", "екі", "үш"]
        await again.close()

    journey(script)


def test_a_reply_without_an_answer_comes_again_in_time() -> None:
    async def script(smsc: Simulator, esme: Esme) -> None:
        silent = iter([None, 0])
        esme.answers = lambda fields: next(silent)
        smsc.send("+77011234567", "иә")
        await smsc.until(lambda: smsc.counts.mo_delivered == 1)
        assert smsc.counts.redelivered == 1

    journey(script, response_timeout_s=0.05)


def test_replies_wait_while_nobody_is_bound_and_over_a_restart() -> None:
    async def script(smsc: Simulator, esme: Esme) -> None:
        port = smsc.port
        await smsc.stop()
        smsc.send("+77011234567", "иә")
        await smsc.start()
        assert smsc.port == port
        again = await Esme(port).connect()
        await again.bind()
        await smsc.until(lambda: smsc.counts.mo_delivered == 1)
        await again.close()

    journey(script)


def test_segments_leave_in_the_order_asked_and_may_repeat() -> None:
    async def script(smsc: Simulator, esme: Esme) -> None:
        smsc.send("+77011234567", "согласен", segments=2, order=(2, 1, 2))
        await smsc.until(lambda: smsc.counts.mo_delivered == 3)
        assert replies(esme) == ["асен", "согл", "асен"]

    journey(script)


def test_a_handset_keeps_what_its_owner_wrote() -> None:
    async def script(smsc: Simulator, esme: Esme) -> None:
        smsc.send("+77011234567", "согласен", segments=2)
        assert smsc.handset("+77011234567").written == [Received("+77011234567", "согласен", AT, 2)]

    journey(script)


def test_whoever_watches_is_told_of_every_message() -> None:
    async def script(smsc: Simulator, esme: Esme) -> None:
        told: list[tuple[Handset, Received]] = []
        smsc.on_message = lambda handset, received: told.append((handset, received))
        esme.submit("+77011234567")
        await smsc.until(lambda: bool(told))
        assert [(one.phone, received.text) for one, received in told] == [
            ("+77011234567", QUESTION)
        ]

    journey(script)


def answer(esme: Esme, op: UssdOp, shown: str, *, ends: bool = False) -> None:
    session = esme.delivered[-1].tlvs[Tag.ITS_SESSION_INFO]
    coding, octets = ussd.encode(shown)
    fields = SmFields(
        source="1414",
        dest="77011234567",
        dest_ton=1,
        data_coding=coding,
        short_message=octets,
        tlvs=ussd.tlvs(Ussd(op, session, ends)),
    )
    esme.write(pdu.pack_sm(Command.SUBMIT_SM, esme.next(), fields))


def test_a_ussd_session_goes_from_dial_to_the_last_screen() -> None:
    async def script(smsc: Simulator, esme: Esme) -> None:
        handset = smsc.handset("+77011234567")
        smsc.dial(handset.phone, "*1414#")
        await smsc.until(lambda: len(esme.delivered) == 1)
        assert replies(esme) == ["*1414#"]
        answer(esme, UssdOp.USSR_REQUEST, "1. Иә\n2. Жоқ")
        await smsc.until(lambda: len(handset.screens) == 1)
        smsc.key(handset.phone, "1")
        await smsc.until(lambda: len(esme.delivered) == 2)
        answer(esme, UssdOp.PSSR_RESPONSE, "Рахмет", ends=True)
        await smsc.until(lambda: len(handset.screens) == 2)
        ops = [heard.op for one in esme.delivered if (heard := ussd.read(one))]
        assert ops == [UssdOp.PSSR_INDICATION, UssdOp.USSR_CONFIRM]
        sessions = {one.tlvs[Tag.ITS_SESSION_INFO][0] for one in esme.delivered}
        assert len(sessions) == 1
        assert [one.text for one in handset.screens] == ["1. Иә\n2. Жоқ", "Рахмет"]
        with pytest.raises(ValueError, match="no USSD session"):
            smsc.key(handset.phone, "1")
        assert smsc.counts.receipts == 0

    journey(script)


def test_a_handset_that_hangs_up_ends_the_session() -> None:
    async def script(smsc: Simulator, esme: Esme) -> None:
        smsc.dial("+77011234567", "*1414#")
        smsc.hang_up("+77011234567")
        await smsc.until(lambda: len(esme.delivered) == 2)
        heard = ussd.read(esme.delivered[1])
        assert heard is not None and heard.ends
        assert smsc.handset("+77011234567").ussd_session is None

    journey(script)


def test_a_refused_dial_is_not_sent_again() -> None:
    async def script(smsc: Simulator, esme: Esme) -> None:
        esme.answers = lambda fields: Status.ESME_RX_T_APPN
        smsc.dial("+77011234567", "*1414#")
        await smsc.until(lambda: smsc.counts.refused == 1)
        assert smsc.handset("+77011234567").ussd_session is None

    journey(script)


def test_thousands_of_messages_a_second_go_through() -> None:
    async def script(smsc: Simulator, esme: Esme) -> None:
        begun = time.perf_counter()
        for number in range(5_000):
            esme.submit(f"+7700000010{number % 10}")
        await smsc.until(lambda: smsc.counts.mo_delivered == 5_000, 30)
        await smsc.until(lambda: smsc.counts.receipts_delivered == 5_000, 30)
        assert time.perf_counter() - begun < 20

    journey(script)
