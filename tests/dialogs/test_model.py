"""A dialog that could leave a person without a way to an end cannot even be declared."""

import pytest

from dialogs.engine.model import Ask, Choice, Dialog, DialogError, End, Notice, Step
from dialogs.offer import OFFER

YES = Choice("yes", "1", "accepted")
NO = Choice("no", "2", "declined")
ACCEPTED = End("accepted", "accept")
DECLINED = End("declined", "decline")
EXPIRED = End("expired", "expire")


def declared(*steps: Step, start: str = "ask", notices: tuple[Notice, ...] = ()) -> Dialog:
    return Dialog("offer", "155/НҚ", start, steps, notices)


def asking(*choices: Choice, name: str = "ask", silence: str = "expired") -> Ask:
    return Ask(name, choices, silence)


def test_the_offer_asks_yes_as_1_and_no_as_2() -> None:
    ask = OFFER.ask("ask")
    assert [(choice.digit, choice.id) for choice in ask.choices] == [("1", "yes"), ("2", "no")]


def test_silence_never_accepts_an_offer() -> None:
    end = OFFER.step(OFFER.ask("ask").silence)
    assert isinstance(end, End)
    assert end.outcome == "expire"


def test_a_sound_dialog_is_declared_and_knows_its_questions() -> None:
    dialog = declared(asking(YES, NO), ACCEPTED, DECLINED, EXPIRED)
    assert [ask.name for ask in dialog.asks] == ["ask"]
    assert dialog.asked_by("ask.again2") is dialog.asks[0]
    assert dialog.asked_by("accepted") is None


def test_a_choice_to_an_unknown_step_is_refused() -> None:
    with pytest.raises(DialogError, match=r"'ask' leads to unknown step 'declined'"):
        declared(asking(YES, NO), ACCEPTED, EXPIRED)


def test_a_silence_to_an_unknown_step_is_refused() -> None:
    with pytest.raises(DialogError, match="unknown step 'gone'"):
        declared(asking(YES, NO, silence="gone"), ACCEPTED, DECLINED)


def test_a_start_at_an_unknown_step_is_refused() -> None:
    with pytest.raises(DialogError, match="starts at unknown step 'begin'"):
        declared(asking(YES, NO), ACCEPTED, DECLINED, EXPIRED, start="begin")


def test_a_step_that_no_road_leads_to_is_refused() -> None:
    with pytest.raises(DialogError, match=r"no road leads to \['declined'\]"):
        declared(asking(YES), ACCEPTED, DECLINED, EXPIRED)


def test_a_question_without_choices_is_a_dead_end() -> None:
    with pytest.raises(DialogError, match="dead end"):
        declared(asking(), EXPIRED)


def test_questions_that_only_lead_to_one_another_are_a_dead_end() -> None:
    first = asking(Choice("on", "1", "second"), name="ask", silence="second")
    second = asking(Choice("back", "1", "ask"), name="second", silence="ask")
    with pytest.raises(DialogError, match=r"no road leads from \['ask', 'second'\] to an end"):
        declared(first, second)


def test_one_digit_cannot_mean_two_choices() -> None:
    with pytest.raises(DialogError, match="duplicate digit"):
        declared(asking(YES, Choice("no", "1", "declined")), ACCEPTED, DECLINED, EXPIRED)


def test_one_id_cannot_name_two_choices() -> None:
    with pytest.raises(DialogError, match="duplicate id"):
        declared(asking(YES, Choice("yes", "2", "declined")), ACCEPTED, DECLINED, EXPIRED)


@pytest.mark.parametrize("digit", ["0", "10", "", "a", "١"])
def test_a_digit_is_one_to_nine_since_zero_is_back(digit: str) -> None:
    with pytest.raises(DialogError, match="expected 1 to 9"):
        declared(asking(Choice("yes", digit, "accepted"), NO), ACCEPTED, DECLINED, EXPIRED)


def test_a_name_is_declared_once() -> None:
    with pytest.raises(DialogError, match="'accepted' is declared 2 times"):
        declared(asking(YES, NO), ACCEPTED, DECLINED, EXPIRED, notices=(Notice("accepted"),))


@pytest.mark.parametrize("times", [-1, 3])
def test_an_unclear_reply_is_asked_about_at_most_twice(times: int) -> None:
    ask = Ask("ask", (YES, NO), "expired", unclear_again=times)
    with pytest.raises(DialogError, match=f"asks {times} times again, expected 0 to 2"):
        declared(ask, ACCEPTED, DECLINED, EXPIRED)


def test_a_dialog_begins_with_a_question() -> None:
    with pytest.raises(DialogError, match="starts with the end 'accepted', nothing is asked"):
        declared(ACCEPTED, start="accepted")


def test_choices_are_listed_in_a_value_of_the_question() -> None:
    ask = Ask("ask", (YES, NO), "expired", listed="accounts")
    with pytest.raises(DialogError, match="lists its choices in 'accounts', expected one of"):
        declared(ask, ACCEPTED, DECLINED, EXPIRED)


def test_silence_cannot_lead_where_yes_leads() -> None:
    with pytest.raises(DialogError, match="silence leads to 'accepted', as yes"):
        declared(asking(YES, NO, silence="accepted"), ACCEPTED, DECLINED)


@pytest.mark.parametrize("key", ["help", "ask.again1", "ask.switched", "ask.yes", "ask.no.confirm"])
def test_one_wording_cannot_say_two_things(key: str) -> None:
    with pytest.raises(DialogError, match=f"'{key}' words 2 screens"):
        declared(asking(YES, NO), ACCEPTED, DECLINED, EXPIRED, notices=(Notice(key),))


def test_nothing_is_asked_at_an_end() -> None:
    with pytest.raises(KeyError, match="nothing is asked there"):
        OFFER.ask("accepted")
