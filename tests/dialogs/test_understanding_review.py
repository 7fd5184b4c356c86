"""An unkind review of the rules: every answer we know is bent in every way that must end it, and
every form that must not matter is put upon it.
"""

import unicodedata
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialogs.engine.understanding import Label, understand
from dialogs.engine.understanding.grammar import grammar
from dialogs.engine.understanding.lexicon import lexicon, read_toml
from dialogs.engine.understanding.paradigms import forms
from dialogs.engine.understanding.score import cases, score

REPLIES = Path(__file__).parent / "replies"
DECIDED = (Label.YES, Label.NO)


def _answers(label: Label) -> list[str]:
    """Every known reply of this label that is understood; without quotations and brackets."""
    texts = {
        case.text
        for path in REPLIES.glob("*.tsv")
        for case in cases(path.read_text(encoding="utf-8"))
        if case.expected is label and len(case.text) < 70 and not set(case.text) & set(">(:")
    }
    return sorted(text for text in texts if understand(text).label is label)


YES, NO = _answers(Label.YES), _answers(Label.NO)
GREETINGS = ["Здравствуйте", "Сәлеметсіз бе", "Добрый день", "Salem", "Қайырлы күн"]
THANKS = ["спасибо", "рахмет", "көп рахмет", "спасибо большое", "rahmet", "🙏", "благодарю"]
DOUBT = """если|егер|болса|но|бірақ|наверное|шығар|мүмкін|сияқты|потом|кейін|завтра|ертең|вроде
|пока|только|тек|или|немесе|esli|eger|biraq|navernoe|potom|keiin|хотя|как будто|вряд ли|бы|едім
|мама|муж|күйеуім|анам|он|она|ол|никто|ешкім|соседка|моя мама|менің балам|деді|десе|сам|өзім|уже
|сколько|қанша|зачем|неге|кто|кім|11|12|1 2|3|ли|👎|❌""".replace("\n", "").split("|")
NEGATIONS = "не|нет|жоқ|емес|жок|joq|net|emes|2|не надо|керек емес|отказываюсь|бас тартамын".split(
    "|"
)


def _put_in(text: str, word: str, data: st.DataObject) -> str:
    words = text.split(" ")
    place = data.draw(st.integers(0, len(words)))
    return " ".join([*words[:place], word, *words[place:]])


def test_there_are_enough_answers_to_bend() -> None:
    assert len(YES) > 1500
    assert len(NO) > 1500


@settings(max_examples=1500)
@given(st.sampled_from(YES), st.sampled_from(DOUBT), st.data())
def test_a_condition_a_hedge_or_another_person_in_a_yes_never_leaves_a_yes(
    answer: str, word: str, data: st.DataObject
) -> None:
    # "Согласна. Когда придут деньги?" ends in a question that may stand, nothing else may.
    assert understand(_put_in(answer, word, data)).label is not Label.YES


@settings(max_examples=1500)
@given(st.sampled_from(YES), st.sampled_from(NEGATIONS), st.data())
def test_a_negation_in_a_yes_never_leaves_a_yes(
    answer: str, word: str, data: st.DataObject
) -> None:
    bent = _put_in(answer, word, data)
    # "Нет возражений" and "не против" are consent by the norm of the language.
    assert "consent:" not in understand(bent).rule


@settings(max_examples=1000)
@given(
    st.sampled_from([text for text in YES if "?" not in text]), st.sampled_from(["?", "??", " ме?"])
)
def test_a_question_mark_after_a_yes_never_leaves_a_yes(answer: str, mark: str) -> None:
    assert understand(answer + mark).label is not Label.YES


@settings(max_examples=1500)
@given(st.sampled_from(NO), st.sampled_from(DOUBT[:42]), st.data())
def test_a_doubt_in_a_refusal_never_takes_a_service_away(
    answer: str, word: str, data: st.DataObject
) -> None:
    bent = _put_in(answer, word, data)
    but_before_the_refusal = word in ("но", "бірақ", "biraq")
    assert but_before_the_refusal or understand(bent).label is not Label.NO


@settings(max_examples=1000)
@given(
    st.sampled_from([(text, Label.YES) for text in YES] + [(text, Label.NO) for text in NO]),
    st.sampled_from(GREETINGS),
    st.sampled_from(THANKS),
    st.sampled_from([". ", ", ", "\n", "! "]),
)
def test_a_greeting_and_thanks_never_turn_an_answer(
    known: tuple[str, Label], greeting: str, thanks: str, gap: str
) -> None:
    answer, label = known
    polite = greeting + gap + answer + gap + thanks
    assert understand(polite).label in (label, Label.UNCLEAR)


@settings(max_examples=1500)
@given(
    st.sampled_from([(text, Label.YES) for text in YES] + [(text, Label.NO) for text in NO]),
    st.sampled_from(
        ["upper", "title", "nfd", "nfkd", "zero width", "wide blanks", "stops", "drawl"]
    ),
)
def test_no_form_turns_an_answer_into_the_other(known: tuple[str, Label], form: str) -> None:
    answer, label = known
    written = {
        "upper": answer.upper(),
        "title": answer.title(),
        "nfd": unicodedata.normalize("NFD", answer),
        "nfkd": unicodedata.normalize("NFKD", answer),
        "zero width": "\u200b".join(answer),
        "wide blanks": answer.replace(" ", "\u00a0\u2003"),
        "stops": answer.rstrip(".!, ") + "...",
        "drawl": answer + answer[-1] * 3 if answer[-1].isalpha() else answer,
    }[form]
    assert understand(written).label in (label, Label.UNCLEAR)


PERSONS = read_toml("kk.toml")["paradigms"]["other_persons"].split()
HEDGES = read_toml("kk.toml")["paradigms"]["hedged"].split()
STEMS = "келіс ал қабылда қала раста құпта қолда мақұлда пайдалан тарт білдір".split()
BY_RUSSIAN_LAYOUT = str.maketrans("әғқңөұүһі", "агкноуухи")


@pytest.mark.parametrize("stem", STEMS)
@pytest.mark.parametrize("before", ["", "мен ", "бас ", "алуға ", "келісімімді "])
def test_no_other_person_or_hedge_of_a_kazakh_verb_is_an_answer(stem: str, before: str) -> None:
    said = [before + form for form in forms(stem, " ".join(PERSONS + HEDGES))]
    said += [text.translate(BY_RUSSIAN_LAYOUT) for text in said]
    # "Алайын", "let me take it", is the one wish that is an order.
    answered = {text for text in said if understand(text).label in DECIDED and "алайын" not in text}
    assert answered == set()


RUSSIAN = """
согласится согласимся согласишься согласитесь согласился согласилась соглашается соглашаетесь
соглашаешься соглашались соглашение согласование согласую согласовано согласно согласии
отказывается отказываетесь отказываешься отказался отказалась отказались откажется откажетесь
откажешься отказывайтесь отказываясь отказывался отказано отказали отказывают отказов
подтверждает подтверждаете подтвердил подтвердите подтверждено подтверждение принимает принимаете
принимал принято хочет хотите хотел хотела хотелось желает желаете желал возражает возражаете
оформляет оформляете оформил оформят оформлено назначает назначил назначат назначено нуждается
воспользуется отклонил отклонено отвергли разрешает разрешите берет берете берут возьмет дает дали
""".split()


@pytest.mark.parametrize("form", RUSSIAN)
@pytest.mark.parametrize("before", ["", "я ", "мы ", "не ", "я не ", "мне ", "да ", "конечно "])
def test_no_other_person_or_tense_of_a_russian_verb_is_an_answer(form: str, before: str) -> None:
    assert understand(before + form).label not in DECIDED


@pytest.mark.parametrize(
    "said",
    [
        "отказ в пособии",
        "отказ в назначении",
        "не назначат",
        "не получать",
        "отказываюсь не получать",
        "не хочу не оформлять",
        "бәріне керек",
        "оған керек емес",
        "келіспем",
        "ннадо",
        "приму меры",
        "рәсімдей алмаймын",
        "ждать нам нужно",
        "безусловно признателен",
        "надо же",
        "да отказываюсь",
        "не отказывался",
        "марат согласен",
        "мы с мужем согласны",
    ],
)
def test_what_the_review_once_caught_stays_unclear(said: str) -> None:
    assert understand(said).label is Label.UNCLEAR


def test_no_idiom_is_also_one_listed_word() -> None:
    idioms = [i for listed in read_toml("phrases.toml")["phrases"].values() for i in listed]
    assert len(idioms) == len(set(idioms))
    assert not {idiom for idiom in idioms if idiom in lexicon().listed}


@pytest.mark.parametrize("name", sorted(path.stem for path in REPLIES.glob("*.tsv")))
def test_every_corpus_has_no_false_answer_and_enough_recall_in_every_writing(name: str) -> None:
    figures = score((REPLIES / f"{name}.tsv").read_text(encoding="utf-8"))
    assert (figures["false_yes"], figures["false_no"]) == (0, 0)
    for language, of_language in figures["by_language"].items():
        for recall in ("recall_yes", "recall_no"):
            found = of_language[recall]
            assert found is None or found >= 0.9, (name, language, recall)


def test_every_category_of_the_grammar_has_words_and_every_word_has_its_place() -> None:
    listed = {entry.category for entry in lexicon().listed.values() if entry}
    listed |= set(read_toml("phrases.toml")["phrases"])
    listed |= {f"emoji_{meaning}" for meaning in read_toml("emoji.toml")}
    made_by_the_reading = {"s", "h", "q", "d1", "d2", "name"}
    named = set(grammar().codes)
    assert named - listed == made_by_the_reading
    assert listed - named == {"hint", "other", "other_exact"}
