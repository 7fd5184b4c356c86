"""Every journey goes as it is written, and together they pass every line of the lifecycle."""

from pathlib import Path

import pytest

from app.clock import ManualClock
from app.proactive.rules import LIFECYCLE
from app.runtime import Runtime
from tests.app.journey import JOURNEYS, Pair, play_file
from tests.conftest import NOON

FILES = sorted(JOURNEYS.glob("*.txt"))
_played: dict[str, set[Pair]] = {}


def played(rt: Runtime, path: Path) -> set[Pair]:
    if path.name not in _played:
        _played[path.name] = play_file(rt, ManualClock(NOON), path)
    return _played[path.name]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_journey_goes_as_it_is_written(rt: Runtime, path: Path) -> None:
    played(rt, path)


def test_the_journeys_pass_every_line_of_the_lifecycle(rt: Runtime) -> None:
    seen = set().union(*(played(rt, path) for path in FILES))
    assert set(LIFECYCLE) - seen == set()
