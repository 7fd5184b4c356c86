"""Campaigns: files of proposals staged, looked at, and offered a few at a time, so that no reply
ever waits behind them and a campaign can be stopped while most of it has not left."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

import msgspec

from app.calendar import in_almaty
from app.ledger.ids import new_id
from app.ledger.unit import Unit
from app.proactive import records as offers
from app.proactive.actions import offering, providing
from app.proactive.actions.offering import Capped, Draft, Duplicate
from app.proactive.actions.proposing import Proposed, fault_of, propose
from app.proactive.actions.saying import DIALOG, service_values
from app.proactive.campaigns import records, rules
from app.proactive.campaigns.records import Campaign, Outcome, Staged, Upload
from app.proactive.campaigns.rules import CampaignState, Event
from app.proactive.records import Offer
from app.proactive.rules import IllegalTransition, Refusal
from app.proactive.rules.accounts import Wrong
from app.runtime import Runtime
from dialogs.engine.model import Screen
from dialogs.engine.render import segments, sms
from dialogs.engine.wording import BOTH

STEP = 200  # rows a transaction
AHEAD = 1000  # offers of one campaign that may wait to leave; what is beyond can still be stopped
AT_ONCE = 1000  # rows staged or judged together
CANCELLED = "campaign cancelled"


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a campaign would do if it ran now: offers made, rows refused by (gate, clause),
    segments, and when the last of them would leave."""

    reached: int
    refused: Mapping[tuple[str, str | None], int]
    segments: int
    last_out_at: datetime


def take_in(unit: Unit, provider: str, rows: Iterable[Staged]) -> Upload:
    """Stages the rows of a file as they come."""
    upload_id, count, wrong = new_id(unit.now), 0, 0
    waiting: list[Staged] = []
    for row in rows:
        count += 1
        wrong += row.faults is not None
        waiting.append(row)
        if len(waiting) == AT_ONCE:
            records.stage(unit.tx, unit.vault, upload_id, waiting)
            waiting.clear()
    if waiting:
        records.stage(unit.tx, unit.vault, upload_id, waiting)
    upload = Upload(upload_id, count, wrong, unit.now)
    records.add_upload(unit.tx, provider, upload)
    return upload


def change(
    rt: Runtime, unit: Unit, provider: str, campaign_id: UUID, event: Event,
    starts_at: datetime | None = None,
) -> Campaign | None:  # fmt: skip
    """Schedules, starts, pauses, resumes or cancels. None: the provider has no such campaign.
    Raises IllegalStep."""
    found = records.one(unit.tx, provider, campaign_id, lock=True)
    if found is None:
        return None
    changed = replace(found, state=rules.step(found.state, event))
    if event is Event.SCHEDULE:
        changed = replace(changed, starts_at=starts_at)
    if event is Event.CANCEL:
        _take_back(rt, unit, changed)
        changed = replace(changed, finished_at=unit.now)
    records.save(unit.tx, changed)
    return changed


def _take_back(rt: Runtime, unit: Unit, campaign: Campaign) -> None:
    """What was not offered is forgotten, what has not left is withdrawn; the rest runs its course:
    whoever was asked may answer."""
    for offer_id in records.not_sent(unit.tx, campaign.upload_id):
        offer = offers.one(unit.tx, unit.vault, offer_id, campaign.provider)
        if offer is not None and offer.sent_at is None:
            with suppress(IllegalTransition):
                providing.withdraw(rt, unit, campaign.provider, offer_id, CANCELLED)
    records.drop_staged(unit.tx, campaign.upload_id)


def advance(rt: Runtime, skip: int = 0) -> bool | None:
    """One step of one campaign that is due, passing over `skip` others. None: there is none;
    False: it can do nothing now."""
    with rt.unit() as unit:
        campaign = records.live(unit.tx, unit.now, skip)
        if campaign is None:
            return None
        if campaign.state is CampaignState.SCHEDULED:
            campaign = replace(campaign, state=rules.step(campaign.state, Event.START))
            records.save(unit.tx, campaign)
        room = AHEAD - len(records.not_sent(unit.tx, campaign.upload_id))
        if room <= 0:
            return False
        found = records.staged(unit.tx, unit.vault, campaign.upload_id, 0, min(room, STEP))
        if not found:
            done = replace(campaign, state=CampaignState.DONE, finished_at=unit.now)
            records.save(unit.tx, done)
            return True
        drafts = [_draft(raw) for _, raw in found]
        made = propose(rt, unit, campaign.provider, drafts, campaign.reach)
        outcomes = [_outcome(number, one) for (number, _), one in zip(found, made, strict=True)]
        records.settle(unit.tx, campaign.upload_id, outcomes)
        return True


def work(rt: Runtime) -> bool:
    """One step of every campaign that is due, so that none waits for another; did any do more
    than wait?"""
    skip, did = 0, False
    while (one := advance(rt, skip)) is not None:
        did, skip = did or one, skip + 1
    return did


def forecast(rt: Runtime, unit: Unit, campaign: Campaign) -> Forecast:
    """Judges every row that is left as if all were offered now; nothing is stored."""
    reached, total, after = 0, 0, 0
    refused: Counter[tuple[str, str | None]] = Counter()
    while found := records.staged(unit.tx, unit.vault, campaign.upload_id, after, AT_ONCE):
        after = found[-1][0]
        drafts = [_draft(raw) for _, raw in found]
        for one in _judged(rt, unit, campaign, drafts):
            if isinstance(one, Offer):
                reached += 1
                total += _segments(rt, one)
            else:
                outcome = _outcome(0, one)
                refused[str(outcome.gate), outcome.clause] += 1
    sending = rt.settings.sending
    hours = None if sending.hours is None else (sending.hours.start, sending.hours.end)
    begins = in_almaty(max(unit.now, campaign.starts_at or unit.now))
    last = rules.last_out(begins, total, sending.segments_per_second, hours)
    return Forecast(reached, refused, total, last)


def _judged(rt: Runtime, unit: Unit, campaign: Campaign, drafts: Sequence[Draft]) -> list[Proposed]:
    wrong = {i: w for i, draft in enumerate(drafts) if (w := fault_of(rt, draft))}
    sound = [draft for i, draft in enumerate(drafts) if i not in wrong]
    made = iter(offering.judge(rt, unit, campaign.provider, sound, campaign.reach))
    return [wrong[i] if i in wrong else next(made) for i in range(len(drafts))]


def _segments(rt: Runtime, offer: Offer) -> int:
    values = service_values(rt.catalogue, offer)
    return segments(sms(rt.words, Screen(DIALOG, "ask"), offer.language or BOTH, values))


def _draft(raw: bytes) -> Draft:
    return msgspec.json.decode(raw, type=Draft)


def _outcome(number: int, one: Proposed) -> Outcome:
    match one:
        case Offer():
            return Outcome(number, "made", offer_id=one.id)
        case Refusal():
            return Outcome(number, "refused", one.gate, one.clause)
        case Duplicate():
            return Outcome(number, "refused", "duplicate_reference")
        case Capped():
            return Outcome(number, "refused", "too_many")
        case Wrong():
            return Outcome(number, "refused", "invalid")
