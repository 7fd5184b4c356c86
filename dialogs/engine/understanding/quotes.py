"""Drops the quoted original from a reply; a reply that is nothing but a quotation keeps nothing."""

import re
from typing import Final

# A line cut out of our own question: "Не согласны – 2". People who mean it write no dash or "мы".
_OWN_CHOICE: Final = re.compile(r"\W*(?:не )?согласны *[-‐‑–—:] *(?:ответьте *)?[12]\W*")


def without_quoted(text: str) -> str:
    """Return the lines that the sender wrote: lines that begin with ">" are the old message."""
    if ">" in text:
        text = "\n".join(line for line in text.split("\n") if not line.lstrip().startswith(">"))
    return "" if _OWN_CHOICE.fullmatch(text) else text
