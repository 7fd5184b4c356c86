"""The door of every address: receives a call, has it carried out and answers it."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

import msgspec
import structlog
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from app.api import auth, correlation, gathered, idempotency, language, limits, revalidation
from app.api.auth import Caller, Tokens
from app.api.bulk import LARGE, Bulk
from app.api.checking import read_query, shown
from app.api.gathering import Gatherer
from app.api.problems import MEDIA_TYPE, Fault, Problem, contained
from app.api.reading import read_file, read_limited
from app.api.routing import (
    Call,
    Done,
    Endpoint,
    File,
    Sent,
    call_of,
    encoded,
    problem_response,
    read_sent,
)
from app.api.streams import Streaming, Streams
from app.clock import system_clock
from app.ledger.failures import tried
from app.ledger.idempotency import Answer, Claim
from app.ledger.unit import Unit
from app.runtime import Runtime

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Door:
    """Carries calls out on a runtime; `tokens` reads those of citizens."""

    rt: Runtime
    tokens: Tokens | None = None
    streams: Streams | None = None
    bulk: Bulk = field(default_factory=Bulk)
    endpoints: Mapping[str, Endpoint] = field(default_factory=dict)
    gatherers: dict[str, Gatherer[Sent, Response | Problem]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for method, endpoint in self.endpoints.items():
            if endpoint.many is not None:
                self.gatherers[method] = Gatherer(partial(self._carry_out_all, endpoint))

    async def __call__(self, request: Request) -> Response:
        """Answers one HTTP request; never raises."""
        spoken = language.of(request.headers.get("accept-language"))
        method = "GET" if request.method == "HEAD" else request.method
        endpoint = self.endpoints[method]
        try:
            sent = await _receive(request, endpoint, spoken)
            if method in self.gatherers:
                done = await self.gatherers[method].ask(sent)
            elif len(sent.raw) > LARGE:
                done = await self._in_bulk(endpoint, sent)
            else:
                done = await run_in_threadpool(
                    contained, partial(self._carry_out, endpoint, sent), endpoint.path
                )
        except Problem as problem:
            done = problem
        return problem_response(done, spoken) if isinstance(done, Problem) else done

    async def _in_bulk(self, endpoint: Endpoint, sent: Sent) -> Response | Problem:
        """Who may not call must not wait with those who may: that is asked first."""
        caller = await run_in_threadpool(
            contained, partial(self._admitted, endpoint, sent), endpoint.path
        )
        if isinstance(caller, Problem):
            return caller
        once = partial(self._carry_out_once, endpoint, sent, caller)
        turn = partial(contained, partial(_again, once), endpoint.path)
        return await self.bulk.ask(caller.key_id, turn)

    def _carry_out_all(
        self, endpoint: Endpoint, batch: Sequence[Sent]
    ) -> Sequence[Response | Problem]:
        """Carries calls out together; where one of them spoils it, each alone."""
        if len(batch) > 1 and not _share_a_key(batch):
            together = partial(gathered.carry_out, self.rt, self.tokens, endpoint, batch)
            with _named([sent.correlation for sent in batch]):
                done = contained(partial(_again, together), endpoint.path)
            if not isinstance(done, Problem):
                return [
                    _finished(endpoint, one, sent) for one, sent in zip(done, batch, strict=True)
                ]
            if done.kind == "unavailable":
                return [done] * len(batch)
        return [self._alone(endpoint, sent) for sent in batch]

    def _alone(self, endpoint: Endpoint, sent: Sent) -> Response | Problem:
        with _named(sent.correlation):
            return contained(partial(self._carry_out, endpoint, sent), endpoint.path)

    def _carry_out(self, endpoint: Endpoint, sent: Sent) -> Response:
        """Carries a call out, again where another transaction was in its way."""
        return _again(lambda: self._carry_out_once(endpoint, sent, self._admitted(endpoint, sent)))

    def _admitted(self, endpoint: Endpoint, sent: Sent) -> Caller:
        caller = auth.identify(self.rt, sent.token, self.tokens, system_clock())
        auth.admit(caller, endpoint.scopes)
        limits.admit(self.rt, [caller])
        return caller

    def _carry_out_once(self, endpoint: Endpoint, sent: Sent, caller: Caller) -> Response:
        if sent.file is not None and sent.file.media_type not in endpoint.takes:
            raise Problem("media_type", types=", ".join(endpoint.takes))
        query = read_query(sent.query, endpoint.query)
        body = read_sent(endpoint, sent.raw)
        endpoint.before(self.rt, body)

        def call_in(unit: Unit) -> Call[Any, Any]:
            return call_of(self.rt, unit, caller, body, query, sent)

        def do(unit: Unit) -> Answer:
            return encoded(endpoint, endpoint.handler(call_in(unit)), sent.language)

        if endpoint.follow is not None and self.streams is not None:
            with self.rt.unit() as unit:
                return Streaming(self.streams, endpoint.follow(call_in(unit)))
        if sent.idempotency_key is None:
            with self.rt.unit() as unit:
                answer = do(unit)
            return _response(endpoint, Done(answer), sent)
        mark = idempotency.fingerprint(
            self.rt.vault, endpoint.method, sent.address, body if sent.file is None else sent.query
        )
        answer, is_replay = idempotency.once(
            self.rt,
            Claim(caller.owner, sent.idempotency_key, mark),
            lambda problem: Answer(problem.status, problem.body(sent.language)),
            do,
        )
        return _response(endpoint, Done(answer, is_replay), sent)


def _share_a_key(batch: Sequence[Sent]) -> bool:
    """Whether one of these calls repeats another, which must then be over first."""
    keys = [(s.token, s.idempotency_key) for s in batch if s.idempotency_key is not None]
    return len(set(keys)) < len(keys)


def _named(names: str | list[str]) -> AbstractContextManager[None]:
    """What is logged within, in a thread that serves many calls, bears their names."""
    return structlog.contextvars.bound_contextvars(**{correlation.FIELD: names})


def _again(run: Callable[[], T]) -> T:
    return tried(lambda _: run())


def _finished(endpoint: Endpoint, done: Done | Problem, sent: Sent) -> Response | Problem:
    return done if isinstance(done, Problem) else _response(endpoint, done, sent)


def _query(request: Request) -> dict[str, str]:
    """The query, each name once: of two values nobody knows which is meant. Raises Problem."""
    given = request.query_params.multi_items()
    known = dict(given)
    if len(known) < len(given):
        names = [name for name, _ in given]
        raise Problem(
            "invalid", *(Fault(shown(n), "repeated") for n in known if names.count(n) > 1)
        )
    return known


def _file(request: Request) -> File:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return File(media_type, read_file(request))


async def _receive(request: Request, endpoint: Endpoint, spoken: str) -> Sent:
    header = request.headers.get("authorization")
    ticket = request.query_params.get("ticket") if endpoint.follow is not None else None
    token = ticket if header is None and ticket else auth.bearer(header)
    key = None
    if endpoint.method == "POST":
        key = idempotency.read_key(request.headers.get(idempotency.HEADER))
    return Sent(
        token=token,
        raw=b"" if endpoint.takes else await read_limited(request),
        file=_file(request) if endpoint.takes else None,
        query=_query(request),
        path=dict(request.path_params),
        address=request.scope["path"],
        idempotency_key=key,
        language=spoken,
        wanted=language.wanted(request.headers.get("accept-language")),
        known_tags=request.headers.get("if-none-match"),
        encodings=request.headers.get("accept-encoding"),
        last_event_id=request.headers.get("last-event-id"),
        correlation=request.scope.get(correlation.FIELD, ""),
    )


class _Made(msgspec.Struct):
    id: str


def _response(endpoint: Endpoint, done: Done, sent: Sent) -> Response:
    """An answer, fresh or kept, as HTTP."""
    answer = done.answer
    headers = {"Cache-Control": "no-store"}
    if done.is_replay:
        headers[idempotency.REPLAYED] = "true"
    if answer.status >= 400:
        return Response(answer.body, answer.status, headers, MEDIA_TYPE)
    if endpoint.revalidated:
        return revalidation.response(answer.body, sent.known_tags, sent.encodings)
    if endpoint.location is not None:
        made = msgspec.json.decode(answer.body, type=_Made)
        headers["Location"] = endpoint.location.format(id=made.id)
    media_type = endpoint.media if answer.body else None
    return Response(answer.body, answer.status, headers, media_type)
