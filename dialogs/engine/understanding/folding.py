"""Makes the many spellings of one word comparable; it must never turn noise into a word.

Every step works on letters only. Which skeleton belongs to which word is the lexicon's business.
"""

import re
import tomllib
import unicodedata
from functools import lru_cache
from importlib.resources import files
from typing import Final

_SPELLING: Final = tomllib.loads(
    files(__package__).joinpath("lexicon/spelling.toml").read_text(encoding="utf-8")
)
# Zero-width, bidi, soft hyphen, variation selectors, skin tones, keycaps: drawn, never said.
_UNSEEN: Final = re.compile(
    "[\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufe00-\ufe0f\ufeff\u20e3"
    "\U0001f3fb-\U0001f3ff\U000e0000-\U000e007f\u0300\u0301]"
)
_ODD: Final = re.compile("[^\n\x20-\x7e\u0400-\u04ff]")
_RUN: Final = re.compile(r"(.)\1+", re.DOTALL)
_APOSTROPHES: Final = str.maketrans(dict.fromkeys("’‘ʼʻ`´ʹ′", "'"))
_DINGBAT_DIGITS: Final = {0x2776, 0x2780, 0x278A, 0x24F5}


def _pairs(text: str) -> dict[str, str]:
    return dict(entry.split("=", 1) for entry in text.split())


@lru_cache(maxsize=4096)
def _plain(character: str) -> str:
    """One unusual character as the plain one it stands for; ligatures stay themselves."""
    if character == "№":  # compatibility folding would spell the English word "No"
        return "#"
    if character in "\r\u0085\u2028\u2029\v\f":
        return "\n"
    if unicodedata.category(character) == "Zs" or character == "\t":
        return " "
    for first in _DINGBAT_DIGITS:
        if first <= ord(character) < first + 9:
            return str(ord(character) - first + 1)
    digit = unicodedata.digit(character, None)
    if digit is not None:
        return str(digit)
    folded = unicodedata.normalize("NFKC", character)
    enclosed = folded.strip("().,")
    return folded if len(folded) == 1 else enclosed if enclosed.isdigit() else character


def clean(text: str) -> str:
    """Return the text composed and lower-cased, its digits, spaces and line ends plain."""
    if not text.isascii():
        text = _UNSEEN.sub("", unicodedata.normalize("NFC", text))
    elif "\r" in text:
        text = text.replace("\r\n", "\n")
    text = _ODD.sub(lambda found: _plain(found[0]), text)
    return text.lower().replace("ё", "е").translate(_APOSTROPHES)


def single(word: str) -> str:
    """Return the word with every run of one letter written once."""
    return _RUN.sub(r"\1", word)


class Skeleton:
    """One table of spelling classes: `of` gives the letters that matter."""

    def __init__(self, letters: str, pairs: str = "") -> None:
        self._table = str.maketrans(_pairs(letters))
        self._several = _pairs(pairs)
        longest_first = sorted(self._several, key=len, reverse=True)
        self._find = re.compile("|".join(map(re.escape, longest_first)) or r"(?!)")

    def of(self, word: str) -> str:
        """Return the skeleton of one clean word."""
        word = self._find.sub(lambda found: self._several[found[0]], word)
        return single(word.translate(self._table))


def _latin(section: dict[str, str]) -> Skeleton:
    return Skeleton(section["latin"], section["latin_pairs"])


KAZAKH: Final = Skeleton(_SPELLING["kazakh"]["letters"], _SPELLING["kazakh"]["pairs"])
KAZAKH_LATIN: Final = _latin(_SPELLING["kazakh"])
RUSSIAN: Final = Skeleton(_SPELLING["russian"]["letters"], _SPELLING["russian"]["pairs"])
RUSSIAN_AS_LATIN: Final = Skeleton(_SPELLING["translit"]["letters"], _SPELLING["translit"]["pairs"])
# In Latin letters j is Russian ж ("jelayu") or й ("oformljajte"); both are tried.
RUSSIAN_LATIN: Final = _latin(_SPELLING["translit"])
RUSSIAN_LATIN_J: Final = Skeleton(
    _SPELLING["translit"]["latin"].replace("j=Z", "j=i"),
    _SPELLING["translit"]["latin_pairs"] + _SPELLING["translit"]["j_pairs"],
)

_TO_CYRILLIC: Final = _pairs(_SPELLING["lookalikes"]["to_cyrillic"])
_TO_LATIN: Final = _pairs(_SPELLING["lookalikes"]["to_latin"])


def is_cyrillic(character: str) -> bool:
    """Whether a letter is of the Cyrillic block."""
    return "\u0400" <= character <= "\u04ff"


def scripts(word: str) -> tuple[str, ...]:
    """Return the ways to read a word of mixed alphabets in one of them; none if it is not mixed."""
    own = sum(map(is_cyrillic, word))
    if own in (0, len(word)):
        return ()
    cyrillic = "".join(c if is_cyrillic(c) else _TO_CYRILLIC.get(c, c) for c in word)
    latin = "".join(_TO_LATIN.get(c, c) for c in word)
    whole = (cyrillic,) if all(map(is_cyrillic, cyrillic)) else ()
    return whole if any(map(is_cyrillic, latin)) else (*whole, latin)


def one_script(word: str) -> str:
    """Return a word of mixed alphabets in the one it is mostly written in, if that is sure."""
    read = scripts(word)
    own = sum(map(is_cyrillic, word))
    return (read[0] if own * 2 >= len(word) else read[-1]) if read else word
