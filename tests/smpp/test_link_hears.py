"""What the link makes of what an SMSC sends, and how it acknowledges."""

import asyncio

import pytest
from msgspec.structs import replace

from smpp.messages import (
    Inbound,
    Receipt,
    ReceiptState,
    Ussd,
    owed,
)
from smpp.pdu import (
    Command,
    Pdu,
    Status,
    Tag,
    pack_sm,
)
from tests.smpp.scripted import (
    MO,
    NOON,
    RECEIPT,
    line,
)

pytestmark = pytest.mark.anyio


async def test_a_message_is_heard_once_and_acknowledged_on_its_connection_only() -> None:
    async with line() as on:
        on.smsc.deliver(MO, 5)
        await on.until(lambda: isinstance(on.said[-1], Inbound))
        inbound = on.said[-1]
        assert isinstance(inbound, Inbound)
        assert (inbound.sender, inbound.destination, inbound.text) == (
            *("+77010000101", "1414", "1"),
        )
        assert (inbound.received_at, inbound.from_phone) == (NOON, True)
        assert on.smsc.of(Command.DELIVER_SM_RESP) == []
        on.link.acknowledge([inbound.acknowledgement])
        await on.until(lambda: on.smsc.of(Command.DELIVER_SM_RESP))
        assert on.smsc.of(Command.DELIVER_SM_RESP) == [Pdu(Command.DELIVER_SM_RESP, 0, 5, b"\0")]
        on.smsc.drop()
        await on.until(lambda: on.smsc.connections == 2 and on.link.is_bound)
        on.link.acknowledge([inbound.acknowledgement])
        await asyncio.sleep(0.03)
        assert len(on.smsc.of(Command.DELIVER_SM_RESP)) == 1


async def test_a_batch_is_acknowledged_with_its_status_in_one_go() -> None:
    async with line() as on:
        for sequence in range(1, 51):
            on.smsc.deliver(MO, sequence)
        await on.until(lambda: sum(isinstance(one, Inbound) for one in on.said) == 50)
        acks = [one.acknowledgement for one in on.said if isinstance(one, Inbound)]
        on.link.acknowledge(acks[:25])
        on.link.acknowledge(acks[25:], Status.ESME_RX_T_APPN)
        await on.until(lambda: len(on.smsc.of(Command.DELIVER_SM_RESP)) == 50)
        answers = on.smsc.of(Command.DELIVER_SM_RESP)
        assert [one.sequence for one in answers] == list(range(1, 51))
        assert {one.status for one in answers[25:]} == {Status.ESME_RX_T_APPN}


async def test_a_receipt_is_a_receipt_also_by_data_sm() -> None:
    async with line() as on:
        fields = replace(MO, esm_class=4, short_message=RECEIPT)
        on.smsc.deliver(fields, 1)
        payload: dict[int, bytes] = {
            Tag.MESSAGE_PAYLOAD: RECEIPT,
            Tag.USER_MESSAGE_REFERENCE: b"\0\x09",
        }
        by_data_sm = replace(fields, short_message=b"", tlvs=payload)
        on.smsc.write(pack_sm(Command.DATA_SM, 2, by_data_sm))
        await on.until(lambda: isinstance(on.said[-1], Receipt) and len(on.said) == 4)
        first, second = on.said[-2:]
        assert isinstance(first, Receipt)
        assert isinstance(second, Receipt)
        assert (first.state, first.phone) == (ReceiptState.DELIVRD, "+77010000101")
        assert "77" in first.message_ids
        assert second.user_message_reference == 9
        on.link.acknowledge(owed([first, second]))
        await on.until(lambda: on.smsc.of(Command.DATA_SM_RESP))


@pytest.mark.parametrize(
    ("ton", "source", "sender", "from_phone"),
    [
        (1, "77010000101", "+77010000101", True),
        (3, "77010000101", "+77010000101", True),
        (0, "87010000101", "+77010000101", True),
        (5, "Kcell", "Kcell", False),
        (3, "1414", "1414", False),
        (1, "6581234567", "+6581234567", True),
    ],
)
async def test_senders_are_phones_or_not(
    ton: int, source: str, sender: str, from_phone: bool
) -> None:
    async with line() as on:
        on.smsc.deliver(replace(MO, source_ton=ton, source=source))
        await on.until(lambda: isinstance(on.said[-1], Inbound))
        inbound = on.said[-1]
        assert isinstance(inbound, Inbound)
        assert (inbound.sender, inbound.from_phone) == (sender, from_phone)


async def test_octets_that_are_no_text_are_heard_without_one() -> None:
    async with line() as on:
        odd = replace(MO, esm_class=0x40, data_coding=8, short_message=b"\xff\x00")
        on.smsc.deliver(odd)
        await on.until(lambda: isinstance(on.said[-1], Inbound))
        inbound = on.said[-1]
        assert isinstance(inbound, Inbound)
        assert (inbound.text, inbound.raw) == (None, b"\xff\x00")


async def test_a_ussd_key_is_heard_with_its_session() -> None:
    async with line() as on:
        tlvs: dict[int, bytes] = {Tag.USSD_SERVICE_OP: b"\x12"}
        tlvs |= {Tag.ITS_SESSION_INFO: b"\x07\x02", Tag.USER_MESSAGE_REFERENCE: b"\x12\x34"}
        on.smsc.deliver(replace(MO, tlvs=tlvs))
        await on.until(lambda: isinstance(on.said[-1], Inbound))
        inbound = on.said[-1]
        assert isinstance(inbound, Inbound)
        assert inbound.ussd == Ussd(18, b"\x07\x02", False, 0x1234, 0)
        assert inbound.from_phone
        assert inbound.user_message_reference == 0x1234
