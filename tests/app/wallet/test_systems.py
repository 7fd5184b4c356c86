"""Other systems (214/НҚ, clauses 9 to 11): what binds them, what they may read, when they stop."""

from datetime import date, datetime, timedelta

import httpx
import pytest

from app.calendar import ALMATY
from app.ledger.keys import Scope
from app.rooms import sweep
from app.wallet.actions import withdrawing
from app.wallet.consents import records as consents
from app.wallet.rules import agreements
from app.wallet.rules.agreements import Class, Terms
from tests.app.api.conftest import Caller, client, operator, provider, registry, with_key
from tests.app.wallet.purse import GAS, MEALS, Purse

__all__ = ["client", "operator", "provider", "registry"]


def entered(operator: Caller, code: str, kind: str, **more: object) -> None:
    body = {"code": code, "name_kk": "Қор", "name_ru": "Фонд", "kind": kind} | more
    answer = operator.post("/v1/wallet/systems", body)
    assert answer.status_code == 200, answer.text


@pytest.fixture
def akimat(purse: Purse, client: httpx.Client, operator: Caller) -> Caller:
    """The system of a state body."""
    entered(operator, "akimat", "state")
    return with_key(purse.rt, client, "akimat", Scope.EXCHANGE)


@pytest.fixture
def fund(purse: Purse, client: httpx.Client, operator: Caller) -> Caller:
    """A third system, bound to an agreement about school meals to the end of 31 March."""
    entered(operator, "fund", "third", agreement="№ 5", measures=[MEALS], last_day="2026-03-31")
    return with_key(purse.rt, client, "fund", Scope.EXCHANGE)


def at(purse: Purse, moment: str) -> None:
    purse.clock.advance(datetime.fromisoformat(moment).replace(tzinfo=ALMATY) - purse.clock())


def grant_of(purse: Purse) -> dict[str, object]:
    return {
        "measure": MEALS, "iin": purse.people["Аида"], "source_id": "G-1", "kind": "lunch",
        "granted_at": "2026-03-02T06:00:00Z",
    }  # fmt: skip


def test_a_state_system_reads_on_by_cursor_and_misses_nothing(purse: Purse, akimat: Caller) -> None:
    purse.told(MEALS, "Аида", asks=True)
    first = akimat.get("/v1/wallet/changes", params={"limit": 1}).json()
    seen, cursor = list(first["items"]), first["next"]
    akimat.post("/v1/wallet/sync", {"grants": [grant_of(purse)]})
    while True:
        page = akimat.get("/v1/wallet/changes", params={"limit": 1, "cursor": cursor}).json()
        if page["next"] == cursor or (not page["items"] and len(seen) >= 2):
            break
        seen, cursor = seen + page["items"], page["next"]
    kinds = [one["type"] for one in seen]
    assert kinds[0] == "notice.placed" and "grant.recorded" in kinds
    assert {one["iin"] for one in seen} == {purse.people["Аида"]}


def test_a_cursor_that_is_none_of_ours_is_refused(akimat: Caller) -> None:
    answer = akimat.get("/v1/wallet/changes", params={"cursor": "yesterday"})
    assert answer.status_code == 422


def test_a_third_system_reads_only_its_measures_of_people_who_consented(
    purse: Purse, fund: Caller
) -> None:
    notice = purse.told(MEALS, "Аида", asks=True)
    purse.told(GAS, "Аида")
    assert fund.get("/v1/wallet/changes").json()["items"] == []
    purse.tap("Аида", purse.asking(notice.id).id, "yes")
    shown = fund.get("/v1/wallet/changes").json()["items"]
    assert shown and {one["facts"]["measure"] for one in shown} == {MEALS}


def test_a_third_system_reports_nothing(purse: Purse, fund: Caller) -> None:
    answer = fund.post("/v1/grants", grant_of(purse))
    assert answer.status_code == 403
    assert (answer.json()["gate"], answer.json()["clause"]) == ("agreement", "214:10")


def test_its_keys_stop_at_the_end_of_the_last_day_with_a_warning_before(
    purse: Purse, fund: Caller, client: httpx.Client
) -> None:
    assert fund.get("/v1/wallet/changes").json()["standing"] == "ending"
    assert 'jauap_wallet_agreements{term="ending"} 1.0' in client.get("/metrics").text
    at(purse, "2026-03-31T23:59:59")
    assert fund.get("/v1/wallet/changes").status_code == 200
    at(purse, "2026-04-01T00:00:00")
    answer = fund.get("/v1/wallet/changes", headers={"Accept-Language": "ru"})
    assert answer.status_code == 403
    assert answer.json()["clause"] == "214:10" and "истёк" in answer.json()["detail"]


def test_an_agreement_that_is_renewed_opens_the_keys_again(
    purse: Purse, fund: Caller, operator: Caller
) -> None:
    at(purse, "2026-04-01T00:00:01")
    assert fund.get("/v1/wallet/changes").status_code == 403
    entered(operator, "fund", "third", agreement="№ 6", measures=[MEALS], last_day="2027-03-31")
    answer = fund.get("/v1/wallet/changes")
    assert answer.status_code == 200 and answer.json()["standing"] == "open"


def test_a_system_nobody_entered_exchanges_nothing(purse: Purse, client: httpx.Client) -> None:
    unknown = with_key(purse.rt, client, "unknown", Scope.EXCHANGE)
    purse.told(MEALS, "Аида")
    assert unknown.get("/v1/wallet/changes").json() == {
        "items": [], "next": "0-0", "standing": "none"
    }  # fmt: skip
    assert unknown.post("/v1/grants", grant_of(purse)).status_code == 403


def test_a_third_system_without_an_agreement_cannot_be_entered(operator: Caller) -> None:
    body: dict[str, object] = {"code": "fund", "name_kk": "Қор", "name_ru": "Фонд"}
    body["kind"] = "third"
    answer = operator.post("/v1/wallet/systems", body)
    assert [e["field"] for e in answer.json()["errors"]] == ["agreement"]
    body |= {"agreement": "№ 5", "last_day": "2026-03-31", "measures": ["free-flights"]}
    answer = operator.post("/v1/wallet/systems", body)
    assert [e["field"] for e in answer.json()["errors"]] == ["measures[0]"]


def test_the_dossier_shows_what_binds_it_and_what_it_exchanged(
    purse: Purse, akimat: Caller, fund: Caller, operator: Caller
) -> None:
    akimat.post("/v1/wallet/sync", {"grants": [grant_of(purse)]})
    found = akimat.get("/v1/wallet/systems/akimat/dossier").json()
    assert (found["clause"], found["accounts"], found["conflicts"]) == ("214:9", 1, 0)
    assert [key["name"] for key in found["keys"]] == ["akimat"]
    assert akimat.get("/v1/wallet/systems/fund/dossier").status_code == 404
    theirs = operator.get("/v1/wallet/systems/fund/dossier").json()
    assert (theirs["agreement"], theirs["days_left"]) == ("№ 5", 30)
    page = operator.get("/v1/wallet/systems/fund/dossier.html", headers={"Accept-Language": "kk"})
    assert page.headers["Content-Type"].startswith("text/html")
    assert "Интеграция құжаттамасы: Қор" in page.text and "<script" not in page.text


def test_a_page_shows_a_name_and_runs_nothing_of_it(operator: Caller) -> None:
    entered(operator, "evil", "state", name_ru="<script>alert(1)</script>")
    page = operator.get("/v1/wallet/systems/evil/dossier.html", headers={"Accept-Language": "ru"})
    assert "<script" not in page.text and "&lt;script" in page.text


@pytest.mark.parametrize(
    ("terms", "measure", "writes", "may"),
    [
        (Terms(Class.STATE, (), None), GAS, True, True),
        (Terms(Class.QUASI_STATE, (GAS,), None), GAS, True, True),
        (Terms(Class.QUASI_STATE, (GAS,), None), MEALS, True, False),
        (Terms(Class.THIRD, (GAS,), agreements.ends_at(date(2027, 1, 1))), GAS, False, True),
        (Terms(Class.THIRD, (GAS,), agreements.ends_at(date(2027, 1, 1))), GAS, True, False),
        (Terms(Class.THIRD, (), agreements.ends_at(date(2027, 1, 1))), GAS, False, False),
        (Terms(Class.THIRD, (GAS,), agreements.ends_at(date(2025, 1, 1))), GAS, False, False),
        (None, GAS, False, False),
    ],
)
def test_what_binds_a_system_says_what_it_may(
    terms: Terms | None, measure: str, writes: bool, may: bool
) -> None:
    now = datetime(2026, 3, 2, 12, tzinfo=ALMATY)
    assert (agreements.may(terms, measure, now, writes=writes) is None) is may


def test_an_agreement_warns_for_thirty_days() -> None:
    end = agreements.ends_at(date(2026, 3, 31))
    assert end == datetime(2026, 4, 1, tzinfo=ALMATY)
    assert agreements.standing(end, end - timedelta(days=30, seconds=1)) == "open"
    assert agreements.standing(end, end - timedelta(days=30)) == "ending"
    assert agreements.standing(end, end) == "ended"
    assert agreements.standing(None, end) == "open"


def test_it_is_told_once_that_its_agreement_ends_and_again_when_the_next_one_does(
    purse: Purse, fund: Caller, operator: Caller
) -> None:
    def told() -> list[str]:
        rows = purse.rows("SELECT provider FROM events WHERE type = 'agreement.ending'")
        return [row.provider for row in rows]

    for _ in range(3):
        sweep(purse.rt)
    assert told() == ["fund"]
    entered(operator, "fund", "third", agreement="№ 6", measures=[MEALS], last_day="2026-06-30")
    sweep(purse.rt)
    assert told() == ["fund"]
    at(purse, "2026-05-31T23:59:59")
    sweep(purse.rt)
    assert told() == ["fund"]
    at(purse, "2026-06-01T00:00:00")
    sweep(purse.rt)
    assert told() == ["fund", "fund"]
    at(purse, "2026-07-01T00:00:00")
    sweep(purse.rt)
    assert told() == ["fund", "fund"]


def test_an_agreement_may_be_said_to_last_for_ever(operator: Caller) -> None:
    entered(operator, "fund", "third", agreement="№ 5", measures=[MEALS], last_day="9999-12-31")
    [found] = operator.get("/v1/wallet/systems").json()["items"]
    assert (found["last_day"], found["standing"]) == ("9999-12-31", "open")


def test_after_the_last_day_no_key_of_it_opens_anything(
    purse: Purse, fund: Caller, operator: Caller
) -> None:
    at(purse, "2026-04-01T00:00:00")
    for path in ("changes", "conflicts", "systems/fund/dossier", "systems/fund/dossier.html"):
        assert fund.get(f"/v1/wallet/{path}").status_code == 403
    for path, body in (
        ("grants", grant_of(purse)), ("wallet/sync", {"grants": []}),
        ("grants/used", {"source_id": "G-1", "used_at": "2026-03-02T06:00:00Z"}),
        ("grants/close", {k: grant_of(purse)[k] for k in ("measure", "iin", "source_id")}),
        ("grants/reconcile", {}),
    ):  # fmt: skip
        answer = fund.post(f"/v1/{path}", body)
        assert (answer.status_code, answer.json()["clause"]) == (403, "214:10"), path
    assert operator.get("/v1/wallet/systems/fund/dossier").json()["days_left"] == 0


def test_a_report_outside_its_scope_is_refused_also_of_its_use(
    purse: Purse, akimat: Caller, operator: Caller
) -> None:
    akimat.post("/v1/grants", grant_of(purse))
    entered(operator, "akimat", "state", measures=[GAS])
    used = {"source_id": "G-1", "used_at": "2026-03-02T06:30:00Z"}
    assert akimat.post("/v1/grants/used", used).status_code == 403
    assert akimat.post("/v1/grants", grant_of(purse) | {"measure": GAS}).status_code == 409


def test_the_same_conflict_again_is_reported_once(purse: Purse, akimat: Caller) -> None:
    akimat.post("/v1/wallet/sync", {"grants": [grant_of(purse)]})
    other = {"grants": [grant_of(purse) | {"kind": "dinner"}]}
    for _ in range(3):
        assert len(akimat.post("/v1/wallet/sync", other).json()["conflicts"]) == 1
    [kept] = akimat.get("/v1/wallet/conflicts").json()["items"]
    assert kept["fields"] == ["kind"]


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("kk", ("Келісім", "өзге жүйе", "аяқталуға жақын")),
        ("ru", ("Соглашение", "иная система", "истекает")),
        ("en", ("Agreement", "third system", "about to end")),
    ],
)
def test_the_page_of_a_dossier_speaks_three_languages(
    fund: Caller, operator: Caller, language: str, said: tuple[str, ...]
) -> None:
    asked = {"Accept-Language": language}
    page = operator.get("/v1/wallet/systems/fund/dossier.html", headers=asked).text
    assert f'<html lang="{language}">' in page and "№ 5" in page and MEALS in page
    assert all(word in page for word in said)
    assert "2026-03-02 12:00+05:00" in page  # entered at noon in Almaty


def test_a_third_system_learns_that_a_consent_was_taken_back_and_then_nothing_more(
    purse: Purse, fund: Caller
) -> None:
    notice = purse.told(MEALS, "Аида", asks=True)
    purse.tap("Аида", purse.asking(notice.id).id, "yes")
    shown = fund.get("/v1/wallet/changes").json()
    [asked] = [c["facts"] for c in shown["items"] if c["type"].startswith("consent.")][-1:]
    assert (asked["data"], asked["sms"]) == ("given", None)
    with purse.rt.unit() as unit:
        consent = consents.lock(unit.tx, unit.vault, [purse.asking(notice.id).id])
        withdrawing.withdraw(unit, list(consent.values()), ("data",), "app", None)
        consents.save(unit.tx, list(consent.values()))
    purse.told(MEALS, "Аида")
    later = fund.get("/v1/wallet/changes", params={"cursor": shown["next"]}).json()["items"]
    assert later and {c["facts"]["data"] for c in later} == {"withdrawn"}


def test_a_cancelled_grant_is_told_as_such(purse: Purse, akimat: Caller) -> None:
    first = akimat.post("/v1/grants", grant_of(purse)).json()
    cancelled = grant_of(purse) | {"source_id": "G-1a", "corrects": "G-1", "cancelled": True}
    akimat.post("/v1/grants", cancelled)
    told = [c["facts"] for c in akimat.get("/v1/wallet/changes").json()["items"]]
    assert [(t["cancelled"], t["corrects"]) for t in told] == [(False, None), (True, first["id"])]
