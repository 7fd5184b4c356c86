"""The app of a person for the tests of the citizen's side: a token of the sandbox, an inbox, and a
reader of events that is as strict as a browser's (WHATWG HTML, section 9.2.6)."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from queue import Queue
from threading import Thread
from typing import Any
from uuid import UUID

import httpx
import msgspec

from app import sandbox_issuer
from app.clock import system_clock
from app.proactive.records import Offer
from smpp.messages import ReceiptState
from tests.app.api.conftest import Caller, plain_http
from tests.app.world import World

BIRTH, CHILDCARE = "birth-benefit", "childcare-benefit"
RU, KK = {"Accept-Language": "ru"}, {"Accept-Language": "kk"}
WAIT_S = 20.0


def citizen(world: World, client: httpx.Client, iin: str) -> Caller:
    """The app of a person, with a token of the sandbox."""
    token = sandbox_issuer.issue(world.rt.settings.paths.data, iin, system_clock())
    return Caller(client, token, "")


def asked(world: World, service: str = BIRTH, name: str = "aida") -> UUID:
    """An offer whose question is on the handset."""
    made = world.offer(service, name)
    assert isinstance(made, Offer)
    world.receipt(ReceiptState.DELIVRD)
    return made.id


@dataclass(frozen=True, slots=True)
class Event:
    """One event as a browser would dispatch it."""

    id: str
    data: dict[str, Any]

    @property
    def told(self) -> tuple[str, str]:
        return self.data["type"], self.data.get("offer", {}).get("id", "")


class Reader:
    """Reads one stream in a thread; `last_id` is what the next connection is to be told."""

    def __init__(self, lines: Iterator[str], last_id: str) -> None:
        self.last_id, self.comments = last_id, 0
        self.queue: Queue[Event | None] = Queue()
        self.began: Queue[str] = Queue()
        self.thread = Thread(target=self._read, args=(lines,), daemon=True)
        self.thread.start()

    def _read(self, lines: Iterator[str]) -> None:
        data: list[str] = []
        event_id = self.last_id
        try:
            for line in lines:
                name, _, value = line.partition(":")
                value = value.removeprefix(" ")
                if line == "":
                    self.last_id = event_id
                    if data:
                        self.queue.put(Event(event_id, msgspec.json.decode("\n".join(data))))
                    elif event_id:
                        self.began.put(event_id)
                    data = []
                elif name == "":
                    self.comments += 1
                elif name == "data":
                    data.append(value)
                elif name == "id":
                    event_id = value
                else:
                    assert name == "retry" and value.isdigit(), line
        except httpx.HTTPError:
            pass
        self.queue.put(None)

    def next(self) -> Event:
        """The next event; fails where the stream ends."""
        event = self.queue.get(timeout=WAIT_S)
        assert event is not None, "the stream ended"
        return event

    def rest(self) -> list[Event]:
        """What had come before the stream ended."""
        return [event for event in iter(self.queue.get_nowait, None) if event is not None]

    def ended(self) -> bool:
        """Waits for the end; False where an event comes instead."""
        return self.queue.get(timeout=WAIT_S) is None


@contextmanager
def following(
    url: str, token: str, last_id: str | None = None, path: str = "/v1/me/events"
) -> Iterator[Reader]:
    """An open stream, once it is live."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    if last_id is not None:
        headers["Last-Event-ID"] = last_id
    with (
        plain_http(url, None) as client,
        client.stream("GET", path, headers=headers) as answer,
    ):
        assert answer.status_code == 200, answer.read()
        assert answer.headers["content-type"].startswith("text/event-stream")
        reader = Reader(answer.iter_lines(), last_id or "")
        reader.began.get(timeout=WAIT_S)
        yield reader
