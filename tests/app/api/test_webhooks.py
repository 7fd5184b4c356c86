"""Webhooks over HTTP: entered, listed, removed, replayed, and never into a private network."""

from dataclasses import replace
from uuid import UUID

import httpx
import pytest

from app.api.webhooks import wrong_url
from app.ledger.engine import sql
from app.runtime import Runtime
from app.settings import Environment, Settings, Webhooks
from app.webhooks import deliver
from tests.app.api.conftest import Caller, proposal

HOOK = {
    "url": "http://127.0.0.1:9/hook",
    "events": ["offer.withdrawn"],
    "secret": "a secret of sixteen",
}


def test_a_webhook_is_entered_listed_and_removed_without_telling_its_secret(
    provider: Caller, stranger: Caller
) -> None:
    made = provider.post("/v1/webhooks", HOOK)
    assert made.status_code == 201
    assert "secret" not in made.text
    assert provider.get("/v1/webhooks").json() == {"items": [made.json()], "next": None}
    assert stranger.get("/v1/webhooks").json()["items"] == []
    path = f"/v1/webhooks/{made.json()['id']}"
    assert stranger.delete(path).status_code == 404
    gone = provider.delete(path)
    assert (gone.status_code, gone.content) == (204, b"")
    assert provider.delete(path).status_code == 404
    assert provider.get("/v1/webhooks").json()["items"] == []


def test_webhooks_are_listed_page_by_page(provider: Caller) -> None:
    made = [provider.post("/v1/webhooks", HOOK).json()["id"] for _ in range(3)]
    first = provider.get("/v1/webhooks?limit=2").json()
    second = provider.get(f"/v1/webhooks?limit=2&cursor={first['next']}").json()
    assert sorted(h["id"] for h in first["items"] + second["items"]) == sorted(made)


@pytest.mark.parametrize("body", [None, {}, {"since": "2026-01-01T00:00:00Z"}])
def test_past_events_are_replayed(provider: Caller, aida: str, body: object) -> None:
    offer = provider.post("/v1/offers", proposal()).json()
    provider.post(f"/v1/offers/{offer['id']}/withdraw", {"reason": "a mistake"})
    hook = provider.post("/v1/webhooks", HOOK).json()
    path = f"/v1/webhooks/{hook['id']}/replay"
    content = {} if body is None else {"json": body}
    replayed = provider.call("POST", path, **content)
    assert (replayed.status_code, replayed.json()) == (202, {"replayed": 1})


def test_the_log_tells_what_became_of_every_event(
    rt: Runtime, provider: Caller, stranger: Caller, aida: str
) -> None:
    hook = provider.post("/v1/webhooks", HOOK | {"events": ["*"]}).json()
    offer = provider.post("/v1/offers", proposal()).json()
    provider.post(f"/v1/offers/{offer['id']}/withdraw", {"reason": "a mistake"})
    path = f"/v1/webhooks/{hook['id']}/deliveries"
    fresh = provider.get(path).json()["items"]
    assert {one["state"] for one in fresh} == {"due"}
    assert {one["case"] for one in fresh} == {offer["id"]}
    deliver(rt, UUID(hook["id"]))
    first = provider.get(path).json()["items"][-1]
    assert (first["attempts"], first["last_status"]) == (1, None)
    assert first["last_error"].startswith("ConnectError")
    assert first["next_at"] > first["created_at"]
    assert stranger.get(path).status_code == 404


def test_the_log_is_read_page_by_page_and_by_state(provider: Caller, aida: str) -> None:
    hook = provider.post("/v1/webhooks", HOOK).json()
    made: set[str] = set()
    for reference in ("A-1", "A-2"):
        offer = provider.post("/v1/offers", proposal(reference=reference)).json()
        provider.post(f"/v1/offers/{offer['id']}/withdraw", {"reason": "a mistake"})
        made.add(offer["id"])
    path = f"/v1/webhooks/{hook['id']}/deliveries"
    first = provider.get(f"{path}?limit=1").json()
    second = provider.get(f"{path}?limit=1&cursor={first['next']}").json()
    assert {page["items"][0]["case"] for page in (first, second)} == made
    assert second["next"] is None
    assert provider.get(f"{path}?state=parked").json() == {"items": [], "next": None}
    assert len(provider.get(f"{path}?state=due").json()["items"]) == 2


def test_a_replay_into_nowhere_is_not_found(provider: Caller, stranger: Caller) -> None:
    hook = provider.post("/v1/webhooks", HOOK).json()
    assert stranger.post(f"/v1/webhooks/{hook['id']}/replay", {}).status_code == 404
    assert provider.post("/v1/webhooks/x/replay", {}).status_code == 404


@pytest.mark.parametrize(
    "url",
    ["ftp://a.kz/", "//a.kz", "http://", "http://u:p@a.kz/", "http://a.kz/#x", "http://a b.kz/",
     "http://[::1", "http://a.kz:99999/", "http://қаз.kz/"],
)  # fmt: skip
def test_what_is_no_address_is_named(provider: Caller, url: str) -> None:
    answer = provider.post("/v1/webhooks", HOOK | {"url": url})
    assert answer.status_code == 422
    assert [e["field"] for e in answer.json()["errors"]] == ["url"]


@pytest.mark.parametrize("events", [[], ["offer.lost"], "offer.accepted", [1]])
def test_unknown_events_are_refused(provider: Caller, events: object) -> None:
    answer = provider.post("/v1/webhooks", HOOK | {"events": events})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"].startswith("events")


def production(settings: Settings) -> Settings:
    """The same settings outside the sandbox."""
    return replace(settings, environment=Environment.PRODUCTION, webhooks=Webhooks(False))


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "10.0.0.1", "192.168.1.1", "169.254.169.254", "[::1]", "0.0.0.0",
     "[::ffff:127.0.0.1]", "[fd00::1]", "[64:ff9b::7f00:1]", "2130706433", "0x7f.1"],
)  # fmt: skip
def test_no_webhook_leads_into_a_private_network(settings: Settings, host: str) -> None:
    assert wrong_url(f"https://{host}/hook", production(settings)) == "url.private"


def test_in_production_only_https_is_taken(settings: Settings) -> None:
    assert wrong_url("http://8.8.8.8/hook", production(settings)) == "url.https"
    assert wrong_url("https://8.8.8.8/hook", production(settings)) is None
    assert wrong_url("https://nowhere.invalid/", production(settings)) == "url.unresolved"


def test_binds_are_listed_for_operators(rt: Runtime, operator: Caller) -> None:
    with rt.ledger.begin() as tx:
        tx.execute(
            sql(
                "INSERT INTO binds (cid, network, gateway, state, since) SELECT cid, 'kcell', "
                "gen_random_uuid(), 'bound', now() FROM unnest(ARRAY['kcell-1', 'kcell-2']) AS cid"
            )
        )
    first = operator.get("/v1/binds?limit=1").json()
    assert [b["cid"] for b in first["items"]] == ["kcell-1"]
    second: httpx.Response = operator.get(f"/v1/binds?cursor={first['next']}")
    assert [(b["cid"], b["wanted"]) for b in second.json()["items"]] == [("kcell-2", "running")]
