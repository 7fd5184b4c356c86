"""Every dialog and every set of phrases there is.

`wording` refuses to load unless each of them is worded in both languages.
"""

from dialogs.common import PHRASES
from dialogs.engine.model import Dialog, Phrases
from dialogs.offer import OFFER

DIALOGS: tuple[Dialog, ...] = (OFFER,)
PHRASE_SETS: tuple[Phrases, ...] = (PHRASES,)


def dialog(name: str) -> Dialog:
    """The dialog of that name; KeyError when there is none."""
    for one in DIALOGS:
        if one.name == name:
            return one
    raise KeyError(f"no dialog is called {name!r}")
