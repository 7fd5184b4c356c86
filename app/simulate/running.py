"""One simulation from its campaign to its figures: large campaigns are lived in two shards at once,
each a process with a house of its own and half of every network.

How many shards there are depends on the campaign alone, so that its figures do too.
"""

import gc
import logging
import multiprocessing
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess

from app import logs
from app.simulate import living, tally
from app.simulate.campaign import Campaign
from app.simulate.day import Progress, Shard
from app.simulate.figures import Figures, figures
from app.simulate.house import house
from app.simulate.promises import Breach, hold
from app.simulate.tally import Tally

SHARDS = 2
LARGE = 20_000  # citizens; below it a second house costs more than it saves
LEAVE_S = 60.0
COLLECT = (100_000, 50, 100)


class SimulationError(Exception):
    """A simulation that could not be run to its end; the message says why."""


@dataclass(frozen=True, slots=True)
class Told:
    """How far one shard is."""

    words: str
    done: int
    whole: int


@dataclass(frozen=True, slots=True)
class Failed:
    """Why a shard gave up."""

    why: str


def simulate(
    campaign: Campaign, progress: Progress, *, large: int = LARGE
) -> tuple[Figures, list[Breach]]:
    """Lives a campaign through: its figures, and every promise it broke; in shards from `large`
    citizens on. Raises SimulationError; on KeyboardInterrupt nothing is left of it."""
    how_many = SHARDS if campaign.citizens >= large else 1
    with _shards(campaign, how_many) as pipes:
        whole = tally.added(_listen(pipes, progress))
    return figures(campaign, whole), whole.breaches


@contextmanager
def _shards(campaign: Campaign, how_many: int) -> Iterator[list[Connection]]:
    """Starts the shards; those that still run at the end stop when nobody listens any more."""
    context = multiprocessing.get_context("spawn")
    processes: list[SpawnProcess] = []
    pipes: list[Connection] = []
    try:
        for number in range(how_many):
            ours, theirs = context.Pipe()
            pipes.append(ours)
            process = context.Process(
                target=_live, args=(campaign, Shard(number, how_many), theirs), daemon=False
            )
            process.start()
            theirs.close()
            processes.append(process)
        yield pipes
    finally:
        for pipe in pipes:
            pipe.close()
        for process in processes:
            process.join(LEAVE_S)
            if process.is_alive():
                process.kill()


def _listen(pipes: Sequence[Connection], progress: Progress) -> list[Tally]:
    """What each shard counted, in their order."""
    found: dict[int, Tally] = {}
    told: dict[int, Told] = {}
    while len(found) < len(pipes):
        for pipe in wait([p for n, p in enumerate(pipes) if n not in found]):
            assert isinstance(pipe, Connection)
            number = pipes.index(pipe)
            try:
                said = pipe.recv()
            except (EOFError, OSError):
                said = Failed("a process of the simulation ended before its time")
            if isinstance(said, Failed):
                raise SimulationError(said.why)
            if isinstance(said, Tally):
                found[number] = said
            else:
                told[number] = said
                done = sum(t.done for t in told.values())
                progress(said.words, done, sum(t.whole for t in told.values()))
    return [found[n] for n in range(len(pipes))]


def _live(campaign: Campaign, shard: Shard, pipe: Connection) -> None:
    """A shard's own process. It is interrupted by whoever listens, never by the terminal."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    logs.configure("simulate", level=logging.ERROR)

    def tell(words: str, done: int, whole: int) -> None:
        if pipe.poll():  # nothing is ever said to us: nobody listens any more
            raise KeyboardInterrupt
        with suppress(BrokenPipeError):
            pipe.send(Told(words, done, whole))

    with suppress(KeyboardInterrupt, BrokenPipeError):
        try:
            found: Tally | Failed = _counted(campaign, shard, tell)
        except Exception as error:
            found = Failed(f"{type(error).__name__}: {error}")
        pipe.send(found)


def _counted(campaign: Campaign, shard: Shard, tell: Progress) -> Tally:
    gc.set_threshold(*COLLECT)  # hundreds of thousands of objects that stay, and few cycles
    with house(campaign) as rt:
        gc.freeze()
        return tally.of(hold(living.live(rt, campaign, tell, shard)))
