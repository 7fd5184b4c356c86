"""The GSM 7-bit default alphabet (3GPP TS 23.038, 6.2.1), one septet an octet as SMPP carries it.

Pure tables. What leaves us uses only `PLAIN`; the rest is here to read what handsets send.
"""

from typing import Final

ESCAPE: Final = 0x1B

ALPHABET: Final = (
    "@£$¥èéùìòÇ\nØø\rÅå"
    "Δ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ"
    " !\"#¤%&'()*+,-./"
    "0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNO"
    "PQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmno"
    "pqrstuvwxyzäöñüà"
)

EXTENSION: Final[dict[int, str]] = {
    0x0A: "\f",
    0x14: "^",
    0x28: "{",
    0x29: "}",
    0x2F: "\\",
    0x3C: "[",
    0x3D: "~",
    0x3E: "]",
    0x40: "|",
    0x65: "€",
}

# An SMSC may take data_coding 0 for GSM, ASCII or Latin-1, and none says which: only characters
# with one octet in all three arrive unharmed. "@", "$", "_" and the extension table are not such.
PLAIN: Final = frozenset(
    char for octet, char in enumerate(ALPHABET) if ord(char) == octet != ESCAPE
)


def is_plain(text: str) -> bool:
    """Whether `text` reads the same by GSM 03.38, ASCII and Latin-1."""
    return text.isascii() and PLAIN.issuperset(text)


def encode(text: str) -> bytes:
    """Octets of a plain text, one a character. Raises ValueError for any other."""
    if not is_plain(text):
        raise ValueError("the text has characters that data_coding 0 does not carry safely")
    return text.encode("ascii")


def decode(data: bytes) -> str | None:
    """Text of unpacked septets, or None where an octet is no septet or an escape leads nowhere.

    23.038 lets a handset show something else for an unknown escape; an answer of a citizen is
    not guessed at.
    """
    if data.isascii() and ESCAPE not in data:
        return data.decode("ascii").translate(_TO_TEXT)
    found: list[str] = []
    octets = iter(data)
    for octet in octets:
        if octet == ESCAPE:
            char = EXTENSION.get(next(octets, ESCAPE))
            if char is None:
                return None
            found.append(char)
        elif octet < len(ALPHABET):
            found.append(ALPHABET[octet])
        else:
            return None
    return "".join(found)


_TO_TEXT: Final = dict(enumerate(ALPHABET))
