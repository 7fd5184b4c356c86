"""The state registers, read by cursor: the mobile citizens base and the consent service. What they
say is mirrored elsewhere; this is the narrow face they show, and its form over HTTP with patience
for their bad days: time-outs, tries, and a breaker that leaves them alone while they are down.

Nothing here repeats an IIN or a phone: what goes wrong is told by its kind.
"""

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import httpx
import msgspec

PAGE = 1000
TRIES = 3
FIRST_PAUSE_S = 0.2  # doubles, with jitter
TIMEOUT_S = 10.0
MOST_OCTETS = 8 * 1024 * 1024
FAILURES = 5  # one after another, until the breaker opens
REST_S = 30.0  # how long it stays open; then one call tries


class RegisterDown(Exception):
    """The register did not answer, or not with a page; the message names no person."""


class Page(msgspec.Struct, frozen=True):
    """Rows as the register gives them, the cursor after them, and whether there is more now."""

    items: list[dict[str, Any]]
    next: str | None = None
    more: bool = False


class Register(Protocol):
    """A register that is read onwards from a cursor; None is its beginning. Rows come at least
    once, in the order in which they changed."""

    def page(self, cursor: str | None) -> Page:
        """What comes after `cursor`. Raises RegisterDown."""


@dataclass(slots=True)
class Breaker:
    """Opens after FAILURES in a row; `seconds` is a monotonic clock."""

    seconds: Callable[[], float] = time.monotonic
    failed: int = 0
    open_until: float = 0.0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def admit(self) -> None:
        """Raises RegisterDown while it is open; afterwards lets one call try."""
        with self.lock:
            if self.failed < FAILURES:
                return
            if self.seconds() < self.open_until:
                raise RegisterDown("the breaker is open")
            self.open_until = self.seconds() + REST_S

    def succeeded(self) -> None:
        with self.lock:
            self.failed = 0

    def failed_once(self) -> None:
        with self.lock:
            self.failed += 1
            if self.failed >= FAILURES:
                self.open_until = self.seconds() + REST_S


@dataclass(slots=True)
class HttpRegister:
    """GET `url`?cursor=…&limit=… with a bearer token, answered by a Page as JSON."""

    url: str
    token: str
    breaker: Breaker = field(default_factory=Breaker)
    pause: Callable[[float], None] = time.sleep
    timeout_s: float = TIMEOUT_S

    def page(self, cursor: str | None) -> Page:
        """One page; a call that fails is tried again, a few times."""
        why = ""
        for attempt in range(TRIES):
            self.breaker.admit()
            if attempt:
                self.pause(FIRST_PAUSE_S * 2**attempt * random.uniform(0.5, 1.5))
            try:
                page = self._ask(cursor)
            except (httpx.HTTPError, RegisterDown, msgspec.DecodeError) as error:
                self.breaker.failed_once()
                why = str(error) if isinstance(error, RegisterDown) else type(error).__name__
                continue
            self.breaker.succeeded()
            return page
        raise RegisterDown(why)

    def _ask(self, cursor: str | None) -> Page:
        wanted = {"limit": str(PAGE)} | ({} if cursor is None else {"cursor": cursor})
        headers = {"Authorization": f"Bearer {self.token}", "Accept": "application/json"}
        end = time.monotonic() + self.timeout_s
        octets = bytearray()
        with httpx.stream(
            "GET", self.url, params=wanted, headers=headers, timeout=self.timeout_s
        ) as answer:
            if answer.status_code != 200:
                raise RegisterDown(f"status {answer.status_code}")
            for chunk in answer.iter_bytes():
                octets += chunk
                if len(octets) > MOST_OCTETS or time.monotonic() > end:
                    raise RegisterDown("too much, or too slow")
        page = msgspec.json.decode(bytes(octets), type=Page)
        if page.more and page.next in (None, cursor):
            raise RegisterDown("a cursor that does not move on")
        return page
