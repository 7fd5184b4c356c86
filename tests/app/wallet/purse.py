"""The world of tests with a wallet in it: notices are made and consents asked."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import msgspec

from app.wallet.actions import answering, noticing, reading
from app.wallet.actions.noticing import Draft, Made
from app.wallet.consents import records as consents
from app.wallet.consents.records import Consent
from app.wallet.notices import records as notices
from app.wallet.notices.records import Kind, Notice
from tests.app.world import World

MEALS, GAS, MEDICINES = "school-meals", "gas-voucher", "free-medicines"
BODY = "education"


class Purse(World):
    """One phone, its people, and a body that tells them of measures."""

    def notify(self, measure: str, name: str, *, asks: bool = False, **more: Any) -> Made:
        """The body makes a notice; what was made of it."""
        draft = Draft(
            more.pop("kind", Kind.OFFER), measure, self.people[name],
            more.pop("reference", uuid4().hex), asks=asks, **more,
        )  # fmt: skip
        with self.rt.unit() as unit:
            [made] = noticing.make(self.rt, unit, BODY, [draft])
        self.commit()
        return made

    def told(self, measure: str, name: str, **more: Any) -> Notice:
        """A notice that must be made."""
        made = self.notify(measure, name, **more)
        assert isinstance(made, Notice), made
        return made

    def decide(self, measure: str, name: str, decision: str, at: datetime, **more: Any) -> Notice:
        """The body tells of its decision."""
        more |= {"kind": Kind.DECISION, "decision": decision, "decided_at": at}
        return self.told(measure, name, **more)

    def notice(self, notice_id: UUID) -> Notice:
        """A notice as it stands."""
        with self.rt.unit() as unit:
            [found] = notices.page(unit.tx, None, notice_id=notice_id)
        return found

    def asking(self, notice_id: UUID) -> Consent:
        """The asking that belongs to a notice."""
        [row] = self.rows("SELECT id FROM wallet_consents WHERE notice_id = :id", id=notice_id)
        with self.rt.unit() as unit:
            [found] = consents.some(unit.tx, unit.vault, [row.id])
        return found

    def cabinet(self, name: str, language: str | None = None) -> list[str]:
        """The bodies of a person's notices, newest first."""
        with self.rt.unit() as unit:
            found = reading.notices(self.rt, unit, self.id_of(name), language, None, None, 50)
        return [one.body for one in found]

    def id_of(self, name: str) -> UUID:
        index = self.rt.vault.index("iin", self.people[name])
        [row] = self.rows("SELECT id FROM recipients WHERE iin_index = :index", index=index)
        return UUID(str(row.id))

    def tap(self, name: str, consent_id: UUID, choice: str, step: str | None = None) -> Consent:
        """The person answers in the app."""
        with self.rt.unit() as unit:
            found = answering.answer_in_app(
                self.rt, unit, self.id_of(name), consent_id, choice, step
            )
        assert found is not None
        self.commit()
        return found

    def register_says(self, name: str) -> list[tuple[str, bool]]:
        """The person's consents to measures in the register: (purpose, does it hold)."""
        index = self.rt.vault.index("iin", self.people[name])
        rows = self.rows(
            """SELECT purpose, withdrawn_at IS NULL AS holds FROM consents
            WHERE iin_index = :index AND purpose LIKE 'measure-%' ORDER BY purpose""",
            index=index,
        )
        return [(r.purpose, r.holds) for r in rows]

    def kinds(self, case: UUID) -> list[str]:
        """The kinds of a case's journal entries."""
        return [entry.kind for entry in self.journal(case)]

    def facts(self, case: UUID, kind: str) -> Mapping[str, Any]:
        """The facts of the last entry of that kind."""
        entry = [e for e in self.journal(case) if e.kind == kind][-1]
        facts: Mapping[str, Any] = msgspec.json.decode(entry.body)["facts"]
        return facts

    def texts(self) -> list[str]:
        """All SMS so far."""
        return [mt.message.body for mt in self.mts]


def overdue(purse: Purse, within: timedelta = timedelta(0)) -> list[Notice]:
    """What the list of the overdue shows, or of what will be within that time."""
    with purse.rt.unit() as unit:
        return notices.urgent(unit.tx, None, unit.now, within)
