"""Callers with keys for the API's tests: real servers behind, real HTTP before them."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from app.ledger import keys
from app.ledger.keys import Scope
from app.main import Server, listen
from app.runtime import Runtime

AIDA = "900101300126"
AIDA_PHONE = "+77010000100"
LONG_AGO = "2026-01-01T00:00:00Z"


class Caller:
    """Calls the API with one key."""

    def __init__(self, client: httpx.Client, secret: str, provider: str) -> None:
        self.client, self.secret, self.provider = client, secret, provider

    def get(self, path: str, **more: Any) -> httpx.Response:
        return self.call("GET", path, **more)

    def post(self, path: str, body: object = None, **more: Any) -> httpx.Response:
        return self.call("POST", path, json=body, **more)

    def delete(self, path: str, **more: Any) -> httpx.Response:
        return self.call("DELETE", path, **more)

    def call(self, method: str, path: str, **more: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.secret}"} | more.pop("headers", {})
        return self.client.request(method, path, headers=headers, **more)


@contextmanager
def served(rt: Runtime) -> Iterator[str]:
    """The API on a free port, until left; its address."""
    ready = threading.Event()
    server = Server(rt, ready.set)
    with listen("127.0.0.1", 0) as sock:
        thread = threading.Thread(target=server.run, args=([sock],), name="web")
        thread.start()
        assert ready.wait(10)
        try:
            yield f"http://127.0.0.1:{sock.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(30)
    assert not thread.is_alive()


def plain_http(url: str, timeout: float | None = 30) -> httpx.Client:
    """A client of plain HTTP: loading certificates takes longer than most tests."""
    return httpx.Client(base_url=url, timeout=timeout, verify=False)


@pytest.fixture
def client(rt: Runtime) -> Iterator[httpx.Client]:
    with served(rt) as url, plain_http(url) as opened:
        yield opened


def with_key(rt: Runtime, client: httpx.Client, name: str, *scopes: Scope) -> Caller:
    """A caller with a new key."""
    with rt.unit() as unit:
        key, secret = keys.add(unit.tx, name, scopes, unit.now)
    return Caller(client, secret, key.provider)


@pytest.fixture
def registry(rt: Runtime, client: httpx.Client) -> Caller:
    return with_key(rt, client, "registers", Scope.REGISTRY)


@pytest.fixture
def provider(rt: Runtime, client: httpx.Client) -> Caller:
    return with_key(rt, client, "mtszn", Scope.PROVIDER)


@pytest.fixture
def stranger(rt: Runtime, client: httpx.Client) -> Caller:
    return with_key(rt, client, "another", Scope.PROVIDER)


@pytest.fixture
def auditor(rt: Runtime, client: httpx.Client) -> Caller:
    return with_key(rt, client, "auditors", Scope.AUDITOR)


@pytest.fixture
def operator(rt: Runtime, client: httpx.Client) -> Caller:
    return with_key(rt, client, "operators", Scope.OPERATOR)


@pytest.fixture
def aida(registry: Caller) -> str:
    """The IIN of a recipient with a phone and a consent."""
    person = {
        "iin": AIDA,
        "phone": AIDA_PHONE,
        "language": "kk",
        "network": "kcell",
        "registered_at": LONG_AGO,
    }
    consent = {
        "iin": AIDA,
        "purpose": "personal-data",
        "reference": "C-1",
        "given_at": LONG_AGO,
    }
    assert registry.post("/v1/registry/recipients", {"recipients": [person]}).status_code == 200
    assert registry.post("/v1/registry/consents", {"consents": [consent]}).status_code == 200
    return AIDA


def proposal(iin: str = AIDA, reference: str = "A-1", **more: object) -> dict[str, object]:
    """The body of an offer."""
    return {"service": "birth-benefit", "iin": iin, "reference": reference} | more
