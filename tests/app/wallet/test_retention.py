"""Words of the wallet's cases go when their term is over, by the worker; the cases still verify."""

import threading
from datetime import timedelta
from uuid import UUID

import msgspec

import worker
from app.calendar import local_date
from app.catalogue import retention as policy
from app.catalogue.retention import Kind
from app.evidence import offline, verifying
from app.evidence.casefile import case_file
from app.ledger import seals
from app.wallet.notices.records import Sms
from app.wallet.rules.asking import AskingState as State
from smpp.messages import ReceiptState
from tests.app.wallet.purse import GAS, MEALS, Purse

REASON = "табысы шектен асады"


def term(purse: Purse, kind: Kind) -> timedelta:
    return timedelta(days=policy.on(policy.terms(), local_date(purse.clock()))[kind].days)


def lived(purse: Purse) -> tuple[UUID, UUID]:
    """A measure told of, both consents answered in somebody's words, a refusal with its reason;
    the asking and the decision."""
    notice = purse.told(MEALS, "Аида", asks=True)
    purse.receipt(ReceiptState.DELIVRD, of=-2)
    purse.receipt(ReceiptState.DELIVRD)
    purse.say("құпия ойым бар")
    purse.say("жоқ, керек емес")
    purse.receipt(ReceiptState.DELIVRD)
    purse.clock.advance(timedelta(minutes=1))
    purse.say("иә")
    purse.receipt(ReceiptState.DELIVRD)
    decided = purse.decide(MEALS, "Аида", "not-granted", purse.clock(), words=REASON)
    purse.receipt(ReceiptState.DELIVRD)
    asking = purse.asking(notice.id)
    assert asking.state is State.ANSWERED
    return asking.id, decided.id


def erase(purse: Purse, after: timedelta) -> None:
    """The worker's daily turn, so much later; all days before are sealed."""
    purse.clock.advance(timedelta(days=1))
    with purse.rt.ledger.begin() as tx:
        seals.make(tx, purse.rt.seal_key, purse.clock())
    purse.clock.advance(after)
    worker.erase(worker.House(purse.rt, threading.Event()))


def verifies(purse: Purse, case: UUID) -> bool:
    """Whether the ledger's own verifier and the one for exported files find the case whole."""
    with purse.rt.ledger.begin() as tx:
        file = case_file(tx, purse.rt.vault, case, purse.clock(), with_said=True)
    found = verifying.verify(purse.rt.ledger, purse.rt.vault, purse.rt.seal_key, purse.clock())
    return found.breaks == [] and offline.check(msgspec.json.encode(file)).breaks == []


def kept(purse: Purse, case: UUID) -> int:
    query = "SELECT count(*) AS n FROM journal_evidence WHERE case_id = :case"
    return int(purse.rows(query, case=case)[0].n)


def test_what_was_written_and_why_it_was_refused_go_and_the_cases_verify(purse: Purse) -> None:
    asking, decision = lived(purse)
    assert (kept(purse, asking), kept(purse, decision)) == (3, 1)
    assert REASON in purse.cabinet("Аида")[0]
    erase(purse, term(purse, Kind.WORDS))
    assert (kept(purse, asking), kept(purse, decision)) == (0, 0)
    assert purse.cabinet("Аида")[0].endswith("1414.")  # the decision itself still stands there
    assert purse.notice(decision).words is None
    for case in (asking, decision):
        assert purse.kinds(case)[-1] == "erased" and verifies(purse, case)


def test_nothing_goes_before_its_term(purse: Purse) -> None:
    asking, decision = lived(purse)
    erase(purse, term(purse, Kind.WORDS) - timedelta(days=1, hours=1))
    assert (kept(purse, asking), kept(purse, decision)) == (3, 1)
    assert REASON in purse.cabinet("Аида")[0]


def test_the_phone_goes_after_years_and_a_consent_can_still_be_taken_back(purse: Purse) -> None:
    asking, _ = lived(purse)
    erase(purse, term(purse, Kind.ADDRESS))
    [row] = purse.rows("SELECT phone_index FROM wallet_consents WHERE id = :id", id=asking)
    assert bytes(row.phone_index) == b""
    purse.say("отзываю согласие")
    assert purse.register_says("Аида") == [(f"measure-sms:{MEALS}", False)]
    assert verifies(purse, asking)


def test_a_reason_told_to_somebody_without_a_phone_goes_too(purse: Purse) -> None:
    purse.people["Ержан"] = "990101300122"
    decided = purse.decide(MEALS, "Ержан", "not-granted", purse.clock(), words=REASON)
    erase(purse, term(purse, Kind.WORDS))
    assert purse.notice(decided.id).words is None and kept(purse, decided.id) == 0
    assert verifies(purse, decided.id)


def test_an_sms_of_which_no_receipt_comes_ends_and_the_cabinet_has_it(purse: Purse) -> None:
    notice = purse.told(GAS, "Аида")
    purse.pass_time(timedelta(hours=47))
    assert purse.notice(notice.id).sms is Sms.SENT
    purse.pass_time(timedelta(hours=2))
    found = purse.notice(notice.id)
    assert (found.sms, found.closed_at) == (Sms.FAILED, purse.clock())
    assert len(purse.cabinet("Аида")) == 1
    purse.receipt(ReceiptState.DELIVRD)  # it comes after all
    assert purse.notice(notice.id).sms is Sms.DELIVERED
    assert purse.events(notice.id) == ["notice.failed", "notice.placed", "notice.delivered"]
