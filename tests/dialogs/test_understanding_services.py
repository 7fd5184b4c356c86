"""Whoever repeats the name of a service out of our question is understood like anybody else."""

from pathlib import Path

import pytest

import app.catalogue
from app.catalogue.loader import load
from dialogs.engine.understanding import understand

SERVICES = load(Path(app.catalogue.__file__).parent).services
NAMES = [(s.short.kk, s.short.ru) for s in SERVICES.values()]


@pytest.mark.parametrize(("kk", "ru"), NAMES)
def test_a_service_named_in_an_answer_changes_nothing(kk: str, ru: str) -> None:
    said = {
        f"маған {kk} керек": "yes",
        f"{kk} аламын": "yes",
        f"{kk} керек емес": "no",
        f"мне нужно {ru}": "yes",
        f"{ru} мне не нужно": "no",
    }
    assert {text: understand(text).label for text in said} == said


@pytest.mark.parametrize(("kk", "ru"), NAMES)
def test_the_name_of_a_service_alone_answers_nothing(kk: str, ru: str) -> None:
    for said in (kk, ru, f"{kk} ме", f"{ru} когда", f"{kk} қашан", f"если {ru} то да"):
        assert understand(said).label == "unclear"


@pytest.mark.parametrize(
    "said",
    [
        *("подключаете", "назначаете", "назначите", "предоставите", "оказываете", "начисляете"),
        *("кончено", "кончина", "қолыңыз", "оказываюсь", "понимаю", "ньнадо", "ннадо"),
        *("тағайындаа", "рәсімдее", "тағайындааңыз", "келіссем", "келісссем", "келіссемін"),
    ],
)
def test_a_word_that_only_resembles_an_answer_is_none(said: str) -> None:
    assert understand(said).label == "unclear"


@pytest.mark.parametrize("said", ["бастартпамын", "бастартпаамын", "бастарттаймын"])
def test_a_slip_in_a_negated_refusal_is_never_a_refusal(said: str) -> None:
    assert understand(said).label != "no"


@pytest.mark.parametrize(
    "said",
    [
        *("обойдусь", "не обойдусь", "не обойдусь без этого", "мы обойдемся пока", "нет, тоже"),
        *("согласна со всеми", "не вижу смысла", "согласны - 1", "не согласны – 2", "мне хватает"),
        *("запишите меня на приём", "давайте назначим встречу", "получила отказ, но согласен"),
        *("социальная помощь", "пенсия", "апай, алам ба", "ағам алсын", "келісетінімді білмеймін"),
        *("нет, не буду отказываться", "скорее согласна", "I don't mind if free", "of course not"),
    ],
)
def test_words_learnt_for_an_answer_do_not_answer_beside_a_doubt(said: str) -> None:
    assert understand(said).label == "unclear"
