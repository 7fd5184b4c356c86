"""The failures that people may meet, each in one clear line."""

from app.catalogue.loader import CatalogueError
from app.embedded import EmbeddedError
from app.ledger.failures import FAILURES, in_words
from app.runtime import WrongMasterKey
from app.settings import SettingsError
from app.supervisor import is_supervised
from dialogs.engine.wording import WordingError
from smpp.binds import BindsError

EXPECTED = (
    SettingsError,
    BindsError,
    CatalogueError,
    WordingError,
    EmbeddedError,
    WrongMasterKey,
)


def told(error: Exception) -> tuple[str, int] | None:
    """What to say of it and the exit code; None where nobody expected it."""
    if isinstance(error, EXPECTED):
        return str(error), 2
    if isinstance(error, FAILURES):
        # Who is looked after is started again: a ledger that was just killed comes back.
        code = 1 if is_supervised() else 2
        return f"the ledger cannot be used: {in_words(error)}", code
    return None
