"""The effectiveness of measures over HTTP: as JSON, CSV, a workbook and a picture (214/НҚ, 5)."""

from typing import Any, Literal

from msgspec import Struct

from app.api.problems import invalid
from app.api.routing import Call, Document, Endpoint
from app.ledger.keys import Scope
from app.wallet.effects import figures, pictures, sheets
from app.wallet.effects.figures import Effects, Line
from app.wallet.notices.api import MeasureCode, provider_of
from app.wallet.rules.suppressing import SMALLEST

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class EffectsQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """By what people are put together, of all measures or of one."""

    by: Literal["measure", "region", "language", "network", "week"] = "measure"
    measure: MeasureCode | None = None


class EffectsLine(Struct, frozen=True):
    """How many people of a group came to each stage, each by its own fact; null: fewer than five,
    or a number that would tell of so few. Hours are medians from the stage before."""

    group: str
    reached: int | None
    received: int | None
    consented: int | None
    granted: int | None
    used: int | None
    median_hours_to_received: float | None
    median_hours_to_consented: float | None
    median_hours_to_granted: float | None
    median_hours_to_used: float | None


class EffectsAnswer(Struct, frozen=True):
    """The figures by group, and all together. A person counts once a measure."""

    by: str
    measure: str | None
    smallest_shown: int
    items: list[EffectsLine]
    total: EffectsLine


def read_effectiveness(call: Call[None, EffectsQuery]) -> EffectsAnswer:
    found = _found(call)
    return EffectsAnswer(
        found.by, found.measure, SMALLEST, [_line(one) for one in found.lines],
        _line(found.total),
    )  # fmt: skip


def effectiveness_csv(call: Call[None, EffectsQuery]) -> Document:
    return Document(sheets.as_csv(_found(call)))


def effectiveness_xlsx(call: Call[None, EffectsQuery]) -> Document:
    return Document(sheets.as_xlsx(_found(call)))


def effectiveness_svg(call: Call[None, EffectsQuery]) -> Document:
    found = _found(call)
    names = {one.group: _name(call, one.group) for one in found.lines if found.by == "measure"}
    return Document(pictures.as_svg(found, call.language, names))


def _name(call: Call[Any, EffectsQuery], code: str) -> str:
    measure = call.rt.catalogue.find_measure(code)
    if measure is None:
        return code
    return measure.name.kk if call.language == "kk" else measure.name.ru


def _found(call: Call[Any, EffectsQuery]) -> Effects:
    named = call.query.measure
    if named is not None and call.rt.catalogue.find_measure(named) is None:
        raise invalid("measure", "measure")
    return figures.effects(call.unit.tx, call.query.by, call.query.measure, provider_of(call))


def _line(one: Line) -> EffectsLine:
    return EffectsLine(**figures.described(one))


_LINE = EffectsLine("school-meals", 120, 96, 60, None, None, 0.2, 1.5, None, None)
_ALL = EffectsLine("", 120, 96, 60, None, None, None, None, None, None)
_READERS = (Scope.PROVIDER, Scope.AUDITOR, Scope.OPERATOR)
_WHAT = "reached, received, consented, granted, used"


def _document(path: str, media: str, summary: str, handler: Any, example: bytes) -> Endpoint:
    return Endpoint(
        method="GET", path=path, scopes=_READERS, summary=summary, handler=handler,
        query=EffectsQuery, answer=Document, answer_example=Document(example), media=media,
    )  # fmt: skip


ENDPOINTS = (
    Endpoint(
        method="GET",
        path="/v1/wallet/effectiveness",
        scopes=_READERS,
        summary=f"How measures work: {_WHAT}",
        handler=read_effectiveness,
        query=EffectsQuery,
        answer=EffectsAnswer,
        answer_example=EffectsAnswer("measure", None, SMALLEST, [_LINE], _ALL),
        description="A body sees its own notices; auditors and operators see everybody's.",
    ),
    _document(
        "/v1/wallet/effectiveness.csv", "text/csv; charset=utf-8", "The same as CSV",
        effectiveness_csv, b"group",
    ),
    _document(
        "/v1/wallet/effectiveness.xlsx", XLSX, "The same as a workbook", effectiveness_xlsx, b"PK"
    ),
    _document(
        "/v1/wallet/effectiveness.svg", "image/svg+xml", "The same as a picture",
        effectiveness_svg, b"<svg/>",
    ),
)  # fmt: skip
