"""Every dialog and every set of phrases there is.

`wording` refuses to load unless each of them is worded in both languages.
"""

from dialogs.account import ACCOUNT
from dialogs.common import PHRASES
from dialogs.consent import CONSENT
from dialogs.engine.model import Dialog, Phrases
from dialogs.help import HELP_PHRASES
from dialogs.language import LANGUAGE
from dialogs.late import LATE_PHRASES
from dialogs.measure import MEASURE
from dialogs.menu import MENU
from dialogs.offer import OFFER
from dialogs.rating import RATING
from dialogs.withdrawal import WITHDRAWAL

DIALOGS: tuple[Dialog, ...] = (OFFER, ACCOUNT, CONSENT, MEASURE, WITHDRAWAL, RATING)
PHRASE_SETS: tuple[Phrases, ...] = (PHRASES, HELP_PHRASES, LATE_PHRASES, MENU, LANGUAGE)


def dialog(name: str) -> Dialog:
    """The dialog of that name; KeyError when there is none."""
    for one in DIALOGS:
        if one.name == name:
            return one
    raise KeyError(f"no dialog is called {name!r}")
