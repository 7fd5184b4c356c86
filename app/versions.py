"""Names for what was in force when something was said: the wordings, the rules by which replies are
understood, and the catalogue of acts. The journal keeps them with every question and answer."""

from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.resources import files

from app.catalogue.model import Catalogue
from dialogs.engine.wording import Words

LENGTH = 16  # hex digits
_UNDERSTANDING = "dialogs.engine.understanding"


@dataclass(frozen=True, slots=True)
class Versions:
    """`wording` changes with any text in either language, `understanding` with any word of the
    lexicon or line of its rules, `acts` with any date or term of an act or a service."""

    wording: str = ""
    understanding: str = ""
    acts: str = ""

    @property
    def names(self) -> dict[str, str]:
        """The same by their names."""
        return {"wording": self.wording, "understanding": self.understanding, "acts": self.acts}


def of(words: Words, catalogue: Catalogue) -> Versions:
    """The versions of what this process has loaded."""
    texts = sorted(
        (language, dialog, key, wording.text)
        for (language, dialog), book in words.books.items()
        for key, wording in book.items()
    )
    lines = "\0".join(part for text in texts for part in text)
    known = (catalogue.by_laws, catalogue.services, catalogue.measures)
    acts = repr(tuple(sorted(one.items()) for one in known))
    return Versions(_name(lines), _understanding(), _name(acts))


def _name(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:LENGTH]


@cache
def _understanding() -> str:
    room = files(_UNDERSTANDING)
    parts = [p for p in (*room.iterdir(), *room.joinpath("lexicon").iterdir()) if p.is_file()]
    total = sha256()
    for part in sorted(parts, key=lambda p: p.name):
        total.update(part.name.encode() + b"\0" + part.read_bytes())
    return total.hexdigest()[:LENGTH]
