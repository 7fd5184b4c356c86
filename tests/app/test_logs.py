"""Logs: whatever is logged, by whomever, no phone, IIN or account comes out."""

import json
import logging
from collections.abc import Iterator
from io import StringIO
from uuid import UUID

import pytest
import structlog

from app.logs import MASK, configure, masked

PHONE, IIN, ACCOUNT = "+77010000101", "880101300123", "KZ86125KZT5004100100"
PEOPLE = (PHONE, PHONE[1:], "8" + PHONE[2:], IIN, ACCOUNT, ACCOUNT.lower())


@pytest.fixture
def lines() -> Iterator[StringIO]:
    """What a configured process writes; the former configuration comes back afterwards."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    stream = StringIO()
    configure("test", stream=stream, level=logging.DEBUG)
    yield stream
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.mark.parametrize("person", PEOPLE)
@pytest.mark.parametrize("around", ["{}", "from {} to", "tel:{};", "%2B{}&x", "iin={},", "'{}'"])
def test_a_person_is_masked_wherever_it_stands(person: str, around: str) -> None:
    assert person.lower() not in masked(around.format(person)).lower()


@pytest.mark.parametrize(
    "written", ["+7 701 000 01 01", "+7 (701) 000-01-01", "8 (701) 000 01 01", "8-701-000-01-01"]
)
def test_a_phone_as_people_write_it_is_masked(written: str) -> None:
    assert masked(f"call {written} now") == f"call {MASK} now"


@pytest.mark.parametrize(
    "text",
    [
        "0199a1b2-7d31-7c55-8a3e-880101300123",
        "2026-11-21T03:05:15.123456Z",
        "1414",
        "port 8414",
        "took 0.12345678901234 s",
        "155/НҚ",
    ],
)
def test_ids_times_and_numbers_of_ours_stay_readable(text: str) -> None:
    assert masked(text) == text


def test_every_kind_of_value_is_masked(lines: StringIO) -> None:
    values = [PHONE, int(IIN), PHONE.encode(), {PHONE: {"inner": (IIN, [ACCOUNT])}}, {PHONE}]
    structlog.get_logger("here").info(f"reply from {PHONE}", values=values, source=object())
    written = lines.getvalue()
    assert not any(person in written for person in PEOPLE)
    line = json.loads(written)
    assert line["event"] == f"reply from {MASK}"
    assert (line["level"], line["process"], line["logger"]) == ("info", "test", "here")
    assert line["timestamp"].endswith("Z")


def test_an_exception_is_told_but_not_its_people(lines: StringIO) -> None:
    try:
        raise ValueError(f"no recipient {PHONE} {IIN}")
    except ValueError:
        structlog.get_logger().exception("failed")
    written = lines.getvalue()
    assert "ValueError: no recipient" in json.loads(written)["exception"]
    assert not any(person in written for person in PEOPLE)


def test_other_libraries_are_masked_too(lines: StringIO) -> None:
    logging.getLogger("somebody.else").info("GET %s", f"/v1/offers?phone={PHONE}")
    assert json.loads(lines.getvalue())["event"] == f"GET /v1/offers?phone={MASK}"


def test_addresses_that_are_called_are_not_told_for_they_may_hold_secrets(lines: StringIO) -> None:
    logging.getLogger("httpx").info("HTTP Request: POST %s", "https://hook.example.kz/?token=t")
    logging.getLogger("httpcore.connection").debug("connect_tcp.started host=hook.example.kz")
    assert lines.getvalue() == ""


def test_an_id_and_a_letter_of_any_alphabet_are_written_as_they_are(lines: StringIO) -> None:
    case = UUID("0199a1b2-7d31-7c55-8a3e-880101300123")
    structlog.get_logger().info("Иә", case=case)
    assert json.loads(lines.getvalue())["case"] == str(case)
    assert "Иә" in lines.getvalue()
