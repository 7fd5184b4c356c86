"""A provider's proposals, as they came by whatever way: looked at one by one, made together."""

from collections.abc import Sequence

from app.ledger.keys import LIVE, Reach
from app.ledger.unit import Unit
from app.proactive import records
from app.proactive.actions import offering
from app.proactive.actions.offering import Draft, Duplicate, Made
from app.proactive.records import Offer
from app.proactive.rules import Refusal
from app.proactive.rules.accounts import Wrong, fault
from app.recipients.rules import check_iin
from app.runtime import Runtime

Proposed = Made | Wrong


def propose(
    rt: Runtime, unit: Unit, provider: str, drafts: Sequence[Draft], reach: Reach = LIVE
) -> list[Proposed]:
    """What became of each draft, in order: an offer, or why there is none."""
    wrong = {i: w for i, draft in enumerate(drafts) if (w := fault_of(rt, draft))}
    sound = [draft for i, draft in enumerate(drafts) if i not in wrong]
    made = iter(_made(rt, unit, provider, sound, reach))
    return [wrong[i] if i in wrong else next(made) for i in range(len(drafts))]


def fault_of(rt: Runtime, draft: Draft) -> Wrong | None:
    """What is wrong with a draft itself, whatever the gates say."""
    if why := check_iin(draft.iin):
        return Wrong("iin", why)
    return fault(rt.catalogue.find_service(draft.service), draft.values)


def _made(
    rt: Runtime, unit: Unit, provider: str, drafts: Sequence[Draft], reach: Reach
) -> list[Made]:
    made = offering.make(rt, unit, provider, drafts, reach)
    refused = [d.reference for d, m in zip(drafts, made, strict=True) if isinstance(m, Refusal)]
    if not refused:
        return made
    # Of two calls racing with one reference the second learns only from the database that it is
    # taken, and that cannot tell which of the two rules was broken.
    kept = {m.reference for m in made if isinstance(m, Offer)}
    taken = records.known_references(unit.tx, provider, refused) - kept
    return [
        Duplicate(d.reference) if isinstance(m, Refusal) and d.reference in taken else m
        for d, m in zip(drafts, made, strict=True)
    ]
