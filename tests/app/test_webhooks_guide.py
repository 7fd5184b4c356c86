"""docs/webhooks.md is what integrators copy from: its Python runs and its table is ours."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from app import webhooks
from app.clock import system_clock
from app.runtime import Runtime
from tests.app import worker_fixtures as on
from tests.app.worker_fixtures import SECRET, happen, listen, states
from tests.conftest import NOON

GUIDE = (Path(__file__).parents[2] / "docs" / "webhooks.md").read_text(encoding="utf-8")
UNITS = {"s": "seconds", "min": "minutes", "h": "hours"}


@pytest.fixture
def example() -> dict[str, Any]:
    """The names that the guide's Python defines."""
    names: dict[str, Any] = {}
    for source in re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL):
        exec(compile(source, "docs/webhooks.md", "exec"), names)
    return names


def test_the_example_accepts_what_we_sign_and_nothing_else(example: dict[str, Any]) -> None:
    is_from_jauap, body, now = example["is_from_jauap"], b'{"id": "1"}', NOON.timestamp()
    header = webhooks.signature(SECRET.encode(), body, NOON)
    assert is_from_jauap(header, body, SECRET, now)
    assert is_from_jauap(header, body, SECRET, now + 299)
    assert not is_from_jauap(header, body, SECRET, now + 301)
    assert not is_from_jauap(header, body + b" ", SECRET, now)
    assert not is_from_jauap(header, body, SECRET + "x", now)
    assert not is_from_jauap(header.replace("t=1", "t=2"), body, SECRET, now)
    for broken in ("", "t=,v1=", "v1=é", "t=x,v1=y", header.partition(",")[0]):
        assert not is_from_jauap(broken, body, SECRET, now)


def test_a_receiver_made_of_the_examples_takes_every_event_once(
    rt: Runtime, example: dict[str, Any]
) -> None:
    known: set[str] = set()
    latest: dict[str, int] = {}
    with on.provider() as there:

        def answer(headers: dict[str, str], body: bytes) -> int:
            genuine = example["is_from_jauap"](
                headers["Jauap-Signature"], body, SECRET, rt.clock().timestamp()
            )
            return 200 if genuine else 401

        there.answer = answer
        hook, case = listen(rt, there.url), uuid4()
        happen(rt, (case, 2), (case, 3))
        assert webhooks.deliver(rt, hook) == 2
        taken = [example["take"](event, known, latest) for event in there.events * 2]
    assert taken == [True, True, False, False]
    assert latest == {str(case): 3}
    assert [state for state, *_ in states(rt)] == ["done", "done"]


def test_the_table_of_waits_is_ours() -> None:
    rows = re.findall(r"^\| (\d)(?: and later)? \| (\d+) (s|min|h) \|$", GUIDE, re.MULTILINE)
    told = [timedelta(**{UNITS[unit]: int(number)}) for _, number, unit in rows]
    assert told == list(webhooks.WAITS)
    assert [int(attempt) for attempt, *_ in rows] == list(range(1, len(rows) + 1))
    assert "Three days" in GUIDE and timedelta(days=3) == webhooks.PATIENCE
    assert "up to eight at a time" in GUIDE and webhooks.AT_ONCE == 8


def test_the_example_goes_by_the_clock_on_the_wall(example: dict[str, Any]) -> None:
    header = webhooks.signature(SECRET.encode(), b"{}", system_clock())
    assert example["is_from_jauap"](header, b"{}", SECRET)
