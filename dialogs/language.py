"""The choice of a language on USSD: asked of a phone whose language nobody has recorded.

Data only. The page is the same in both languages, for who reads it has chosen neither.
"""

from dialogs.engine.model import Choice, Notice, Phrases

LANGUAGE = Phrases(
    name="language",
    notices=(
        Notice("ask"),
        Notice("ask.kk"),
        Notice("ask.ru"),
    ),
)

CHOICES = (
    Choice("kk", digit="1", goto="menu"),
    Choice("ru", digit="2", goto="menu"),
)
"""Kazakh first; `ask.<id>` is each language's own name."""
