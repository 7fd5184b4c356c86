"""A phone that says it is another person's is told apart from doubt, and is never an answer."""

import pytest

from dialogs.engine.understanding import ANOTHER_PERSON, Label, understand


@pytest.mark.parametrize(
    "said",
    [
        "Вы ошиблись номером",
        "Не туда попали!",
        "Нет, это не я",
        "нет, номер не мой",
        "Бұл мен емес",
        "кате номир",
        "Кешіріңіз, бұл менің нөмірім емес.",
    ],
)
def test_a_stranger_is_recognised(said: str) -> None:
    understood = understand(said)
    assert (understood.label, understood.rule) == (Label.UNCLEAR, ANOTHER_PERSON)


@pytest.mark.parametrize(
    "said", ["Вы ошиблись", "не я?", "кто это?", "я", "извините", "вы", "", "менің балам жоқ"]
)
def test_anger_and_questions_are_not_a_strangers_words(said: str) -> None:
    assert understand(said).rule != ANOTHER_PERSON


@pytest.mark.parametrize("said", ["нет", "жоқ", "да", "иә", "не надо", "мен келісемін"])
def test_an_answer_stays_an_answer(said: str) -> None:
    assert understand(said).label in (Label.YES, Label.NO)
