"""What must hold for every reply: form never matters, doubt always does, nothing raises."""

import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialogs.engine.understanding import Label, explain, prepare, reading, understand
from dialogs.engine.understanding.grammar import grammar
from dialogs.engine.understanding.lexicon import lexicon, look_up, words

YES = [
    "да",
    "иә",
    "согласна",
    "келісемін",
    "мен келісемін",
    "хочу",
    "маған керек",
    "1",
    "kelisemin",
]
NO = [
    "нет",
    "жоқ",
    "не согласна",
    "келіспеймін",
    "не надо",
    "керек емес",
    "2",
    "бас тартамын",
    "joq",
]
ANSWERS = [*YES, *NO]
LISTED = [form for language in ("kk", "ru", "en") for form, _ in words(language)]
DECIDED = {Label.YES, Label.NO}

answers = st.sampled_from(ANSWERS)
yeses = st.sampled_from(YES)


@given(st.text())
def test_no_text_whatever_raises(text: str) -> None:
    assert understand(text).label in Label
    assert explain(text)


@given(
    st.text(alphabet=st.characters(categories=["Cs", "Cf", "Mn", "Cc", "So", "Nd"]), max_size=30)
)
def test_broken_and_unseen_characters_do_not_raise(text: str) -> None:
    assert understand(text).label in Label


@given(st.text(alphabet=string.punctuation + " \n", max_size=12))
def test_punctuation_alone_is_never_an_answer(text: str) -> None:
    assert understand(text).label not in DECIDED


@given(answers, st.sampled_from([str.upper, str.lower, str.title, str.capitalize]))
def test_case_does_not_matter(answer: str, case: object) -> None:
    assert callable(case)
    assert understand(case(answer)).label == understand(answer).label


@given(
    answers,
    st.text(alphabet=" .!,\n\t\u00a0\u200b\u200f\u202a\ufeff", max_size=4),
    st.text(alphabet=" .!,\n\t\u00a0\u200b\u200f\u202a\ufeff", max_size=4),
)
def test_blanks_stops_and_unseen_marks_around_an_answer_do_not_matter(
    answer: str, before: str, after: str
) -> None:
    assert understand(before + answer + after).label == understand(answer).label


@given(answers.filter(str.isalpha), st.integers(2, 5))
def test_a_drawled_last_letter_does_not_matter(answer: str, times: int) -> None:
    assert understand(answer + answer[-1] * times).label == understand(answer).label


@given(st.sampled_from(["согласна", "отказываюсь", "келісемін", "бас тартамын"]), st.data())
def test_one_look_alike_letter_does_not_matter(answer: str, data: st.DataObject) -> None:
    alike = dict(zip("аеосрі", "aeocpi", strict=True))
    place = data.draw(st.sampled_from([i for i, c in enumerate(answer) if c in alike]))
    other = answer[:place] + alike[answer[place]] + answer[place + 1 :]
    assert understand(other).label == understand(answer).label


@given(
    answers,
    st.sampled_from(["рахмет", "спасибо", "көп рахмет", "большое спасибо", "rahmet", "🙏", "😊"]),
    st.sampled_from([", ", ". ", "\n", " "]),
    st.booleans(),
)
def test_thanks_never_turn_an_answer(answer: str, thanks: str, gap: str, first: bool) -> None:
    text = thanks + gap + answer if first else answer + gap + thanks
    assert understand(text).label == understand(answer).label


@given(answers, st.sampled_from(["?", " ма?", " ме", " ба", " ли", " или нет?", "??"]))
def test_a_question_is_never_an_answer(answer: str, asking: str) -> None:
    assert understand(answer + asking).label not in DECIDED


@given(
    yeses,
    st.sampled_from(
        ["нет", "жоқ", "не", "не надо", "емес", "2", "керек емес", "отказываюсь", "👎"]
    ),
    st.sampled_from([" ", ", ", ". ", "\n"]),
    st.booleans(),
)
def test_a_negation_beside_a_yes_never_leaves_a_yes(
    answer: str, negation: str, gap: str, first: bool
) -> None:
    text = negation + gap + answer if first else answer + gap + negation
    assert understand(text).label is not Label.YES


@given(
    answers,
    st.sampled_from(
        ["если", "но", "наверное", "потом", "егер", "бірақ", "шығар", "мама", "муж", "қызым", "11"]
    ),
    st.booleans(),
)
def test_one_unexplained_word_makes_any_answer_unclear(answer: str, word: str, first: bool) -> None:
    text = f"{word} {answer}" if first else f"{answer} {word}"
    assert understand(text).label is Label.UNCLEAR


@settings(max_examples=300)
@given(st.lists(answers, min_size=2, max_size=4), st.sampled_from([" ", ", ", ". ", "/"]))
def test_answers_of_both_kinds_are_no_answer(said: list[str], gap: str) -> None:
    # Before a negated word "да" is a particle: "да не согласна я" is a plain no.
    particle = gap == " " and "да" in said
    if {answer in YES for answer in said} == {True, False} and not particle:
        assert understand(gap.join(said)).label not in DECIDED


@settings(max_examples=300)
@given(st.lists(st.sampled_from(LISTED), max_size=8))
def test_words_of_the_lexicon_in_any_order_do_not_raise_or_linger(said: list[str]) -> None:
    # Hypothesis' own deadline of a fifth of a second is the measure of lingering.
    assert understand(" ".join(said) * 3).label in Label


@given(st.sampled_from(["кет", "бар", "кел", "zzz", "сын", "дом"]), answers)
def test_a_word_glued_to_an_answer_is_another_word(word: str, answer: str) -> None:
    if answer.isalpha():
        assert understand(word + answer).label not in DECIDED


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("Согласна. Когда придут деньги?", Label.YES),
        ("Да. Когда придут деньги?", Label.UNCLEAR),
        ("Согласна. Сколько дадут?", Label.UNCLEAR),
        ("согласна когда придут деньги", Label.UNCLEAR),
        ("Да. Потом", Label.UNCLEAR),
        ("Да. Марат", Label.YES),
        ("Да, мама", Label.UNCLEAR),
        ("келіссем", Label.UNCLEAR),
        ("келиссем", Label.UNCLEAR),
        ("№", Label.UNCLEAR),
        ("№2", Label.NO),
        ("㍲", Label.UNCLEAR),
        ("д\u0336а\u0336", Label.UNCLEAR),
        ("> 1", Label.UNCLEAR),
        ("> 2\nда", Label.YES),
        ("не против", Label.YES),
        ("да, не против", Label.UNCLEAR),
        ("нет отказ", Label.UNCLEAR),
        ("не хочу отказываться", Label.UNCLEAR),
    ],
)
def test_what_a_careful_clerk_would_read(text: str, label: Label) -> None:
    assert understand(text).label is label


def test_the_language_of_a_reply_is_the_one_its_words_are_of() -> None:
    heard = {
        text: understand(text).language for text in ("иә", "kelisemin", "нет", "да", "1", "👍")
    }
    assert heard == {"иә": "kk", "kelisemin": "kk", "нет": "ru", "да": "ru", "1": None, "👍": None}


def test_the_explanation_names_label_rule_and_every_unit() -> None:
    told = explain("Рахмет, керек емес")
    assert "label: no" in told
    assert "no: керек емес" in told


def test_no_listed_word_is_two_things_at_once() -> None:
    doubtful = [
        form for language in ("kk", "ru", "en") for form, _ in words(language) if not look_up(form)
    ]
    assert doubtful == []


def test_what_was_prepared_no_reply_waits_for() -> None:
    for file in (grammar, lexicon, look_up, reading._emoji):
        file.cache_clear()
    prepare()
    assert understand("әрине, келісемін 👌").label is Label.YES
    assert [file.cache_info().misses for file in (grammar, lexicon, reading._emoji)] == [1, 1, 1]
