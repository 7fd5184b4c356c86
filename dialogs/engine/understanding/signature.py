"""Takes a short name off the end of a reply; a name is closed data, never "any capitalised word".

A phone capitalises the first word after a full stop, so "Да. Потом" must keep its second word.
"""

import re
from functools import cache
from importlib.resources import files
from typing import Final

from dialogs.engine.understanding import folding
from dialogs.engine.understanding.lexicon import look_up

_PARTING: Final = "с уважением|құрметпен|курметпен|kurmetpen|qurmetpen|qūrmetpen|s uvazheniem"
_LEAD: Final = rf"(?:{_PARTING}|это|бұл)"
_SURNAME: Final = re.compile(
    r"\w+(?:ов|ова|ев|ева|ин|ина|ұлы|улы|қызы|кызы|ский|ская|енко|ович|евич|овна|евна"
    r"|ov|ova|ev|eva|uly|kyzy)"
)
# A whole word, or an initial, which only its full stop tells from the word "я" or "с".
_PART: Final = r"(?:[^\W\d_]{2,}+|[^\W\d_]\.)"
_TAIL: Final = re.compile(
    # "С уважением" leads to a name by itself, whatever stands before it.
    rf"(?:[,.!;\n]|\s[–—-]|(?=\s(?:{_PARTING})\b))\s*(?:(?P<lead>{_LEAD}),?\s+)?"
    rf"(?P<words>{_PART}(?:[ ]*{_PART}){{0,3}})[\s.!]*$"
)
# Words that end like a surname and say something of the person named.
_NO_SURNAMES: Final = frozenset(
    "готов здоров один против мамина папина бабушкина каков таков".split()
)
_WORD: Final = re.compile(r"[^\W\d_]+")


@cache
def _names() -> frozenset[str]:
    text = files(__package__).joinpath("lexicon/names.txt").read_text(encoding="utf-8")
    listed = [n for line in text.splitlines() if not line.startswith("#") for n in line.split()]
    clean = {folding.clean(name) for name in listed}
    skeletons = {folding.KAZAKH.of(name) for name in clean}
    skeletons |= {folding.RUSSIAN_AS_LATIN.of(name) for name in clean}
    return frozenset(clean | {s for s in skeletons if len(s) >= 4})


def is_name(word: str) -> bool:
    """Whether a clean word is a listed given name, in Cyrillic or in Latin letters."""
    if look_up(word) is not None:
        return False
    if word in _names():
        return True
    if folding.is_cyrillic(word[0]):
        return folding.KAZAKH.of(word) in _names()
    spelt = (folding.KAZAKH_LATIN.of(word), folding.RUSSIAN_LATIN.of(word))
    return any(skeleton in _names() for skeleton in spelt)


def is_family_name(word: str) -> bool:
    """An unknown word with a surname's ending; the lexicon goes first."""
    return len(word) > 4 and bool(_SURNAME.fullmatch(word)) and look_up(word) is None


def _signs(words: list[str], lead: bool) -> bool:
    named = any(is_name(word) for word in words if len(word) > 1)
    family = sum(map(is_family_name, words))
    initials = sum(len(word) == 1 for word in words)
    if _NO_SURNAMES.intersection(words):
        return False
    if not all(len(w) == 1 or is_name(w) or is_family_name(w) for w in words):
        return False
    return (named and initials <= 2) or (family == 1 and (lead or 1 <= initials <= 2))


def without_signature(text: str) -> str:
    """Return a clean text without the sender's name at its end, if one stands clearly apart."""
    found = _TAIL.search(text)
    if found is None or not _signs(_WORD.findall(found["words"]), bool(found["lead"])):
        return text
    kept = text[: found.start() + 1]
    # "Да, это Марат" may only say who is on the phone, exactly as "да, это я" does.
    return f"{kept} это я" if found["lead"] in ("это", "бұл") else kept
