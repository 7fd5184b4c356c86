"""HTTP calls as fast as the web process answers, or at a steady pace: prepared octets over
connections that are kept, so that the caller costs little beside what it measures."""

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from app.bench.house import BenchError

_LENGTH = re.compile(rb"\r\ncontent-length: (\d+)\r\n", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Pace:
    """What came of a run: calls a second, and milliseconds an answer took."""

    calls: int
    per_s: float
    p50_ms: float
    p99_ms: float


@dataclass(slots=True)
class Run:
    """Prepared calls, handed out one by one; `rate` a second, or 0 for as fast as answers come."""

    calls: Sequence[bytes]
    expected: int
    rate: float = 0.0
    taken: int = 0
    begun: float = 0.0
    latencies: list[float] = field(default_factory=list)
    failed: bytes = b""

    def next(self) -> tuple[bytes, float] | None:
        """A call and when it is due by the loop's clock; None when all are taken."""
        if self.taken == len(self.calls) or self.failed:
            return None
        number, self.taken = self.taken, self.taken + 1
        due = self.begun + number / self.rate if self.rate else 0.0
        return self.calls[number], due


class _Caller(asyncio.Protocol):
    """One connection: a call, its answer, the next call. Where calls have a time, latency counts
    from it, so that a stall is not hidden."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._loop = asyncio.get_running_loop()
        self._buffer = bytearray()
        self._since = 0.0
        self.done: asyncio.Future[None] = self._loop.create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._call()

    def _call(self) -> None:
        taken = self._run.next()
        if taken is None:
            self._transport.close()
            return
        octets, due = taken
        wait = due - self._loop.time()
        if wait > 0:
            self._loop.call_later(wait, self._write, octets, due)
        else:
            self._write(octets, due)

    def _write(self, octets: bytes, due: float) -> None:
        self._since = due or self._loop.time()
        self._transport.write(octets)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head = self._buffer.find(b"\r\n\r\n")
        if head < 0:
            return
        length = _LENGTH.search(self._buffer, 0, head + 2)
        if length is None:
            self._run.failed = bytes(self._buffer[:200])
            self._transport.close()
            return
        if len(self._buffer) >= head + 4 + int(length[1]):
            self._answered()

    def _answered(self) -> None:
        if int(self._buffer[9:12]) != self._run.expected:
            self._run.failed = bytes(self._buffer[:400])
        self._run.latencies.append(self._loop.time() - self._since)
        self._buffer.clear()
        self._call()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self.done.set_result(None)


def call(port: int, calls: Sequence[bytes], expected: int, connections: int, rate: float) -> Pace:
    """Makes the calls over so many connections; raises BenchError at another status."""
    return asyncio.run(_call(port, Run(calls, expected, rate), connections))


async def _call(port: int, run: Run, connections: int) -> Pace:
    loop = asyncio.get_running_loop()
    run.begun = loop.time() + 0.05
    made = [
        await loop.create_connection(lambda: _Caller(run), "127.0.0.1", port)
        for _ in range(min(connections, len(run.calls)))
    ]
    await asyncio.gather(*(caller.done for _, caller in made))
    seconds = loop.time() - run.begun
    if run.failed or len(run.latencies) < len(run.calls):
        raise BenchError(f"expected {run.expected}, found {run.failed.splitlines()[0:1]!r}")
    ordered = sorted(run.latencies)
    p50, p99 = (ordered[int(q * (len(ordered) - 1))] * 1000 for q in (0.50, 0.99))
    return Pace(len(ordered), round(len(ordered) / seconds, 1), round(p50, 1), round(p99, 1))
