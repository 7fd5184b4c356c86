"""What may be looked at without changing anything: previews, unclear cases, records on demand."""

from collections.abc import Iterator
from datetime import timedelta

import httpx
import msgspec
import pytest

from app.clock import ManualClock
from app.ledger.keys import Scope
from app.proactive.rules import State
from app.runtime import Runtime
from dialogs.engine.render import segments
from tests.app.api.citizens import asked
from tests.app.api.conftest import Caller, plain_http, served, with_key
from tests.app.world import World


@pytest.fixture
def world(rt: Runtime, clock: ManualClock) -> World:
    return World(rt, clock)


@pytest.fixture
def client(world: World) -> Iterator[httpx.Client]:
    with served(world.rt) as url, plain_http(url) as opened:
        yield opened


# --- previews -----------------------------------------------------------------------------------


def test_a_preview_shows_every_screen_in_both_languages_with_its_segments(
    world: World, provider: Caller
) -> None:
    shown = provider.post("/v1/previews", {"service": "birth-benefit"}).json()["items"]
    by_sms = [s for s in shown if s["surface"] == "sms"]
    assert {s["language"] for s in by_sms} == {"kk", "ru", "both"}
    assert all(s["segments"] == segments(s["body"]) for s in by_sms)
    [question] = [s for s in by_sms if (s["screen"], s["language"]) == ("ask", "kk")]
    world.register("aida", "kk")
    asked(world)
    assert question["body"] == world.mts[-1].message.body
    in_app = [
        s for s in shown if (s["screen"], s["surface"], s["language"]) == ("ask", "app", "ru")
    ]
    assert in_app[0]["choices"] == ["Да", "Нет"]
    assert all(s["units"] <= 80 for s in shown if s["surface"] == "ussd")


def test_a_preview_may_be_of_one_language_and_surface(provider: Caller) -> None:
    body = {"service": "birth-benefit", "language": "ru", "surface": "app"}
    shown = provider.post("/v1/previews", body).json()["items"]
    assert {(s["language"], s["surface"]) for s in shown} == {("ru", "app")}
    unknown = provider.post("/v1/previews", {"service": "nothing"})
    assert (unknown.status_code, unknown.json()["errors"][0]["field"]) == (422, "service")


# --- unclear cases ------------------------------------------------------------------------------


def test_who_cannot_be_understood_waits_for_somebody_to_look(
    world: World, operator: Caller
) -> None:
    world.register("aida", "kk")
    offer_id = asked(world)
    for _ in range(3):
        world.say("Ойланамын")
    [case] = operator.get("/v1/offers/review").json()["items"]
    assert (case["id"], case["state"], case["seen_at"]) == (str(offer_id), "awaiting", None)
    assert world.phone not in msgspec.json.encode(case).decode()
    path = f"/v1/offers/review/{offer_id}/seen"
    seen = operator.post(path, {"note": "Қайта қоңырау шалдық"}).json()
    assert seen["seen_by"] == "operators" and seen["seen_at"]
    assert world.look(offer_id).state is State.AWAITING
    assert [e.kind for e in world.journal(offer_id)][-1] == "review-seen"
    world.say("1")
    assert operator.get("/v1/offers/review").json()["items"] == []
    assert operator.post("/v1/offers/review/strange/seen").status_code == 404


# --- records on demand --------------------------------------------------------------------------


def test_an_authorised_body_gets_what_was_said_with_a_phone_on_a_day(
    world: World, auditor: Caller
) -> None:
    world.register("aida", "kk")
    offer_id = asked(world)
    world.say("Ойланамын")
    received = world.clock()
    world.clock.advance(timedelta(hours=3))
    demand = {"reference": "17-04/12", "received_at": received.isoformat()}
    body = {"phone": "8" + world.phone[2:], "date": received.date().isoformat(), "demand": demand}
    found = auditor.post("/v1/search", body)
    assert found.status_code == 200, found.text
    assert found.json()["due_at"] == (received + timedelta(hours=4)).strftime("%FT%TZ")
    assert not found.json()["is_overdue"]
    [case] = found.json()["cases"]
    assert case["offer"]["id"] == str(offer_id)
    said = [bytes.fromhex(e["said"]["octets"]) for e in case["entries"] if e["said"]]
    assert "Ойланамын".encode("utf-16-be") in said
    [looked] = world.rows("SELECT body FROM journal WHERE kind = 'records-demanded'")
    assert b'"auditors"' in looked.body and world.phone.encode() not in looked.body
    yesterday = (received - timedelta(days=1)).date().isoformat()
    assert auditor.post("/v1/search", body | {"date": yesterday}).json()["cases"] == []
    world.clock.advance(timedelta(hours=2))
    assert auditor.post("/v1/search", body).json()["is_overdue"]


@pytest.mark.parametrize(
    ("change", "field"),
    [({"phone": "me"}, "phone"), ({"date": "31.01.2026"}, "date"), ({"demand": None}, "demand"),
     ({"demand": {"reference": "1", "received_at": "2036-01-01T00:00:00Z"}}, "demand.received_at"),
     ({"date": "9999-12-31"}, "date")],
)  # fmt: skip
def test_a_demand_without_a_phone_or_a_day_is_none(
    auditor: Caller, change: dict[str, object], field: str
) -> None:
    demand = {"reference": "1", "received_at": "2026-01-01T00:00:00Z"}
    body = {"phone": "+77010000100", "date": "2026-01-01", "demand": demand} | change
    refused = auditor.post("/v1/search", body)
    assert refused.status_code == 422
    assert [e["field"] for e in refused.json()["errors"]] == [field]


def test_nobody_else_searches(rt: Runtime, client: httpx.Client) -> None:
    others = [Scope.PROVIDER, Scope.OPERATOR, Scope.REGISTRY]
    assert with_key(rt, client, "others", *others).post("/v1/search", {}).status_code == 403
