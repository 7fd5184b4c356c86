"""Endpoints as data: one declaration validates a call, carries it out and describes it in OpenAPI.

It knows HTTP and nothing of offers; what an endpoint does is its handler's, inside one transaction.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from app.api import auth, idempotency, language, revalidation
from app.api.auth import Caller, Tokens
from app.api.checking import read_body, read_query
from app.api.problems import MEDIA_TYPE, Problem, contained
from app.api.reading import read_limited
from app.api.streams import Following, Streaming, Streams
from app.clock import system_clock
from app.ledger.failures import FAILURES, is_race
from app.ledger.idempotency import Answer, Claim
from app.ledger.unit import Unit
from app.runtime import Runtime

B = TypeVar("B")
Q = TypeVar("Q")
TRIES = 3


class Nothing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body or query of an endpoint that takes none."""


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


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One method of one address. `handler` returns a struct of type `answer` (None for 204) or
    raises Problem, one of `errors`; `location` is the address of what a 201 made. `before` looks
    at a body before the transaction opens, where looking may take long. What is `revalidated` may
    be kept by its reader, who asks with If-None-Match whether it still holds. What has `follow`
    answers with a stream of events."""

    method: str
    path: str
    scopes: tuple[str, ...]
    summary: str
    handler: Callable[[Call[Any, Any]], msgspec.Struct | None]
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

    @property
    def name(self) -> str:
        """Its operationId: the name of the handler."""
        return self.handler.__name__

    @property
    def all_errors(self) -> tuple[str, ...]:
        """Its own problems and those that every endpoint of its kind may end with."""
        kinds = ["unauthenticated", "forbidden", *self.errors]
        if self.body is not None:
            kinds += ["malformed", "too_large"]
        if self.body is not None or self.query is not Nothing:
            kinds.append("invalid")
        if self.method == "POST":
            kinds += ["invalid", "idempotency_running", "idempotency_reused"]
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
    last_event_id: str | None


@dataclass(frozen=True, slots=True)
class Door:
    """Carries calls out on a runtime; `tokens` reads those of citizens."""

    rt: Runtime
    tokens: Tokens | None = None
    streams: Streams | None = None
    endpoints: Mapping[str, Endpoint] = field(default_factory=dict)

    async def __call__(self, request: Request) -> Response:
        """Answers one HTTP request; never raises."""
        spoken = language.of(request.headers.get("accept-language"))
        endpoint = self.endpoints["GET" if request.method == "HEAD" else request.method]
        try:
            sent = await _receive(request, endpoint, spoken)
        except Problem as problem:
            return problem_response(problem, spoken)
        done = await run_in_threadpool(
            contained, lambda: self._carry_out(endpoint, sent), endpoint.path
        )
        return problem_response(done, spoken) if isinstance(done, Problem) else done

    def _carry_out(self, endpoint: Endpoint, sent: Sent) -> Response:
        """Carries a call out, again where another transaction was in its way."""
        for left in reversed(range(TRIES)):
            try:
                return self._carry_out_once(endpoint, sent)
            except FAILURES as error:
                if not left or not is_race(error):
                    raise
        raise AssertionError("not reached")

    def _carry_out_once(self, endpoint: Endpoint, sent: Sent) -> Response:
        caller = auth.identify(self.rt, sent.token, self.tokens, system_clock())
        auth.admit(caller, endpoint.scopes)
        query = read_query(sent.query, endpoint.query)
        body = _body(endpoint, sent.raw)
        endpoint.before(self.rt, body)

        def call_in(unit: Unit) -> Call[Any, Any]:
            return Call(
                self.rt, unit, caller, body, query, sent.path, sent.language, sent.wanted,
                sent.last_event_id,
            )  # fmt: skip

        def do(unit: Unit) -> Answer:
            return _encoded(endpoint, endpoint.handler(call_in(unit)))

        if endpoint.follow is not None and self.streams is not None:
            with self.rt.unit() as unit:
                return Streaming(self.streams, endpoint.follow(call_in(unit)))
        if sent.idempotency_key is None:
            with self.rt.unit() as unit:
                answer = do(unit)
            return _response(endpoint, answer, sent)
        mark = idempotency.fingerprint(self.rt.vault, endpoint.method, sent.address, body)
        answer, is_replay = idempotency.once(
            self.rt,
            Claim(caller.owner, sent.idempotency_key, mark),
            lambda problem: Answer(problem.status, problem.body(sent.language)),
            do,
        )
        response = _response(endpoint, answer, sent)
        if is_replay:
            response.headers[idempotency.REPLAYED] = "true"
        return response


async def _receive(request: Request, endpoint: Endpoint, spoken: str) -> Sent:
    header = request.headers.get("authorization")
    ticket = request.query_params.get("ticket") if endpoint.follow is not None else None
    token = ticket if header is None and ticket else auth.bearer(header)
    key = None
    if endpoint.method == "POST":
        key = idempotency.read_key(request.headers.get(idempotency.HEADER))
    return Sent(
        token=token,
        raw=await read_limited(request),
        query=dict(request.query_params),
        path=dict(request.path_params),
        address=request.url.path,
        idempotency_key=key,
        language=spoken,
        wanted=language.wanted(request.headers.get("accept-language")),
        known_tags=request.headers.get("if-none-match"),
        last_event_id=request.headers.get("last-event-id"),
    )


def _body(endpoint: Endpoint, raw: bytes) -> msgspec.Struct | None:
    if endpoint.body is None:
        return None
    if endpoint.body_optional and not raw:
        return endpoint.body()
    return read_body(raw, endpoint.body)


def _encoded(endpoint: Endpoint, answer: msgspec.Struct | None) -> Answer:
    return Answer(endpoint.status, b"" if answer is None else msgspec.json.encode(answer))


class _Made(msgspec.Struct):
    id: str


def _response(endpoint: Endpoint, answer: Answer, sent: Sent) -> Response:
    """An answer, fresh or kept, as HTTP."""
    if answer.status >= 400:
        return Response(answer.body, answer.status, media_type=MEDIA_TYPE)
    if endpoint.revalidated:
        return revalidation.response(answer.body, sent.known_tags)
    headers = {"Cache-Control": "no-store"}
    if endpoint.location is not None:
        made = msgspec.json.decode(answer.body, type=_Made)
        headers["Location"] = endpoint.location.format(id=made.id)
    media_type = "application/json" if answer.body else None
    return Response(answer.body, answer.status, headers, media_type)


def problem_response(problem: Problem, spoken: str) -> Response:
    """A problem as HTTP, in the caller's language."""
    headers = {"Content-Language": spoken, "Cache-Control": "no-store"} | problem.headers
    return Response(problem.body(spoken), problem.status, headers, MEDIA_TYPE)
