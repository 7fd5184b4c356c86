"""The values of a question whose choices are only known when it is put: their labels, and the line
that lists them with their digits. Pure.
"""

from collections.abc import Mapping

from dialogs.engine.model import Ask, Dialog, Screen, Value, labelling
from dialogs.engine.wording import LANGUAGES, Words


def listed(words: Words, dialog: Dialog, at: str, labels: Mapping[str, str]) -> dict[str, Value]:
    """The values of the question `at`: `labels` by the placeholder of each choice, and, where the
    question lists its choices, "1 – Kaspi *1234, 2 – Halyk *5678, 3 – басқа" in each language."""
    ask = dialog.ask(at)
    values: dict[str, Value] = dict(labels)
    if ask.listed is not None:
        values[ask.listed] = {one: _line(words, dialog, ask, one, labels) for one in LANGUAGES}
    return values


def _line(words: Words, dialog: Dialog, ask: Ask, language: str, labels: Mapping[str, str]) -> str:
    told = (
        (choice.digit, Screen(dialog.name, labelling(ask.name, choice.id)))
        for choice in ask.choices
    )
    return ", ".join(f"{digit} – {words.text(label, language, labels)}" for digit, label in told)
