"""Cuts a clean text into words, numbers, signs and emoji; it knows no word."""

import re
from enum import Enum, auto
from typing import Final, NamedTuple


class Kind(Enum):
    """What a token is made of."""

    WORD = auto()
    NUMBER = auto()
    SOFT = auto()
    HARD = auto()
    QUESTION = auto()
    SIGN = auto()
    PHRASE = auto()


class Token(NamedTuple):
    """A piece of the reply; `text` is already folded."""

    kind: Kind
    text: str


_LETTER: Final = r"[^\W\d_]"
_TOKEN: Final = re.compile(
    rf"(?P<WORD>{_LETTER}(?:{_LETTER}|'(?=\w)|(?<=[a-z])'|(?<=[a-z])4(?=[a-z]))*)"
    r"|(?P<NUMBER>(?<!\w)[-+]\d+(?:[.,:/]\d+)*|\d+(?:[.,:/]\d+)*)"
    r"|(?P<QUESTION>[?؟⁇⁈⁉]+!*)"
    # A happy smile is a full stop with a face; a lone opening bracket is a sad one: a sign.
    r"|(?P<HARD>(?:[.!\n;…。]|[:;]-?\)+)+)"
    r"|(?P<SOFT>[,:)\]}\"«»„“”_~'•·-]|(?<![\d#*])\*(?![\d#*])|[—–−‒―]|\((?=[^()]*\))|[\[{](?=[^\[\]{}]*[\]}]))"
    r"|(?P<SIGN>\S)"
)
_KINDS: Final = {kind.name: kind for kind in Kind}
_INNER_HYPHEN: Final = re.compile(r"(?<=\w)[-‐‑](?=[^\W\d_])")
_SPACED: Final = re.compile(r"(?:[^\W\d_] ){2,}[^\W\d_](?=[\s.!,]*$)")
_NUMBER_SIGN: Final = re.compile(r"#\s*(?=\d)")


def tokens(text: str) -> list[Token]:
    """Return the tokens of a clean text, in order; nothing but blanks is left out."""
    if _SPACED.match(text):
        text = text.replace(" ", "")  # "н е т": a word spelt out letter by letter
    text = _NUMBER_SIGN.sub("", _INNER_HYPHEN.sub(" ", text))
    return [
        Token(_KINDS[found.lastgroup or "SIGN"], found.group()) for found in _TOKEN.finditer(text)
    ]
