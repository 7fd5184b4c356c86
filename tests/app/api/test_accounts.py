"""The accounts a provider names, and the choice among them in the app and by webhook."""

import re
from collections.abc import Iterator

import httpx
import msgspec
import pytest

from app.clock import ManualClock
from app.proactive.records import Offer
from app.runtime import Runtime
from smpp.messages import ReceiptState
from tests.app.api.citizens import BIRTH, KK, RU, citizen
from tests.app.api.conftest import Caller, plain_http, proposal, served
from tests.app.world import World

LABELS = ["Kaspi *1234", "Halyk *5678"]


def offered(provider: Caller, accounts: object, service: str = BIRTH) -> httpx.Response:
    return provider.post(
        "/v1/offers", proposal() | {"service": service, "values": {"accounts": accounts}}
    )


@pytest.mark.parametrize(
    ("accounts", "field"),
    [
        ([], "values.accounts"),
        ([f"Kaspi *{n}" for n in range(1000, 1009)], "values.accounts"),
        ("Kaspi *1234", "values.accounts"),
        (["Kaspi *1234", "Halyk 12345"], "values.accounts[1]"),
        (["KZ86125KZT1001300335"], "values.accounts[0]"),
        (["KZ86 125K ZT10 0130 0335"], "values.accounts[0]"),
        (["4400 4301 2345 6789"], "values.accounts[0]"),
        (["4400-43"], "values.accounts[0]"),
        (["٤٤٠٠٤"], "values.accounts[0]"),
        (["ш" * 25], "values.accounts[0]"),
        ([""], "values.accounts[0]"),
        (["Kaspi\n*1234"], "values.accounts[0]"),
        (["Kaspi\u202e*1234"], "values.accounts[0]"),
        (["www.kaspi.kz"], "values.accounts[0]"),
        (["Kaspi *1234", "KASPI *1234"], "values.accounts[1]"),
    ],
)
def test_accounts_that_may_not_be_shown_are_refused_by_their_field(
    provider: Caller, aida: str, accounts: object, field: str
) -> None:
    refused = offered(provider, accounts)
    assert refused.status_code == 422
    assert [e["field"] for e in refused.json()["errors"]] == [field]
    assert "1234" not in refused.text


def test_a_service_that_asks_for_no_account_names_none(provider: Caller, aida: str) -> None:
    refused = offered(provider, LABELS, service="age-pension")
    assert [e["field"] for e in refused.json()["errors"]] == ["values.accounts"]


def test_only_accounts_may_be_a_list(provider: Caller, aida: str) -> None:
    refused = provider.post("/v1/offers", proposal() | {"values": {"kin": ["a"]}})
    assert [e["field"] for e in refused.json()["errors"]] == ["values.kin"]


def test_a_batch_names_the_row_with_wrong_accounts(provider: Caller, aida: str) -> None:
    rows = [proposal() | {"values": {"accounts": ["123456"]}}]
    told = provider.post("/v1/offer-batches", {"offers": rows}).json()
    assert told["accepted"] == 0
    assert [(r["index"], r["gate"]) for r in told["refused"]] == [(0, "invalid")]
    assert told["refused"][0]["detail"].startswith("values.accounts[0]: ")


def test_up_to_eight_masked_accounts_are_taken(provider: Caller, aida: str) -> None:
    made = offered(provider, [f"Kaspi *{n}" for n in range(1000, 1008)])
    assert made.status_code == 201
    assert "accounts" not in made.text


@pytest.fixture
def world(rt: Runtime, clock: ManualClock) -> World:
    return World(rt, clock)


@pytest.fixture
def app(world: World) -> Iterator[Caller]:
    """The app of a person who has said yes by SMS and is asked which account."""
    iin = world.register("aida", "kk")
    made = world.offer(BIRTH, "aida", LABELS)
    assert isinstance(made, Offer)
    world.receipt(ReceiptState.DELIVRD)
    world.say("иә")
    with served(world.rt) as url, plain_http(url) as client:
        yield citizen(world, client, iin)


def test_the_app_shows_the_accounts_as_buttons(world: World, app: Caller) -> None:
    [shown] = app.get("/v1/me/offers", headers=RU).json()["items"]
    assert shown["state"] == "accepted"
    assert [(c["id"], c["label"]) for c in shown["screen"]["choices"]] == [
        ("account1", "Kaspi *1234"),
        ("account2", "Halyk *5678"),
        ("other", "другой"),
    ]


def test_a_choice_in_the_app_is_taken_once_and_handed_over(world: World, app: Caller) -> None:
    path = f"/v1/me/offers/{world.offers[0]}/answer"
    taken = app.post(path, {"choice": "account2"}, headers=KK)
    assert (taken.status_code, taken.json()["state"]) == (200, "accepted")
    assert taken.json()["screen"]["choices"] == []
    assert app.post(path, {"choice": "account2"}).status_code == 200
    assert app.post(path, {"choice": "account1"}).status_code == 422
    query = "SELECT body FROM events WHERE type = 'offer.account'"
    [row] = world.rows(query)
    data = msgspec.json.decode(row.body)["data"]
    assert data["account"] == {
        "choice": "listed", "index": 2, "label": "Halyk *5678", "why": None,
    }  # fmt: skip
    assert data["state"] == "accepted"


def test_the_app_may_repeat_its_yes_while_the_account_is_asked(world: World, app: Caller) -> None:
    path = f"/v1/me/offers/{world.offers[0]}/answer"
    assert app.post(path, {"choice": "yes"}).status_code == 200
    assert app.post(path, {"choice": "no"}).status_code == 409
    assert app.post(path, {"choice": "account3"}).status_code == 422
    assert world.events(world.offers[0]) == ["offer.accepted"]


def test_the_words_about_an_account_are_in_no_row_but_sealed(world: World, app: Caller) -> None:
    """But the event, which the provider is to get as it is."""
    for table in ("journal", "outbox", "offers", "questions", "account_choices"):
        dumped = str([tuple(r) for r in world.rows(f"SELECT * FROM {table}")])
        digits = re.search("(?<![0-9a-f])5678(?![0-9a-f])", dumped)  # a hash may hold them too
        assert digits is None
        assert "Kaspi" not in dumped
