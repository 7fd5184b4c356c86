"""One line a call in the log, by which its answer is found again; nothing personal in it."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from app import logs
from app.ledger import keys
from app.ledger.engine import sql
from app.ledger.keys import Scope
from app.runtime import Runtime
from tests.app.api.conftest import Caller, plain_http, served


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """What is logged as JSON, while it lasts."""
    root, stream = logging.getLogger(), io.StringIO()
    before, level, known = root.handlers[:], root.level, structlog.get_config()
    logs.configure("web", stream=stream, json=True)
    yield stream
    root.handlers[:], root.level = before, level
    structlog.configure(**known)


def told(written: io.StringIO, **wanted: object) -> list[dict[str, Any]]:
    """The lines that say this."""
    lines = [json.loads(line) for line in written.getvalue().splitlines()]
    return [line for line in lines if wanted.items() <= line.items()]


def test_every_answer_is_found_in_the_log_by_its_name(rt: Runtime, written: io.StringIO) -> None:
    with served(rt) as url, plain_http(url) as client:
        refused = client.get("/v1/me/offers", headers={"X-Correlation-ID": "village-7"})
        unnamed = [client.get(f"/v1/offers/{n}") for n in range(40)]
        assert not told(written, event="answered", correlation="nobody")
    [line] = told(written, event="answered", correlation="village-7")
    assert (line["method"], line["route"], line["status"]) == ("GET", "/v1/me/offers", 401)
    assert line["level"] == "info" and line["timestamp"].endswith("Z") and line["ms"] >= 0
    assert refused.headers["X-Correlation-ID"] == "village-7"
    for answer in unnamed:
        assert told(written, event="answered", correlation=answer.headers["X-Correlation-ID"])


def test_a_name_that_is_a_phone_is_sent_back_and_not_logged(
    rt: Runtime, written: io.StringIO
) -> None:
    with served(rt) as url, plain_http(url) as client:
        answer = client.get("/v1/me", headers={"X-Correlation-ID": "77010000100"})
        assert answer.headers["X-Correlation-ID"] == "77010000100"
    assert told(written, event="answered", route="/v1/me")
    assert "77010000100" not in written.getvalue()


@pytest.mark.provokes('ERROR:  column "reference" does not exist')
def test_what_fails_among_many_is_logged_under_its_own_name(
    rt: Runtime, written: io.StringIO
) -> None:
    """Calls that are carried out together in another thread keep their names."""
    with rt.unit() as unit:
        key, secret = keys.add(unit.tx, "mtszn", [Scope.PROVIDER], unit.now)
    with rt.ledger.begin() as tx:
        tx.execute(sql("ALTER TABLE offers RENAME COLUMN reference TO referent"))
    try:
        with served(rt) as url, plain_http(url) as client:
            body = {"service": "birth-benefit", "iin": "900101300126", "reference": "A"}
            headers = {"X-Correlation-ID": "one-of-many"}
            answer = Caller(client, secret, key.provider).post("/v1/offers", body, headers=headers)
    finally:
        with rt.ledger.begin() as tx:
            tx.execute(sql("ALTER TABLE offers RENAME COLUMN referent TO reference"))
    assert answer.status_code == 500
    assert told(written, event="call failed", correlation="one-of-many")
