"""The words in which an understood reply is told; nothing here decides anything."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

Language = Literal["kk", "ru"]


class Label(StrEnum):
    """What a reply to a yes/no question says."""

    YES = "yes"
    NO = "no"
    UNCLEAR = "unclear"
    STOP = "stop"
    HELP = "help"
    LANGUAGE_KK = "language_kk"
    LANGUAGE_RU = "language_ru"


@dataclass(frozen=True, slots=True)
class Understood:
    """A label, the rule that gave it, the reply's language if evident, and how it was read."""

    label: Label
    rule: str
    language: Language | None
    trace: tuple[str, ...]
