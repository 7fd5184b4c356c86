"""What every call meets before anyone looks at what it wants: keys, limits, languages, headers."""

import json
from collections.abc import Iterator
from dataclasses import replace
from uuid import UUID

import httpx
import pytest

from app import logs
from app.api.reading import LIMIT
from app.ledger import keys
from app.ledger.engine import Ledger, sql
from app.ledger.keys import Scope
from app.runtime import Runtime
from tests.app.api.conftest import Caller, plain_http, proposal, served, with_key

PROBLEM = "application/problem+json"
EVERYWHERE = ("/healthz", "/readyz", "/metrics", "/openapi.json", "/docs")


def fields(answer: httpx.Response) -> list[str]:
    """Which fields a problem names."""
    return [e["field"] for e in answer.json()["errors"]]


@pytest.mark.parametrize("path", EVERYWHERE)
def test_the_open_pages_answer_without_a_key(client: httpx.Client, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 200
    assert answer.headers["X-Correlation-ID"]


def test_without_a_key_nothing_is_answered(client: httpx.Client) -> None:
    for headers in (
        {},
        {"Authorization": "Bearer jau_" + "x" * 43},
        {"Authorization": "Basic eA=="},
    ):
        answer = client.get("/v1/offers", headers=headers)
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
        assert answer.headers["Content-Type"] == PROBLEM


def test_a_key_opens_only_what_it_is_for(provider: Caller, registry: Caller) -> None:
    assert provider.post("/v1/registry/recipients", {"recipients": []}).status_code == 403
    refused = registry.post("/v1/offers", proposal())
    assert refused.status_code == 403
    assert "provider" in refused.json()["detail"]
    assert provider.get("/v1/binds").status_code == 403


def test_a_revoked_key_opens_nothing_from_then_on(rt: Runtime, provider: Caller) -> None:
    assert provider.get("/v1/offers").status_code == 200
    with rt.unit() as unit:
        assert keys.revoke(unit.tx, "mtszn", unit.now)
    assert provider.get("/v1/offers").status_code == 401


def test_a_key_may_have_several_scopes(rt: Runtime, client: httpx.Client) -> None:
    both = with_key(rt, client, "both", Scope.PROVIDER, Scope.OPERATOR)
    assert both.get("/v1/binds").json() == {"items": [], "next": None}
    assert both.get("/v1/offers").status_code == 200


def test_an_unknown_address_is_a_problem_too(client: httpx.Client, provider: Caller) -> None:
    for answer in (client.get("/v1/nothing"), provider.get("/v1/offers/1"), client.get("/")):
        assert answer.status_code == 404
        assert answer.headers["Content-Type"] == PROBLEM
        assert answer.headers["X-Correlation-ID"]


def test_a_wrong_method_is_told_the_right_ones(provider: Caller) -> None:
    answer = provider.call("PUT", "/v1/offers")
    assert answer.status_code == 405
    assert set(answer.headers["Allow"].split(", ")) == {"GET", "HEAD", "POST"}


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b'{"service": }',
        b"\xff\xfe",
        b'{"service":"\xff"}',
        b'{"a":"\\ud800"}',
        b"[" * 99999,
    ],
)
def test_what_is_not_json_is_malformed(provider: Caller, raw: bytes) -> None:
    answer = provider.call("POST", "/v1/offers", content=raw)
    assert (answer.status_code, answer.headers["Content-Type"]) == (400, PROBLEM)


@pytest.mark.parametrize("raw", [b"[]", b"null", b'"x"', b"17", b"12" * 999])
def test_json_that_is_no_object_is_invalid(provider: Caller, raw: bytes) -> None:
    answer = provider.call("POST", "/v1/offers", content=raw)
    assert answer.status_code == 422


@pytest.mark.parametrize(
    "raw",
    [
        b'{"service":"birth-benefit","iin":"900101300126","reference":"A","reference":"B"}',
        b'{"service":"birth-benefit","iin":"900101300126","reference":"A","\\u0072eference":"A"}',
    ],
)
def test_a_body_says_each_thing_once(provider: Caller, raw: bytes) -> None:
    refused = provider.call("POST", "/v1/offers", content=raw)
    assert (refused.status_code, fields(refused)) == (422, ["reference"])


def test_types_are_called_as_json_calls_them(provider: Caller) -> None:
    refused = provider.post("/v1/offers", proposal(reference=5))  # type: ignore[arg-type]
    assert refused.json()["errors"] == [
        {"field": "reference", "detail": "found integer, expected string"}
    ]


def test_every_wrong_field_is_named_at_once(provider: Caller) -> None:
    answer = provider.post("/v1/offers", {"service": 5, "reference": "", "iin": None, "colour": 1})
    assert answer.status_code == 422
    assert sorted(fields(answer)) == ["colour", "iin", "reference", "service"]
    missing = provider.post("/v1/offers", {})
    assert sorted(fields(missing)) == ["iin", "reference", "service"]


def test_a_wrong_field_of_a_row_is_named_by_its_path(provider: Caller, registry: Caller) -> None:
    rows = [proposal(), proposal() | {"reference": 7}, {"service": "birth-benefit"}]
    answer = provider.post("/v1/offer-batches", {"offers": rows})
    assert fields(answer) == ["offers[1].reference", "offers[2].iin", "offers[2].reference"]
    person = {"iin": "1", "phone": "2", "registered_at": "yesterday", "language": "en"}
    answer = registry.post("/v1/registry/recipients", {"recipients": [person]})
    assert fields(answer) == ["recipients[0].registered_at", "recipients[0].language"]


@pytest.mark.parametrize("reference", ["a\u0000b", "a\nb", "ab\n", "x" * 201])
def test_a_reference_has_no_control_characters_and_an_end(provider: Caller, reference: str) -> None:
    assert fields(provider.post("/v1/offers", proposal(reference=reference))) == ["reference"]
    found = provider.get("/v1/offers", params={"reference": reference})
    assert fields(found) == ["reference"]


def test_a_wrong_cursor_is_named(provider: Caller) -> None:
    assert fields(provider.get("/v1/offers?cursor=last")) == ["cursor"]


def test_no_answer_repeats_what_a_person_could_be_known_by(provider: Caller) -> None:
    body = {"iin": 900101300126, "900101300126": "+77010000100", "service": "+77010000100" * 20}
    answer = provider.post("/v1/offers", body)
    assert answer.status_code == 422
    assert "900101300126" not in answer.text and "77010000100" not in answer.text


def test_a_body_over_the_limit_is_refused_whether_or_not_it_says_so(provider: Caller) -> None:
    whole = provider.call("POST", "/v1/offers", content=b" " * (LIMIT + 1))

    def chunks() -> Iterator[bytes]:
        for _ in range(17):
            yield b" " * 65536

    chunked = provider.call("POST", "/v1/offers", content=chunks())
    for answer in (whole, chunked):
        assert (answer.status_code, answer.headers["Content-Type"]) == (413, PROBLEM)
    assert provider.get("/v1/offers").status_code == 200


def test_a_body_at_the_limit_is_read(provider: Caller) -> None:
    filled = json.dumps({"offers": []}).encode().ljust(LIMIT)
    assert provider.call("POST", "/v1/offer-batches", content=filled).status_code == 202


@pytest.mark.parametrize(
    ("wanted", "given"),
    [
        ("kk", "kk"),
        ("ru-RU,ru;q=0.9,en;q=0.8", "ru"),
        ("de, kk;q=0.2, ru;q=0.7", "ru"),
        ("*", "en"),
        ("ru;q=0", "en"),
        ("ru;q=x", "en"),
        ("", "en"),
    ],
)
def test_problems_speak_the_callers_language(client: httpx.Client, wanted: str, given: str) -> None:
    answer = client.get("/v1/nothing", headers={"Accept-Language": wanted})
    assert answer.headers["Content-Language"] == given
    titles = {"kk": "Табылмады", "ru": "Не найдено", "en": "Not found"}
    assert answer.json()["title"] == titles[given]


def test_a_correlation_id_is_sent_back_unless_it_is_strange(client: httpx.Client) -> None:
    kept = client.get("/healthz", headers={"X-Correlation-ID": "abc-1"})
    assert kept.headers["X-Correlation-ID"] == "abc-1"
    made = client.get("/healthz", headers={"X-Correlation-ID": "a b\tc"})
    name = made.headers["X-Correlation-ID"]
    assert UUID(name) and logs.masked(name) == name


def test_metrics_count_by_declared_address_and_hold_nothing_personal(
    client: httpx.Client, provider: Caller, aida: str
) -> None:
    provider.post("/v1/offers", proposal())
    client.get(f"/v1/{aida}")
    numbers = client.get("/metrics").text
    assert 'jauap_http_answers_total{method="POST",route="/v1/offers",status="201"}' in numbers
    assert 'route="none",status="404"' in numbers
    assert aida not in numbers


def test_a_ledger_that_is_away_is_unavailable_and_says_when_to_return(rt: Runtime) -> None:
    away = replace(rt, ledger=Ledger("postgresql://jauap@127.0.0.1:1/jauap"))
    with served(away) as url, plain_http(url) as client:
        answer = client.get("/v1/offers", headers={"Authorization": "Bearer jau_" + "x" * 43})
        assert (answer.status_code, answer.headers["Content-Type"]) == (503, PROBLEM)
        assert int(answer.headers["Retry-After"]) > 0
        ready = client.get("/readyz")
        assert ready.status_code == 503
        assert ready.json() == {"ledger": "does not answer", "redis": "answers"}
        assert client.get("/healthz").status_code == 200


def test_what_nobody_had_foreseen_shows_nothing_outside(rt: Runtime, provider: Caller) -> None:
    with rt.ledger.begin() as tx:
        tx.execute(sql("ALTER TABLE binds RENAME COLUMN wanted TO desired"))
    try:
        with rt.unit() as unit:
            _, secret = keys.add(unit.tx, "operators", [Scope.OPERATOR], unit.now)
        with rt.ledger.begin() as tx:
            tx.execute(
                sql(
                    "INSERT INTO binds (cid, network, gateway, state, since) "
                    "VALUES ('kcell-1', 'kcell', gen_random_uuid(), 'bound', now())"
                )
            )
        answer = Caller(provider.client, secret, "operators").get("/v1/binds")
    finally:
        with rt.ledger.begin() as tx:
            tx.execute(sql("ALTER TABLE binds RENAME COLUMN desired TO wanted"))
    assert (answer.status_code, answer.headers["Content-Type"]) == (500, PROBLEM)
    assert answer.headers["X-Correlation-ID"]
    assert "wanted" not in answer.text and "Traceback" not in answer.text


@pytest.mark.parametrize("query", ["limit=1&limit=2", "limit=null", "cursor=a&cursor=a", "page=1"])
def test_a_query_says_each_thing_once_and_nothing_unknown(provider: Caller, query: str) -> None:
    refused = provider.get(f"/v1/offers?{query}")
    assert (refused.status_code, fields(refused)) == (422, [query.split("=")[0]])
