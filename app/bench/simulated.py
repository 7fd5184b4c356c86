"""The message centre of a measurement where no other is named: our simulator, in a process of its
own so that it does not share our interpreter. Run as `python -m app.bench.simulated FILE …`."""

import asyncio
import json
import signal
import sys
from collections import deque
from pathlib import Path

from app.bench.people import FIRST_PHONE
from app.clock import system_clock
from app.supervisor import die_with_parent
from smpp.handsets import Handset, Received
from smpp.simulator import Simulator


class Town:
    """`citizens` write "1": `window` of them at once, or `rate` a second where that is not 0."""

    def __init__(self, citizens: int, window: int, rate: float) -> None:
        self.smsc = Simulator(clock=system_clock, on_message=self._answered)
        self._left = deque(f"+{FIRST_PHONE + number}" for number in range(citizens))
        self._window, self._rate = window, rate
        self._wrote: dict[str, float] = {}
        self.latencies: list[float] = []

    async def write(self) -> None:
        """Lets them write once a bind is up."""
        await self.smsc.until(lambda: self.smsc.is_bound, 300)
        await asyncio.sleep(0.3)
        if not self._rate:
            for _ in range(self._window):
                self._next()
            return
        loop = asyncio.get_running_loop()
        begun, sent = loop.time(), 0
        while self._left:
            await asyncio.sleep(0.002)
            due = int((loop.time() - begun) * self._rate)
            for number in range(sent, due):
                self._next(begun + number / self._rate)
            sent = max(sent, due)

    def _next(self, due: float | None = None) -> None:
        if self._left:
            phone = self._left.popleft()
            self._wrote[phone] = due or asyncio.get_running_loop().time()
            self.smsc.send(phone, "1")

    def _answered(self, handset: Handset, _received: Received) -> None:
        begun = self._wrote.pop(handset.phone, None)
        if begun is not None:
            self.latencies.append(asyncio.get_running_loop().time() - begun)
            if not self._rate:
                self._next()


async def main(told: Path, citizens: int, window: int, rate: float) -> None:
    """Writes its port into `told`, and its latencies at the end (SIGTERM)."""
    town = Town(citizens, window, rate)
    over = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, over.set)
    await town.smsc.start()
    told.write_text(json.dumps({"port": town.smsc.port}), "utf-8")
    writing = asyncio.create_task(town.write()) if citizens else None
    await over.wait()
    if writing is not None:
        writing.cancel()
    told.write_text(json.dumps({"latencies": town.latencies}), "utf-8")
    town.smsc.drop()


if __name__ == "__main__":
    die_with_parent()
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])))
