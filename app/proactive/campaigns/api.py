"""Files of proposals and the campaigns that offer them: taken in, looked at, scheduled, stopped."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import Meta, Struct

from app.api import pages
from app.api.checking import read_row
from app.api.pages import Paged
from app.api.problems import Fault, Problem, fault_text, invalid, not_found
from app.api.routing import Call, Endpoint, Nothing
from app.api.texts import KINDS
from app.api.values import Moment, utc, utc_or_none
from app.ledger.ids import as_id, new_id
from app.ledger.keys import Scope
from app.proactive.actions.offering import Draft
from app.proactive.actions.proposing import fault_of
from app.proactive.campaigns import actions, reading, records
from app.proactive.campaigns.reading import CSV, NDJSON, Unreadable
from app.proactive.campaigns.records import Campaign, NotTaken, Staged, Upload
from app.proactive.campaigns.rules import CampaignState, Event, IllegalStep
from app.proactive.making.api import Proposal, Service

Name = Annotated[str, Meta(min_length=1, max_length=200)]


class UploadQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """`service` is that of rows which name none."""

    service: Service | None = None


class Progress(Struct, frozen=True):
    """How many rows wait, were wrong in themselves, became offers, were refused, or cancelled."""

    staged: int
    wrong: int
    made: int
    refused: int
    cancelled: int


class UploadAnswer(Struct, frozen=True):
    """A file that was taken in, and how far its rows have come."""

    id: str
    rows: int
    created_at: datetime
    progress: Progress


class RowError(Struct, frozen=True, omit_defaults=True):
    """What is wrong with a row: its number (the first after the header is 1) and its column. Of a
    row that was refused when its campaign came to it, the `gate`, with its clause."""

    row: int
    column: str
    detail: str
    gate: str | None = None
    clause: str | None = None


class RowErrors(Struct, frozen=True):
    """Errors, by row."""

    items: list[RowError]
    next: str | None


class NewCampaign(Struct, frozen=True, forbid_unknown_fields=True):
    """A campaign over an upload; without `starts_at` it waits to be started."""

    name: Name
    upload: str
    starts_at: Moment | None = None


class Schedule(Struct, frozen=True, forbid_unknown_fields=True):
    """When a campaign begins."""

    starts_at: Moment


class Refusals(Struct, frozen=True):
    """How many rows one gate refused; what is no rule of law has no clause."""

    gate: str
    clause: str | None
    count: int


class CampaignAnswer(Struct, frozen=True):
    """A campaign and how far it has come."""

    id: str
    name: str
    upload: str
    state: CampaignState
    starts_at: datetime | None
    created_at: datetime
    finished_at: datetime | None
    progress: Progress
    refused: list[Refusals]


class CampaignPage(Struct, frozen=True):
    """Campaigns, newest first."""

    items: list[CampaignAnswer]
    next: str | None


class DryRun(Struct, frozen=True):
    """What would come of the rows that are left. `cost` is in tenge, null where no price of a
    segment is configured; `last_out_at` reckons with the sending hours."""

    reached: int
    refused: list[Refusals]
    segments: int
    cost: float | None
    last_out_at: datetime


def upload_offers(call: Call[None, UploadQuery]) -> UploadAnswer:
    file = call.file
    assert file is not None
    try:
        rows = reading.rows(file.chunks, file.media_type)
        taken = actions.take_in(call.unit, call.caller.provider, _staged(call, rows))
    except Unreadable as error:
        raise invalid("", error.key) from None
    return _upload(call, taken)


def _staged(call: Call[None, UploadQuery], rows: Iterator[reading.Row]) -> Iterator[Staged]:
    for row in rows:
        values = row.values
        if call.query.service is not None:
            values = {"service": call.query.service} | values
        faults, raw = _judged(call, row, values)
        said = [(f.field, f.key, dict(f.values)) for f in faults]
        yield Staged(row.number, raw, msgspec.json.encode(said) if said else None)


def _judged(
    call: Call[None, UploadQuery], row: reading.Row, values: dict[str, Any]
) -> tuple[tuple[Fault, ...], bytes | None]:
    if row.fault is not None:
        return (Fault("", row.fault),), None
    read = read_row(values, Proposal)
    if isinstance(read, tuple):
        return read, None
    draft = Draft(read.service, read.iin, read.reference, read.values)
    if wrong := fault_of(call.rt, draft):
        return (Fault(wrong.field, wrong.key),), None
    return (), msgspec.json.encode(draft)


def read_upload(call: Call[None, Nothing]) -> UploadAnswer:
    return _upload(call, _found_upload(call))


def list_upload_errors(call: Call[None, Paged]) -> RowErrors:
    upload, query = _found_upload(call), call.query
    after = query.cursor or "0"
    if not after.isascii() or not after.isdigit() or len(after) > 9:
        raise invalid("cursor", "cursor")
    found = records.not_taken(call.unit.tx, upload.id, int(after), query.limit + 1)
    page, following = pages.cut(found, query.limit, lambda row: str(row.number))
    errors = [error for row in page for error in _errors(row, call.language)]
    return RowErrors(errors, following)


def _errors(row: NotTaken, language: str) -> Iterator[RowError]:
    if row.gate is not None:
        kind = KINDS.get(row.gate, KINDS["refused"])
        detail = kind.detail.in_language(language)
        yield RowError(row.number, "", detail, row.gate, row.clause)
    for field, key, values in msgspec.json.decode(row.faults):
        yield RowError(row.number, field, fault_text(Fault(field, key, values), language))


def add_campaign(call: Call[NewCampaign, Nothing]) -> CampaignAnswer:
    unit, new, caller = call.unit, call.body, call.caller
    upload_id = as_id(new.upload)
    upload = None if upload_id is None else records.upload(unit.tx, caller.provider, upload_id)
    if upload is None:
        raise invalid("upload", "value")
    _check(call, new.starts_at)
    state = CampaignState.DRAFT if new.starts_at is None else CampaignState.SCHEDULED
    campaign = Campaign(
        new_id(unit.now), caller.provider, new.name, upload.id, state, new.starts_at,
        caller.reach, unit.now, None,
    )  # fmt: skip
    if not records.add(unit.tx, campaign):
        raise Problem("upload_used")
    return _shown(call, campaign)


def list_campaigns(call: Call[None, Paged]) -> CampaignPage:
    after, limit = pages.after(call.query.cursor), call.query.limit
    found = records.page(call.unit.tx, call.caller.provider, after, limit + 1)
    page, following = pages.cut(found, limit, lambda campaign: str(campaign.id))
    return CampaignPage([_shown(call, campaign) for campaign in page], following)


def read_campaign(call: Call[None, Nothing]) -> CampaignAnswer:
    return _shown(call, _found(call))


def dry_run_campaign(call: Call[None, Nothing]) -> DryRun:
    seen = actions.forecast(call.rt, call.unit, _found(call))
    price = call.rt.settings.sending.segment_price
    refused = [Refusals(gate, clause, n) for (gate, clause), n in sorted(seen.refused.items())]
    cost = round(seen.segments * price, 2) if price else None
    return DryRun(seen.reached, refused, seen.segments, cost, utc(seen.last_out_at))


def schedule_campaign(call: Call[Schedule, Nothing]) -> CampaignAnswer:
    _check(call, call.body.starts_at)
    return _change(call, Event.SCHEDULE, call.body.starts_at)


def start_campaign(call: Call[None, Nothing]) -> CampaignAnswer:
    return _change(call, Event.START)


def pause_campaign(call: Call[None, Nothing]) -> CampaignAnswer:
    return _change(call, Event.PAUSE)


def resume_campaign(call: Call[None, Nothing]) -> CampaignAnswer:
    return _change(call, Event.RESUME)


def cancel_campaign(call: Call[None, Nothing]) -> CampaignAnswer:
    return _change(call, Event.CANCEL)


def _change(
    call: Call[Any, Nothing], event: Event, starts_at: datetime | None = None
) -> CampaignAnswer:
    try:
        changed = actions.change(
            call.rt, call.unit, call.caller.provider, _id(call), event, starts_at
        )
    except IllegalStep as error:
        raise Problem("campaign_state", state=error.state) from None
    if changed is None:
        raise not_found()
    return _shown(call, changed)


def _check(call: Call[Any, Any], starts_at: datetime | None) -> None:
    if starts_at is not None and not call.unit.now <= starts_at <= _LATEST:
        raise invalid("starts_at", "future")


def _id(call: Call[Any, Any]) -> UUID:
    found = as_id(call.path["id"])
    if found is None:
        raise not_found()
    return found


def _found(call: Call[Any, Any]) -> Campaign:
    found = records.one(call.unit.tx, call.caller.provider, _id(call))
    if found is None:
        raise not_found()
    return found


def _found_upload(call: Call[Any, Any]) -> Upload:
    found = records.upload(call.unit.tx, call.caller.provider, _id(call))
    if found is None:
        raise not_found()
    return found


def _upload(call: Call[Any, Any], upload: Upload) -> UploadAnswer:
    progress = _progress(records.counts(call.unit.tx, upload.id))
    return UploadAnswer(str(upload.id), upload.rows, utc(upload.created_at), progress)


def _progress(counts: list[tuple[str, str | None, str | None, int]]) -> Progress:
    by_state: Counter[str] = Counter()
    for state, _, _, count in counts:
        by_state[state] += count
    return Progress(*(by_state[name] for name in Progress.__struct_fields__))


def _shown(call: Call[Any, Any], campaign: Campaign) -> CampaignAnswer:
    counts = records.counts(call.unit.tx, campaign.upload_id)
    return CampaignAnswer(
        id=str(campaign.id),
        name=campaign.name,
        upload=str(campaign.upload_id),
        state=campaign.state,
        starts_at=utc_or_none(campaign.starts_at),
        created_at=utc(campaign.created_at),
        finished_at=utc_or_none(campaign.finished_at),
        progress=_progress(counts),
        refused=[Refusals(gate, clause, n) for _, gate, clause, n in counts if gate is not None],
    )


_LATEST = datetime(2199, 12, 31, tzinfo=UTC)
_AT = datetime(2026, 1, 31, 9, tzinfo=UTC)
_ID = "019c1234-5678-7abc-8def-0123456789ab"
_PROGRESS = Progress(900, 2, 90, 8, 0)
_REFUSED = [Refusals("consent_given", "155:3", 8)]
_UPLOAD = UploadAnswer(_ID, 1000, _AT, _PROGRESS)
_CAMPAIGN = CampaignAnswer(
    _ID, "Births of January", _ID, CampaignState.RUNNING, _AT, _AT, None, _PROGRESS, _REFUSED
)


def _endpoint(method: str, path: str, summary: str, handler: Any, **more: Any) -> Endpoint:
    shown: dict[str, Any] = {"answer": CampaignAnswer, "answer_example": _CAMPAIGN} | more
    return Endpoint(
        method=method,
        path=path,
        scopes=(Scope.PROVIDER,),
        summary=summary,
        handler=handler,
        **shown,
    )


def _step(name: str, summary: str, handler: Any, **more: Any) -> Endpoint:
    errors = ("not_found", "campaign_state")
    path = f"/v1/campaigns/{{id}}/{name}"
    return _endpoint("POST", path, summary, handler, errors=errors, **more)


ENDPOINTS = (
    _endpoint(
        "POST", "/v1/uploads", "Upload proposals as CSV or NDJSON", upload_offers,
        query=UploadQuery, takes=(CSV, NDJSON), status=201, answer=UploadAnswer,
        answer_example=_UPLOAD, location="/v1/uploads/{id}",
        description=(
            "Up to 100 000 rows. CSV has a header with `iin`, `reference` and, unless the address "
            "says it, `service`; commas, semicolons or tabs; every other column is one of "
            "`values`. Nothing is offered before a campaign starts."
        ),
    ),
    _endpoint(
        "GET", "/v1/uploads/{id}", "See how far an upload has come", read_upload,
        answer=UploadAnswer, answer_example=_UPLOAD, errors=("not_found",),
    ),
    _endpoint(
        "GET", "/v1/uploads/{id}/errors", "List the rows that could not be taken",
        list_upload_errors, query=Paged, answer=RowErrors, errors=("not_found",),
        answer_example=RowErrors([RowError(7, "iin", "an IIN has 12 digits")], None),
    ),
    _endpoint(
        "POST", "/v1/campaigns", "Make a campaign of an upload", add_campaign,
        body=NewCampaign, body_example=NewCampaign("Births of January", _ID, _AT), status=201,
        location="/v1/campaigns/{id}", errors=("upload_used",),
    ),
    _endpoint(
        "GET", "/v1/campaigns", "List campaigns, newest first", list_campaigns, query=Paged,
        answer=CampaignPage, answer_example=CampaignPage([_CAMPAIGN], None),
    ),
    _endpoint(
        "GET", "/v1/campaigns/{id}", "See how far a campaign has come", read_campaign,
        errors=("not_found",),
    ),
    _endpoint(
        "POST", "/v1/campaigns/{id}/dry-run", "See what a campaign would do", dry_run_campaign,
        answer=DryRun, answer_example=DryRun(992, _REFUSED, 1984, 35712.0, _AT),
        errors=("not_found",), description="Judges every row that is left; nothing is made.",
    ),
    _step(
        "schedule", "Say when a campaign begins", schedule_campaign, body=Schedule,
        body_example=Schedule(_AT),
    ),
    _step("start", "Start a campaign now", start_campaign),
    _step("pause", "Stop making offers for now", pause_campaign),
    _step("resume", "Go on making offers", resume_campaign),
    _step(
        "cancel", "End a campaign", cancel_campaign,
        description="What has not left is withdrawn; whoever was asked may still answer.",
    ),
)  # fmt: skip
