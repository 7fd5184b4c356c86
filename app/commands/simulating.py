"""`jauap simulate`: what a campaign will be like, and whether it keeps the promises."""

import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from app.catalogue.loader import load as load_catalogue
from app.commands.output import FINDINGS, JsonFlag, show, stop
from app.settings import SettingsError
from app.simulate import day, plot
from app.simulate.campaign import Campaign
from app.simulate.figures import STEPS, Figures
from app.simulate.promises import Breach
from app.simulate.reading import MOST_CITIZENS, MOST_SEED, read_file
from app.simulate.running import SimulationError
from app.simulate.running import simulate as live

CATALOGUE = Path(__file__).parents[1] / "catalogue"
EXAMPLE = Path(day.__file__).parent / "examples" / "birth-benefit.toml"
INTERRUPTED = 130
PEAKS = {
    "replies_per_second": "replies in one second",
    "replies_per_minute": "replies in one minute",
    "segments_per_second": "segments in one second",
}


def _example(wanted: bool) -> None:
    if wanted:
        typer.echo(EXAMPLE.read_text("utf-8"), nl=False)
        raise typer.Exit


def simulate(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The campaign, in TOML.")],
    citizens: Annotated[
        int | None,
        typer.Option(min=1, max=MOST_CITIZENS, help="How many citizens, whatever FILE says."),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(min=0, max=MOST_SEED, help="The seed, whatever FILE says.")
    ] = None,
    pictures: Annotated[
        list[Path] | None,
        typer.Option(
            "--plot", metavar="PICTURE", help="Where to draw the hours, .svg or .png; repeatable."
        ),
    ] = None,
    as_json: JsonFlag = False,
    example: Annotated[
        bool,
        typer.Option("--example", is_eager=True, callback=_example, help="Print an example FILE."),
    ] = False,
) -> None:
    """Lives a whole campaign through in virtual time and holds the promises against it: exit 1
    names every breach. Servers of its own; nothing of the installation is touched.

    Example: jauap simulate --example > day.toml; jauap simulate day.toml --plot day.png"""
    services = list(load_catalogue(CATALOGUE).services)
    try:
        campaign = read_file(file, services, citizens=citizens, seed=seed)
    except SettingsError as error:
        raise stop(f"jauap simulate: {file} cannot be used:\n{error}") from None
    for picture in pictures or ():
        _check(picture)
    begun = time.monotonic()
    figures, breaches = _lived(campaign)
    for picture in pictures or ():
        picture.write_bytes(plot.octets(figures, picture.suffix))
    if as_json:
        show(figures, "", as_json=True)
    else:
        _tables(figures)
        typer.echo(f"lived through in {time.monotonic() - begun:.0f} s", err=True)
    for breach in breaches:
        typer.echo(str(breach), err=True)
    if breaches:
        raise typer.Exit(FINDINGS)


def _lived(campaign: Campaign) -> tuple[Figures, list[Breach]]:
    try:
        with _progress() as progress:
            return live(campaign, progress)
    except SimulationError as error:
        raise stop(f"jauap simulate: {error}") from None
    except KeyboardInterrupt:
        raise stop("jauap simulate: interrupted; nothing is left of it", INTERRUPTED) from None


def _check(picture: Path) -> None:
    """Before the work, not after it."""
    if picture.suffix not in plot.SUFFIXES:
        raise stop(f"--plot: found {picture}, expected a name that ends in .svg or .png")
    is_new = not picture.exists()
    try:
        with picture.open("ab"):
            pass
    except OSError as error:
        found = f"--plot: found {picture}: {error.strerror}, expected a file we may write"
        raise stop(found) from None
    if is_new:
        picture.unlink()


def _tables(figures: Mapping[str, Any]) -> None:
    console = Console()
    title = f"{figures['campaign']}: {figures['service']}, {figures['citizens']} citizens"
    console.print(_funnel(f"{title}, seed {figures['seed']}", figures["funnel"]))
    console.print(_networks(figures))
    console.print(_facts(figures))


def _funnel(title: str, funnel: Mapping[str, Any]) -> Table:
    table = Table(title=title)
    table.add_column("")
    columns = {"all": funnel["all"], **funnel["by_language"], **funnel["by_network"]}
    for name in columns:
        table.add_column(name, justify="right")
    for step in STEPS:
        table.add_row(step, *(str(column[step]) for column in columns.values()))
    return table


def _networks(figures: Mapping[str, Any]) -> Table:
    table = Table(title="networks")
    for name in ("", "segments", "tenge", "binds", "segments/s", "busy hours", "bind hours"):
        table.add_column(name, justify="left" if not name else "right")
    for name, bind in figures["binds"].items():
        table.add_row(
            name,
            str(figures["segments"]["by_network"][name]),
            f"{figures['cost']['by_network'][name]:.2f}",
            str(bind["binds"]),
            f"{bind['segments_per_second']:g}",
            f"{bind['busy_hours']:g}",
            f"{bind['bind_hours']:g}",
        )
    return table


def _facts(figures: Mapping[str, Any]) -> Table:
    table = Table(show_header=False)
    table.add_row("segments", str(figures["segments"]["total"]))
    table.add_row("tenge", f"{figures['cost']['total']:.2f}")
    table.add_row("last offer leaves", str(figures["last_offer_at"]))
    table.add_row("last message leaves", str(figures["last_message_at"]))
    for name, words in PEAKS.items():
        peak = figures["peaks"][name]
        table.add_row(f"most {words}", f"{peak['most']} at {peak['at']}")
    for gate, count in figures["gates"].items():
        table.add_row(f"refused by {gate}", str(count))
    promises = figures["promises"]
    words = "all kept" if promises["kept"] else f"{len(promises['breaches'])} broken"
    held = f"{len(promises['held'])} held against {promises['cases']} cases"
    table.add_row("promises", f"{words} ({held}, {promises['entries']} entries of the journal)")
    return table


@contextmanager
def _progress() -> Iterator[day.Progress]:
    """A bar on a terminal, silence elsewhere."""
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn())
    console = Console(stderr=True)
    off = not sys.stderr.isatty()
    with Progress(*columns, TimeElapsedColumn(), console=console, disable=off) as bar:
        task = bar.add_task("starting the servers", total=None)

        def told(words: str, done: int, whole: int) -> None:
            bar.update(task, description=words, completed=done, total=whole)

        yield told
