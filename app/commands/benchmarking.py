"""`jauap bench`: what this machine does with the real processes, in figures."""

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from app.bench import crowding, machine, messaging, notices, over_http, size, stages, understanding
from app.bench.house import BenchError
from app.bench.messaging import Figures, Work
from app.commands.output import JsonFlag, show, stop

bench = typer.Typer(
    help="Measures the real processes on real servers; nothing of the installation is touched.",
    no_args_is_help=True,
)

Smsc = Annotated[
    str | None,
    typer.Option("--smsc", metavar="HOST:PORT", help="The message centre; default: our simulator."),
]
N = Annotated[int, typer.Option("--n", min=1, max=1_000_000, help="How many offers.")]
Segments = Annotated[int, typer.Option("--segments", min=1, max=6, help="Segments a question.")]
Window = Annotated[int, typer.Option("--window", min=1, max=1000, help="Outstanding submits.")]
Rate = Annotated[
    float, typer.Option("--rate", min=0, help="MOs a second; 0: as fast as the window lets.")
]
Binds = Annotated[int, typer.Option("--binds", min=1, max=16, help="Binds of all gateways.")]
Gateways = Annotated[int, typer.Option("--gateways", min=1, max=16, help="They share the binds.")]


@bench.command("machine")
def machine_(as_json: JsonFlag = False) -> None:
    """What the figures are measured on. Example: jauap bench machine --json"""
    described = machine.described()
    show(described, _table(described), as_json=as_json)


@bench.command("mt")
def mt(
    smsc: Smsc = None,
    n: N = 2_000,
    segments: Segments = 1,
    window: Window = 50,
    binds: Binds = 1,
    gateways: Gateways = 1,
    as_json: JsonFlag = False,
) -> None:
    """Questions with receipts, durable. Example: jauap bench mt --n 20000 --segments 3"""
    work = Work(n, segments, window, 0.0, binds, gateways, _address(smsc))
    _measure(messaging.mt, work, as_json=as_json)


@bench.command("turn")
def turn(
    smsc: Smsc = None,
    n: N = 2_000,
    segments: Segments = 1,
    window: Window = 50,
    rate: Rate = 0.0,
    binds: Binds = 1,
    gateways: Gateways = 1,
    as_json: JsonFlag = False,
) -> None:
    """Open offers answered "1", one answer each. Example: jauap bench turn --n 10000 --rate 200"""
    work = Work(n, segments, window, rate, binds, gateways, _address(smsc))
    _measure(messaging.turn, work, as_json=as_json)


@bench.command("api")
def api_(n: N = 2_000, as_json: JsonFlag = False) -> None:
    """Single offers, inboxes, a batch of 10 000. Example: jauap bench api --n 5000"""
    try:
        with _progress() as progress:
            figures = over_http.measure(n, progress)
    except BenchError as error:
        raise stop(f"jauap bench: {error}", 1) from None
    show(figures.as_dict(), _table(figures.as_dict()), as_json=as_json)


@bench.command("understand")
def understand(n: N = 20_000, as_json: JsonFlag = False) -> None:
    """Replies understood a second, on one core. Example: jauap bench understand"""
    pace = understanding.measure(n)
    show(pace.as_dict(), _table(pace.as_dict()), as_json=as_json)


@bench.command("sweep")
def sweep(
    n: N = 2_000,
    open_offers: Annotated[
        int, typer.Option("--open", min=0, max=2_000_000, help="Open offers that are not due.")
    ] = 100_000,
    as_json: JsonFlag = False,
) -> None:
    """What a ledger's size costs. Example: jauap bench sweep --open 1000000"""
    with _progress() as progress:
        sizes = size.measure(n, open_offers, progress)
    show(sizes.as_dict(), _table(sizes.as_dict()), as_json=as_json)


@bench.command("stages")
def stages_(
    n: N = 4_000,
    flame: Annotated[
        Path | None, typer.Option(metavar="FILE.svg", help="Also draw a flame graph.")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Where a message's time goes. Example: jauap bench stages --flame docs/flame.svg"""
    with _progress() as progress:
        found = stages.measure(n, progress, flame)
    show(found.as_dict(), _table(found.as_dict()), as_json=as_json)


@bench.command("crowd")
def crowd(
    due: Annotated[
        int, typer.Option(min=0, max=500_000, help="Offers that fall due in one minute.")
    ] = 0,
    handed_in: Annotated[
        int, typer.Option("--offers", min=0, max=500_000, help="Offers, in batches of 10 000.")
    ] = 0,
    n: Annotated[int, typer.Option("--n", min=1, max=100_000, help="How many reply.")] = 2_000,
    rate: Annotated[float, typer.Option(min=0.1, help="Replies a second.")] = 20.0,
    as_json: JsonFlag = False,
) -> None:
    """How long replies wait beside a crowd. Example: jauap bench crowd --due 100000"""
    if bool(due) == bool(handed_in):
        raise stop(f"--due, --offers: found {due} and {handed_in}, expected one of them above 0")
    measure = crowding.due if due else crowding.batches
    try:
        with _progress() as progress:
            figures = measure(n, rate, due or handed_in, progress)
    except BenchError as error:
        raise stop(f"jauap bench: {error}", 1) from None
    show(figures.as_dict(), _table(figures.as_dict()), as_json=as_json)


@bench.command("notices")
def notices_(
    n: Annotated[int, typer.Option("--n", min=1, max=500_000, help="How many notices.")] = 50_000,
    replies: Annotated[int, typer.Option(min=1, max=100_000, help="How many reply.")] = 600,
    rate: Annotated[float, typer.Option(min=0.1, help="Replies a second.")] = 20.0,
    pace: Annotated[
        float, typer.Option(min=0, help="The bind's segments a second; 0: as its window lets.")
    ] = 100.0,
    as_json: JsonFlag = False,
) -> None:
    """Notices of a measure to everybody, beside replies. Example: jauap bench notices --n 50000"""
    try:
        with _progress() as progress:
            figures = notices.measure(n, replies, rate, pace, progress)
    except BenchError as error:
        raise stop(f"jauap bench: {error}", 1) from None
    show(figures.as_dict(), _table(figures.as_dict()), as_json=as_json)


def _measure(
    measure: Callable[[Work, messaging.Progress], Figures], work: Work, *, as_json: bool
) -> None:
    if work.gateways > work.binds:
        raise stop(f"--gateways: found {work.gateways}, expected no more than --binds {work.binds}")
    try:
        with _progress() as progress:
            figures = measure(work, progress)
    except BenchError as error:
        raise stop(f"jauap bench: {error}", 1) from None
    show(figures.as_dict(), _table(figures.as_dict()), as_json=as_json)


def _table(figures: Mapping[str, Any]) -> str:
    lines: list[str] = []
    for name, value in figures.items():
        if isinstance(value, Mapping):
            lines += [_table({f"{name} {inner}": one for inner, one in value.items()})]
            continue
        shown = value if isinstance(value, list) else [value]
        lines += [f"{name.replace('_', ' '):24} {one}" for one in shown]
    return "\n".join(lines)


@contextmanager
def _progress() -> Iterator[messaging.Progress]:
    """A bar on a terminal, silence elsewhere."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    shown = sys.stderr.isatty()
    console = Console(stderr=True)
    with Progress(*columns, TimeElapsedColumn(), console=console, disable=not shown) as bar:
        task = bar.add_task("measuring", total=None)

        def told(done: int, whole: int) -> None:
            bar.update(task, completed=done, total=whole)

        yield told


def _address(smsc: str | None) -> tuple[str, int] | None:
    if smsc is None:
        return None
    host, _, port = smsc.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 65536:
        raise stop(f"--smsc: found {smsc!r}, expected HOST:PORT, such as 127.0.0.1:2775")
    return host, int(port)
