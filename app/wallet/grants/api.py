"""Accounting for grants over HTTP (214/НҚ, clause 5), and the condition of clause 8: a rendering
through another system is closed only after the wallet's notice and account."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

from msgspec import Meta, Struct

from app.api import pages
from app.api.pages import Paged
from app.api.problems import Fault, Problem, Refused, invalid
from app.api.routing import Call, Endpoint, Nothing
from app.api.texts import FIELDS
from app.api.values import Iin, Moment, Reference, utc, utc_or_none
from app.catalogue.model import Refusal
from app.ledger.keys import Scope
from app.wallet.actions import accounting, exchanging
from app.wallet.actions.accounting import Accounted, Different, Outcome, Report, Wrong
from app.wallet.grants import records
from app.wallet.grants.records import Grant
from app.wallet.notices.api import MeasureCode, provider_of
from app.wallet.notices.examples import AT, ID
from app.wallet.rules.accounting import CSV, NDJSON, NoHeader, rows_of, tenge_of, tiyn_of
from app.wallet.systems.api import admit

MOST = accounting.MOST_SHOWN
MOST_SYNCED = 5_000
Kind = Annotated[str, Meta(min_length=1, max_length=100, description="What was given, in a word.")]


class NewGrant(Struct, frozen=True, forbid_unknown_fields=True):
    """A grant to be accounted for: an amount in tenge or a kind, or both. `source` is the system
    that reports it (by default the key's owner), `source_id` its own id, used once. `corrects` is
    the source id of the account that this entry corrects; `cancelled`: it was no grant."""

    measure: MeasureCode
    iin: Iin
    source_id: Reference
    granted_at: Moment
    source: Reference | None = None
    amount: Decimal | None = None
    kind: Kind | None = None
    corrects: Reference | None = None
    cancelled: bool = False


class GrantAnswer(Struct, frozen=True):
    """An account of a grant, or a correction (`corrects`). `notice` told of the measure before."""

    id: str
    source: str
    source_id: str
    measure: str
    amount: str | None
    kind: str | None
    granted_at: datetime
    corrects: str | None
    cancelled: bool
    notice: str | None
    used_at: datetime | None
    created_at: datetime


class GrantPage(Struct, frozen=True):
    """Accounts and corrections, newest first."""

    items: list[GrantAnswer]
    next: str | None


class GrantQuery(Paged, frozen=True, forbid_unknown_fields=True):
    """Which accounts."""

    measure: MeasureCode | None = None
    source_id: Reference | None = None


class Use(Struct, frozen=True, forbid_unknown_fields=True):
    """What was granted was used."""

    source_id: Reference
    used_at: Moment
    source: Reference | None = None


class CloseGrant(Struct, frozen=True, forbid_unknown_fields=True):
    """A rendering through another system that is over for it."""

    measure: MeasureCode
    iin: Iin
    source_id: Reference
    source: Reference | None = None


class ClosingAnswer(Struct, frozen=True):
    """The closing of a rendering, with the notice and the account that allow it."""

    id: str
    closed_at: datetime
    notice: str
    grant: str


class ReconcileQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Whose file it is, and the time it is about (by default from its first grant to its last)."""

    source: Reference | None = None
    measure: MeasureCode | None = None
    since: Moment | None = None
    until: Moment | None = None


class UnreadableRow(Struct, frozen=True):
    """A row that could not be read: its number, and the column at fault."""

    row: int
    column: str


class DifferentRow(Struct, frozen=True):
    """A grant that both have and tell differently: in these fields."""

    source_id: str
    fields: list[str]


class Reconciliation(Struct, frozen=True):
    """A provider's file beside the books. Counts are whole, lists hold the first 1000: source ids
    missing in the wallet, missing in the file, and different."""

    rows: int
    matched: int
    missing_in_wallet: int
    missing_in_file: int
    different: int
    unreadable: int
    missing_in_wallet_rows: list[str]
    missing_in_file_rows: list[str]
    different_rows: list[DifferentRow]
    unreadable_rows: list[UnreadableRow]


class SyncedGrants(Struct, frozen=True, forbid_unknown_fields=True):
    """Grants of a system's own books."""

    grants: Annotated[list[NewGrant], Meta(max_length=MOST_SYNCED)]


class RejectedGrant(Struct, frozen=True):
    """A grant that was not taken: its place, the field, and what was wrong with it."""

    index: int
    field: str
    detail: str


class ConflictingGrant(Struct, frozen=True):
    """A grant that the wallet has with other facts, which stay as they are."""

    index: int
    source_id: str
    fields: list[str]


class SyncAnswer(Struct, frozen=True):
    """What became of the grants: new here, known just so, in conflict, or rejected."""

    created: int
    unchanged: int
    conflicts: list[ConflictingGrant]
    rejected: list[RejectedGrant]


def sync_grants(call: Call[SyncedGrants, Nothing]) -> SyncAnswer:
    grants = call.body.grants
    done = account(call, grants)
    exchanging.keep_conflicts(call.unit, call.caller.provider, done)
    taken = [one for one in done if isinstance(one, Accounted)]
    return SyncAnswer(
        created=sum(one.is_new for one in taken),
        unchanged=sum(not one.is_new for one in taken),
        conflicts=[
            ConflictingGrant(i, grants[i].source_id, list(one.fields))
            for i, one in enumerate(done)
            if isinstance(one, Different)
        ],
        rejected=[
            RejectedGrant(i, one.field, FIELDS[one.key].in_language(call.language))
            for i, one in enumerate(done)
            if isinstance(one, Wrong)
        ],
    )


def account_grant(call: Call[NewGrant, Nothing]) -> GrantAnswer:
    [done] = account(call, [call.body])
    match done:
        case Wrong():
            raise invalid(done.field, done.key)
        case Different():
            faults = [Fault(field, "grant.another") for field in done.fields]
            raise Problem("conflict", *faults)
    return shown_grant(done.grant)


def account(call: Call[Any, Any], grants: Sequence[NewGrant]) -> list[Outcome]:
    """What became of each, in order; amounts that are none are said to be."""
    for one in grants:
        admit(call, one.measure)
    reports = [_report(call, one) for one in grants]
    sound = [r for r in reports if isinstance(r, Report)]
    done = iter(accounting.account(call.rt, call.unit, call.caller.provider, sound))
    return [r if isinstance(r, Wrong) else next(done) for r in reports]


def _report(call: Call[Any, Any], one: NewGrant) -> Report | Wrong:
    amount = None if one.amount is None else tiyn_of(one.amount)
    if one.amount is not None and amount is None:
        return Wrong("amount", "amount")
    return Report(
        one.measure, one.iin, _source(call, one.source), one.source_id, one.granted_at,
        amount, one.kind, one.corrects, one.cancelled,
    )  # fmt: skip


def _source(call: Call[Any, Any], named: str | None) -> str:
    return named or call.caller.provider


def list_grants(call: Call[None, GrantQuery]) -> GrantPage:
    query = call.query
    found = records.page(
        call.unit.tx, provider_of(call), measure=query.measure, source_id=query.source_id,
        after=pages.after(query.cursor), limit=query.limit + 1,
    )  # fmt: skip
    page, following = pages.cut(found, query.limit, lambda one: str(one.id))
    return GrantPage([shown_grant(one) for one in page], following)


def use_grant(call: Call[Use, Nothing]) -> GrantAnswer:
    body, owner = call.body, call.caller.provider
    done = accounting.use(
        call.unit, owner, _source(call, body.source), body.source_id, body.used_at
    )
    if isinstance(done, Wrong):
        raise invalid(done.field, done.key)
    admit(call, done.measure)
    return shown_grant(done)


def close_grant(call: Call[CloseGrant, Nothing]) -> ClosingAnswer:
    body = call.body
    admit(call, body.measure)
    done = accounting.close(
        call.rt, call.unit, call.caller.provider, body.measure, body.iin,
        _source(call, body.source), body.source_id,
    )  # fmt: skip
    match done:
        case Wrong():
            raise invalid(done.field, done.key)
        case Refusal():
            refused = Refused(done.gate, done.clause, done.detail_key)
            raise Problem("wallet_condition", refused=refused)
    return ClosingAnswer(str(done.id), utc(done.closed_at), str(done.notice_id), str(done.grant_id))


def reconcile_grants(call: Call[None, ReconcileQuery]) -> Reconciliation:
    file, query = call.file, call.query
    assert file is not None
    try:
        text = b"".join(file.chunks).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise invalid("", "upload.utf8") from None
    try:
        found = accounting.reconcile(
            call.unit, call.caller.provider, _source(call, query.source),
            rows_of(text, file.media_type), query.measure, query.since, query.until,
        )  # fmt: skip
    except NoHeader:
        raise invalid("", "grants.header") from None
    return Reconciliation(
        found.rows, found.matched, len(found.missing_here), len(found.missing_there),
        len(found.different), len(found.unreadable), found.missing_here[:MOST],
        found.missing_there[:MOST],
        [DifferentRow(one, list(fields)) for one, fields in found.different[:MOST]],
        [UnreadableRow(row, column) for row, column in found.unreadable[:MOST]],
    )  # fmt: skip


def shown_grant(grant: Grant) -> GrantAnswer:
    """An account as the API shows it."""
    return GrantAnswer(
        str(grant.id), grant.source, grant.source_id, grant.measure, tenge_of(grant.amount),
        grant.kind, utc(grant.granted_at), None if grant.corrects is None else str(grant.corrects),
        grant.is_cancelled, None if grant.notice_id is None else str(grant.notice_id),
        utc_or_none(grant.used_at), utc(grant.created_at),
    )  # fmt: skip


_NEW = NewGrant("school-meals", "900101300126", "G-1", AT, amount=Decimal("12500.00"))
_GRANT = GrantAnswer(
    ID, "education", "G-1", "school-meals", "12500.00", None, AT, None, False, ID, None, AT
)
_REPORT = Reconciliation(3, 1, 1, 0, 1, 0, ["G-2"], [], [DifferentRow("G-3", ["amount"])], [])
_SYSTEMS = (Scope.PROVIDER, Scope.EXCHANGE)

ENDPOINTS = (
    Endpoint(
        method="POST",
        path="/v1/grants",
        scopes=_SYSTEMS,
        summary="Account for a grant, or correct an account",
        handler=account_grant,
        body=NewGrant,
        answer=GrantAnswer,
        status=201,
        errors=("conflict", "agreement"),
        body_example=_NEW,
        answer_example=_GRANT,
        description=(
            "214/НҚ, clause 5. The same source id with the same facts again changes nothing; with "
            "other facts it is refused, for entries are never edited."
        ),
    ),
    Endpoint(
        method="POST",
        path="/v1/wallet/sync",
        scopes=_SYSTEMS,
        summary="Bring the wallet's books up to those of a system",
        handler=sync_grants,
        body=SyncedGrants,
        answer=SyncAnswer,
        errors=("agreement",),
        body_example=SyncedGrants([_NEW]),
        answer_example=SyncAnswer(1, 0, [ConflictingGrant(1, "G-2", ["amount"])], []),
        description="214/НҚ, clause 9. Sending the same again changes nothing.",
    ),
    Endpoint(
        method="GET",
        path="/v1/grants",
        scopes=(Scope.PROVIDER, Scope.AUDITOR, Scope.OPERATOR),
        summary="List accounts and corrections, newest first",
        handler=list_grants,
        query=GrantQuery,
        answer=GrantPage,
        answer_example=GrantPage([_GRANT], None),
    ),
    Endpoint(
        method="POST",
        path="/v1/grants/used",
        scopes=_SYSTEMS,
        summary="Report that what was granted was used",
        handler=use_grant,
        body=Use,
        answer=GrantAnswer,
        errors=("agreement",),
        body_example=Use("G-1", AT),
        answer_example=_GRANT,
    ),
    Endpoint(
        method="POST",
        path="/v1/grants/close",
        scopes=_SYSTEMS,
        summary="Close a rendering through another system",
        handler=close_grant,
        body=CloseGrant,
        answer=ClosingAnswer,
        errors=("wallet_condition", "agreement"),
        body_example=CloseGrant("school-meals", "900101300126", "G-1"),
        answer_example=ClosingAnswer(ID, AT, ID, ID),
        description="214/НҚ, clause 8: refused without a notice and an account of the wallet.",
    ),
    Endpoint(
        method="POST",
        path="/v1/grants/reconcile",
        scopes=_SYSTEMS,
        summary="Compare a provider's file with the books",
        handler=reconcile_grants,
        takes=(CSV, NDJSON),
        query=ReconcileQuery,
        answer=Reconciliation,
        answer_example=_REPORT,
        description=(
            "Columns: source_id, measure, iin, granted_at (ISO 8601 with a zone), amount in tenge "
            "and/or kind; commas, semicolons or tabs. Accounts are compared as they stand after "
            "their corrections; a row may name a grant by the source id of any of them."
        ),
    ),
)
