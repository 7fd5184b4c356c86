"""Questions whose choices are not yes and no: digits mean what stands beside them, words where they
are declared, and the lexicon of yes and no has no say.
"""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialogs import account, consent, measure
from dialogs.account import ACCOUNT
from dialogs.consent import CONSENT
from dialogs.engine.listed import listed
from dialogs.engine.model import COMMON, Ask, Choice, Dialog, DialogError, End, Screen
from dialogs.engine.render import segments
from dialogs.engine.turn import Event, UnknownChoice, choose, fold, reply, silence, too_late
from dialogs.engine.understanding import Label, understand
from dialogs.engine.ussd import question
from dialogs.engine.wording import LANGUAGES, Words
from dialogs.every import DIALOGS
from dialogs.measure import MEASURE
from dialogs.offer import OFFER
from dialogs.rating import RATING

WORDS = Words.load()
TWO = account.of(2)
LABELS = {"account1": "Kaspi *1234", "account2": "Halyk *5678"}
ASKED = [(dialog, ask) for dialog in DIALOGS for ask in dialog.asks]


@pytest.mark.parametrize("text", ["1", "1.", "(1)", "№1", "1️⃣", "１", "①", "бір", "1 деп"])
def test_a_one_is_a_mark_in_a_rating_and_an_account_in_the_choice_of_one(text: str) -> None:
    rated, chosen = reply(RATING, "ask", text, 0), reply(TWO, "ask", text, 0)
    assert (rated.outcome, rated.choice) == ("rate", "1")
    assert (chosen.outcome, chosen.choice) == ("choose", "account1")
    assert reply(OFFER, "ask", text, 0).outcome == "accept"


@pytest.mark.parametrize("text", ["иә", "да", "нет", "жоқ", "👍", "1 2", "1?", "12", "0"])
def test_what_is_not_plainly_one_of_the_digits_is_no_choice(text: str) -> None:
    for dialog in (TWO, RATING):
        turn = reply(dialog, "ask", text, 0)
        assert (turn.choice, turn.outcome, turn.step) == (None, None, "ask")


@pytest.mark.parametrize("digit", ["4", "5", "9"])
def test_a_digit_that_stands_beside_nothing_is_no_choice(digit: str) -> None:
    assert reply(TWO, "ask", digit, 0).event is Event.UNCLEAR
    assert reply(RATING, "ask", "6", 0).event is Event.UNCLEAR


@pytest.mark.parametrize(
    ("text", "choice"),
    [("басқа", "other"), ("Баска!", "other"), ("другой", "other"), ("ДРУГОЙ СЧЕТ", "other")],
)
def test_another_account_may_be_said_as_a_word(text: str, choice: str) -> None:
    assert reply(TWO, "ask", text, 0).choice == choice


@pytest.mark.parametrize("text", ["другой?", "не другой", "другой 2 3", "басқа адам", "2 другой"])
def test_a_word_among_others_names_no_choice(text: str) -> None:
    assert reply(TWO, "ask", text, 0).choice != "other"


@pytest.mark.parametrize(
    ("text", "mark"), [("отлично", "5"), ("Жақсы", "4"), ("нашар", "2"), ("очень плохо", "1")]
)
def test_a_mark_may_be_said_as_a_word(text: str, mark: str) -> None:
    assert reply(RATING, "ask", text, 0).choice == mark


@pytest.mark.parametrize("text", ["не отлично", "отлично?", "отлично 3", "хорошо, но долго"])
def test_a_word_with_more_around_it_is_no_mark(text: str) -> None:
    assert reply(RATING, "ask", text, 0).choice is None


@pytest.mark.parametrize(("dialog", "ask"), ASKED, ids=lambda one: getattr(one, "name", ""))
def test_stop_start_help_and_languages_work_in_every_question(dialog: Dialog, ask: Ask) -> None:
    at = ask.name
    assert reply(dialog, at, "стоп", 0).screen == Screen(COMMON, "stopped")
    assert reply(dialog, at, "ҚОСУ", 0).screen == Screen(COMMON, "started")
    assert reply(dialog, at, "көмек", 0).screen == Screen(dialog.name, ask.help)
    assert reply(dialog, at, "орысша", 0).language == "ru"
    assert reply(dialog, at, "на казахском", 0).screen == Screen(dialog.name, ask.switched)
    for word in ("стоп", "ҚОСУ", "көмек", "орысша"):
        turn = reply(dialog, at, word, 0)
        assert (turn.outcome, turn.choice, turn.step, turn.is_over) == (None, None, at, False)


@pytest.mark.parametrize(("dialog", "ask"), ASKED, ids=lambda one: getattr(one, "name", ""))
def test_every_question_is_asked_again_so_often_and_then_we_are_silent(
    dialog: Dialog, ask: Ask
) -> None:
    for asked, key in enumerate(ask.again):
        turn = reply(dialog, ask.name, "мм", asked)
        assert (turn.event, turn.screen) == (Event.UNCLEAR, Screen(dialog.name, key))
    assert len(ask.again) <= 2
    assert reply(dialog, ask.name, "мм", len(ask.again)).event is Event.SILENT


@pytest.mark.parametrize(("dialog", "ask"), ASKED, ids=lambda one: getattr(one, "name", ""))
def test_silence_never_gives_what_a_choice_gives(dialog: Dialog, ask: Ask) -> None:
    turn = silence(dialog, ask.name)
    given = {choose(dialog, ask.name, choice.id).outcome for choice in ask.choices}
    assert turn.is_over
    assert turn.outcome not in given


@pytest.mark.parametrize("dialog", DIALOGS, ids=lambda one: one.name)
def test_every_dialog_has_words_for_an_answer_too_late(dialog: Dialog) -> None:
    screen = too_late(dialog).screen
    assert screen is not None
    assert all(WORDS.text(screen, language) for language in LANGUAGES)


@pytest.mark.parametrize(("dialog", "ask"), ASKED, ids=lambda one: getattr(one, "name", ""))
@pytest.mark.parametrize("language", LANGUAGES)
def test_what_a_label_says_is_understood_as_its_choice(
    dialog: Dialog, ask: Ask, language: str
) -> None:
    for choice in ask.choices:
        label = WORDS.text(Screen(dialog.name, f"{ask.name}.{choice.id}"), language, NAMES)
        if not choice.values:  # the label of an account is the provider's
            assert reply(dialog, ask.name, label, 0).choice == choice.id


NAMES = {account.slot(n): "Kaspi *1234" for n in range(1, 9)}


def test_two_consents_are_two_questions_and_neither_implies_the_other() -> None:
    outcomes = {
        (first, second): (
            choose(MEASURE, "ask", first).outcome,
            choose(MEASURE, choose(MEASURE, "ask", first).step, second).outcome,
        )
        for first in ("yes", "no")
        for second in ("yes", "no")
    }
    assert outcomes == {
        ("yes", "yes"): (measure.DATA_GIVEN, measure.SMS_GIVEN),
        ("yes", "no"): (measure.DATA_GIVEN, measure.SMS_REFUSED),
        ("no", "yes"): (measure.DATA_REFUSED, measure.SMS_GIVEN),
        ("no", "no"): (measure.DATA_REFUSED, measure.SMS_REFUSED),
    }


def test_the_first_consent_is_told_before_the_conversation_is_over() -> None:
    turn = reply(MEASURE, "ask", "келісемін", 0)
    assert (turn.outcome, turn.step, turn.is_over) == (measure.DATA_GIVEN, "receive", False)
    assert turn.screen == Screen("measure", "receive")
    assert reply(MEASURE, "receive", "жоқ", 0).is_over


def test_silence_after_the_first_consent_refuses_nothing() -> None:
    assert silence(MEASURE, "receive").outcome == measure.SILENT
    assert silence(CONSENT, "ask").outcome == consent.SILENT


def test_a_conversation_of_two_questions_is_the_fold_of_its_answers() -> None:
    assert fold(MEASURE, []) == "ask"
    assert fold(MEASURE, ["no"]) == "receive"
    assert fold(MEASURE, ["no", "yes"]) == "by-sms"
    assert fold(TWO, ["account2"]) == "chosen"
    with pytest.raises(UnknownChoice):
        fold(TWO, ["account3"])


@given(st.integers(1, 8))
def test_the_accounts_have_the_first_digits_and_another_one_the_next(count: int) -> None:
    choices = account.of(count).ask("ask").choices
    assert [c.digit for c in choices] == [str(n) for n in range(1, count + 2)]
    assert [c.id for c in choices][-1] == account.OTHER


def test_the_accounts_are_listed_with_their_digits_in_each_language() -> None:
    values = listed(WORDS, TWO, "ask", LABELS)
    assert WORDS.text(Screen("account", "ask"), "kk", values) == (
        "Төлем қай шотқа түссін? 1 – Kaspi *1234, 2 – Halyk *5678, 3 – басқа"
    )
    assert WORDS.text(Screen("account", "ask"), "ru", values) == (
        "На какой счёт? 1 – Kaspi *1234, 2 – Halyk *5678, 3 – другой"
    )


@pytest.mark.parametrize("count", range(1, 9))
@pytest.mark.parametrize("language", LANGUAGES)
def test_any_number_of_accounts_can_be_shown_on_ussd(count: int, language: str) -> None:
    named = {account.slot(n): "ш" * 24 for n in range(1, count + 1)}
    dialog = account.of(count)
    values = listed(WORDS, dialog, "ask", named)
    shown = question(WORDS, dialog, Screen("account", "ask", values), language)
    ids = [choice for page in shown for choice in page.keys.values()]
    assert ids == [choice.id for choice in dialog.ask("ask").choices]


def test_one_or_two_accounts_cost_one_segment() -> None:
    for language in LANGUAGES:
        values = listed(WORDS, TWO, "ask", LABELS)
        assert segments(WORDS.text(Screen("account", "ask"), language, values)) == 1


def test_a_word_that_means_two_choices_is_refused() -> None:
    ask = RATING.ask("ask")
    twice = replace(ask.choices[0], words=("жақсы",))
    with pytest.raises(DialogError, match="duplicate word"):
        replace(RATING, steps=(replace(ask, choices=(twice, *ask.choices[1:])), *RATING.steps[1:]))


def test_yes_without_no_is_refused() -> None:
    ends = (End("a", "a"), End("b", "b"), End("c", "c"))
    for choices in (
        (Choice("yes", "1", "a"), Choice("maybe", "2", "b")),
        (Choice("yes", "1", "a"), Choice("no", "2", "b"), Choice("maybe", "3", "c")),
    ):
        with pytest.raises(DialogError, match="only one of yes and no"):
            Dialog("x", "y", "ask", (Ask("ask", choices, "c"), *ends))


def test_yes_and_no_take_no_words_beside_the_lexicon() -> None:
    ask = OFFER.ask("ask")
    worded = replace(ask.choices[0], words=("ладно",))
    with pytest.raises(DialogError, match="expected none beside yes and no"):
        replace(OFFER, steps=(replace(ask, choices=(worded, ask.choices[1])), *OFFER.steps[1:]))


@given(st.text())
def test_no_text_breaks_a_question_of_digits(text: str) -> None:
    for dialog in (ACCOUNT, RATING):
        turn = reply(dialog, "ask", text, 0)
        assert turn.step == "ask" or turn.is_over


@given(st.sampled_from(["1", "2", "3"]), st.sampled_from(["да ", "нет ", "не ", "1 ", "или "]))
def test_a_digit_with_an_answer_beside_it_is_not_guessed(digit: str, before: str) -> None:
    chosen = reply(TWO, "ask", before + digit, 0).choice
    assert chosen is None


def test_the_rule_of_a_digit_is_told_and_no_yes_is_read_into_it() -> None:
    understood = reply(TWO, "ask", "1", 0).understood
    assert understood is not None
    assert (understood.label, understood.rule) == (Label.UNCLEAR, "the digit 1")
    assert understand("1").label is Label.YES
