"""Accounting for grants (214/НҚ, clause 5), and the condition of clause 8, over HTTP."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal
from typing import Any

import msgspec
import psycopg
import pytest

from app.ledger.engine import sql
from app.ledger.journal import verify
from smpp.messages import ReceiptState
from tests.app.api.conftest import Caller, client, provider, registry, stranger
from tests.app.wallet.purse import MEALS, MEDICINES, Purse

__all__ = ["client", "provider", "registry", "stranger"]


def a_grant(purse: Purse, source_id: str = "G-1", **more: object) -> dict[str, object]:
    body: dict[str, object] = {"measure": MEALS, "iin": purse.people["Аида"], "amount": "12500.00"}
    return body | {"source_id": source_id, "granted_at": "2026-03-02T06:00:00Z"} | more


def closing(purse: Purse, source_id: str = "G-1", **more: object) -> dict[str, object]:
    return {"measure": MEALS, "iin": purse.people["Аида"], "source_id": source_id} | more


def test_a_grant_is_accounted_for_once_a_source_id(purse: Purse, provider: Caller) -> None:
    first = provider.post("/v1/grants", a_grant(purse))
    again = provider.post("/v1/grants", a_grant(purse))
    assert first.status_code == 201, first.text
    assert first.json() == again.json() and first.json()["amount"] == "12500.00"
    assert len(provider.get("/v1/grants").json()["items"]) == 1
    case = provider.get(f"/v1/wallet/cases/{first.json()['id']}").json()
    assert [e["kind"] for e in case["entries"]] == ["recorded"]


def test_other_facts_under_a_known_id_are_refused_and_named(purse: Purse, provider: Caller) -> None:
    provider.post("/v1/grants", a_grant(purse))
    answer = provider.post("/v1/grants", a_grant(purse, amount="1.00", kind="voucher"))
    assert answer.status_code == 409
    assert [e["field"] for e in answer.json()["errors"]] == ["amount", "kind"]


def test_a_correction_is_an_entry_of_its_own_and_the_first_stays(
    purse: Purse, provider: Caller
) -> None:
    first = provider.post("/v1/grants", a_grant(purse)).json()
    second = provider.post("/v1/grants", a_grant(purse, "G-1a", amount="99.50", corrects="G-1"))
    third = provider.post(
        "/v1/grants", a_grant(purse, "G-1b", cancelled=True, corrects="G-1a")
    ).json()
    assert second.status_code == 201, second.text
    assert (second.json()["corrects"], third["corrects"]) == (first["id"], first["id"])
    found = provider.get("/v1/grants", params={"source_id": "G-1"}).json()["items"]
    assert found == [first]
    for one in (first, second.json(), third):
        case = provider.get(f"/v1/wallet/cases/{one['id']}").json()
        assert len(case["entries"]) == 1


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"amount": "-1"}, "amount"),
        ({"amount": "1.005"}, "amount"),
        ({"amount": "10000000000.01"}, "amount"),
        ({"amount": None}, "amount"),
        ({"measure": "free-flights"}, "measure"),
        ({"iin": "900101300127"}, "iin"),
        ({"granted_at": "2030-01-01T00:00:00Z"}, "granted_at"),
        ({"corrects": "G-9"}, "corrects"),
        ({"corrects": "G-1"}, "corrects"),
        ({"cancelled": True}, "corrects"),
    ],
)
def test_what_is_no_grant_is_refused_by_its_field(
    purse: Purse, provider: Caller, more: dict[str, Any], field: str
) -> None:
    answer = provider.post("/v1/grants", a_grant(purse, **more))
    assert answer.status_code == 422, answer.text
    assert [e["field"] for e in answer.json()["errors"]] == [field]


def test_two_bodies_may_use_the_same_id(purse: Purse, provider: Caller, stranger: Caller) -> None:
    assert provider.post("/v1/grants", a_grant(purse)).status_code == 201
    assert stranger.post("/v1/grants", a_grant(purse, amount="7")).status_code == 201
    assert len(stranger.get("/v1/grants").json()["items"]) == 1


@pytest.mark.provokes("ERROR:  grants are corrected by new entries only")
def test_the_books_refuse_an_edit_by_whoever_holds_the_database(
    purse: Purse, provider: Caller
) -> None:
    made = provider.post("/v1/grants", a_grant(purse)).json()
    for statement in ("UPDATE wallet_grants SET amount = 1", "DELETE FROM wallet_grants"):
        with pytest.raises(psycopg.Error, match="new entries only"), purse.rt.ledger.begin() as tx:
            tx.execute(sql(statement))
    with purse.rt.ledger.begin() as tx:
        [row] = tx.execute(sql("SELECT id FROM wallet_grants")).all()
    assert str(row.id) == made["id"] and verify(purse.journal(row.id), purse.rt.vault) == []


def test_a_grant_knows_the_notice_that_told_of_it_and_when_it_was_used(
    purse: Purse, provider: Caller
) -> None:
    notice = purse.told(MEALS, "Аида")
    made = provider.post("/v1/grants", a_grant(purse)).json()
    assert made["notice"] == str(notice.id)
    used = {"source_id": "G-1", "used_at": "2026-03-02T06:30:00Z"}
    for _ in range(2):
        answer = provider.post("/v1/grants/used", used)
        assert answer.json()["used_at"] == "2026-03-02T06:30:00Z", answer.text
    before = provider.post("/v1/grants/used", used | {"used_at": "2026-03-01T00:00:00Z"})
    assert before.status_code == 422
    assert provider.post("/v1/grants/used", used | {"source_id": "?"}).status_code == 422


@pytest.mark.parametrize(("language", "said"), [("kk", "хабарланбаған"), ("ru", "не уведомлён")])
def test_a_rendering_elsewhere_is_not_closed_without_the_wallets_notice(
    purse: Purse, provider: Caller, language: str, said: str
) -> None:
    provider.post("/v1/grants", a_grant(purse))
    answer = provider.post(
        "/v1/grants/close", closing(purse), headers={"Accept-Language": language}
    )
    assert answer.status_code == 409
    problem = answer.json()
    assert (problem["gate"], problem["clause"]) == ("wallet_notice", "214:8")
    assert said in problem["detail"]


def test_nor_without_its_account_and_then_it_is(purse: Purse, provider: Caller) -> None:
    notice = purse.told(MEALS, "Аида")
    refused = provider.post("/v1/grants/close", closing(purse))
    assert refused.status_code == 409
    assert (refused.json()["gate"], refused.json()["clause"]) == ("wallet_accounting", "214:8")
    grant = provider.post("/v1/grants", a_grant(purse)).json()
    closed = provider.post("/v1/grants/close", closing(purse))
    assert closed.status_code == 200, closed.text
    assert (closed.json()["notice"], closed.json()["grant"]) == (str(notice.id), grant["id"])
    assert provider.post("/v1/grants/close", closing(purse)).json() == closed.json()
    case = provider.get(f"/v1/wallet/cases/{closed.json()['id']}").json()
    assert case["entries"][0]["facts"]["clause"] == "214:8"


def test_a_notice_of_another_measure_or_a_cancelled_account_closes_nothing(
    purse: Purse, provider: Caller
) -> None:
    purse.told(MEDICINES, "Аида")
    provider.post("/v1/grants", a_grant(purse))
    assert provider.post("/v1/grants/close", closing(purse)).json()["gate"] == "wallet_notice"
    purse.told(MEALS, "Аида")
    provider.post("/v1/grants", a_grant(purse, "G-1a", cancelled=True, corrects="G-1"))
    answer = provider.post("/v1/grants/close", closing(purse))
    assert answer.json()["gate"] == "wallet_accounting"


def test_the_account_of_another_person_closes_nothing(purse: Purse, provider: Caller) -> None:
    purse.register("Болат", "ru", phone="+77059998877")
    purse.told(MEALS, "Аида")
    provider.post("/v1/grants", a_grant(purse, iin=purse.people["Болат"]))
    answer = provider.post("/v1/grants/close", closing(purse))
    assert answer.json()["gate"] == "wallet_accounting"


def csv_of(rows: Iterable[Iterable[str]]) -> str:
    head = "source_id,measure,iin,granted_at,amount,kind\n"
    return head + "".join(",".join(row) + "\n" for row in rows)


def test_a_file_beside_the_books_shows_what_agrees_and_what_does_not(
    purse: Purse, provider: Caller
) -> None:
    iin, at = purse.people["Аида"], "2026-03-02T06:00:00Z"
    for number, amount in ((1, "100"), (2, "200"), (3, "300"), (4, "400")):
        provider.post("/v1/grants", a_grant(purse, f"G-{number}", amount=amount))
    provider.post("/v1/grants", a_grant(purse, "G-2a", amount="250", corrects="G-2"))
    body = csv_of(
        [
            ("G-1", MEALS, iin, at, "100.00", ""),
            ("G-2", MEALS, iin, at, "250", ""),
            ("G-3", MEALS, iin, at, "301", "soup"),
            ("G-9", MEALS, iin, "2026-03-02T11:00:00+05:00", "1", ""),
            ("G-8", MEALS, iin, "yesterday", "1", ""),
            ("G-7", MEALS, iin, at, "dear", ""),
        ]
    )
    headers = {"Content-Type": "text/csv"}
    answer = provider.call("POST", "/v1/grants/reconcile", content="\ufeff" + body, headers=headers)
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert (found["rows"], found["matched"], found["missing_in_wallet_rows"]) == (6, 2, ["G-9"])
    assert found["missing_in_file_rows"] == ["G-4"]
    assert found["different_rows"] == [{"source_id": "G-3", "fields": ["amount", "kind"]}]
    assert found["unreadable_rows"] == [
        {"row": 5, "column": "granted_at"}, {"row": 6, "column": "amount"}
    ]  # fmt: skip


def test_a_file_of_lines_is_read_as_well(purse: Purse, provider: Caller) -> None:
    provider.post("/v1/grants", a_grant(purse, kind="lunch", amount=None))
    row = a_grant(purse, kind="lunch")
    del row["amount"]
    line = msgspec.json.encode(row).decode() + "\nnonsense\n\n[1]\n"
    headers = {"Content-Type": "application/x-ndjson"}
    answer = provider.call("POST", "/v1/grants/reconcile", content=line, headers=headers)
    found = answer.json()
    assert (found["matched"], found["unreadable"]) == (1, 2), answer.text


def test_synchronising_twice_changes_nothing_and_keeps_what_disagrees(
    purse: Purse, provider: Caller
) -> None:
    grants = [a_grant(purse, f"G-{n}") for n in range(3)]
    first = provider.post("/v1/wallet/sync", {"grants": grants}).json()
    again = provider.post("/v1/wallet/sync", {"grants": grants}).json()
    assert (first["created"], again["created"], again["unchanged"]) == (3, 0, 3)
    other = [a_grant(purse, "G-0", amount="1"), a_grant(purse, "G-5", iin="1")]
    told = provider.post("/v1/wallet/sync", {"grants": other}).json()
    assert told["conflicts"] == [{"index": 0, "source_id": "G-0", "fields": ["amount"]}]
    assert [r["field"] for r in told["rejected"]] == ["iin"]
    [kept] = provider.get("/v1/wallet/conflicts").json()["items"]
    assert (kept["source_id"], kept["fields"]) == ("G-0", ["amount"])


def test_the_same_row_twice_in_one_call_is_one_account(purse: Purse, provider: Caller) -> None:
    told = provider.post("/v1/wallet/sync", {"grants": [a_grant(purse), a_grant(purse)]}).json()
    assert (told["created"], told["unchanged"]) == (1, 1)


def test_a_receipt_later_does_not_undo_a_grant(purse: Purse, provider: Caller) -> None:
    purse.told(MEALS, "Аида")
    provider.post("/v1/grants", a_grant(purse))
    purse.receipt(ReceiptState.DELIVRD)
    purse.pass_time(timedelta(hours=30))
    assert len(provider.get("/v1/grants").json()["items"]) == 1


@pytest.mark.parametrize(
    "amount", ["1.000000000000000000000000000000000001", "1E-1000000", "1E+1000000", "NaN"]
)
def test_an_amount_finer_than_a_tiyn_is_refused_and_never_rounded(
    purse: Purse, provider: Caller, amount: str
) -> None:
    answer = provider.post("/v1/grants", a_grant(purse, amount=amount))
    assert answer.status_code == 422, answer.text
    assert [e["field"] for e in answer.json()["errors"]] == ["amount"]


def test_amounts_are_kept_to_the_tiyn(purse: Purse, provider: Caller) -> None:
    for number, amount in enumerate(("0.01", "0.1", "0.29", "9999999999.99", "10000000000")):
        told = provider.post("/v1/grants", a_grant(purse, f"A-{number}", amount=amount)).json()
        assert Decimal(told["amount"]) == Decimal(amount)


@pytest.mark.parametrize(
    "text",
    ["", "{}", "source_id;iin\nG-1;900101300126\n", "source_id,source_id,measure,iin,granted_at\n"],
)
def test_a_file_without_its_columns_is_refused_and_not_reported_as_empty(
    purse: Purse, provider: Caller, text: str
) -> None:
    headers = {"Content-Type": "text/csv", "Accept-Language": "en"}
    answer = provider.call("POST", "/v1/grants/reconcile", content=text, headers=headers)
    assert answer.status_code == 422, answer.text
    assert "source_id, measure, iin and granted_at" in answer.text


def reconciled(provider: Caller, text: str, **query: str) -> dict[str, Any]:
    answer = provider.call(
        "POST", "/v1/grants/reconcile", content=text.encode(), params=query,
        headers={"Content-Type": "text/csv"},
    )  # fmt: skip
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_a_file_may_name_a_correction_and_a_cancelled_grant_is_missed_by_nobody(
    purse: Purse, provider: Caller
) -> None:
    iin, at = purse.people["Аида"], "2026-03-02T06:00:00Z"
    provider.post("/v1/grants", a_grant(purse))
    provider.post("/v1/grants", a_grant(purse, "G-1a", amount="99.50", corrects="G-1"))
    provider.post("/v1/grants", a_grant(purse, "G-2"))
    provider.post("/v1/grants", a_grant(purse, "G-2a", cancelled=True, corrects="G-2"))
    for name in ("G-1", "G-1a"):
        found = reconciled(provider, csv_of([(name, MEALS, iin, at, "99.50", "")]))
        assert (found["matched"], found["missing_in_file"]) == (1, 0), found
    told = reconciled(provider, csv_of([("G-2", MEALS, iin, at, "12500", "")]))
    assert told["different_rows"] == [{"source_id": "G-2", "fields": ["cancelled"]}]
    assert told["missing_in_file_rows"] == ["G-1"]


def test_a_grant_that_was_corrected_into_the_time_belongs_to_it(
    purse: Purse, provider: Caller
) -> None:
    provider.post("/v1/grants", a_grant(purse, granted_at="2026-02-01T00:00:00Z"))
    provider.post("/v1/grants", a_grant(purse, "G-1a", corrects="G-1"))
    may = {"since": "2026-03-01T00:00:00Z", "until": "2026-04-01T00:00:00Z"}
    assert reconciled(provider, csv_of([]), **may)["missing_in_file_rows"] == ["G-1"]
    earlier = {"since": "2026-01-01T00:00:00Z", "until": "2026-03-01T00:00:00Z"}
    assert reconciled(provider, csv_of([]), **earlier)["missing_in_file_rows"] == []


def test_a_spreadsheets_file_is_read_with_its_semicolons_and_commas(
    purse: Purse, provider: Caller
) -> None:
    iin = purse.people["Аида"]
    provider.post("/v1/grants", a_grant(purse))
    text = (
        "\ufeffsource_id;measure;iin;granted_at;amount;kind\r\n"
        f"G-1;{MEALS};{iin};2026-03-02T11:00:00+05:00;12500,00;\r\n"
        f"G-1;{MEALS};{iin};2026-03-02T11:00:00+05:00;12500,00;\r\n"
        f"G-2;{MEALS};{iin};2026-03-02T11:00:00+05:00;12,500;\r\n"
        f"G-3;{MEALS};{iin};0001-01-01T00:00:00+05:00;1;\r\n"
        f'G-"4";{MEALS};"{iin}"x;2026-03-02T11:00:00+05:00;1;\r\n'
        f"G-5;{MEALS};{iin};9999-12-31T23:59:59.999999Z;1;\r\n"
        f"G-6;{MEALS};{iin};2026-03-02T11:00:00+05:00;;\r\n"
    )
    found = reconciled(provider, text)
    assert (found["rows"], found["matched"], found["missing_in_wallet_rows"]) == (7, 1, ["G-5"])
    wrong = [(row["row"], row["column"]) for row in found["unreadable_rows"]]
    assert wrong == [
        (2, "source_id"), (3, "amount"), (4, "granted_at"), (5, "row"), (7, "amount"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "line", ['{"source_id": "\\ud800"}', '{"source_id": "\\u0000"}', "[" * 9999]
)
def test_a_line_that_is_no_text_is_unreadable(purse: Purse, provider: Caller, line: str) -> None:
    row = {"measure": MEALS, "iin": "1", "granted_at": "2026-03-02T06:00:00Z", "amount": "1"}
    text = line.replace("}", f", {msgspec.json.encode(row).decode()[1:-1]}}}")
    headers = {"Content-Type": "application/x-ndjson"}
    answer = provider.call("POST", "/v1/grants/reconcile", content=text, headers=headers)
    assert (answer.status_code, answer.json()["unreadable"]) == (200, 1), answer.text


def test_anothers_books_are_never_compared_used_closed_or_corrected(
    purse: Purse, provider: Caller, stranger: Caller
) -> None:
    purse.told(MEALS, "Аида")
    made = provider.post("/v1/grants", a_grant(purse)).json()
    row = csv_of([("G-1", MEALS, purse.people["Аида"], "2026-03-02T06:00:00Z", "12500", "")])
    found = reconciled(stranger, row, source="mtszn")
    assert (found["matched"], found["missing_in_wallet"], found["missing_in_file"]) == (0, 1, 0)
    used = {"source_id": "G-1", "used_at": "2026-03-02T06:30:00Z", "source": "mtszn"}
    assert stranger.post("/v1/grants/used", used).status_code == 422
    closed = stranger.post("/v1/grants/close", closing(purse, source="mtszn"))
    assert closed.json()["gate"] == "wallet_accounting"
    correction = a_grant(purse, "G-9", corrects="G-1", source="mtszn")
    assert stranger.post("/v1/grants", correction).status_code == 422
    assert stranger.get("/v1/grants").json()["items"] == []
    assert stranger.get("/v1/grants", params={"source_id": "G-1"}).json()["items"] == []
    assert stranger.get(f"/v1/wallet/cases/{made['id']}").status_code == 404
    assert stranger.get("/v1/wallet/conflicts").json()["items"] == []


def test_what_was_corrected_away_from_a_person_closes_nothing_of_theirs(
    purse: Purse, provider: Caller
) -> None:
    purse.register("Болат", "ru", phone="+77059998877")
    purse.told(MEALS, "Аида")
    purse.told(MEALS, "Болат")
    provider.post("/v1/grants", a_grant(purse))
    moved = a_grant(purse, "G-1a", corrects="G-1", iin=purse.people["Болат"])
    assert provider.post("/v1/grants", moved).status_code == 201
    answer = provider.post("/v1/grants/close", closing(purse))
    assert answer.json()["gate"] == "wallet_accounting"
    theirs = closing(purse, "G-1a", iin=purse.people["Болат"])
    assert provider.post("/v1/grants/close", theirs).status_code == 200


def test_what_was_cancelled_is_not_used(purse: Purse, provider: Caller) -> None:
    provider.post("/v1/grants", a_grant(purse))
    provider.post("/v1/grants", a_grant(purse, "G-1a", cancelled=True, corrects="G-1"))
    used = {"source_id": "G-1", "used_at": "2026-03-02T06:30:00Z"}
    assert provider.post("/v1/grants/used", used).status_code == 422


def test_many_at_once_with_one_id_make_one_account(purse: Purse, provider: Caller) -> None:
    with ThreadPoolExecutor(8) as pool:
        sent = [pool.submit(provider.post, "/v1/grants", a_grant(purse)) for _ in range(16)]
    assert {one.result().status_code for one in sent} == {201}
    assert len({one.result().json()["id"] for one in sent}) == 1
    assert len(provider.get("/v1/grants").json()["items"]) == 1
