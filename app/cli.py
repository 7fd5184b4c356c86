"""The command line: finds the command and turns expected failures into one clear line."""

import sys

import typer

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

SERVING = ("web", "gateway", "worker")


def commands() -> typer.Typer:
    """What is asked for; processes that stay carry no other command's libraries with them."""
    if sys.argv[1:2] and sys.argv[1] in SERVING:
        from app.commands.running import serving

        return serving
    from app.commands.assembled import app

    return app


def main() -> None:
    """Runs a command; exits 0 when all is well, 1 with findings, 2 when it could not start."""
    try:
        commands()()
    except EXPECTED as error:
        typer.echo(f"jauap: {error}", err=True)
        sys.exit(2)
    except FAILURES as error:
        typer.echo(f"jauap: the ledger cannot be used: {in_words(error)}", err=True)
        # Who is looked after is started again: a ledger that was just killed comes back.
        sys.exit(1 if is_supervised() else 2)
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
