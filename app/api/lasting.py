"""An answer that outlives its call: who goes on with it holds the connection alone, without the
task, the frames and the headers of the call, which cost many times what a socket does.
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable

LINE = "jauap.line"  # among a scope's extensions; its `hand_over` is a HandOver


class Successor(asyncio.Protocol, ABC):
    """Who takes a connection over; a stopping server calls `shutdown`."""

    __slots__ = ()

    @abstractmethod
    def begin(self, connections: set[object], is_paused: bool) -> None:
        """Told first: among which connections the server counts it, for it to take itself out
        when it is lost, and whether the other side is behind with reading."""

    @abstractmethod
    def shutdown(self) -> None:
        """Ends the answer and closes the connection."""


HandOver = Callable[[Successor], bool]
