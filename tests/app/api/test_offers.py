"""Offers over HTTP: made, refused, read, withdrawn, with the case that proves it."""

import hashlib

from app.ledger import journal
from app.ledger.engine import sql
from app.runtime import Runtime
from tests.app.api.conftest import AIDA, AIDA_PHONE, LONG_AGO, Caller, proposal

OFFER_FIELDS = {
    "id", "reference", "service", "state", "language", "created_at", "sent_at", "received_at",
    "deadline", "closed_at", "answered_by", "result",
}  # fmt: skip


def test_an_offer_is_made_and_read_again(provider: Caller, aida: str) -> None:
    made = provider.post("/v1/offers", proposal())
    assert made.status_code == 201
    assert set(made.json()) == OFFER_FIELDS
    assert made.json()["state"] == "made"
    assert made.json()["created_at"] == "2026-03-02T07:00:00Z"
    assert made.headers["Location"] == f"/v1/offers/{made.json()['id']}"
    assert provider.get(made.headers["Location"]).json() == made.json()


def test_an_offer_to_someone_without_consent_names_gate_and_clause(
    provider: Caller, registry: Caller
) -> None:
    person = {"iin": AIDA, "phone": AIDA_PHONE, "registered_at": LONG_AGO}
    registry.post("/v1/registry/recipients", {"recipients": [person]})
    refused = provider.post("/v1/offers", proposal(), headers={"Accept-Language": "ru"})
    assert refused.status_code == 422
    assert refused.headers["Content-Type"] == "application/problem+json"
    assert refused.json() == {
        "type": "/docs#refused",
        "title": "Норма права не допускает",
        "status": 422,
        "detail": "Нет согласия на обработку персональных данных.",
        "gate": "consent_given",
        "clause": "155:3",
    }


def test_an_unknown_person_is_refused_by_the_gate_of_registered_phones(provider: Caller) -> None:
    refused = provider.post("/v1/offers", proposal())
    assert (refused.status_code, refused.json()["gate"]) == (422, "phone_registered")


def test_an_unknown_service_is_refused_by_its_gate(provider: Caller, aida: str) -> None:
    refused = provider.post("/v1/offers", proposal() | {"service": "no-such"})
    assert (refused.status_code, refused.json()["gate"]) == (422, "service_proactive")


def test_a_second_open_offer_of_the_same_service_is_refused(provider: Caller, aida: str) -> None:
    provider.post("/v1/offers", proposal())
    refused = provider.post("/v1/offers", proposal(reference="A-2"))
    assert (refused.status_code, refused.json()["gate"]) == (422, "already_open")


def test_a_wrong_iin_is_named_by_its_field_and_never_repeated(provider: Caller) -> None:
    wrong = provider.post("/v1/offers", proposal("900101300125"))
    assert wrong.status_code == 422
    assert [e["field"] for e in wrong.json()["errors"]] == ["iin"]
    assert "900101300125" not in wrong.text


def test_a_repeated_reference_is_a_conflict(provider: Caller, aida: str) -> None:
    provider.post("/v1/offers", proposal())
    again = provider.post("/v1/offers", proposal())
    assert (again.status_code, again.json()["type"]) == (409, "/docs#duplicate_reference")


def test_two_providers_may_use_one_reference(provider: Caller, stranger: Caller, aida: str) -> None:
    provider.post("/v1/offers", proposal())
    other = stranger.post("/v1/offers", proposal() | {"service": "childcare-benefit"})
    assert other.status_code == 201


def test_nobody_sees_another_providers_offer(provider: Caller, stranger: Caller, aida: str) -> None:
    made = provider.post("/v1/offers", proposal()).json()
    for path in (f"/v1/offers/{made['id']}", f"/v1/offers/{made['id']}/case"):
        assert stranger.get(path).status_code == 404
    taken = stranger.post(f"/v1/offers/{made['id']}/withdraw", {"reason": "mine"})
    assert taken.status_code == 404
    assert stranger.get("/v1/offers").json() == {"items": [], "next": None}


def test_a_batch_says_which_rows_were_refused_and_why(provider: Caller, aida: str) -> None:
    rows = [
        proposal(),
        proposal("123"),
        proposal(reference="A-2"),
        proposal(reference="A-1"),
        proposal(reference="A-3") | {"service": "childcare-benefit"},
    ]
    answer = provider.post("/v1/offer-batches", {"offers": rows})
    assert answer.status_code == 202
    assert answer.json()["accepted"] == 2
    refused = [(r["index"], r["gate"], r["clause"]) for r in answer.json()["refused"]]
    assert refused == [
        (1, "invalid", None),
        (2, "already_open", "155:4"),
        (3, "duplicate_reference", None),
    ]


def test_offers_are_listed_newest_first_page_by_page(provider: Caller, aida: str) -> None:
    services = ("birth-benefit", "childcare-benefit", "burial-payment")
    for number, service in enumerate(services):
        body = proposal(reference=f"A-{number}") | {"service": service}
        assert provider.post("/v1/offers", body).status_code == 201
    first = provider.get("/v1/offers?limit=2").json()
    second = provider.get(f"/v1/offers?limit=2&cursor={first['next']}").json()
    found = [o["id"] for o in first["items"] + second["items"]]
    assert found == sorted(found, reverse=True) and len(found) == 3
    assert second["next"] is None


def test_offers_are_found_by_reference_and_state(provider: Caller, aida: str) -> None:
    made = provider.post("/v1/offers", proposal()).json()
    assert provider.get("/v1/offers?reference=A-1&state=made").json()["items"] == [made]
    assert provider.get("/v1/offers?reference=A-2").json()["items"] == []
    assert provider.get("/v1/offers?state=accepted").json()["items"] == []
    wrong = provider.get("/v1/offers?state=lost&limit=0&colour=red")
    assert wrong.status_code == 422
    assert {e["field"] for e in wrong.json()["errors"]} == {"state", "limit", "colour"}


def test_a_withdrawn_offer_cannot_be_withdrawn_again(provider: Caller, aida: str) -> None:
    made = provider.post("/v1/offers", proposal()).json()
    taken = provider.post(f"/v1/offers/{made['id']}/withdraw", {"reason": "a mistake"})
    assert (taken.status_code, taken.json()["state"]) == (200, "withdrawn")
    again = provider.post(f"/v1/offers/{made['id']}/withdraw", {"reason": "a mistake"})
    assert again.status_code == 409
    assert "withdrawn" in again.json()["detail"]


def test_a_result_needs_an_accepted_offer(provider: Caller, aida: str) -> None:
    made = provider.post("/v1/offers", proposal()).json()
    early = provider.post(f"/v1/offers/{made['id']}/result", {"result": "rendered"})
    assert (early.status_code, early.json()["type"]) == (409, "/docs#state")
    wrong = provider.post(f"/v1/offers/{made['id']}/result", {"result": "perhaps"})
    assert [e["field"] for e in wrong.json()["errors"]] == ["result"]


def test_a_case_file_proves_itself_without_us(provider: Caller, aida: str) -> None:
    made = provider.post("/v1/offers", proposal()).json()
    provider.post(f"/v1/offers/{made['id']}/withdraw", {"reason": "a mistake"})
    case = provider.get(f"/v1/offers/{made['id']}/case").json()
    previous = journal.GENESIS
    for entry in case["entries"]:
        previous = hashlib.sha256(previous + entry["body"].encode()).digest()
        assert previous.hex() == entry["hash"]
    assert case["head"] == previous.hex()
    assert [e["kind"] for e in case["entries"]] == ["made", "withdrawn"]


def test_only_an_auditor_reads_what_was_said(provider: Caller, auditor: Caller, aida: str) -> None:
    made = provider.post("/v1/offers", proposal()).json()
    provider.post(f"/v1/offers/{made['id']}/withdraw", {"reason": "a mistake"})
    path = f"/v1/offers/{made['id']}/case"
    assert [e["said"] for e in provider.get(path).json()["entries"]] == [None, None]
    said = auditor.get(path).json()["entries"][1]["said"]
    assert bytes.fromhex(said["octets"]).decode() == "a mistake"


def test_an_offer_leaves_its_question_in_the_outbox(
    rt: Runtime, provider: Caller, aida: str
) -> None:
    provider.post("/v1/offers", proposal())
    with rt.ledger.begin() as tx:
        kinds = tx.execute(sql("SELECT kind FROM outbox")).scalars()
    assert kinds == ["offer.ask"]
