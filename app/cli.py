"""The command line: puts the commands together and turns expected failures into one clear line."""

import sys

import typer

from app.catalogue.loader import CatalogueError
from app.commands import (
    administering,
    benchmarking,
    charting,
    demonstrating,
    evidence,
    explaining,
    networks,
    outages,
    retaining,
    running,
    simulating,
    talking,
    tokens,
    wallet,
)
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

app = typer.Typer(
    name="jauap",
    help="Asks a citizen by SMS whether the state should render a service; one lawful outcome.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.command("up")(running.up)
app.command("web")(running.web)
app.command("gateway")(running.gateway)
app.command("worker")(running.worker)
app.command("demo")(demonstrating.demo)
app.command("check-config")(administering.check_config)
app.command("migrate")(administering.migrate)
app.command("token")(tokens.token)
app.command("talk")(talking.talk)
app.command("simulate")(simulating.simulate)
app.command("chart")(charting.chart)
app.add_typer(administering.keys, name="keys")
app.add_typer(networks.binds, name="binds")
app.add_typer(outages.planned, name="outages")
app.add_typer(evidence.journal, name="journal")
app.add_typer(evidence.case, name="case")
app.add_typer(retaining.retention, name="retention")
app.add_typer(explaining.replies, name="replies")
app.add_typer(explaining.wording, name="wording")
app.add_typer(explaining.deadline, name="deadline")
app.add_typer(benchmarking.bench, name="bench")
app.add_typer(wallet.wallet, name="wallet")


def main() -> None:
    """Runs a command; exits 0 when all is well, 1 with findings, 2 when it could not start."""
    try:
        app()
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
