"""What one reply to the offer's question comes to."""

import pytest

from dialogs.engine.model import COMMON, Screen
from dialogs.engine.turn import Event, UnknownChoice, choose, fold, reply, silence, too_late
from dialogs.engine.understanding import Label
from dialogs.offer import OFFER


@pytest.mark.parametrize("text", ["1", "Иә", "да", "келісемін"])
def test_a_plain_yes_accepts(text: str) -> None:
    turn = reply(OFFER, "ask", text, asked=0)
    assert (turn.event, turn.outcome, turn.step) == (Event.CHOICE, "accept", "accepted")
    assert turn.screen == Screen("offer", "accepted")


@pytest.mark.parametrize("text", ["2", "Жоқ", "нет", "бас тартамын"])
def test_a_plain_no_declines(text: str) -> None:
    turn = reply(OFFER, "ask", text, asked=0)
    assert (turn.event, turn.outcome, turn.step) == (Event.CHOICE, "decline", "declined")
    assert turn.screen == Screen("offer", "declined")


def test_an_unclear_reply_is_asked_again_in_plainer_words() -> None:
    turn = reply(OFFER, "ask", "да нет", asked=0)
    assert (turn.event, turn.outcome, turn.step) == (Event.UNCLEAR, None, "ask")
    assert turn.screen == Screen("offer", "ask.again1")


def test_the_second_asking_again_is_plainer_still() -> None:
    assert reply(OFFER, "ask", "", asked=1).screen == Screen("offer", "ask.again2")


@pytest.mark.parametrize("asked", [2, 3, 99])
def test_after_two_askings_we_fall_silent_and_the_question_stays_open(asked: int) -> None:
    turn = reply(OFFER, "ask", "да нет", asked=asked)
    assert (turn.event, turn.outcome, turn.step, turn.screen) == (Event.SILENT, None, "ask", None)


def test_a_clear_answer_after_our_silence_still_counts() -> None:
    assert reply(OFFER, "ask", "1", asked=2).outcome == "accept"


def test_help_explains_and_leaves_the_question_open() -> None:
    turn = reply(OFFER, "ask", "помощь", asked=0)
    assert (turn.event, turn.outcome, turn.step) == (Event.HELP, None, "ask")
    assert turn.screen == Screen("offer", "help")


@pytest.mark.parametrize(("text", "language"), [("қазақша", "kk"), ("на русском", "ru")])
def test_a_wish_for_a_language_puts_the_question_again_in_it(text: str, language: str) -> None:
    turn = reply(OFFER, "ask", text, asked=0)
    assert (turn.event, turn.language, turn.step) == (Event.LANGUAGE, language, "ask")
    assert turn.screen == Screen("offer", "ask.switched")


def test_stop_is_confirmed_and_is_neither_yes_nor_no() -> None:
    turn = reply(OFFER, "ask", "стоп", asked=0)
    assert (turn.event, turn.outcome, turn.step) == (Event.STOP, None, "ask")
    assert turn.screen == Screen(COMMON, "stopped")


def test_a_turn_carries_what_was_understood_and_by_which_rule() -> None:
    understood = reply(OFFER, "ask", "иә", asked=0).understood
    assert understood is not None
    assert understood.label is Label.YES
    assert understood.rule


def test_a_chosen_button_needs_no_reading() -> None:
    turn = choose(OFFER, "ask", "no")
    assert (turn.outcome, turn.event, turn.understood) == ("decline", Event.CHOICE, None)


@pytest.mark.parametrize(("at", "choice"), [("ask", "maybe"), ("ask", "1"), ("accepted", "yes")])
def test_a_choice_that_is_not_offered_is_refused(at: str, choice: str) -> None:
    with pytest.raises(UnknownChoice, match=f"found choice '{choice}'"):
        choose(OFFER, at, choice)


def test_a_closed_window_expires_the_offer() -> None:
    turn = silence(OFFER, "ask")
    assert (turn.outcome, turn.step, turn.event) == ("expire", "expired", Event.LAPSED)
    assert turn.screen == Screen("offer", "expired")


def test_an_answer_too_late_changes_nothing() -> None:
    turn = too_late(OFFER)
    assert (turn.outcome, turn.event, turn.screen) == (None, Event.LATE, Screen("offer", "late"))


def test_a_conversation_is_the_fold_of_its_answers() -> None:
    assert fold(OFFER, []) == "ask"
    assert fold(OFFER, ["yes"]) == "accepted"
    assert fold(OFFER, ["no"]) == "declined"


def test_nothing_folds_past_an_end() -> None:
    with pytest.raises(UnknownChoice):
        fold(OFFER, ["yes", "no"])


def test_nothing_can_be_replied_to_at_an_end() -> None:
    with pytest.raises(KeyError):
        reply(OFFER, "accepted", "1", asked=0)
