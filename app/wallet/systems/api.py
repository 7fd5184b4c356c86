"""Other systems over HTTP: what binds them, changes by cursor, reports of grants and the conflicts
they leave, and the dossier of each integration (214/НҚ, clauses 9 to 11)."""

from datetime import date, datetime
from typing import Annotated, Any

from msgspec import Meta, Struct

from app.api import pages
from app.api.auth import Caller
from app.api.pages import Paged
from app.api.problems import Problem, Refused, invalid, not_found
from app.api.routing import Call, Document, Endpoint, Nothing
from app.api.values import Iin, Reference, Words, utc, utc_or_none
from app.calendar import local_date
from app.ledger.feed import BEGINNING, as_place
from app.ledger.keys import Scope
from app.wallet.actions import exchanging
from app.wallet.notices.examples import AT, ID
from app.wallet.rules import agreements
from app.wallet.rules.agreements import Class
from app.wallet.systems import dossiers, records
from app.wallet.systems.dossiers import Dossier
from app.wallet.systems.records import System

Code = Annotated[str, Meta(pattern="^[a-z0-9-]{1,40}(?![\\s\\S])", description="Its keys' owner.")]
Measures = Annotated[list[Annotated[str, Meta(max_length=100)]], Meta(max_length=500)]


class NewSystem(Struct, frozen=True, forbid_unknown_fields=True):
    """A system and what binds it. A third one needs an agreement, the measures it is about and
    its last day; a state or quasi-state one that names no measures exchanges about all."""

    code: Code
    name_kk: Words
    name_ru: Words
    kind: Class
    agreement: Reference | None = None
    measures: Measures = []
    last_day: date | None = None


class SystemAnswer(Struct, frozen=True):
    """A system and what binds it; `standing` is open, ending (thirty days before) or ended. Its
    keys stop at `ends_at`."""

    code: str
    name_kk: str
    name_ru: str
    kind: Class
    agreement: str | None
    measures: list[str]
    last_day: date | None
    ends_at: datetime | None
    standing: str
    created_at: datetime
    updated_at: datetime


class SystemPage(Struct, frozen=True):
    """Systems, by code."""

    items: list[SystemAnswer]
    next: str | None


class ChangeAnswer(Struct, frozen=True):
    """Something that changed: "notice.placed", "consent.answered", "grant.recorded" … about a
    measure and a person; `facts` are as the person's app was told them."""

    cursor: str
    type: str
    iin: Iin
    facts: dict[str, Any]


class ChangePage(Struct, frozen=True):
    """Changes in the order of their commits; `next` is where to read on, always. `standing` of
    "ending" warns that the agreement ends within thirty days; "none": nobody entered the system."""

    items: list[ChangeAnswer]
    next: str
    standing: str


class ChangeQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """From where on; nothing: from the beginning."""

    limit: pages.Limit = 50
    cursor: Annotated[str, Meta(max_length=50)] | None = None


class ConflictAnswer(Struct, frozen=True):
    """A report that did not agree with the account `grant`, in these fields."""

    id: str
    source: str
    source_id: str
    grant: str
    fields: list[str]
    created_at: datetime


class ConflictPage(Struct, frozen=True):
    """Conflicts, newest first."""

    items: list[ConflictAnswer]
    next: str | None


def admit(call: Call[Any, Any], measure: str, *, writes: bool = True) -> None:
    """Raises Problem (403) where the caller is another system that may not exchange about this.
    The bodies' own keys are bound by nothing here, unless they were entered as a system."""
    terms = exchanging.terms_of(call.unit.tx, call.caller.provider)
    if terms is None and not _is_other(call.caller):
        return
    refusal = agreements.may(terms, measure, call.unit.now, writes=writes)
    if refusal is not None:
        refused = Refused(refusal.gate, refusal.clause, refusal.detail_key)
        raise Problem("agreement", refused=refused)


def _is_other(caller: Caller) -> bool:
    return caller.may(Scope.EXCHANGE) and not caller.may(Scope.PROVIDER)


def enter_system(call: Call[NewSystem, Nothing]) -> SystemAnswer:
    new = call.body
    if new.kind is Class.THIRD and not (new.agreement and new.last_day and new.measures):
        raise invalid("agreement", "system.agreement")
    for place, code in enumerate(new.measures):
        if call.rt.catalogue.find_measure(code) is None:
            raise invalid(f"measures[{place}]", "measure")
    names = (new.name_kk, new.name_ru)
    system = exchanging.enter(
        call.unit, new.code, names, new.kind, new.agreement, new.measures, new.last_day
    )
    return shown_system(system, call.unit.now)


def list_systems(call: Call[None, Nothing]) -> SystemPage:
    return SystemPage([shown_system(s, call.unit.now) for s in records.every(call.unit.tx)], None)


def list_changes(call: Call[None, ChangeQuery]) -> ChangePage:
    terms = exchanging.terms_of(call.unit.tx, call.caller.provider)
    after = BEGINNING if call.query.cursor is None else as_place(call.query.cursor)
    if after is None:
        raise invalid("cursor", "cursor")
    if terms is None:  # nobody has entered this system: there is nothing it may see
        return ChangePage([], str(after), "none")
    found = exchanging.changes(call.unit, terms, after, call.query.limit)
    items = [ChangeAnswer(str(c.place), c.kind, c.iin, dict(c.facts)) for c in found.items]
    return ChangePage(items, str(found.through), agreements.standing(terms.ends_at, call.unit.now))


def list_conflicts(call: Call[None, Paged]) -> ConflictPage:
    query = call.query
    owner = None if call.caller.may(Scope.OPERATOR) else call.caller.provider
    found = records.conflicts(call.unit.tx, owner, pages.after(query.cursor), query.limit + 1)
    page, following = pages.cut(found, query.limit, lambda one: str(one.id))
    return ConflictPage(
        [
            ConflictAnswer(
                str(c.id), c.source, c.source_id, str(c.grant_id), list(c.fields),
                utc(c.created_at),
            )
            for c in page
        ],
        following,
    )  # fmt: skip


def read_dossier(call: Call[None, Nothing]) -> Dossier:
    return _dossier(call)


def show_dossier(call: Call[None, Nothing]) -> Document:
    return Document(dossiers.page(_dossier(call), call.language).encode())


def _dossier(call: Call[Any, Any]) -> Dossier:
    code, is_operator = call.path["code"], call.caller.may(Scope.OPERATOR)
    system = records.one(call.unit.tx, code)
    if system is None or not (is_operator or call.caller.provider == code):
        raise not_found()
    traffic = records.traffic(call.unit.tx, code)
    return dossiers.dossier(system, traffic, call.unit.now, local_date(call.unit.now))


def shown_system(system: System, now: datetime) -> SystemAnswer:
    """A system as the API shows it."""
    return SystemAnswer(
        system.code, system.name_kk, system.name_ru, Class(system.kind), system.agreement,
        list(system.measures), system.last_day, utc_or_none(system.ends_at),
        agreements.standing(system.ends_at, now), utc(system.created_at), utc(system.updated_at),
    )  # fmt: skip


_NEW = NewSystem(
    "charity", "Қор", "Фонд", Class.THIRD, "No. 5", ["school-meals"], date(2026, 12, 31)
)
_SYSTEM = SystemAnswer(
    "charity", "Қор", "Фонд", Class.THIRD, "No. 5", ["school-meals"], date(2026, 12, 31), AT,
    "open", AT, AT,
)  # fmt: skip
_OPERATORS = (Scope.OPERATOR,)
_EXCHANGE = (Scope.EXCHANGE,)
_READERS = (Scope.OPERATOR, Scope.EXCHANGE, Scope.PROVIDER)

ENDPOINTS = (
    Endpoint(
        method="POST",
        path="/v1/wallet/systems",
        scopes=_OPERATORS,
        summary="Enter another system, or change what binds it",
        handler=enter_system,
        body=NewSystem,
        answer=SystemAnswer,
        body_example=_NEW,
        answer_example=_SYSTEM,
        description="214/НҚ, clauses 9 and 10. Its keys are those whose owner is its code.",
    ),
    Endpoint(
        method="GET",
        path="/v1/wallet/systems",
        scopes=_OPERATORS,
        summary="List other systems with their agreements",
        handler=list_systems,
        answer=SystemPage,
        answer_example=SystemPage([_SYSTEM], None),
    ),
    Endpoint(
        method="GET",
        path="/v1/wallet/changes",
        scopes=_EXCHANGE,
        summary="Read on from a cursor what changed in the wallet",
        handler=list_changes,
        query=ChangeQuery,
        answer=ChangePage,
        errors=("agreement",),
        answer_example=ChangePage(
            [ChangeAnswer("731-12", "grant.recorded", "900101300126", {"measure": "gas-voucher"})],
            "731-12", "open",
        ),
        description="A page may be empty and lead on all the same: ask again from `next`.",
    ),
    Endpoint(
        method="GET",
        path="/v1/wallet/conflicts",
        scopes=_READERS,
        summary="List reports that did not agree with the books, newest first",
        handler=list_conflicts,
        query=Paged,
        answer=ConflictPage,
        answer_example=ConflictPage(
            [ConflictAnswer(ID, "education", "G-1", ID, ["amount"], AT)], None
        ),
    ),
    Endpoint(
        method="GET",
        path="/v1/wallet/systems/{code}/dossier",
        scopes=_READERS,
        summary="Read the dossier of an integration",
        handler=read_dossier,
        answer=Dossier,
        errors=("not_found",),
        answer_example=dossiers.EXAMPLE,
    ),
    Endpoint(
        method="GET",
        path="/v1/wallet/systems/{code}/dossier.html",
        scopes=_READERS,
        summary="Show the dossier of an integration as a page",
        handler=show_dossier,
        answer=Document,
        answer_example=Document(b"<!doctype html>"),
        media="text/html; charset=utf-8",
        errors=("not_found",),
    ),
)  # fmt: skip
