"""Lines about single messages: one each, with what an engineer needs and nobody's words."""

import json
import logging
from collections.abc import Iterator
from datetime import timedelta
from io import StringIO
from uuid import UUID, uuid4

import pytest

from app import logs
from app.gateway import events
from smpp.messages import (
    Acknowledgement,
    Inbound,
    Receipt,
    ReceiptState,
    SegmentOf,
    SubmitOutcome,
    SubmitResult,
    Ussd,
)
from tests.conftest import NOON

PHONE = "+77011234567"
ACK = Acknowledgement("kcell-1", 1, 1, 5)
MT = SubmitResult(
    "kcell-1", "kcell", str(uuid4()), 2, 3, 0, "77011234567-1", SubmitOutcome.ACCEPTED, NOON, PHONE
)
MO = Inbound(
    "kcell-1", "kcell", PHONE, "1414", "құпия", "құпия".encode("utf-16-be"), 8, NOON, ACK,
    SegmentOf(7, 3, 1),
)  # fmt: skip
DLR = Receipt(
    "kcell-1", "kcell", PHONE, ("1234567890123",), ReceiptState.DELIVRD, "000", None,
    NOON + timedelta(seconds=1), ACK,
)  # fmt: skip
KEY = Inbound("kcell-1", "kcell", PHONE, "1414", "1", b"1", 15, NOON, ACK, ussd=Ussd(18))


@pytest.fixture
def log() -> Iterator[StringIO]:
    before = logging.getLogger().handlers[:], logging.getLogger().level
    stream = StringIO()
    logs.configure("gateway", stream=stream, json=True)
    yield stream
    logging.getLogger().handlers[:], level = before
    logging.getLogger().setLevel(level)


def test_every_message_event_is_one_line(log: StringIO) -> None:
    message = uuid4()
    events.tell([MT, MO, DLR, KEY, DLR], [message, None])
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    assert [line["event"] for line in lines] == ["SMS-MT", "SMS-MO", "DLR", "USSD", "DLR"]
    assert {line["cid"] for line in lines} == {"kcell-1"}
    assert UUID(lines[0]["id"]) == UUID(MT.message_id)
    assert (lines[0]["segment"], lines[0]["segments"], lines[0]["status"]) == (2, 3, 0)
    assert lines[0]["outcome"] == "accepted"
    assert (lines[2]["id"], lines[2]["smsc_id"]) == (str(message), "1234567890123")
    assert [line["outcome"] for line in lines if line["event"] == "DLR"] == ["matched", "orphan"]


def test_no_line_holds_words_or_phones(log: StringIO) -> None:
    events.tell([MT, MO, DLR, KEY], [None])
    assert "7011234567" not in log.getvalue()
    assert "құпия" not in log.getvalue()


def test_above_info_no_line_is_made(log: StringIO) -> None:
    logging.getLogger().setLevel(logging.WARNING)
    events.tell([MT, MO, DLR], [None])
    assert log.getvalue() == ""


def test_on_a_terminal_the_lines_are_for_people() -> None:
    before = logging.getLogger().handlers[:], logging.getLogger().level
    stream = StringIO()
    logs.configure("gateway", stream=stream, json=False)
    events.tell([MT], [])
    assert "SMS-MT" in stream.getvalue()
    assert "7011234567" not in stream.getvalue()
    logging.getLogger().handlers[:], level = before
    logging.getLogger().setLevel(level)


def test_a_log_that_cannot_be_written_refuses_nothing(log: StringIO) -> None:
    log.close()
    events.tell([MT], [])
