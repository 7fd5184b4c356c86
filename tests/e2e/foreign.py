"""A message centre that this project did not write: the server of the library smpp34.

It has its own codec, windows and timers, so both ends cannot share a misreading of SMPP 3.4.
It lets every password in and says nothing of port 0; what handsets put together is read here.
"""

import asyncio
import struct
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import smpp34

from tests.e2e.house import free_port, until

UDHI = 0x40  # esm_class, SMPP 3.4, 5.2.12
RECEIPT = 0x04
UCS2 = 8  # data_coding, 5.2.19
ROK, RTHROTTLED = 0x00000000, 0x00000058  # command_status, 5.1.3
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Segment:
    """One submit_sm as it came, the id it was given and when, by time.monotonic()."""

    phone: str
    event: Any
    id: str
    at: float

    @property
    def header(self) -> tuple[int, int, int]:
        """(reference, total, number) of the user data header (3GPP TS 23.040, 9.2.3.24);
        (0, 1, 1) without one."""
        octets: bytes = self.event.short_message
        if not self.event.esm_class & UDHI:
            return 0, 1, 1
        if octets[:3] == b"\x05\x00\x03":
            return struct.unpack("!BBB", octets[3:6])
        assert octets[:3] == b"\x06\x08\x04", f"an unknown header: {octets[:7].hex()}"
        return struct.unpack("!HBB", octets[3:7])

    @property
    def octets(self) -> bytes:
        """Without the header."""
        octets: bytes = self.event.short_message
        return octets[octets[0] + 1 :] if self.event.esm_class & UDHI else octets

    @property
    def encoding(self) -> str:
        return "utf-16-be" if self.event.data_coding == UCS2 else "ascii"


@dataclass(frozen=True, slots=True)
class Message:
    """What a handset shows; `at` is when its last segment came."""

    text: str
    segments: tuple[Segment, ...]
    at: float


@dataclass(slots=True)
class ForeignSmsc:
    """One server on a thread of its own; the test decides what every handset does."""

    port: int = field(default_factory=free_port)
    segments: list[Segment] = field(default_factory=list)
    sessions: dict[str, Any] = field(default_factory=dict)
    bound: list[Any] = field(default_factory=list)
    unbound: list[Any] = field(default_factory=list)
    refuse: list[int] = field(default_factory=list)  # statuses for the next submits
    _ids: int = 7_000_000_000
    _references: int = 0
    _loop: asyncio.AbstractEventLoop = field(init=False)

    @contextmanager
    def running(self) -> Iterator["ForeignSmsc"]:
        """Serves for as long as the `with` lasts."""
        self._loop = asyncio.new_event_loop()
        thread = threading.Thread(target=self._loop.run_forever, name="foreign", daemon=True)
        thread.start()
        server = smpp34.Server("127.0.0.1", self.port, system_id="foreign")
        self.call(server.start)
        serving = asyncio.run_coroutine_threadsafe(self._serve(server), self._loop)
        try:
            yield self
        finally:
            serving.cancel()
            self.call(server.stop)
            self._loop.call_soon_threadsafe(self._loop.stop)
            thread.join(10)
            self._loop.close()

    def call(self, work: Callable[[], Awaitable[T]], seconds: float = 10) -> T:
        """Does something on the server's own loop: the library makes its futures only there."""

        async def there() -> T:
            return await work()

        return asyncio.run_coroutine_threadsafe(there(), self._loop).result(seconds)

    async def _serve(self, server: Any) -> None:
        while True:
            event = await server.next()
            if isinstance(event, smpp34.Esme):
                self.sessions[event.session_id] = event
                self.bound.append(event)
            elif isinstance(event, smpp34.Unbound):
                self.sessions.pop(event.session_id, None)
                self.unbound.append(event)
            elif self.refuse:
                event.reject(self.refuse.pop(0))
            else:
                self._accept(event)

    def _accept(self, event: Any) -> None:
        self._ids += 1
        id = str(self._ids)
        event.accept(id)
        phone = f"+{event.destination_addr}"
        self.segments.append(Segment(phone, event, id, time.monotonic()))

    def messages(self, phone: str) -> list[Message]:
        """The whole messages of a handset, in the order in which they were complete."""
        found: list[Message] = []
        open_: dict[tuple[int, int], dict[int, Segment]] = {}
        for segment in [s for s in self.segments if s.phone == phone]:
            reference, total, number = segment.header
            pieces = open_.setdefault((reference, total), {})
            pieces[number] = segment
            if len(pieces) == total:
                whole = tuple(pieces[n] for n in sorted(pieces))
                text = b"".join(s.octets for s in whole).decode(segment.encoding)
                found.append(Message(text, whole, segment.at))
                del open_[reference, total]
        return found

    def message(self, phone: str, number: int, seconds: float = 15) -> Message:
        """The handset's message of that number, from 0; waits for it."""
        until(
            lambda: len(self.messages(phone)) > number,
            seconds,
            f"message {number} on {phone}, of {[m.text for m in self.messages(phone)]}",
        )
        return self.messages(phone)[number]

    def deliver(self, phone: str, octets: bytes, *, esm_class: int, data_coding: int) -> int:
        """A deliver_sm of this handset; the command_status of its response."""
        esme = list(self.sessions.values())[-1]
        send = partial(
            esme.deliver_sm,
            "1414",
            octets,
            source_addr=phone.removeprefix("+"),
            source_addr_ton=1,
            source_addr_npi=1,
            esm_class=esm_class,
            data_coding=data_coding,
        )
        return int(self.call(send).command_status)

    def receipt(self, message: Message, stat: str = "DELIVRD") -> float:
        """A receipt for every segment (SMPP 3.4, Appendix B); when the last was acknowledged."""
        for segment in message.segments:
            self.receipt_of_segment(segment, stat)
        return time.monotonic()

    def receipt_of_segment(self, segment: Segment, stat: str = "DELIVRD") -> None:
        """A receipt for one segment."""
        words = (
            f"id:{segment.id} sub:001 dlvrd:001 submit date:2603021200 done date:2603021201 "
            f"stat:{stat} err:000 text:{segment.octets[:1].hex()}"
        )
        status = self.deliver(
            segment.phone, words.encode("ascii"), esm_class=RECEIPT, data_coding=0
        )
        assert status == ROK

    def write(self, phone: str, text: str) -> int:
        """An SMS that this handset's owner writes; the status with which it was acknowledged."""
        return self.deliver(phone, text.encode("utf-16-be"), esm_class=0, data_coding=UCS2)

    def write_binds(self, folder: Path) -> None:
        """The binds.toml of a house in `folder` whose only network this is."""
        password = folder / "foreign.password"
        password.touch(0o600)
        password.write_text("secret")
        lines = {"cid": "foreign-1", "network": "foreign", "host": "127.0.0.1"}
        lines |= {"system_id": "jauap", "password_file": password.name}
        rows = [f'{key} = "{value}"' for key, value in lines.items()]
        rows += [f"port = {self.port}", "reconnect_delay_max = 1"]
        (folder / "binds.toml").write_text("\n".join(["[[bind]]", *rows]) + "\n")

    def write_long(self, phone: str, text: str) -> set[int]:
        """A message of any length, its segments in the order of their numbers; their statuses."""
        octets = text.encode("utf-16-be")
        pieces = [octets[at : at + 132] for at in range(0, len(octets), 132)]
        if len(pieces) == 1:
            return {self.write(phone, text)}
        self._references = self._references % 255 + 1
        return {
            self.deliver(
                phone,
                bytes((5, 0, 3, self._references, len(pieces), number)) + piece,
                esm_class=UDHI,
                data_coding=UCS2,
            )
            for number, piece in enumerate(pieces, 1)
        }

    def write_in_two(self, phone: str, text: str) -> tuple[int, int]:
        """The same in two segments, the second before the first."""
        middle = len(text) // 2
        first = b"\x05\x00\x03\x2a\x02\x01" + text[:middle].encode("utf-16-be")
        second = b"\x05\x00\x03\x2a\x02\x02" + text[middle:].encode("utf-16-be")
        return (
            self.deliver(phone, second, esm_class=UDHI, data_coding=UCS2),
            self.deliver(phone, first, esm_class=UDHI, data_coding=UCS2),
        )

    def write_many(self, phone: str, texts: list[str]) -> list[int]:
        """Messages all at once, as fast as the ESME's window allows; their statuses."""
        esme = list(self.sessions.values())[-1]

        async def all_of_them() -> list[int]:
            tasks = [
                esme.deliver_sm(
                    "1414",
                    text.encode("utf-16-be"),
                    source_addr=phone.removeprefix("+"),
                    source_addr_ton=1,
                    source_addr_npi=1,
                    data_coding=UCS2,
                )
                for text in texts
            ]
            return [int(r.command_status) for r in await asyncio.gather(*tasks)]

        return self.call(all_of_them, 60)
