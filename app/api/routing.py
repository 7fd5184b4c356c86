"""Endpoints as data: one declaration validates a call, carries it out and describes it in OpenAPI.

It knows HTTP and nothing of offers; what an endpoint does is its handler's, inside one transaction.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import msgspec
from starlette.responses import Response

from app.api.auth import CITIZEN, Caller
from app.api.checking import read_body
from app.api.problems import MEDIA_TYPE, Problem
from app.api.streams import Following
from app.ledger.idempotency import Answer
from app.ledger.unit import Unit
from app.runtime import Runtime

B = TypeVar("B")
Q = TypeVar("Q")


class Nothing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body or query of an endpoint that takes none."""


class Document(msgspec.Struct, frozen=True):
    """An answer that is no JSON: a page, a table, a picture. Its endpoint names its `media`."""

    octets: bytes


@dataclass(frozen=True, slots=True)
class File:
    """A body that is read as it arrives, in the call's own thread."""

    media_type: str
    chunks: Iterator[bytes]


@dataclass(frozen=True, slots=True)
class Call(Generic[B, Q]):
    """One call as its handler sees it: who calls, what was sent, and the transaction it is in.
    `path` holds the parameters of the address, `language` is "kk", "ru" or "en"; `wanted` is "kk"
    or "ru" where the caller asked for one of the languages recipients are written to in."""

    rt: Runtime
    unit: Unit
    caller: Caller
    body: B
    query: Q
    path: Mapping[str, str]
    language: str
    wanted: str | None
    last_event_id: str | None = None
    file: File | None = None


Told = msgspec.Struct | Problem
Many = Callable[[Sequence[Call[Any, Any]]], Sequence[Told]]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One method of one address. `handler` returns a struct of type `answer` (None for 204) or
    raises Problem, one of `errors`; a Problem that it returns leaves what was written. `location`
    is the address of what a 201 made. `before` looks at a body before the transaction opens, where
    looking may take long. What is `revalidated` may be kept by its reader, who asks with
    If-None-Match whether it still holds. What has `follow` answers with a stream of events.
    `media` is the media type of an answer that is a Document.
    `takes` are the media types of a body that is a file and read as it arrives.
    What has `many` is carried out together with others that come at once: it answers each call,
    in order, and returns problems instead of raising them."""

    method: str
    path: str
    scopes: tuple[str, ...]
    summary: str
    handler: Callable[[Call[Any, Any]], msgspec.Struct | Problem | None]
    answer: type[msgspec.Struct] | None
    status: int = 200
    body: type[msgspec.Struct] | None = None
    body_optional: bool = False
    query: type[msgspec.Struct] = Nothing
    errors: tuple[str, ...] = ()
    location: str | None = None
    before: Callable[[Runtime, Any], None] = lambda rt, body: None
    body_example: msgspec.Struct | None = None
    answer_example: msgspec.Struct | None = None
    description: str = ""
    revalidated: bool = False
    follow: Callable[[Call[Any, Any]], Following] | None = None
    takes: tuple[str, ...] = ()
    media: str = "application/json"
    many: Many | None = None

    @property
    def name(self) -> str:
        """Its operationId: the name of the handler."""
        return self.handler.__name__

    @property
    def all_errors(self) -> tuple[str, ...]:
        """Its own problems and those that every endpoint of its kind may end with."""
        kinds = ["unauthenticated", "forbidden", "invalid", *self.errors]
        if CITIZEN not in self.scopes:
            kinds.append("too_many")
        if self.body is not None:
            kinds += ["malformed", "too_large"]
        if self.takes:
            kinds += ["media_type", "malformed", "too_large"]
        if self.method == "POST":
            kinds += ["idempotency_running", "idempotency_reused"]
        return tuple(dict.fromkeys([*kinds, "failed", "unavailable"]))


@dataclass(frozen=True, slots=True)
class Sent:
    """What came over the wire, before anyone has looked into it."""

    token: str
    raw: bytes
    query: Mapping[str, str]
    path: Mapping[str, str]
    address: str
    idempotency_key: str | None
    language: str
    wanted: str | None
    known_tags: str | None
    encodings: str | None
    last_event_id: str | None
    file: File | None = None
    correlation: str = ""


@dataclass(frozen=True, slots=True)
class Done:
    """What became of a call; `is_replay`: it was answered before."""

    answer: Answer
    is_replay: bool = False


def call_of(
    rt: Runtime, unit: Unit, caller: Caller, body: Any, query: Any, sent: Sent
) -> Call[Any, Any]:
    """A call in a transaction."""
    return Call(
        rt, unit, caller, body, query, sent.path, sent.language, sent.wanted, sent.last_event_id,
        sent.file,
    )  # fmt: skip


def read_sent(endpoint: Endpoint, raw: bytes) -> msgspec.Struct | None:
    """The body of a call. Raises Problem."""
    if endpoint.body is None:
        return None
    if endpoint.body_optional and not raw:
        return endpoint.body()
    return read_body(raw, endpoint.body)


def encoded(endpoint: Endpoint, answer: Told | None, spoken: str) -> Answer:
    """What a handler returned, as it is answered and kept."""
    if isinstance(answer, Problem):
        return Answer(answer.status, answer.body(spoken))
    if isinstance(answer, Document):
        return Answer(endpoint.status, answer.octets)
    return Answer(endpoint.status, b"" if answer is None else msgspec.json.encode(answer))


def problem_response(problem: Problem, spoken: str) -> Response:
    """A problem as HTTP, in the caller's language."""
    headers = {"Content-Language": spoken, "Cache-Control": "no-store"} | problem.headers
    return Response(problem.body(spoken), problem.status, headers, MEDIA_TYPE)
