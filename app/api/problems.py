"""Everything that can go wrong, as application/problem+json (RFC 9457): one shape, three languages,
every bad field named, gate and clause where a rule of law refused.

The only place of the API that catches Exception, so that nothing of ours is ever shown outside.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from dataclasses import field as with_default
from typing import TypeVar

import msgspec
import structlog

from app.api.texts import FIELDS, GATES, KINDS, Text
from app.ledger.failures import is_down

MEDIA_TYPE = "application/problem+json"
LEDGER_RETRY = 5  # seconds until a ledger that was down is worth another try

_log = structlog.get_logger("api")
T = TypeVar("T")


class FieldError(msgspec.Struct, frozen=True):
    """One field that is not as it should be: its path, and what is wrong in words."""

    field: str
    detail: str


class ProblemBody(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is answered when something is wrong (RFC 9457). `gate` and `clause` name the rule of
    law that refused; `errors` names each field."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[FieldError] = []
    gate: str | None = None
    clause: str | None = None


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a field: a key of texts.FIELDS and its values."""

    field: str
    key: str
    values: Mapping[str, object] = with_default(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Refused:
    """The gate and clause that refused; `text` is a key of texts.GATES."""

    gate: str
    clause: str
    text: str


class Problem(Exception):
    """Ends a call with one of texts.KINDS. `headers` go out with it."""

    def __init__(
        self,
        kind: str,
        *faults: Fault,
        refused: Refused | None = None,
        headers: Mapping[str, str] | None = None,
        **values: object,
    ) -> None:
        super().__init__(kind)
        self.kind = kind
        self.faults = faults
        self.refused = refused
        self.headers = dict(headers or {})
        self.values = values

    @property
    def status(self) -> int:
        """The HTTP status of its kind."""
        return KINDS[self.kind].status

    def body(self, language: str) -> bytes:
        """The problem as JSON in "kk", "ru" or "en"."""
        kind = KINDS[self.kind]
        detail = kind.detail.in_language(language, **self.values)
        if self.refused is not None:
            detail = gate_text(self.refused).in_language(language)
        return msgspec.json.encode(
            ProblemBody(
                type=f"/docs#{self.kind}",
                title=kind.title.in_language(language),
                status=kind.status,
                detail=detail,
                errors=[FieldError(f.field, fault_text(f, language)) for f in self.faults],
                gate=self.refused.gate if self.refused else None,
                clause=self.refused.clause if self.refused else None,
            )
        )


def invalid(field: str, key: str, **values: object) -> Problem:
    """422 for one field."""
    return Problem("invalid", Fault(field, key, values))


def not_found() -> Problem:
    """404; the same whether there is no such thing or it is another's."""
    return Problem("not_found")


def unavailable(seconds: int) -> Problem:
    """503, worth another try after so many seconds."""
    return Problem("unavailable", headers={"Retry-After": str(seconds)})


def fault_text(fault: Fault, language: str) -> str:
    """What is wrong with a field, in words."""
    return FIELDS[fault.key].in_language(language, **fault.values)


def gate_text(refused: Refused) -> Text:
    """What a gate says; a gate without a text of its own points at `gate` and `clause`."""
    return GATES.get(refused.text, KINDS["refused"].detail)


def contained(run: Callable[[], T], route: str) -> T | Problem:
    """What `run` returns, or the problem that became of it. An unforeseen exception is logged by
    its kind and place only: its message may hold what a person sent."""
    try:
        return run()
    except Problem as problem:
        return problem
    except Exception as error:
        if is_down(error):
            _log.warning("ledger down", route=route, error=type(error).__name__)
            return unavailable(LEDGER_RETRY)
        _log.error("call failed", route=route, error=type(error).__name__, at=_place(error))
        return Problem("failed")


async def survives(run: Callable[[], Awaitable[None]]) -> bool:
    """False where `run` raised what nobody had foreseen; it is logged in the same way."""
    try:
        await run()
    except Exception as error:
        _log.error("call failed", error=type(error).__name__, at=_place(error))
        return False
    return True


def answers(probe: Callable[[], object]) -> bool:
    """True where a server that may be down answers `probe`."""
    try:
        probe()
    except Exception as error:
        _log.warning("no answer", error=type(error).__name__)
        return False
    return True


def _place(error: Exception) -> list[str]:
    """File and line of every frame, innermost last; no values."""
    places: list[str] = []
    trace = error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        places.append(f"{code.co_filename.rsplit('/', 1)[-1]}:{trace.tb_lineno} {code.co_name}")
        trace = trace.tb_next
    return places
