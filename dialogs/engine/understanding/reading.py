"""From the text of a reply to its units: what every later decision rests on."""

from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Final

from dialogs.engine.understanding import folding
from dialogs.engine.understanding.grammar import UNKNOWN, Unit, cut, grammar
from dialogs.engine.understanding.labels import Language
from dialogs.engine.understanding.lexicon import look_up, read_toml
from dialogs.engine.understanding.phrases import joined
from dialogs.engine.understanding.quotes import without_quoted
from dialogs.engine.understanding.signature import is_family_name, is_name, without_signature
from dialogs.engine.understanding.tokens import Kind, Token, tokens

# Three SMS segments of plain answer are beyond any answer; a longer text is somebody's story.
_MOST_TOKENS: Final = 60
_MOST_CHARACTERS: Final = 1000
_MARKS: Final = {Kind.SOFT: "s", Kind.HARD: "h", Kind.QUESTION: "q"}
_KAZAKH_LETTERS: Final = frozenset("әғқңөұүһі")
_RUSSIAN_LETTERS: Final = frozenset("щъэцчьф")


@dataclass(frozen=True, slots=True)
class Reading:
    """The tokens of a reply, what each is, and the units they make."""

    tokens: tuple[Token, ...]
    categories: tuple[str, ...]
    units: tuple[Unit, ...]
    language: Language | None

    def words(self, unit: Unit) -> str:
        """Return the reply's own words of one unit."""
        return " ".join(token.text.strip() for token in self.tokens[unit.start : unit.end])


@cache
def _emoji() -> dict[str, str]:
    drawn: dict[str, str] = read_toml("emoji.toml")
    return {sign: f"emoji_{meaning}" for meaning, signs in drawn.items() for sign in signs}


@lru_cache(maxsize=1 << 14)
def _named(word: str) -> str:
    return "name" if is_name(word) or is_family_name(word) else ""


def _category(token: Token) -> str:
    if token.kind is Kind.WORD:
        entry = look_up(token.text)
        return entry.category if entry else _named(token.text)
    if token.kind is Kind.NUMBER:
        return {"1": "d1", "2": "d2"}.get(token.text, "")
    return _MARKS.get(token.kind) or _emoji().get(token.text, "")


@lru_cache(maxsize=1 << 15)
def _leaning(word: str) -> int:
    """+1 for a Kazakh word, -1 for a Russian one; letters speak for unknown words."""
    if entry := look_up(word):
        return {"kk": 1, "ru": -1}.get(entry.language, 0)
    letters = frozenset(word)
    return bool(letters & _KAZAKH_LETTERS) - bool(letters & _RUSSIAN_LETTERS)


def _language(found: list[Token]) -> Language | None:
    """The language that more of the words belong to."""
    leaning = sum([_leaning(token.text) for token in found if token.kind is Kind.WORD])
    return None if not leaning else "kk" if leaning > 0 else "ru"


def read(text: str) -> Reading:
    """Return how a reply reads: quotation and signature off, words looked up, units cut."""
    if len(text) > _MOST_CHARACTERS:
        return Reading((), ("",), (Unit("", 0, 0),), None)
    clean = without_signature(without_quoted(folding.clean(text)).strip())
    found, idioms = joined(tokens(clean))
    categories = [idioms.get(place) or _category(token) for place, token in enumerate(found)]
    codes = grammar().codes
    coded = "".join([codes.get(category, UNKNOWN) for category in categories])
    units = cut(coded) if len(coded) <= _MOST_TOKENS else [Unit("", 0, len(coded))]
    return Reading(tuple(found), tuple(categories), tuple(units), _language(found))
