"""The OpenAPI 3.1 document, written from the same declarations that validate calls."""

from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any

import msgspec

from app.api.auth import CITIZEN
from app.api.checking import MOST_FAULTS
from app.api.idempotency import HEADER, REPLAYED
from app.api.problems import MEDIA_TYPE, FieldError, Problem, ProblemBody, Refused
from app.api.routing import Document, Endpoint, Nothing
from app.api.texts import DEFAULT, KINDS

Json = dict[str, Any]

TAGS: Mapping[str, str] = {
    "operation": "Health, numbers and this document.",
    "registry": "Recipients and consents, mirrored from the state registers.",
    "offers": "Offers, their states and case files.",
    "offer-batches": "Many offers at once.",
    "uploads": "Files of proposals.",
    "campaigns": "Uploads that are offered over time.",
    "previews": "What a recipient would read.",
    "search": "Records on a written demand.",
    "me": "The citizen's own inbox, answers, consents and events.",
    "notices": "Measures of support that people are told of.",
    "notice-batches": "Many notices at once.",
    "decisions": "Decisions on measures, told within a working day.",
    "grants": "Measures that were granted, used and closed.",
    "wallet": "Cases, effects and connected systems of the social wallet.",
    "webhooks": "Where providers are told of outcomes.",
    "binds": "The links to the networks.",
}
_REFS = "#/components/schemas/{name}"
_SAMPLE_VALUES: dict[str, object] = {
    "scopes": "provider",
    "methods": "GET",
    "state": "accepted",
    "types": "text/csv, application/x-ndjson",
    "limit": 1048576,
    "answer": "yes",
}
_SAMPLE_REFUSALS = {
    "refused": Refused("consent_given", "155:3", "gate.consent_given.missing"),
    "too_late": Refused("reply_window", "155:4", "gate.reply_window.closed"),
}
_CORRELATION = {
    "description": "Names this call in our logs; sent back as given, or made by us.",
    "schema": {"type": "string", "pattern": "^[A-Za-z0-9._-]{1,64}$"},
}
_INTRODUCTION = f"""Asks citizens of Kazakhstan whether the state should render a service, and hands
their answer over. Times are UTC, phones E.164, ids opaque. Problems are `{MEDIA_TYPE}` in the
language of `Accept-Language` (kk, ru, en). Every POST takes `{HEADER}`: the same key and body get
the first answer again, with `{REPLAYED}: true`. Bodies are at most 1 MiB of JSON; unknown fields
are refused, and up to {MOST_FAULTS} wrong fields are named at once."""


def document(endpoints: Sequence[Endpoint]) -> Json:
    """The document that /openapi.json answers, as plain data."""
    types: list[Any] = [ProblemBody]
    for endpoint in endpoints:
        types += [t for t in (endpoint.body, endpoint.answer) if t not in (None, Document)]
    types = list(dict.fromkeys(types))
    schemas, components = msgspec.json.schema_components(types, ref_template=_REFS)
    refs = dict(zip(types, schemas, strict=True))
    paths: dict[str, Json] = {path: {"get": get} for path, get in _OPEN.items()}
    for endpoint in endpoints:
        operation = _operation(endpoint, refs)
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = operation
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "jauap",
            "version": version("jauap"),
            "description": _INTRODUCTION,
            "contact": {"name": "jauap"},
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": name, "description": about} for name, about in TAGS.items()],
        "paths": paths,
        "components": {
            "schemas": components,
            "headers": {"Correlation": _CORRELATION},
            "securitySchemes": {
                "key": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "jau_…",
                    "description": "A system's key, made by `jauap keys add`.",
                },
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "JWT",
                    "description": "A citizen's OIDC access token; `jauap token` in the sandbox.",
                },
                "ticket": {
                    "type": "apiKey",
                    "in": "query",
                    "name": "ticket",
                    "description": "For browsers, whose EventSource sends no headers.",
                },
            },
        },
    }


def _operation(endpoint: Endpoint, refs: Mapping[Any, Json]) -> Json:
    operation: Json = {
        "operationId": endpoint.name,
        "summary": endpoint.summary,
        "description": _description(endpoint),
        "tags": [endpoint.path.split("/")[2]],
        "security": _security(endpoint),
        "parameters": _parameters(endpoint),
        "responses": _responses(endpoint, refs),
    }
    if endpoint.takes:
        kinds = {kind: {"schema": {"type": "string"}} for kind in endpoint.takes}
        operation["requestBody"] = {"required": True, "content": kinds}
    if endpoint.body is not None:
        operation["requestBody"] = {
            "required": not endpoint.body_optional,
            "content": _content(refs[endpoint.body], endpoint.body_example),
        }
    return operation


def _security(endpoint: Endpoint) -> list[Json]:
    if CITIZEN not in endpoint.scopes:
        return [{"key": []}]
    return [{"token": []}, {"ticket": []}] if endpoint.follow is not None else [{"token": []}]


def _description(endpoint: Endpoint) -> str:
    scopes = " or ".join(f"`{scope}`" for scope in endpoint.scopes)
    return f"{endpoint.description}\n\nScope: {scopes}.".strip()


def _parameters(endpoint: Endpoint) -> list[Json]:
    parameters: list[Json] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in _path_names(endpoint.path)
    ]
    if endpoint.follow is not None:
        schema = {"type": "string", "examples": ["731-12"]}
        place = {"name": "Last-Event-ID", "in": "header", "required": False, "schema": schema}
        parameters.append(place)
    elif endpoint.query is not Nothing:
        for name, schema in _query_schema(endpoint.query).items():
            parameters.append({"name": name, "in": "query", "required": False, "schema": schema})
    if endpoint.method == "POST":
        schema = {"type": "string", "pattern": "^[!-~]{1,255}$"}
        parameters.append({"name": HEADER, "in": "header", "required": False, "schema": schema})
    if endpoint.revalidated:
        schema = {"type": "string"}
        tags = {"name": "If-None-Match", "in": "header", "required": False, "schema": schema}
        parameters.append(tags)
    screens = " and screens" if CITIZEN in endpoint.scopes else ""
    parameters.append(
        {
            "name": "Accept-Language",
            "in": "header",
            "required": False,
            "description": f"The language of problems{screens}.",
            "schema": {"type": "string", "examples": ["kk", "ru", "en"]},
        }
    )
    return parameters


def _path_names(path: str) -> list[str]:
    return [part[1:-1] for part in path.split("/") if part.startswith("{")]


def _query_schema(query: type[msgspec.Struct]) -> dict[str, Json]:
    """The query's fields; what a body would call null is simply left out of an address."""
    _, components = msgspec.json.schema_components([query], ref_template="{name}")
    properties: dict[str, Json] = {}
    for name, schema in components[query.__name__]["properties"].items():
        choices = [c for c in schema.get("anyOf", [schema]) if c.get("type") != "null"]
        chosen = dict(choices[0])
        if "$ref" in chosen:
            chosen = dict(components[chosen["$ref"]])
        properties[name] = chosen
    return properties


def _responses(endpoint: Endpoint, refs: Mapping[Any, Json]) -> Json:
    good: Json = {"description": "Done.", "headers": _headers()}
    if endpoint.answer is Document:
        good["content"] = {endpoint.media: {"schema": {"type": "string"}}}
    elif endpoint.answer is not None:
        good["content"] = _content(refs[endpoint.answer], endpoint.answer_example)
    if endpoint.follow is not None:
        example = 'id: 731-12\ndata: {"type":"offer.awaiting","offer":{}}\n\n'
        good["content"] = {"text/event-stream": {"schema": {"type": "string"}, "example": example}}
    if endpoint.location is not None:
        good["headers"]["Location"] = {"schema": {"type": "string"}}
    responses: dict[str, Json] = {str(endpoint.status): good}
    if endpoint.revalidated:
        good["headers"]["ETag"] = {"schema": {"type": "string"}}
        responses["304"] = {"description": "As If-None-Match has it.", "headers": _headers()}
    by_status: dict[int, list[str]] = {}
    for kind in endpoint.all_errors:
        by_status.setdefault(KINDS[kind].status, []).append(kind)
    for status, kinds in sorted(by_status.items()):
        responses[str(status)] = _problem_response(kinds, refs[ProblemBody])
    return responses


def _problem_response(kinds: Sequence[str], ref: Json) -> Json:
    examples = {
        kind: {"summary": KINDS[kind].title.in_language(DEFAULT), "value": _example(kind)}
        for kind in kinds
    }
    headers = _headers()
    if any(KINDS[kind].status in (429, 503) for kind in kinds):
        headers["Retry-After"] = {"schema": {"type": "integer"}}
    return {
        "description": "; ".join(KINDS[kind].title.in_language(DEFAULT) for kind in kinds) + ".",
        "headers": headers,
        "content": {MEDIA_TYPE: {"schema": ref, "examples": examples}},
    }


def _example(kind: str) -> Json:
    problem = Problem(kind, refused=_SAMPLE_REFUSALS.get(kind))
    problem.values = _SAMPLE_VALUES
    shown = msgspec.json.decode(problem.body(DEFAULT), type=Json)
    if kind == "invalid":
        wrong = FieldError("iin", "an IIN has 12 digits")
        shown["errors"] = [msgspec.to_builtins(wrong)]
    return shown


def _content(ref: Json, example: msgspec.Struct | None) -> Json:
    content: Json = {"schema": ref}
    if example is not None:
        content["example"] = msgspec.to_builtins(example)
    return {"application/json": content}


def _headers() -> Json:
    return {"X-Correlation-ID": {"$ref": "#/components/headers/Correlation"}}


def _open(name: str, summary: str, media_type: str, *, may_fail: bool = False) -> Json:
    """A route that needs no key."""
    content = {media_type: {"schema": {"type": "object" if "json" in media_type else "string"}}}
    answers: Json = {"200": {"description": "Done.", "headers": _headers(), "content": content}}
    if may_fail:
        answers["503"] = {"description": "Not now.", "headers": _headers(), "content": content}
    return {
        "operationId": name,
        "summary": summary,
        "description": "Needs no key.",
        "tags": ["operation"],
        "security": [],
        "responses": answers,
    }


_OPEN: Mapping[str, Json] = {
    "/healthz": _open("healthz", "Is the process alive?", "application/json"),
    "/readyz": _open(
        "readyz", "Do the ledger and Redis answer?", "application/json", may_fail=True
    ),
    "/metrics": _open("metrics", "Numbers for Prometheus, nothing personal", "text/plain"),
    "/openapi.json": _open("openapi", "This document", "application/json"),
    "/docs": _open("docs", "This document, for people", "text/html"),
}
