"""Kazakh endings put on a stem: vowel harmony and the assimilation of the first consonant.

Source: the standard grammar's rules of үндестік заңы; irregular stems are listed as words.
"""

from collections.abc import Iterator
from typing import Final

_BACK: Final = "аоұыуяё"
_VOWELS: Final = "аәеіыоөұүиуюя"
_NEUTRAL: Final = "уию"  # "рәсімдеу" is front and "алу" is back: the vowel before decides
_VOICELESS: Final = "пфкқтсшщчцхһбвгд"
_NASAL: Final = "мнң"


def _harmony(stem: str) -> dict[str, str]:
    vowels = [letter for letter in stem if letter in _VOWELS]
    telling = [letter for letter in vowels if letter not in _NEUTRAL] or vowels
    back = telling[-1] in _BACK if telling else True
    return {"A": "а" if back else "е", "I": "ы" if back else "і"}


def _assimilated(last: str, back: bool) -> dict[str, str]:
    """The variants of a suffix's first consonant after the stem's last sound."""
    hard = last in _VOICELESS
    vowel = last in _VOWELS
    return {
        "M": "п" if hard else "б" if last in "зжмнң" else "м",
        "G": ("қ" if back else "к") if hard else ("ғ" if back else "г"),
        "T": "т" if hard else "д",
        "N": "т" if hard else "н" if vowel and last not in _NEUTRAL else "д",
        "J": "й" if vowel else "а" if back else "е",
        "L": "т" if hard else "л" if vowel or last in "рйу" else "д",
    }


def attach(stem: str, ending: str) -> str:
    """Return the stem with one ending, its archiphonemes spoken out."""
    sounds = _harmony(stem)
    sounds |= _assimilated(stem[-1], sounds["A"] == "а")
    ending = ending.replace("(I)", "" if stem[-1] in _VOWELS else "I")
    return stem + "".join(sounds.get(letter, letter) for letter in ending if letter != "-")


def forms(stem: str, endings: str) -> Iterator[str]:
    """Yield the stem with each of a paradigm's endings ("-" is the bare stem)."""
    for ending in endings.split():
        yield attach(stem, ending)
