"""Reads a reply to a yes/no question with a closed lexicon: what is not plainly yes is not yes.

`understand` never raises and never guesses; `explain` says in words which rule decided;
`bare_digit` and `wants_start` hear what is said outside the yes/no question; `prepare` reads the
lexicon, which the first reply would wait for.
"""

from functools import lru_cache

from dialogs.engine.understanding.decide import decide
from dialogs.engine.understanding.digits import bare_digit
from dialogs.engine.understanding.labels import Label, Language, Understood
from dialogs.engine.understanding.reading import Reading, read
from dialogs.engine.understanding.starting import wants_start
from dialogs.engine.understanding.strangers import ANOTHER_PERSON, is_strangers

# Most people write one of a few words, which are read once. No number of a person or a phone is so
# short that it would be kept.
SHORT = 10  # characters

__all__ = [
    "ANOTHER_PERSON",
    "Label",
    "Language",
    "Understood",
    "bare_digit",
    "explain",
    "prepare",
    "understand",
    "wants_start",
]


def _trace(reading: Reading) -> tuple[str, ...]:
    return tuple(f"{unit.kind or 'unexplained'}: {reading.words(unit)}" for unit in reading.units)


def understand(text: str) -> Understood:
    """Return what any text says as an answer to "1 = I agree, 2 = I refuse"."""
    return _usual(text) if len(text) <= SHORT else _understood(text)


def prepare() -> None:
    """Reads the lexicon and all that stands beside it now, some 60 ms."""
    for text in ("1", "иә, рахмет 👍", "это Айгүл, мама согласна", "ошиблись номером"):
        _understood(text)
        wants_start(text)
        bare_digit(text)


def _understood(text: str) -> Understood:
    reading = read(text)
    verdict = decide(reading)
    is_another = verdict.label is Label.UNCLEAR and is_strangers(reading.tokens)
    rule = ANOTHER_PERSON if is_another else verdict.rule
    return Understood(verdict.label, rule, reading.language, _trace(reading))


_usual = lru_cache(maxsize=1024)(_understood)


def explain(text: str) -> str:
    """Return the reading of a reply as lines: label, rule, language, then each unit in order."""
    understood = understand(text)
    lines = [
        f"label: {understood.label}",
        f"rule: {understood.rule}",
        f"language: {understood.language or 'not evident'}",
    ]
    return "\n".join([*lines, *(f"  {line}" for line in understood.trace)])
