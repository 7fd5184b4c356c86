"""The wallet over HTTP: bodies make notices and decisions, people read and answer in the app."""

from typing import Any

import httpx
import pytest

from app.runtime import Runtime
from smpp.messages import ReceiptState
from tests.app.api.citizens import citizen
from tests.app.api.conftest import Caller, client, operator, provider, registry, stranger
from tests.app.wallet.purse import GAS, MEALS, Purse

__all__ = ["client", "operator", "provider", "registry", "stranger"]


def a_notice(purse: Purse, reference: str = "M-1", **more: object) -> dict[str, object]:
    body: dict[str, object] = {"measure": MEALS, "iin": purse.people["Аида"]}
    return body | {"reference": reference} | more


def a_decision(purse: Purse, **more: object) -> dict[str, object]:
    at = purse.clock().isoformat()
    return a_notice(purse, "D-1", decision="granted", decided_at=at) | more


def test_a_notice_is_made_shown_with_its_deadline_and_read(
    purse: Purse, client: httpx.Client, provider: Caller, stranger: Caller
) -> None:
    answer = provider.post("/v1/notices", a_notice(purse))
    assert answer.status_code == 201, answer.text
    made = answer.json()
    assert made["deadline"] == "2026-03-03T19:00:00Z" and made["placed_at"] == made["created_at"]
    assert answer.headers["Location"] == f"/v1/notices/{made['id']}"
    assert provider.get(f"/v1/notices/{made['id']}").json()["is_overdue"] is False
    assert stranger.get(f"/v1/notices/{made['id']}").status_code == 404
    aida = citizen(purse, client, purse.people["Аида"])
    [mine] = aida.get("/v1/me/notices", headers={"Accept-Language": "ru"}).json()["items"]
    assert (mine["id"], mine["kind"], mine["read_at"]) == (made["id"], "measure-offer", None)
    assert mine["body"].startswith("Для Вас предусмотрена мера поддержки")
    assert aida.post(f"/v1/me/notices/{made['id']}/read").json()["read_at"] is not None
    assert provider.get(f"/v1/notices/{made['id']}").json()["read_at"] is not None
    case = provider.get(f"/v1/wallet/cases/{made['id']}").json()
    assert [e["kind"] for e in case["entries"]][:2] == ["made", "placed"]
    assert stranger.get(f"/v1/wallet/cases/{made['id']}").status_code == 404


@pytest.mark.parametrize(("language", "said"), [("kk", "тек жеке"), ("ru", "только для физ")])
def test_other_kinds_of_recipients_are_refused_with_the_clause(
    purse: Purse, provider: Caller, language: str, said: str
) -> None:
    body = a_notice(purse, recipient_kind="sole-entrepreneur")
    answer = provider.post("/v1/notices", body, headers={"Accept-Language": language})
    assert answer.status_code == 422
    problem = answer.json()
    assert (problem["gate"], problem["clause"]) == ("recipient_kind", "214:2")
    assert said in problem["detail"]


def test_a_batch_names_each_notice_that_was_not_made(purse: Purse, provider: Caller) -> None:
    rows = [
        a_notice(purse, "A-1"),
        a_notice(purse, "A-1"),
        a_notice(purse, "A-2", iin="900101300127"),
        a_notice(purse, "A-3", measure="free-flights"),
        a_notice(purse, "A-4", recipient_kind="state-body"),
    ]
    answer = provider.post("/v1/notice-batches", {"notices": rows})
    assert answer.status_code == 202, answer.text
    told = answer.json()
    assert told["accepted"] == 1
    refused = [(r["index"], r["gate"], r.get("clause")) for r in told["refused"]]
    assert refused == [
        (1, "duplicate_reference", None),
        (2, "invalid", None),
        (3, "measure_known", "214:2"),
        (4, "recipient_kind", "214:2"),
    ]


def test_a_reference_and_an_idempotency_key_keep_a_repeat_apart(
    purse: Purse, provider: Caller
) -> None:
    headers = {"Idempotency-Key": "k-1"}
    first = provider.post("/v1/notices", a_notice(purse), headers=headers)
    again = provider.post("/v1/notices", a_notice(purse), headers=headers)
    assert first.json() == again.json()
    assert provider.post("/v1/notices", a_notice(purse)).status_code == 409


def test_a_decision_stands_in_the_cabinet_with_its_reason(
    purse: Purse, client: httpx.Client, provider: Caller
) -> None:
    body = a_decision(purse, decision="not-granted", reason="табысы шектен асады")
    made = provider.post("/v1/decisions", body)
    assert made.status_code == 201, made.text
    aida = citizen(purse, client, purse.people["Аида"])
    [mine] = aida.get("/v1/me/notices").json()["items"]
    assert mine["kind"] == "decision" and mine["body"].endswith("табысы шектен асады")
    purse.commit()
    assert "табысы" not in purse.texts()[-1]


def test_decisions_of_the_past_are_told_late_and_listed(purse: Purse, provider: Caller) -> None:
    provider.post("/v1/decisions", a_decision(purse, decided_at="2026-02-20T09:00:00Z"))
    [found] = provider.get("/v1/notices", params={"term": "overdue"}).json()["items"]
    assert found["is_overdue"] and found["placed_at"] is not None
    assert provider.get("/v1/notices", params={"term": "due-soon"}).json()["items"] == []


def test_a_decision_without_a_known_word_is_refused(purse: Purse, provider: Caller) -> None:
    answer = provider.post("/v1/decisions", a_decision(purse, decision="perhaps"))
    assert [e["field"] for e in answer.json()["errors"]] == ["decision"]
    tomorrow = a_decision(purse, decided_at="2030-01-01T00:00:00Z")
    answer = provider.post("/v1/decisions", tomorrow)
    assert [e["field"] for e in answer.json()["errors"]] == ["decided_at"]


def test_both_consents_are_given_in_the_app_and_one_is_taken_back(
    purse: Purse, client: httpx.Client, provider: Caller
) -> None:
    made = provider.post("/v1/notices", a_notice(purse, asks=True)).json()
    aida = citizen(purse, client, purse.people["Аида"])
    [mine] = aida.get("/v1/me/measures", headers={"Accept-Language": "kk"}).json()["items"]
    assert mine["screen"]["question"] == "data"
    assert [c["id"] for c in mine["screen"]["choices"]] == ["yes", "no"]
    address = f"/v1/me/measures/{mine['consents']['id']}/answer"
    told = aida.post(address, {"choice": "yes", "question": "data"}).json()
    assert told["screen"]["question"] == "sms"
    assert aida.post(address, {"choice": "yes", "question": "data"}).status_code == 200
    assert aida.post(address, {"choice": "no", "question": "data"}).status_code == 409
    told = aida.post(address, {"choice": "yes", "question": "sms"}).json()
    assert told["consents"]["state"] == "answered" and told["screen"]["choices"] == []
    back = {"purpose": f"measure-sms:{MEALS}", "given": False}
    held = aida.post("/v1/me/consents", back).json()["items"]
    ended = {c["purpose"]: c["ended_at"] is not None for c in held if "measure" in c["purpose"]}
    assert ended == {f"measure-data:{MEALS}": False, f"measure-sms:{MEALS}": True}
    shown = provider.get(f"/v1/notices/{made['id']}").json()["consents"]
    assert shown["data_withdrawn_at"] is None and shown["sms_withdrawn_at"] is not None


def test_a_consent_for_an_unknown_measure_cannot_be_decided_on(
    purse: Purse, client: httpx.Client
) -> None:
    aida = citizen(purse, client, purse.people["Аида"])
    body = {"purpose": "measure-sms:free-flights", "given": False}
    answer = aida.post("/v1/me/consents", body)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "purpose"


def test_nobody_answers_for_another(purse: Purse, client: httpx.Client, provider: Caller) -> None:
    purse.register("Болат", "ru", phone="+77059998877")
    provider.post("/v1/notices", a_notice(purse, asks=True))
    aida = citizen(purse, client, purse.people["Аида"])
    bolat = citizen(purse, client, purse.people["Болат"])
    [mine] = aida.get("/v1/me/measures").json()["items"]
    address = f"/v1/me/measures/{mine['consents']['id']}/answer"
    assert bolat.post(address, {"choice": "yes"}).status_code == 404
    assert bolat.get("/v1/me/measures").json()["items"] == []
    assert bolat.get("/v1/me/notices").json()["items"] == []


def test_metrics_tell_of_terms_at_stake(
    rt: Runtime, purse: Purse, client: httpx.Client, provider: Caller
) -> None:
    purse.go_down()
    provider.post("/v1/notices", a_notice(purse, measure=GAS))
    provider.post("/v1/decisions", a_decision(purse, decided_at="2026-02-20T09:00:00Z"))
    shown = client.get("/metrics").text
    assert 'jauap_wallet_notices{term="running"} 1.0' in shown
    assert 'jauap_wallet_notices{term="due-soon"} 0.0' in shown
    assert 'jauap_wallet_notices{term="overdue"} 0.0' in shown


def test_what_is_delivered_by_sms_is_told_to_the_body(purse: Purse, provider: Caller) -> None:
    made: dict[str, Any] = provider.post("/v1/notices", a_notice(purse)).json()
    purse.commit()
    purse.receipt(ReceiptState.DELIVRD)
    found = provider.get("/v1/notices", params={"reference": "M-1"}).json()["items"][0]
    assert (found["id"], found["sms"]) == (made["id"], "delivered")
