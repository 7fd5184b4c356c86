"""Who may what: every route with every kind of caller, and what one provider knows of another."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest

from app import sandbox_issuer
from app.api.auth import CITIZEN, FOLLOWER, ticket
from app.api.auth import Caller as Known
from app.api.routing import Endpoint
from app.clock import system_clock
from app.ledger import keys
from app.ledger.keys import Scope
from app.main import ENDPOINTS
from app.runtime import Runtime
from tests.app.api.conftest import Caller, plain_http, proposal, served
from tests.e2e.house import iin

NOBODY = "nobody"
CALLERS = (*(str(scope) for scope in Scope), CITIZEN, FOLLOWER, NOBODY)
AN_ID = "019c1234-5678-7abc-8def-0123456789ab"
STRANGER = iin(4321)  # whatever other tests have left in the ledger, nobody has this one


@pytest.fixture(scope="module")
def doors(opened: Runtime) -> Iterator[tuple[httpx.Client, dict[str, str]]]:
    """The API, and a token for each kind of caller. Nothing here gets past the door, or it fails
    on what it sent: so one server serves the whole table. Were the
    citizen known here, their stream of events would begin and never end."""
    now = system_clock()
    with opened.unit() as unit:
        tokens = {
            str(scope): keys.add(unit.tx, f"table-{scope}-{unit.now.timestamp()}", [scope], now)[1]
            for scope in Scope
        }
    tokens[CITIZEN] = sandbox_issuer.issue(opened.settings.paths.data, STRANGER, now)
    tokens[FOLLOWER] = ticket(opened.vault, Known("", frozenset(), iin=STRANGER))
    with served(opened) as url, plain_http(url) as client:
        yield client, tokens


@pytest.mark.parametrize("who", CALLERS)
@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda e: e.name)
def test_every_route_opens_to_its_scopes_and_to_nobody_else(
    doors: tuple[httpx.Client, dict[str, str]], endpoint: Endpoint, who: str
) -> None:
    client, tokens = doors
    path = re.sub(r"\{\w+\}", AN_ID, endpoint.path)
    headers = {"Authorization": f"Bearer {tokens[who]}"} if who in tokens else {}
    content = b'{"nonsense": 1}' if endpoint.body is not None else None
    answer = client.request(endpoint.method, path, headers=headers, content=content)
    if who == NOBODY:
        assert answer.status_code == 401
    elif who in endpoint.scopes:
        assert answer.status_code not in (401, 403) and answer.status_code < 500
    else:
        assert answer.status_code == 403


@dataclass(frozen=True, slots=True)
class Try:
    """What a stranger tries on another provider's things."""

    method: str
    path: str
    body: object = None


TRIES = (
    Try("GET", "/v1/offers/{offer}"),
    Try("GET", "/v1/offers/{offer}/case"),
    Try("POST", "/v1/offers/{offer}/withdraw", {"reason": "x"}),
    Try("POST", "/v1/offers/{offer}/result", {"result": "rendered"}),
    Try("DELETE", "/v1/webhooks/{hook}"),
    Try("POST", "/v1/webhooks/{hook}/replay", {}),
)


@pytest.mark.parametrize("one", TRIES, ids=lambda t: f"{t.method} {t.path}")
def test_a_stranger_cannot_tell_anothers_things_from_none(
    one: Try, provider: Caller, stranger: Caller, aida: str
) -> None:
    offer = provider.post("/v1/offers", proposal()).json()
    hook = {"url": "http://127.0.0.1:9/", "events": ["*"], "secret": "sixteen letters!"}
    made = provider.post("/v1/webhooks", hook).json()
    path = one.path.format(offer=offer["id"], hook=made["id"])
    nothing = re.sub(r"[0-9a-f-]{36}", AN_ID, path)
    found, absent = (stranger.call(one.method, where, json=one.body) for where in (path, nothing))
    assert found.status_code == absent.status_code == 404
    assert found.json() == absent.json()
    assert provider.get(f"/v1/offers/{offer['id']}").json() == offer
    assert len(provider.get("/v1/webhooks").json()["items"]) == 1


def test_lists_show_only_ones_own(provider: Caller, stranger: Caller, aida: str) -> None:
    provider.post("/v1/offers", proposal())
    for path in ("/v1/offers", "/v1/offers?reference=A-1", "/v1/offers?state=made"):
        assert stranger.get(path).json() == {"items": [], "next": None}
    cursor = provider.get("/v1/offers").json()["items"][0]["id"]
    assert stranger.get(f"/v1/offers?cursor={cursor}").json()["items"] == []


def test_references_and_idempotency_keys_are_each_providers_own(
    provider: Caller, stranger: Caller, aida: str
) -> None:
    key = {"Idempotency-Key": "the-same"}
    first = provider.post("/v1/offers", proposal(), headers=key)
    assert first.status_code == 201
    other = stranger.post("/v1/offers", proposal(service="childcare-benefit"), headers=key)
    assert other.status_code == 201 and other.json()["id"] != first.json()["id"]
