"""Names for what was in force when something was said: the wordings, and the rules by which
replies are understood (the journal keeps them with every question and answer)."""

from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.resources import files

from dialogs.engine.wording import Words

LENGTH = 16  # hex digits
_UNDERSTANDING = "dialogs.engine.understanding"


@dataclass(frozen=True, slots=True)
class Versions:
    """`wording` changes with any text in either language, `understanding` with any word of the
    lexicon or line of its rules."""

    wording: str = ""
    understanding: str = ""


def of(words: Words) -> Versions:
    """The versions of what this process has loaded."""
    texts = sorted(
        (language, dialog, key, wording.text)
        for (language, dialog), book in words.books.items()
        for key, wording in book.items()
    )
    lines = "\0".join(part for text in texts for part in text)
    return Versions(sha256(lines.encode()).hexdigest()[:LENGTH], _understanding())


@cache
def _understanding() -> str:
    room = files(_UNDERSTANDING)
    parts = [p for p in (*room.iterdir(), *room.joinpath("lexicon").iterdir()) if p.is_file()]
    total = sha256()
    for part in sorted(parts, key=lambda p: p.name):
        total.update(part.name.encode() + b"\0" + part.read_bytes())
    return total.hexdigest()[:LENGTH]
