"""One text of the API in its three languages."""

from dataclasses import dataclass
from typing import Final

LANGUAGES: Final = ("kk", "ru", "en")
DEFAULT: Final = "en"


@dataclass(frozen=True, slots=True)
class Text:
    """One text in the three languages; `{name}` is filled in by `in_language`."""

    kk: str
    ru: str
    en: str

    def in_language(self, language: str, **values: object) -> str:
        """The text in "kk", "ru" or "en"."""
        template: str = getattr(self, language)
        return template.format(**values)
