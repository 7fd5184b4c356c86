"""A notice's one working day as it is lived: made before holidays, on moved days, at midnight."""

from dataclasses import replace
from datetime import date, datetime, timedelta

import httpx
import pytest

from app.calendar import ALMATY, Calendar
from app.catalogue.model import Swap
from app.clock import ManualClock
from app.runtime import Runtime
from app.wallet.actions import delivering, noticing, sweeping
from app.wallet.notices.records import Kind, Sms
from app.wallet.rules import terms
from tests.app.api.conftest import Caller, client, operator, provider, registry
from tests.app.wallet.purse import BODY, GAS, MEALS, Purse, overdue

__all__ = ["client", "operator", "provider", "registry"]

MINUTE = timedelta(minutes=1)
# A Saturday that the government made a working day, as its yearly act would be entered.
SATURDAY = Swap("an act of 2027", off=date(2027, 3, 26), worked=date(2027, 3, 20))


def almaty(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ALMATY)


def at(rt: Runtime, moment: str) -> Purse:
    """A town at that moment in Almaty."""
    purse = Purse(rt, ManualClock(almaty(moment)))
    purse.register("Аида", "ru")
    return purse


def until(purse: Purse, moment: datetime) -> None:
    """Time passes with the worker at work, hour by hour as far as it matters."""
    purse.pass_time(moment - purse.clock())


LIVED = (
    ("a Friday evening before Nauryz 2026", "2026-03-20T19:00", "2026-03-26"),
    ("a Friday evening before Nauryz 2027", "2027-03-19T19:00", "2027-03-25"),
    ("a Friday evening before Republic Day 2025", "2025-10-24T18:30", "2025-10-28"),
    ("before Independence Day 2025", "2025-12-15T20:00", "2025-12-17"),
    ("the last minute of 2026", "2026-12-31T23:59", "2027-01-05"),
    ("one minute to midnight", "2026-03-02T23:59", "2026-03-03"),
    ("midnight", "2026-03-03T00:00", "2026-03-04"),
)


@pytest.mark.parametrize(("what", "made", "last"), LIVED, ids=lambda c: str(c))
def test_the_alarm_rings_on_the_last_day_and_the_cabinet_keeps_the_term(
    rt: Runtime, what: str, made: str, last: str
) -> None:
    purse = at(rt, made)
    purse.go_down()  # so that nothing is served before it must be
    notice = purse.told(GAS, "Аида")
    end = almaty(f"{last}T00:00") + timedelta(days=1)
    assert notice.deadline == end
    until(purse, almaty(f"{last}T11:59"))
    assert overdue(purse, terms.ALARM_LEAD) == []
    until(purse, almaty(f"{last}T12:01"))
    assert [n.id for n in overdue(purse, terms.ALARM_LEAD)] == [notice.id]
    until(purse, almaty(f"{last}T23:01"))
    found = purse.notice(notice.id)
    assert found.served_at is not None and found.served_at <= end
    until(purse, end + 9 * MINUTE)
    assert overdue(purse) == []


def test_a_swapped_saturday_is_the_working_day(rt: Runtime) -> None:
    calendar = Calendar((*rt.calendar.swaps, SATURDAY))
    purse = at(replace(rt, calendar=calendar), "2027-03-19T19:00")
    notice = purse.told(MEALS, "Аида")
    assert notice.deadline == almaty("2027-03-21T00:00")
    purse.clock.advance(almaty("2027-03-20T10:00") - purse.clock())
    on_it = purse.told(MEALS, "Аида")
    assert on_it.deadline == almaty("2027-03-26T00:00")  # Nauryz lies between, the Friday is off
    on_thursday = replace(rt, calendar=calendar)
    assert terms.deadline_of(
        on_thursday.calendar, rt.catalogue.by_law("214/НҚ"), "notice", almaty("2027-03-25T10:00")
    ) == almaty("2027-03-30T00:00")


def test_a_decision_counts_from_the_decision_and_not_from_when_we_hear_of_it(rt: Runtime) -> None:
    purse = at(rt, "2026-03-26T09:00")
    notice = purse.decide(MEALS, "Аида", "granted", almaty("2026-03-20T19:00"))
    assert notice.deadline == almaty("2026-03-27T00:00")
    assert overdue(purse) == []


def test_what_no_worker_saved_is_overdue_and_stays_listed_when_it_is_served_late(
    rt: Runtime,
) -> None:
    purse = at(rt, "2026-03-20T19:00")
    purse.go_down()
    notice = purse.told(GAS, "Аида")
    purse.clock.advance(notice.deadline - purse.clock())
    assert overdue(purse) == []  # exactly then it would be in time
    purse.clock.advance(timedelta(microseconds=1))
    assert [n.id for n in overdue(purse)] == [notice.id]
    assert overdue(purse, terms.ALARM_LEAD) == []
    sweeping.sweep(purse.rt)  # the worker is back
    assert purse.notice(notice.id).placed_at == purse.clock()
    assert [n.id for n in overdue(purse)] == [notice.id]


def test_an_sms_that_came_back_has_not_kept_the_term(rt: Runtime) -> None:
    purse = at(rt, "2026-03-02T10:00")
    purse.network.answers = None
    notice = purse.told(GAS, "Аида")
    assert purse.notice(notice.id).served_at is not None
    with purse.rt.unit() as unit:
        purse.rt.rooms["wallet"].returned(unit, [(notice.id, "measure.notice")])
    found = purse.notice(notice.id)
    assert (found.served_at, found.sms) == (None, Sms.WAITING)
    assert [n.id for n in overdue(purse, timedelta(days=3))] == [notice.id]


def test_the_lists_go_on_by_cursor_and_the_metrics_count(
    purse: Purse, client: httpx.Client, operator: Caller
) -> None:
    purse.go_down()
    with purse.rt.unit() as unit:
        drafts = [noticing.Draft(Kind.OFFER, GAS, purse.people["Аида"], f"M-{n}") for n in range(3)]
        noticing.make(purse.rt, unit, BODY, drafts)
    purse.clock.advance(almaty("2026-03-03T13:00") - purse.clock())
    assert 'jauap_wallet_notices{term="due-soon"} 3.0' in client.get("/metrics").text
    assert counted(purse) == {"running": 0, "due-soon": 3, "overdue": 0, "late": 0}
    assert len(_all(operator, "due-soon")) == 3 and _all(operator, "overdue") == []
    purse.clock.advance(timedelta(days=1))
    assert counted(purse) == {"running": 0, "due-soon": 0, "overdue": 3, "late": 0}
    assert len(_all(operator, "overdue")) == 3 and _all(operator, "due-soon") == []
    sweeping.sweep(purse.rt)
    assert counted(purse) == {"running": 0, "due-soon": 0, "overdue": 0, "late": 3}
    assert len(_all(operator, "overdue")) == 3


def counted(purse: Purse) -> dict[str, int]:
    """The figures of /metrics, which are kept for a while there."""
    with purse.rt.unit() as unit:
        [figure] = delivering.figures(unit.tx, unit.now)
    return dict(figure.values)


def _all(operator: Caller, term: str) -> list[str]:
    """The references of a list, read two at a time."""
    found: list[str] = []
    params: dict[str, str | int] = {"term": term, "limit": 2}
    while True:
        page = operator.get("/v1/notices", params=params).json()
        found += [one["reference"] for one in page["items"]]
        if page["next"] is None:
            return found
        params["cursor"] = page["next"]
