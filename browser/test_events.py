"""A browser's own EventSource follows a citizen's events while the web process is restarted."""

import json
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Queue
from typing import Any

import httpx

from app import sandbox_issuer
from app.clock import ManualClock, system_clock
from app.main import Server, listen
from app.runtime import Runtime
from tests.app.api.citizens import asked
from tests.app.world import World
from tests.conftest import clock, opened, rt, servers, settings

__all__ = ["clock", "opened", "rt", "servers", "settings"]

HERE = Path(__file__).parent
WAIT_S = 60.0
RESTARTS = 4


@contextmanager
def web(rt: Runtime, port: int) -> Iterator[int]:
    """The web process on a port, until left."""
    ready = threading.Event()
    server = Server(rt, ready.set)
    with listen("127.0.0.1", port) as sock:
        thread = threading.Thread(target=server.run, args=([sock],))
        thread.start()
        assert ready.wait(10)
        try:
            yield sock.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join(30)


class Page:
    """What the page tells: that a stream opened, and every event."""

    def __init__(self, origin: str, path: str) -> None:
        self.node = subprocess.Popen(
            ["node", "follow.mjs", origin, path], cwd=HERE, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        self.opened: Queue[bool] = Queue()
        self.events: Queue[dict[str, Any]] = Queue()
        self.reading = threading.Thread(target=self._read)
        self.reading.start()

    def _read(self) -> None:
        assert self.node.stdout is not None
        for line in iter(self.node.stdout.readline, ""):
            told = json.loads(line)
            if "opened" in told:
                self.opened.put(True)
            else:
                self.events.put(told)

    def close(self) -> None:
        assert self.node.stdin is not None and self.node.stdout is not None
        self.node.stdin.close()
        self.node.wait(30)
        self.reading.join(30)
        self.node.stdout.close()


def test_a_browser_loses_no_event_over_restarts_of_the_web_process(
    rt: Runtime, clock: ManualClock
) -> None:
    world = World(rt, clock)
    iin = world.register("aida", "kk")
    token = sandbox_issuer.issue(rt.settings.paths.data, iin, system_clock())
    expected: list[str] = []
    with web(rt, 0) as port:
        origin = f"http://127.0.0.1:{port}"
        headers = {"Authorization": f"Bearer {token}"}
        ticket = httpx.post(f"{origin}/v1/me/events/tickets", headers=headers).json()
        page = Page(origin, ticket["url"])
        page.opened.get(timeout=WAIT_S)
        asked(world)
        expected += ["offer.sent", "offer.awaiting"]
    try:
        for _ in range(RESTARTS):
            world.say("2")  # while nobody listens
            expected.append("offer.declined")
            with web(rt, port):
                page.opened.get(timeout=WAIT_S)
                asked(world)
                expected += ["offer.sent", "offer.awaiting"]
        with web(rt, port):
            told = [page.events.get(timeout=WAIT_S) for _ in expected]
    finally:
        page.close()
    assert [one["data"]["type"] for one in told] == expected
    assert page.events.empty()
    assert len({one["id"] for one in told}) == len(told)
