"""Same key and body: the first answer. Same key, other body: refused."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from app.clock import ManualClock
from app.ledger import idempotency
from app.ledger.engine import sql
from app.ledger.idempotency import Answer, Claim
from app.runtime import Runtime
from tests.app.api.conftest import AIDA, AIDA_PHONE, LONG_AGO, Caller, proposal

KEY = {"Idempotency-Key": "first"}


def test_the_same_key_and_body_get_the_first_answer(
    provider: Caller, aida: str, clock: ManualClock
) -> None:
    first = provider.post("/v1/offers", proposal(), headers=KEY)
    clock.advance(timedelta(hours=1))
    again = provider.post("/v1/offers", proposal(), headers=KEY)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    assert again.headers["Location"] == first.headers["Location"]
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"
    assert len(provider.get("/v1/offers").json()["items"]) == 1


def test_white_space_and_order_do_not_make_another_body(provider: Caller, aida: str) -> None:
    first = provider.post("/v1/offers", proposal(), headers=KEY)
    spelled = b'{ "reference":"A-1", "iin":"900101300126",  "service":"birth-benefit" }'
    again = provider.call("POST", "/v1/offers", content=spelled, headers=KEY)
    assert again.content == first.content


def test_the_same_key_with_another_body_is_refused(provider: Caller, aida: str) -> None:
    provider.post("/v1/offers", proposal(), headers=KEY)
    other = provider.post("/v1/offers", proposal(reference="A-2"), headers=KEY)
    assert (other.status_code, other.json()["type"]) == (422, "/docs#idempotency_reused")
    elsewhere = provider.post("/v1/offer-batches", {"offers": []}, headers=KEY)
    assert elsewhere.status_code == 422


def test_the_same_key_of_another_caller_is_another_key(
    provider: Caller, stranger: Caller, aida: str
) -> None:
    provider.post("/v1/offers", proposal(), headers=KEY)
    body = proposal() | {"service": "childcare-benefit"}
    assert stranger.post("/v1/offers", body, headers=KEY).status_code == 201


def test_a_refusal_is_a_first_answer_too(provider: Caller, registry: Caller) -> None:
    first = provider.post("/v1/offers", proposal(), headers=KEY)
    person = {"iin": AIDA, "phone": AIDA_PHONE, "registered_at": LONG_AGO}
    registry.post("/v1/registry/recipients", {"recipients": [person]})
    again = provider.post("/v1/offers", proposal(), headers=KEY)
    assert first.json()["gate"] == "phone_registered"
    assert (again.status_code, again.content) == (422, first.content)
    assert again.headers["Content-Type"] == "application/problem+json"
    fresh = provider.post("/v1/offers", proposal())
    assert fresh.json()["gate"] == "consent_given"


def test_invalid_data_may_be_corrected_under_the_same_key(provider: Caller, aida: str) -> None:
    wrong = provider.post("/v1/offers", {"service": "birth-benefit"}, headers=KEY)
    assert wrong.status_code == 422
    assert provider.post("/v1/offers", proposal(), headers=KEY).status_code == 201


def test_twins_at_the_same_moment_get_one_answer(provider: Caller, aida: str) -> None:
    def post(number: int) -> tuple[int, bytes]:
        answer = provider.post("/v1/offers", proposal(), headers=KEY)
        return answer.status_code, answer.content

    with ThreadPoolExecutor(8) as pool:
        answers = set(pool.map(post, range(16)))
    assert len(answers) == 1
    assert next(iter(answers))[0] == 201


def test_twins_are_no_failure_of_ours(provider: Caller, aida: str) -> None:
    with capture_logs() as logged, ThreadPoolExecutor(8) as pool:
        twins = [
            pool.submit(provider.post, "/v1/offers", proposal(), headers=KEY) for _ in range(24)
        ]
        assert {twin.result().status_code for twin in twins} == {201}
    assert [line for line in logged if line["log_level"] == "error"] == []


def test_twins_without_a_key_make_one_offer_and_conflicts(provider: Caller, aida: str) -> None:
    def post(number: int) -> int:
        return provider.post("/v1/offers", proposal()).status_code

    with ThreadPoolExecutor(8) as pool:
        statuses = sorted(pool.map(post, range(16)))
    assert statuses == [201] + [409] * 15


@pytest.mark.parametrize("key", ["", "a b", "ключ".encode(), "x" * 256])
def test_a_strange_key_is_named(provider: Caller, key: str | bytes) -> None:
    answer = provider.post("/v1/offers", proposal(), headers={"Idempotency-Key": key})
    assert answer.status_code == 422
    assert [e["field"] for e in answer.json()["errors"]] == ["Idempotency-Key"]


def test_what_a_key_stood_for_cannot_be_read_back(rt: Runtime, provider: Caller, aida: str) -> None:
    provider.post("/v1/offers", proposal(), headers=KEY)
    with rt.ledger.begin() as tx:
        rows = tx.execute(sql("SELECT fingerprint, body FROM idempotency")).all()
    stored = b"".join(bytes(column) for row in rows for column in row)
    assert len(rows) == 1 and aida.encode() not in stored


@pytest.mark.provokes("ERROR:  canceling statement due to lock timeout$")
def test_a_second_call_is_told_when_the_first_takes_too_long(
    rt: Runtime, provider: Caller, aida: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(idempotency, "PATIENCE_MS", 50)
    claim = Claim(f"provider:{provider.provider}", "first", bytes(16))
    with rt.unit() as unit:
        assert idempotency.claim(unit.tx, claim, unit.now) is None
        waiting = provider.post("/v1/offers", proposal(), headers=KEY)
        idempotency.store(unit.tx, claim, Answer(200, b"{}"))
    assert (waiting.status_code, waiting.headers["Retry-After"]) == (409, "1")


def test_old_answers_are_forgotten(rt: Runtime, provider: Caller, clock: ManualClock) -> None:
    provider.post("/v1/offer-batches", {"offers": []}, headers=KEY)
    with rt.unit() as unit:
        assert idempotency.forget(unit.tx, unit.now) == 0
    clock.advance(timedelta(days=8))
    with rt.unit() as unit:
        assert idempotency.forget(unit.tx, unit.now - timedelta(days=7)) == 1
