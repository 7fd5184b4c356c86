"""Notices of 214/НҚ, clauses 4 and 7: to the cabinet and by SMS within one working day."""

from datetime import timedelta

import pytest

from app.catalogue.model import Refusal
from app.ledger import keys
from app.ledger.journal import verify
from app.recipients import records as recipients
from app.wallet.actions import noticing
from app.wallet.actions.noticing import Draft, Duplicate, Wrong
from app.wallet.notices.records import Kind, Notice, Sms
from app.wallet.rules import terms
from smpp.messages import ReceiptState, SubmitOutcome
from tests.app.wallet.purse import BODY, GAS, MEALS, MEDICINES, Purse, overdue


def test_a_notice_stands_in_the_cabinet_from_its_commit_on_and_goes_by_sms(purse: Purse) -> None:
    notice = purse.told(MEALS, "Аида")
    [body] = purse.cabinet("Аида")
    assert "мектептегі тегін тамақ" in body and "Оқу-ағарту министрлігі" in body
    assert "бесплатное питание" in purse.cabinet("Аида", "ru")[0]
    [text] = purse.texts()
    assert text.startswith("Сізге қолдау шарасы көзделген: мектептегі тегін тамақ.")
    found = purse.notice(notice.id)
    assert (found.sms, found.placed_at, found.served_at) == (Sms.SENT, purse.clock(), purse.clock())
    purse.receipt(ReceiptState.DELIVRD)
    found = purse.notice(notice.id)
    assert (found.sms, found.closed_at) == (Sms.DELIVERED, purse.clock())
    assert purse.events(notice.id) == ["notice.placed", "notice.delivered"]
    assert verify(purse.journal(notice.id), purse.rt.vault) == []


def test_the_processing_of_personal_data_is_told_of_too(purse: Purse) -> None:
    purse.told(MEALS, "Аида", kind=Kind.DATA)
    assert "дербес деректеріңіз жиналып, өңделеді" in purse.texts()[0]
    assert "Оқу-ағарту министрлігі" in purse.cabinet("Аида")[0]


def test_a_measure_for_the_cabinet_alone_sends_no_sms(purse: Purse) -> None:
    notice = purse.told(MEDICINES, "Аида")
    assert purse.texts() == [] and notice.sms is Sms.NONE
    assert purse.notice(notice.id).closed_at == purse.clock()


def test_a_measure_by_sms_alone_is_served_when_it_leaves(purse: Purse) -> None:
    notice = purse.told(GAS, "Аида")
    assert purse.cabinet("Аида") == []
    assert purse.notice(notice.id).served_at == purse.clock()


def test_who_takes_no_sms_finds_it_in_the_cabinet(purse: Purse) -> None:
    purse.say("СТОП")
    said = len(purse.texts())
    notice = purse.told(GAS, "Аида")
    assert notice.sms is Sms.WITHHELD and len(purse.texts()) == said
    assert len(purse.cabinet("Аида")) == 1


def test_whom_no_register_knows_has_a_cabinet_all_the_same(purse: Purse) -> None:
    purse.people["Ержан"] = "990101300122"
    notice = purse.told(GAS, "Ержан")
    assert notice.sms is Sms.WITHHELD
    assert len(purse.cabinet("Ержан")) == 1
    assert purse.register("Ержан", "ru")  # the register names them later: the same person
    assert len(purse.cabinet("Ержан")) == 1


def test_an_sms_that_fails_is_made_up_for_in_the_cabinet(purse: Purse) -> None:
    notice = purse.told(GAS, "Аида")
    purse.receipt(ReceiptState.UNDELIV)
    assert purse.notice(notice.id).sms is Sms.FAILED
    assert len(purse.cabinet("Аида")) == 1
    assert purse.events(notice.id) == ["notice.failed", "notice.placed"]


def test_a_network_that_refuses_for_good_is_made_up_for_as_well(purse: Purse) -> None:
    purse.network.answers = SubmitOutcome.PERMANENT
    notice = purse.told(GAS, "Аида")
    assert purse.notice(notice.id).sms is Sms.FAILED
    assert len(purse.cabinet("Аида")) == 1


def test_while_the_network_is_down_the_alarm_rings_and_the_cabinet_keeps_the_term(
    purse: Purse,
) -> None:
    purse.go_down()
    notice = purse.told(GAS, "Аида")
    assert purse.notice(notice.id).served_at is None
    assert overdue(purse) == [] and overdue(purse, terms.ALARM_LEAD) == []
    purse.pass_time(terms.alarm_at(notice.deadline) - purse.clock() + timedelta(minutes=1))
    assert [n.id for n in overdue(purse, terms.ALARM_LEAD)] == [notice.id]
    purse.pass_time(terms.save_at(notice.deadline) - purse.clock() + timedelta(minutes=1))
    found = purse.notice(notice.id)
    assert found.placed_at is not None and found.placed_at <= notice.deadline
    assert overdue(purse, terms.ALARM_LEAD) == [] and len(purse.cabinet("Аида")) == 1
    purse.come_back()
    purse.pass_time(timedelta(seconds=5))
    assert purse.notice(notice.id).sms is Sms.SENT  # the addition still leaves


@pytest.mark.parametrize(
    "capacity",
    ["sole-entrepreneur", "private-practitioner", "legal-consultant", "legal-entity", "state-body"],
)
def test_measures_are_for_individuals_only(purse: Purse, capacity: str) -> None:
    made = purse.notify(MEALS, "Аида", capacity=capacity)
    assert isinstance(made, Refusal)
    assert (made.gate, made.clause) == ("recipient_kind", "214:2")


def test_the_number_of_an_organisation_is_refused_whatever_is_said(purse: Purse) -> None:
    purse.people["ТОО"] = "150140000012"
    made = purse.notify(MEALS, "ТОО")
    assert isinstance(made, Refusal) and made.clause == "214:2"


def test_an_unknown_measure_and_one_not_in_force_are_refused_with_their_clauses(
    purse: Purse,
) -> None:
    made = purse.notify("free-flights", "Аида")
    assert isinstance(made, Refusal) and made.clause == "214:2"


def test_a_reference_is_used_once_a_kind(purse: Purse) -> None:
    purse.told(MEALS, "Аида", reference="A-1")
    assert purse.notify(MEALS, "Аида", reference="A-1") == Duplicate("A-1")
    purse.told(MEALS, "Аида", reference="A-1", kind=Kind.DATA)


def test_two_of_one_batch_with_one_reference_make_one_notice(purse: Purse) -> None:
    drafts = [Draft(Kind.OFFER, MEALS, purse.people["Аида"], "A-1") for _ in range(2)]
    with purse.rt.unit() as unit:
        first, second = noticing.make(purse.rt, unit, BODY, drafts)
    assert isinstance(first, Notice) and isinstance(second, Duplicate)


def test_a_decision_is_placed_for_who_said_stop_too(purse: Purse) -> None:
    purse.say("СТОП")
    said = len(purse.texts())
    purse.decide(MEALS, "Аида", "granted", purse.clock(), words="№ 17")
    assert len(purse.texts()) == said
    [body] = purse.cabinet("Аида")
    assert body.startswith("Шешім: қолдау шарасы тағайындалды") and body.endswith("№ 17")


def test_a_decision_goes_by_sms_as_an_addition_at_any_hour(purse: Purse) -> None:
    notice = purse.decide(MEALS, "Аида", "not-granted", purse.clock())
    assert "беруші бас тартты" in purse.texts()[0]
    assert purse.events(notice.id) == ["decision.placed"]


def test_a_decision_told_of_too_late_is_placed_and_stands_in_the_list(purse: Purse) -> None:
    notice = purse.decide(MEALS, "Аида", "granted", purse.clock() - timedelta(days=7))
    assert len(purse.cabinet("Аида")) == 1
    assert [n.id for n in overdue(purse)] == [notice.id]


def test_a_decision_of_tomorrow_is_no_decision(purse: Purse) -> None:
    made = purse.notify(
        MEALS, "Аида", kind=Kind.DECISION, decision="granted",
        decided_at=purse.clock() + timedelta(minutes=1),
    )  # fmt: skip
    assert made == Wrong("decided_at", "past")


def test_who_refused_sms_gets_a_later_decision_in_the_cabinet_alone(purse: Purse) -> None:
    purse.told(MEALS, "Аида", asks=True)
    purse.receipt(ReceiptState.DELIVRD, of=-1)
    purse.say("иә")
    purse.receipt(ReceiptState.DELIVRD)
    purse.clock.advance(timedelta(minutes=1))
    purse.say("жоқ")
    said = len(purse.texts())
    purse.decide(MEALS, "Аида", "granted", purse.clock())
    assert len(purse.texts()) == said
    assert len(purse.cabinet("Аида")) == 2


def test_a_phone_that_went_to_another_gets_nothing(purse: Purse) -> None:
    purse.go_down()
    notice = purse.told(GAS, "Аида")
    purse.register("Аида", "kk", phone="+77059998877")
    purse.come_back()
    purse.pass_time(timedelta(seconds=5))
    assert purse.texts() == []
    assert purse.notice(notice.id).sms is Sms.WITHHELD
    assert len(purse.cabinet("Аида")) == 1


def test_who_reads_it_in_the_app_has_read_it_once(purse: Purse) -> None:
    notice = purse.told(MEALS, "Аида")
    room = purse.rt.rooms["wallet"]
    at = purse.clock()
    for _ in range(2):
        with purse.rt.unit() as unit:
            assert room.read(unit, purse.id_of("Аида"), notice.id, "kk") is not None  # type: ignore[attr-defined]
        purse.clock.advance(timedelta(minutes=1))
    assert purse.notice(notice.id).read_at == at
    assert purse.kinds(notice.id).count("read") == 1


def test_nobody_reads_the_notice_of_another(purse: Purse) -> None:
    purse.register("Болат", "ru")
    notice = purse.told(MEALS, "Аида")
    with purse.rt.unit() as unit:
        assert purse.rt.rooms["wallet"].read(unit, purse.id_of("Болат"), notice.id, "kk") is None  # type: ignore[attr-defined]


def test_a_key_of_a_team_reaches_no_other_cabinet(purse: Purse) -> None:
    reach = keys.Reach(keys.Kind.TEAM, frozenset())
    draft = Draft(Kind.OFFER, MEDICINES, purse.people["Аида"], "A-1")
    with purse.rt.unit() as unit:
        [made] = noticing.make(purse.rt, unit, BODY, [draft], reach)
    assert isinstance(made, Refusal) and made.gate == "phone_reachable"


def test_people_of_one_batch_are_made_once(purse: Purse) -> None:
    drafts = [Draft(Kind.OFFER, MEDICINES, "990101300122", f"A-{n}") for n in range(3)]
    with purse.rt.unit() as unit:
        made = noticing.make(purse.rt, unit, BODY, drafts)
    assert all(isinstance(one, Notice) for one in made)
    with purse.rt.unit() as unit:
        found = recipients.by_iin(unit.tx, unit.vault, ["990101300122"])
    assert len(found) == 1
