"""Registers over HTTP: rows are judged one by one."""

from app.recipients.records import by_iin
from app.recipients.rules import check_iin
from app.runtime import Runtime
from tests.app.api.conftest import AIDA, AIDA_PHONE, LONG_AGO, Caller


def person(iin: str = AIDA, phone: str = AIDA_PHONE, **more: object) -> dict[str, object]:
    """A row of the mobile citizens base."""
    return {"iin": iin, "phone": phone, "registered_at": LONG_AGO} | more


def consent(iin: str = AIDA, **more: object) -> dict[str, object]:
    """A row of the access-control service."""
    base = {"iin": iin, "purpose": "personal-data", "reference": "C-1", "given_at": LONG_AGO}
    return base | more


def test_good_rows_are_kept_and_bad_ones_named_by_their_place(registry: Caller) -> None:
    rows = [
        person(),
        person("900101300125"),
        person("12345"),
        person(phone="hello"),
        person(phone="1414"),
        person(registered_at="0001-01-01T00:00:00+14:00"),
    ]
    answer = registry.post("/v1/registry/recipients", {"recipients": rows})
    assert answer.status_code == 200
    assert answer.json()["accepted"] == 1
    assert [r["index"] for r in answer.json()["rejected"]] == [1, 2, 3, 4, 5]
    assert "900101300125" not in answer.text and "12345" not in answer.text


def test_a_row_says_what_is_wrong_in_the_callers_language(registry: Caller) -> None:
    answer = registry.post(
        "/v1/registry/recipients",
        {"recipients": [person("12345")]},
        headers={"Accept-Language": "kk"},
    )
    assert answer.json()["rejected"] == [{"index": 0, "detail": "iin: ЖСН 12 цифрдан тұрады"}]


def test_phones_are_kept_as_e164_however_they_were_written(rt: Runtime, registry: Caller) -> None:
    registry.post("/v1/registry/recipients", {"recipients": [person(phone="8 (701) 000-01-00")]})
    with rt.ledger.begin() as tx:
        found = by_iin(tx, rt.vault, [AIDA])[AIDA]
    assert (found.phone, found.phone_kind) == (AIDA_PHONE, "mobile")


def test_of_two_rows_with_one_iin_the_later_counts(rt: Runtime, registry: Caller) -> None:
    rows = [person(), person(phone="+77010000200")]
    answer = registry.post("/v1/registry/recipients", {"recipients": rows})
    assert answer.json() == {"accepted": 2, "rejected": []}
    with rt.ledger.begin() as tx:
        assert by_iin(tx, rt.vault, [AIDA])[AIDA].phone == "+77010000200"


def test_a_later_message_of_the_register_updates(rt: Runtime, registry: Caller) -> None:
    registry.post("/v1/registry/recipients", {"recipients": [person(language="kk")]})
    registry.post("/v1/registry/recipients", {"recipients": [person(phone="+77010000200")]})
    with rt.ledger.begin() as tx:
        found = by_iin(tx, rt.vault, [AIDA])[AIDA]
    assert (found.phone, found.language) == ("+77010000200", "kk")


def test_consents_must_not_end_before_they_begin(registry: Caller) -> None:
    rows = [
        consent(),
        consent(reference="C-2", valid_until="2025-01-01T00:00:00Z"),
        consent(reference="C-3", revoked_at="2025-01-01T00:00:00Z"),
        consent("1"),
        consent(reference="C-4", given_at="9999-12-31T23:59:59-12:00"),
    ]
    answer = registry.post("/v1/registry/consents", {"consents": rows})
    assert answer.json()["accepted"] == 1
    named = [(r["index"], r["detail"].split(":")[0]) for r in answer.json()["rejected"]]
    assert named == [(1, "valid_until"), (2, "revoked_at"), (3, "iin"), (4, "given_at")]


def test_a_revoked_consent_is_told_from_a_missing_one(registry: Caller, provider: Caller) -> None:
    registry.post("/v1/registry/recipients", {"recipients": [person()]})
    rows = [consent(revoked_at="2026-02-01T00:00:00Z")]
    registry.post("/v1/registry/consents", {"consents": rows})
    body = {"service": "birth-benefit", "iin": AIDA, "reference": "A-1"}
    refused = provider.post("/v1/offers", body).json()
    assert refused["gate"] == "consent_given"
    assert "revoked" in refused["detail"]


def test_at_most_ten_thousand_rows_are_taken(registry: Caller) -> None:
    rows: list[object] = [{}] * 10_001
    answer = registry.post("/v1/registry/recipients", {"recipients": rows})
    assert answer.status_code == 422
    assert [e["field"] for e in answer.json()["errors"]] == ["recipients"]


def test_thousands_of_rows_are_taken_at_once(rt: Runtime, registry: Caller) -> None:
    iins = [i for n in range(60_000) if check_iin(i := f"9001{n:08}") is None][:5_000]
    rows = [person(iin, f"+7701{n:07}") for n, iin in enumerate(iins)]
    answer = registry.post("/v1/registry/recipients", {"recipients": rows})
    assert answer.json() == {"accepted": 5_000, "rejected": []}
    with rt.ledger.begin() as tx:
        assert len(by_iin(tx, rt.vault, iins)) == 5_000
