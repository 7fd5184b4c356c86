"""One log line a call, written with those of others: alone it costs as much as a short answer."""

import asyncio
from dataclasses import dataclass, field

from app import logs
from app.api import correlation
from app.clock import system_clock

LOGGER = "api"
PAUSE_S = 0.05  # how long a line waits for others


@dataclass(slots=True)
class Lines:
    """Lines of one web process that wait to be written. Used on its event loop alone."""

    waiting: list[dict[str, object]] = field(default_factory=list)

    def add(self, method: str, route: str, status: int, seconds: float, name: str) -> None:
        """That a call was answered; `route` is a declared address, `name` its correlation id."""
        if not logs.tells(LOGGER):
            return
        if not self.waiting:
            asyncio.get_running_loop().call_later(PAUSE_S, self.flush)
        self.waiting.append(
            {
                correlation.FIELD: logs.masked(name),
                "event": "answered",
                "method": method,
                "ms": round(seconds * 1000, 1),
                "process": "web",
                "route": route,
                "status": status,
                "timestamp": system_clock(),
            }
        )

    def flush(self) -> None:
        """Writes what waits."""
        lines, self.waiting = self.waiting, []
        logs.tell_messages(lines, LOGGER)
