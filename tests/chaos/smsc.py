"""The storm's message centre with its handsets, in a process of its own with counts of its own.

Run as `python -m tests.chaos.smsc PORT SEED`. It obeys lines on its standard input: `wild` and
`calm` begin and end repeating and reordering, `drop` drops the link, `report` prints what it
counted as one line of JSON. A reply that was not acknowledged is delivered again until it is.
"""

import asyncio
import json
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from random import Random
from typing import Any

from tests.chaos import wire
from tests.chaos.people import REPLIES, Role, role_of
from tests.chaos.wire import Pdu, Submit

WINDOW = 50
AGAIN_S = 0.3
REPEATED = 0.08
QUESTION = "– 1"  # what a screen says that can be answered
PIECE = 132  # octets of a segment after its header


@dataclass(eq=False, slots=True)
class Parcel:
    """One deliver_sm until it is acknowledged. `mo` counts the replies it carries a segment of,
    `about` is the id whose receipt it is."""

    body: bytes
    mo: "Reply | None" = None
    about: str = ""


@dataclass(eq=False, slots=True)
class Reply:
    """What somebody wrote: `open` segments are not acknowledged yet."""

    phone: str
    text: str
    open: int


@dataclass(slots=True)
class Counts:
    """What the centre saw by itself."""

    submits: int = 0
    doubled: Counter[tuple[str, int | None, bytes]] = field(default_factory=Counter)
    acknowledged: dict[str, list[str]] = field(default_factory=dict)
    refused: int = 0
    redelivered: int = 0
    received: list[str] = field(default_factory=list)  # ids of which a receipt was acknowledged
    binds: int = 0


class Centre:
    """One server; the house has one bind to it."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.counts = Counts()
        self.is_wild = False
        self._ids = 5_000_000_000
        self._waiting: list[Parcel] = []
        self._sent: dict[int, Parcel] = {}
        self._sequence = 0
        self._writer: asyncio.StreamWriter | None = None
        self._pieces: dict[tuple[str, int, int], dict[int, str]] = {}
        self._shown: dict[str, list[int | None]] = {}
        self._later: set[asyncio.Task[None]] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection. What it leaves unacknowledged waits for the next one."""
        buffer = bytearray()
        try:
            while chunk := await reader.read(65_536):
                buffer += chunk
                for pdu in wire.pdus(buffer):
                    self._take(pdu, writer)
                await writer.drain()
        except OSError:
            pass  # killed
        finally:
            if self._writer is writer:
                self._writer = None
                self.counts.redelivered += sum(p.mo is not None for p in self._sent.values())
                self._waiting += self._sent.values()
                self._sent.clear()
            writer.close()

    def _take(self, pdu: Pdu, writer: asyncio.StreamWriter) -> None:
        if pdu.command & wire.RESPONSE:
            if pdu.command == wire.DELIVER | wire.RESPONSE:
                self._answered(pdu)
            return
        body = b""
        if pdu.command in wire.BINDS:
            self._bound(writer)
            body = b"storm\0"
        elif pdu.command == wire.SUBMIT:
            body = self._submitted(Submit.read(pdu.body)).encode() + b"\0"
            if self.is_wild:  # slow, and in any order: what is killed now has its fate unknown
                answer = Pdu(wire.SUBMIT | wire.RESPONSE, 0, pdu.sequence, body)
                self._in(self.random.uniform(0, 0.4), partial(self._answer, answer, writer))
                return
        writer.write(Pdu(pdu.command | wire.RESPONSE, 0, pdu.sequence, body).octets())
        if pdu.command == wire.UNBIND:
            writer.close()
        elif pdu.command in wire.BINDS:
            self.pump()

    def _bound(self, writer: asyncio.StreamWriter) -> None:
        if self._writer is not None:
            self._writer.close()
            self._waiting += self._sent.values()
            self._sent.clear()
        self._writer = writer
        self.counts.binds += 1

    # --- from the house ---------------------------------------------------------------------

    def _submitted(self, s: Submit) -> str:
        self._ids += 1
        self.counts.submits += 1
        self.counts.doubled[s.phone, s.reference, s.octets] += 1
        lost = role_of(s.phone) is Role.UNREACHABLE
        octets = wire.receipt(str(self._ids), "EXPIRED" if lost else "DELIVRD")
        parcel = Parcel(wire.deliver(s.phone, octets, wire.RECEIPT, 0), about=str(self._ids))
        self._after(self.random.uniform(0, 0.4 if self.is_wild else 0.05), parcel)
        if self.is_wild and self.random.random() < REPEATED:
            self._after(self.random.uniform(0.5, 3), Parcel(parcel.body, about=parcel.about))
        if not lost:
            self._show(s)
        return str(self._ids)

    def _show(self, s: Submit) -> None:
        reference, total, number = s.place
        pieces = self._pieces.setdefault((s.phone, reference, total), {})
        pieces[number] = s.text
        if len(pieces) < total:
            return
        text = "".join(pieces[n] for n in sorted(pieces))
        del self._pieces[s.phone, reference, total]
        shown = self._shown.setdefault(s.phone, [])
        first = None if s.reference is None else (s.reference - number + 1) & 0xFF
        if QUESTION not in text or first in shown:
            return
        shown.append(first)
        replies = REPLIES[role_of(s.phone)]
        if len(shown) <= len(replies):
            self._write(s.phone, replies[len(shown) - 1])

    # --- to the house -----------------------------------------------------------------------

    def _write(self, phone: str, text: str) -> None:
        octets = text.encode("utf-16-be")
        if len(octets) <= 140:
            bodies = [wire.deliver(phone, octets, 0, wire.UCS2)]
        else:
            cut = [octets[at : at + PIECE] for at in range(0, len(octets), PIECE)]
            heads = [bytes((5, 0, 3, 42, len(cut), n)) for n in range(1, len(cut) + 1)]
            whole = zip(heads, cut, strict=True)
            bodies = [wire.deliver(phone, h + c, wire.UDHI, wire.UCS2) for h, c in whole]
        copies = 1 + (self.is_wild and len(bodies) == 1 and self.random.random() < REPEATED)
        for copy in range(copies):
            reply = Reply(phone, text, len(bodies))
            for body in bodies:
                delay = self.random.uniform(0, 0.5) + 2 * copy
                self._after(delay, Parcel(body, reply))

    def _answer(self, answer: Pdu, writer: asyncio.StreamWriter) -> None:
        if not writer.is_closing():
            writer.write(answer.octets())

    def _after(self, delay: float, parcel: Parcel) -> None:
        def post() -> None:
            self._waiting.append(parcel)
            self.pump()

        self._in(delay, post)

    def _in(self, delay: float, act: Callable[[], None]) -> None:
        async def later() -> None:
            await asyncio.sleep(delay)
            act()

        task = asyncio.get_running_loop().create_task(later())
        self._later.add(task)
        task.add_done_callback(self._later.discard)

    def pump(self) -> None:
        """Delivers what waits, as far as the window allows; in the storm in any order."""
        there = self._writer
        if there is None or there.is_closing():
            return
        while self._waiting and len(self._sent) < WINDOW:
            at = self.random.randrange(len(self._waiting)) if self.is_wild else 0
            parcel = self._waiting.pop(at)
            self._sequence += 1
            self._sent[self._sequence] = parcel
            pdu = Pdu(wire.DELIVER, 0, self._sequence, parcel.body)
            there.write(pdu.octets())

    def _answered(self, pdu: Pdu) -> None:
        parcel = self._sent.pop(pdu.sequence, None)
        if parcel is None:
            return
        if pdu.status:
            self.counts.refused += 1
            self._after(AGAIN_S, parcel)
        elif parcel.mo is None:
            self.counts.received.append(parcel.about)
        else:
            parcel.mo.open -= 1
            if not parcel.mo.open:
                self.counts.acknowledged.setdefault(parcel.mo.phone, []).append(parcel.mo.text)
        self.pump()

    def obey(self, word: str) -> None:
        """One line of the standard input."""
        if word in ("wild", "calm"):
            self.is_wild = word == "wild"
        elif word == "drop" and self._writer is not None:
            self._writer.transport.abort()
        elif word == "report":
            print(json.dumps(self._report()), flush=True)

    def _report(self) -> dict[str, Any]:
        counts = self.counts
        return {
            "submits": counts.submits,
            "segments_doubled": sum(n - 1 for n in counts.doubled.values()),
            "messages_doubled": self._messages_doubled(),
            "acknowledged": counts.acknowledged,
            "refused": counts.refused,
            "redelivered": counts.redelivered,
            "received": counts.received,
            "binds": counts.binds,
            "waiting": len(self._waiting) + len(self._sent) + len(self._later),
        }

    def _messages_doubled(self) -> int:
        """The most times any segment of a message came, less one, over all messages."""
        most: Counter[tuple[str, int | None]] = Counter()
        for (phone, reference, octets), times in self.counts.doubled.items():
            number = Submit(phone, wire.UDHI, octets, reference).place[2] if _has_udh(octets) else 1
            first = None if reference is None else (reference - number + 1) & 0xFF
            most[phone, first] = max(most[phone, first], times)
        return sum(times - 1 for times in most.values())


def _has_udh(octets: bytes) -> bool:
    return octets[:3] == b"\x05\x00\x03" or octets[:3] == b"\x06\x08\x04"


async def main(port: int, seed: int) -> None:
    """Serves until its standard input ends."""
    centre = Centre(seed)
    server = await asyncio.start_server(centre.serve, "127.0.0.1", port)
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    print("ready", flush=True)
    while line := await reader.readline():
        centre.obey(line.decode().strip())
    server.close()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2])))
