"""The two consents of 214/НҚ, clause 6: each asked by itself, each with its own evidence."""

from datetime import timedelta

import pytest

from app.ledger.journal import verify
from app.proactive.records import Offer
from app.wallet.actions.answering import AnsweredBefore, TooLate
from app.wallet.consents.records import Consent
from app.wallet.rules.asking import AskingState as State
from smpp.messages import ReceiptState
from tests.app.keypad import Keypad
from tests.app.wallet.purse import GAS, MEALS, MEDICINES, Purse

HOUR = timedelta(hours=1)


def asked(purse: Purse, measure: str = MEALS) -> Purse:
    """The notice and the first question are on the handset."""
    purse.told(measure, "Аида", asks=True)
    purse.receipt(ReceiptState.DELIVRD, of=-2)
    purse.receipt(ReceiptState.DELIVRD)
    return purse


def last(purse: Purse) -> Consent:
    [row] = purse.rows("SELECT notice_id FROM wallet_consents ORDER BY id DESC LIMIT 1")
    return purse.asking(row.notice_id)


def answered_second(purse: Purse, words: str) -> None:
    purse.receipt(ReceiptState.DELIVRD)
    purse.clock.advance(timedelta(minutes=1))
    purse.say(words)


@pytest.mark.parametrize(
    ("first", "second", "data", "sms"),
    [
        ("иә", "иә", "given", "given"),
        ("иә", "жоқ", "given", "refused"),
        ("жоқ", "иә", "refused", "given"),
        ("жоқ", "жоқ", "refused", "refused"),
    ],
)
def test_each_of_the_two_answers_stands_by_itself(
    purse: Purse, first: str, second: str, data: str, sms: str
) -> None:
    asked(purse).say(first)
    answered_second(purse, second)
    found = last(purse)
    assert (found.data, found.sms, found.state) == (data, sms, State.ANSWERED)
    given = [f"measure-{w}:{MEALS}" for w, a in (("data", data), ("sms", sms)) if a == "given"]
    assert purse.register_says("Аида") == [(purpose, True) for purpose in given]
    kinds = purse.kinds(found.id)
    assert f"data-{data}" in kinds and f"sms-{sms}" in kinds
    assert purse.events(found.id) == [f"consent.{data}", f"consent.{sms}"]
    assert verify(purse.journal(found.id), purse.rt.vault) == []


def test_typing_one_twice_consents_once(purse: Purse) -> None:
    asked(purse).say("1")
    purse.say("1")
    found = last(purse)
    assert (found.data, found.sms) == ("given", None)
    assert purse.kinds(found.id)[-1] == "heard-early"
    answered_second(purse, "2")
    assert last(purse).sms == "refused"


def test_a_redelivered_first_answer_is_no_answer_to_the_second_question(purse: Purse) -> None:
    asked(purse).say("1")
    purse.receipt(ReceiptState.DELIVRD)
    purse.deliver_again()
    assert (last(purse).data, last(purse).sms) == ("given", None)


def test_silence_is_no_answer_and_the_first_answer_stands(purse: Purse) -> None:
    asked(purse).say("иә")
    purse.receipt(ReceiptState.DELIVRD)
    purse.pass_time(25 * HOUR)
    found = last(purse)
    assert (found.data, found.sms, found.state) == ("given", None, State.LAPSED)
    assert purse.events(found.id) == ["consent.given", "consent.lapsed"]
    assert purse.register_says("Аида") == [(f"measure-data:{MEALS}", True)]


def test_silence_to_the_first_question_asks_no_second(purse: Purse) -> None:
    asked(purse).pass_time(25 * HOUR)
    found = last(purse)
    assert (found.data, found.sms, found.state) == (None, None, State.LAPSED)
    assert purse.facts(found.id, "lapsed")["unanswered"] == ["data", "sms"]
    assert purse.register_says("Аида") == []


def test_an_answer_at_the_very_deadline_counts(purse: Purse) -> None:
    asked(purse)
    deadline = last(purse).deadline
    assert deadline is not None
    purse.clock.advance(deadline - purse.clock())
    purse.say("иә")
    assert last(purse).data == "given"


def test_an_answer_after_the_end_is_told_that_it_is_late(purse: Purse) -> None:
    asked(purse).pass_time(25 * HOUR)
    purse.say("иә")
    found = last(purse)
    assert found.data is None
    assert purse.kinds(found.id)[-1] == "heard-after-the-end"
    assert "өтті" in purse.texts()[-1] or "жабылды" in purse.texts()[-1]


def test_it_is_asked_only_when_no_other_question_is_open_on_the_phone(purse: Purse) -> None:
    offer = purse.offer("birth-benefit", "Аида")
    assert isinstance(offer, Offer)
    purse.receipt(ReceiptState.DELIVRD)
    notice = purse.told(MEALS, "Аида", asks=True)
    assert purse.outbox(purse.asking(notice.id).id) == []
    purse.say("иә")
    assert purse.look(offer.id).state == "accepted"
    assert last(purse).data is None
    assert purse.outbox(purse.asking(notice.id).id) == ["measure.ask"]


def test_an_old_yes_never_meets_a_question_nobody_has_seen(purse: Purse) -> None:
    purse.network.answers = None  # the submit response is held back
    purse.go_down()
    notice = purse.told(MEALS, "Аида", asks=True)
    purse.come_back()
    assert purse.asking(notice.id).data is None


def test_stop_is_no_consent_and_ends_the_asking(purse: Purse) -> None:
    asked(purse).say("ТОҚТАТ")
    found = last(purse)
    assert (found.data, found.sms, found.state) == (None, None, State.STOPPED)
    assert purse.events(found.id) == ["consent.stopped"]


def test_stop_later_takes_back_the_consent_to_sms_and_no_other(purse: Purse) -> None:
    asked(purse).say("иә")
    answered_second(purse, "иә")
    purse.say("СТОП")
    assert purse.register_says("Аида") == [
        (f"measure-data:{MEALS}", True), (f"measure-sms:{MEALS}", False)
    ]  # fmt: skip
    assert purse.events(last(purse).id)[-1] == "consent.withdrawn"


def test_plain_words_take_everything_back_when_nothing_is_asked(purse: Purse) -> None:
    asked(purse).say("иә")
    answered_second(purse, "иә")
    purse.say("Келісімімді қайтарып аламын!")
    assert [holds for _, holds in purse.register_says("Аида")] == [False, False]
    assert purse.texts()[-1].startswith("Қолдау шаралары бойынша келісімдеріңіз")


def test_the_app_answers_and_the_second_question_waits_there_too(purse: Purse) -> None:
    notice = purse.told(MEALS, "Аида", asks=True)
    consent = purse.asking(notice.id)
    assert purse.tap("Аида", consent.id, "yes").state is State.SECOND
    assert purse.tap("Аида", consent.id, "yes", "data").state is State.SECOND
    with pytest.raises(AnsweredBefore):
        purse.tap("Аида", consent.id, "no", "data")
    assert purse.tap("Аида", consent.id, "no").sms == "refused"
    with pytest.raises(TooLate):
        purse.clock.advance(timedelta(days=3))
        other = purse.told(MEDICINES, "Аида", asks=True)
        purse.clock.advance(timedelta(days=3))
        purse.tap("Аида", purse.asking(other.id).id, "yes")


def test_words_by_sms_do_not_answer_a_second_question_that_only_the_app_has_shown(
    purse: Purse,
) -> None:
    asked(purse)
    purse.tap("Аида", last(purse).id, "yes")
    purse.say("1")
    assert last(purse).sms is None
    assert "SMS арқылы алуға келісесіз бе" in purse.texts()[-1]
    purse.say("1")
    assert last(purse).sms is None
    answered_second(purse, "1")
    assert last(purse).sms == "given"


def test_what_the_app_answered_while_it_waited_is_not_asked_again_by_sms(purse: Purse) -> None:
    offer = purse.offer("birth-benefit", "Аида")
    assert isinstance(offer, Offer)
    purse.receipt(ReceiptState.DELIVRD)
    notice = purse.told(MEALS, "Аида", asks=True)
    purse.tap("Аида", purse.asking(notice.id).id, "no")
    purse.say("иә")  # to the offer
    assert purse.look(offer.id).state == "accepted"
    assert purse.outbox(purse.asking(notice.id).id) == ["measure.receive"]
    answered_second(purse, "иә")
    assert (last(purse).data, last(purse).sms) == ("refused", "given")


def test_stop_between_the_questions_leaves_the_first_answer_as_it_is(purse: Purse) -> None:
    asked(purse).say("иә")
    purse.receipt(ReceiptState.DELIVRD)
    purse.say("СТОП")
    found = last(purse)
    assert (found.data, found.sms, found.state) == ("given", None, State.STOPPED)
    assert purse.register_says("Аида") == [(f"measure-data:{MEALS}", True)]


def test_a_consent_of_the_cabinet_is_taken_back_by_sms_too(purse: Purse) -> None:
    notice = purse.told(MEDICINES, "Аида", asks=True)
    purse.tap("Аида", purse.asking(notice.id).id, "yes")
    purse.tap("Аида", purse.asking(notice.id).id, "yes")
    purse.say("отзываю согласие")
    assert [holds for _, holds in purse.register_says("Аида")] == [False, False]


def test_who_changed_phones_takes_back_from_the_new_one_and_not_from_the_old(purse: Purse) -> None:
    asked(purse).say("иә")
    answered_second(purse, "иә")
    purse.register("Аида", "kk", phone="+77059998877")
    purse.say("отзываю согласие")  # somebody on the old one
    assert [holds for _, holds in purse.register_says("Аида")] == [True, True]
    purse.phone = "+77059998877"
    purse.say("отзываю согласие")
    assert [holds for _, holds in purse.register_says("Аида")] == [False, False]


def test_taking_back_one_on_ussd_ends_older_consents_to_the_same_measure_too(purse: Purse) -> None:
    for _ in range(2):
        asked(purse).say("иә")
        answered_second(purse, "иә")
        purse.clock.advance(HOUR)
    phone = Keypad(purse)
    phone.dial("*1414*2#")
    for key in ("1", "2", "1"):
        phone.press(key)
    assert [(p.split(":")[0], holds) for p, holds in purse.register_says("Аида")] == [
        ("measure-data", True), ("measure-data", True),
        ("measure-sms", False), ("measure-sms", False),
    ]  # fmt: skip


def test_what_is_sensitive_is_asked_in_the_cabinet_alone(purse: Purse) -> None:
    notice = purse.told(MEDICINES, "Аида", asks=True)
    assert purse.texts() == []
    consent = purse.asking(notice.id)
    assert (consent.state, consent.has_phone) == (State.AWAITING, False)
    purse.pass_time(25 * HOUR)
    assert purse.asking(notice.id).state is State.LAPSED
    assert purse.texts() == []


def test_nobody_is_asked_twice_at_once_about_one_measure(purse: Purse) -> None:
    asked(purse)
    purse.told(MEALS, "Аида", asks=True)
    purse.told(GAS, "Аида", asks=True)
    rows = purse.rows("SELECT measure FROM wallet_consents")
    assert sorted(r.measure for r in rows) == [GAS, MEALS]


def test_an_undelivered_question_is_no_answer(purse: Purse) -> None:
    purse.told(MEALS, "Аида", asks=True)
    purse.receipt(ReceiptState.UNDELIV)
    assert last(purse).state is State.UNDELIVERED
    assert purse.events(last(purse).id) == ["consent.undelivered"]


def test_a_stranger_consents_to_nothing(purse: Purse) -> None:
    asked(purse).say("это не мой номер, вы ошиблись")
    assert last(purse).data is None


def test_a_gateway_that_dies_between_the_questions_asks_the_second_again(purse: Purse) -> None:
    asked(purse)
    purse.network.answers = None
    purse.say("иә")
    purse.die()
    purse.network.answers = None
    purse.pass_time(timedelta(minutes=2))
    assert last(purse).data == "given"
    assert "message-unknown" in purse.kinds(last(purse).id) or purse.outbox(last(purse).id)
