"""What comes over the wire and is no call: answered as every other problem, and soon."""

import socket
from uuid import UUID

import httpx
import pytest
import uvloop

from app.api.problems import ProblemBody
from app.api.wire import MOST_HEAD, Wire
from app.main import Server
from app.runtime import Runtime
from tests.app.api.conftest import Caller


def told(client: httpx.Client, octets: bytes) -> tuple[int, httpx.Headers, bytes]:
    """Status, headers and body of what is answered to octets, read until the connection ends."""
    with socket.create_connection((client.base_url.host, client.base_url.port or 80), 10) as there:
        there.sendall(octets)
        answer = b""
        while chunk := there.recv(65536):
            answer += chunk
    head, _, body = answer.partition(b"\r\n\r\n")
    first, *lines = head.decode("ascii").split("\r\n")
    named = dict(line.split(": ", 1) for line in lines)
    return int(first.split()[1]), httpx.Headers(named), body


@pytest.mark.parametrize(
    "octets",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        b"FETCH /v1/offers HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /v1/offers HTTP/1.1\r\nHo st: x\r\n\r\n",
        b"GET /v1/\xff HTTP/1.1\r\nHost: x\r\n\r\n",
        b"POST /v1/offers HTTP/1.1\r\nHost: x\r\nContent-Length: many\r\n\r\n",
        b"POST /v1/offers HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    ],
)
def test_what_is_not_http_is_a_problem_like_any_other(client: httpx.Client, octets: bytes) -> None:
    status, headers, body = told(client, octets)
    assert (status, headers["Content-Type"]) == (400, "application/problem+json")
    assert UUID(headers["X-Correlation-ID"])
    assert headers["X-Content-Type-Options"] == "nosniff"
    problem = httpx.Response(status, content=body).json()
    assert problem["type"] == "/docs#not_http"
    assert set(problem) <= set(ProblemBody.__struct_fields__)


def test_a_head_without_an_end_is_not_read_for_ever(client: httpx.Client) -> None:
    line = b"X-More: " + b"a" * 8000 + b"\r\n"
    endless = b"GET /v1/offers HTTP/1.1\r\nHost: x\r\n" + line * (MOST_HEAD // len(line) + 1)
    status, headers, _ = told(client, endless)
    assert (status, headers["Content-Type"]) == (431, "application/problem+json")


def test_a_long_body_behind_its_head_is_no_long_head(provider: Caller) -> None:
    filled = b'{"offers": []}'.ljust(4 * MOST_HEAD)
    assert provider.call("POST", "/v1/offer-batches", content=filled).status_code == 202


def test_the_web_runs_on_the_fast_loop_and_keeps_connections(rt: Runtime) -> None:
    config = Server(rt).config
    assert config.get_loop_factory() is uvloop.new_event_loop
    assert config.http is Wire
    assert config.timeout_keep_alive > 60  # what proxies keep theirs for
