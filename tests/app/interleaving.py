"""Two transactions that meet at a chosen place."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

import pytest

from tests.app.worker_fixtures import eventually
from tests.app.world import World

LONG_S = 20.0
WAITING = "SELECT count(*) AS n FROM pg_stat_activity WHERE wait_event_type = 'Lock'"


def at_once(
    world: World,
    monkeypatch: pytest.MonkeyPatch,
    first: Callable[[], object],
    second: Callable[[], object],
    where: tuple[Any, str],
    *,
    is_after: bool = False,
) -> None:
    """`first` pauses before (or after) what `where` names until `second` waits for a lock or is
    done; then both go on to their end. Raises what either raised."""
    real, reached, may_go_on = getattr(*where), Event(), Event()

    def held(*args: Any, **more: Any) -> Any:
        found = real(*args, **more) if is_after else None
        if not reached.is_set():
            reached.set()
            assert may_go_on.wait(LONG_S)
        return found if is_after else real(*args, **more)

    monkeypatch.setattr(*where, held)
    with ThreadPoolExecutor(2) as lanes:
        one = lanes.submit(first)
        assert reached.wait(LONG_S)
        two = lanes.submit(second)
        eventually(lambda: two.done() or world.rows(WAITING)[0].n > 0, LONG_S)
        may_go_on.set()
        one.result(LONG_S)
        two.result(LONG_S)
