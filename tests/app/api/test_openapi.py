"""The document describes what the API does, and the page shows it without the internet."""

import re
from typing import Any

import httpx
import msgspec
import pytest

from app.api.problems import ProblemBody
from app.api.texts import FIELDS, GATES, KINDS
from app.main import ENDPOINTS
from tests.app.wallet.routes import WALLET

ROUTES = {
    ("POST", "/v1/registry/recipients"), ("POST", "/v1/registry/consents"),
    ("POST", "/v1/offers"), ("GET", "/v1/offers"), ("POST", "/v1/offer-batches"),
    ("GET", "/v1/offers/{id}"), ("GET", "/v1/offers/{id}/case"),
    ("POST", "/v1/offers/{id}/withdraw"), ("POST", "/v1/offers/{id}/result"),
    ("POST", "/v1/webhooks"), ("GET", "/v1/webhooks"), ("DELETE", "/v1/webhooks/{id}"),
    ("POST", "/v1/webhooks/{id}/replay"), ("GET", "/v1/webhooks/{id}/deliveries"),
    ("GET", "/v1/binds"),
    ("GET", "/v1/offers/review"), ("POST", "/v1/offers/review/{id}/seen"),
    ("POST", "/v1/previews"), ("POST", "/v1/search"),
    ("POST", "/v1/uploads"), ("GET", "/v1/uploads/{id}"), ("GET", "/v1/uploads/{id}/errors"),
    ("POST", "/v1/campaigns"), ("GET", "/v1/campaigns"), ("GET", "/v1/campaigns/{id}"),
    *(("POST", f"/v1/campaigns/{{id}}/{step}")
      for step in ("dry-run", "schedule", "start", "pause", "resume", "cancel")),
    ("GET", "/v1/me"), ("PATCH", "/v1/me"), ("GET", "/v1/me/offers"),
    ("GET", "/v1/me/offers/{id}"), ("POST", "/v1/me/offers/{id}/answer"),
    ("GET", "/v1/me/consents"), ("POST", "/v1/me/consents"),
    ("GET", "/v1/me/notices"), ("POST", "/v1/me/notices/{id}/read"),
    ("GET", "/v1/me/events"), ("POST", "/v1/me/events/tickets"),
}  # fmt: skip


@pytest.fixture
def document(client: httpx.Client) -> dict[str, Any]:
    found: dict[str, Any] = client.get("/openapi.json").json()
    return found


def test_every_route_is_described_with_its_errors(document: dict[str, Any]) -> None:
    assert document["openapi"] == "3.1.0"
    described = {
        (method.upper(), path)
        for path, methods in document["paths"].items()
        for method in methods
        if path.startswith("/v1/")
    }
    assert described == ROUTES | WALLET
    for method, path in described:
        operation = document["paths"][path][method.lower()]
        assert {"401", "403", "500", "503"} <= set(operation["responses"])
        if method == "POST":
            assert any(p["name"] == "Idempotency-Key" for p in operation["parameters"])


def test_every_reference_of_the_document_leads_somewhere(document: dict[str, Any]) -> None:
    for ref in set(re.findall(r"#/components/[\w/]+", str(document))):
        found = document
        for step in ref.removeprefix("#/").split("/"):
            found = found[step]


def test_every_group_of_operations_is_introduced(document: dict[str, Any]) -> None:
    named = {tag for path in document["paths"].values() for o in path.values() for tag in o["tags"]}
    assert named == {tag["name"] for tag in document["tags"]}


def test_operations_have_different_names(document: dict[str, Any]) -> None:
    names = [o["operationId"] for path in document["paths"].values() for o in path.values()]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda e: e.name)
def test_every_example_is_one_of_its_kind(endpoint: Any) -> None:
    for kind, example in (
        (endpoint.body, endpoint.body_example),
        (endpoint.answer, endpoint.answer_example),
    ):
        assert (kind is None) == (example is None)
        if kind is not None:
            assert msgspec.json.decode(msgspec.json.encode(example), type=kind) == example


def test_every_example_of_a_problem_is_one(document: dict[str, Any]) -> None:
    shown = re.findall(r"'value': (\{'type'.*?\})\}", str(document))
    assert shown
    for path in document["paths"].values():
        for operation in path.values():
            for answer in operation["responses"].values():
                problem = answer.get("content", {}).get("application/problem+json", {})
                for example in problem.get("examples", {}).values():
                    msgspec.convert(example["value"], type=ProblemBody)


def test_every_declared_error_has_a_text() -> None:
    assert {kind for e in ENDPOINTS for kind in e.all_errors} <= set(KINDS)


def test_every_text_names_the_same_values_in_three_languages() -> None:
    texts = [*FIELDS.values(), *GATES.values()]
    texts += [text for kind in KINDS.values() for text in (kind.title, kind.detail)]
    for text in texts:
        named = {frozenset(re.findall(r"\{(\w+)\}", t)) for t in (text.kk, text.ru, text.en)}
        assert len(named) == 1, text


def test_the_page_needs_nothing_from_elsewhere(client: httpx.Client) -> None:
    page = client.get("/docs")
    assert page.headers["Content-Type"].startswith("text/html")
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert not re.findall(r"<script|<link|src=|https?://(?!provider\.example)", page.text)
    for _, path in ROUTES:
        assert path in page.text


def test_the_type_of_every_problem_leads_to_its_explanation(client: httpx.Client) -> None:
    page = client.get("/docs").text
    for kind in KINDS:
        assert f'id="{kind}"' in page
