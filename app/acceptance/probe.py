"""One try of a bind on a real socket: connect, TLS, bind, enquire_link, unbind, each told in words.

It needs no ledger and keeps nothing: what the network delivers meanwhile is left with the network.
"""

import asyncio
import hashlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final, cast

from smpp.binds import Bind
from smpp.dial import DialError, dial, quicken
from smpp.events import Bound, Delivered, Event, Failed, Refused, Unbound
from smpp.pdu import Command, Frames, Pdu, PeerError, Status, describe, pack
from smpp.session import Session

_ENQUIRY: Final = 0x7FFF_FFF0  # a sequence_number of our own, which the session never comes to
_ENDS: Final = (Refused, Failed, Unbound)

# What the engineer can do about it, by a word of what went wrong.
_HINTS: Final = (
    ("CERTIFICATE_VERIFY_FAILED", "set tls.ca to the network's authority, or tls.pin_sha256"),
    ("WRONG_VERSION_NUMBER", "the port speaks no TLS: set tls = false, or ask for the TLS port"),
    ("CERTIFICATE_REQUIRED", "the network wants our certificate: set tls.cert and tls.key"),
    ("HANDSHAKE_FAILURE", "no version or cipher in common, or it wants our certificate"),
    ("pin_sha256", "compare it with the network: a renewed certificate, or another machine"),
    ("nothing listens", "host and port, or the network has not opened the port for us yet"),
    ("is not known", "host: a misspelt name, or a name that only the VPN's servers know"),
    ("no answer from", "a firewall drops our packets: our address must be allowed at the network"),
    ("No route", "no way leads there: the VPN or the routing of this machine"),
    ("unreachable", "no way leads there: the VPN or the routing of this machine"),
)


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a check and how long it took, in seconds."""

    step: str
    ok: bool
    says: str
    seconds: float


@dataclass(slots=True)
class Probe(asyncio.Protocol):
    """The connection of one check. `kept_back` counts messages that were left with the network."""

    bind: Bind
    session: Session = field(init=False)
    events: list[Event] = field(default_factory=list)
    enquired: Pdu | None = None
    lost: str = ""
    kept_back: int = 0
    tls: str = ""
    _frames: Frames = field(default_factory=Frames)
    _moved: asyncio.Event = field(default_factory=asyncio.Event)
    _transport: asyncio.Transport | None = None

    def __post_init__(self) -> None:
        self.session = Session(self.bind)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """asyncio's: the socket is open, TLS included."""
        self._transport = cast(asyncio.Transport, transport)
        quicken(transport)
        tls = transport.get_extra_info("ssl_object")
        if tls is not None:
            der = tls.getpeercert(binary_form=True) or b""
            self.tls = f"{tls.version()}, certificate {hashlib.sha256(der).hexdigest()}"

    def data_received(self, data: bytes) -> None:
        """asyncio's: octets came. The session ignores answers to questions it has not asked, so
        that of our enquire_link is looked for here."""
        with suppress(PeerError):  # the session says so
            for pdu in self._frames.feed(data):
                if pdu.sequence == _ENQUIRY:
                    self.enquired = pdu
        for event in self.session.receive_data(data, asyncio.get_running_loop().time()):
            if isinstance(event, Delivered):
                self.kept_back += 1
                temporary = int(Status.ESME_RX_T_APPN)
                self.session.acknowledge(event.command, event.sequence, temporary)
            else:
                self.events.append(event)
        self.send(self.session.data_to_send())

    def connection_lost(self, exc: Exception | None) -> None:
        """asyncio's: the connection is gone."""
        self.lost = f"the connection was lost: {exc}" if exc else "the network closed it"
        self._moved.set()

    def send(self, data: bytes) -> None:
        """Writes at once."""
        if data and self._transport is not None:
            self._transport.write(data)
        self._moved.set()

    def abort(self) -> None:
        """Drops the connection."""
        if self._transport is not None:
            self._transport.abort()

    def enquire(self) -> None:
        """Sends an enquire_link of our own (SMPP 3.4, 4.11)."""
        self.send(pack(Command.ENQUIRE_LINK, _ENQUIRY))

    def ended(self) -> Event | None:
        """What ended the session, if something did."""
        return next((e for e in self.events if isinstance(e, _ENDS)), None)

    async def until(self, reached: Callable[[], bool]) -> bool:
        """Waits up to `response_timeout`; False when it did not come or the connection is gone."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self.bind.response_timeout):
                while not reached() and not self.lost:
                    self._moved.clear()
                    await self._moved.wait()
        return reached()


@dataclass(slots=True)
class Visit:
    """The steps of one bind's check, in their order; it stops at the first that fails."""

    bind: Bind
    steps: list[Step] = field(default_factory=list)
    kept_back: int = 0

    async def make(self) -> "Visit":
        """Does it all; never raises for what the network does."""
        started = self._now
        try:
            probe = await dial(self.bind, lambda: Probe(self.bind))
        except DialError as error:
            return self._told("connect", started, False, _hinted(str(error)))
        where = f"{self.bind.host}:{self.bind.port}"
        self._told("connect", started, True, f"{where}, {probe.tls}" if probe.tls else where)
        try:
            if await self._bind(probe) and await self._enquire(probe):
                await self._unbind(probe)
        finally:
            probe.abort()
            self.kept_back = probe.kept_back
        return self

    @property
    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    def _told(self, step: str, started: float, ok: bool, says: str) -> "Visit":
        self.steps.append(Step(step, ok, says, round(self._now - started, 4)))
        return self

    async def _bind(self, probe: Probe) -> bool:
        started = self._now
        probe.send(probe.session.start(started))
        await probe.until(lambda: bool(probe.events))
        event = next(iter(probe.events), None)
        if isinstance(event, Bound):
            says = f"bound as {self.bind.bind}; the network's system_id is {event.system_id!r}"
            self._told("bind", started, True, says)
            return True
        self._told("bind", started, False, self._why_not_bound(probe, event))
        return False

    def _why_not_bound(self, probe: Probe, event: Event | None) -> str:
        if isinstance(event, Refused | Failed):
            return event.reason
        if probe.lost:
            hint = "" if self.bind.tls else "; it may want TLS, or not know our address"
            return f"no answer to the bind: {probe.lost}{hint}"
        return (
            f"no answer to the bind within {self.bind.response_timeout:g} s: something listens at "
            "this port, but it may not be SMPP, may want TLS, or another interface_version"
        )

    async def _enquire(self, probe: Probe) -> bool:
        started = self._now
        probe.enquire()
        await probe.until(lambda: probe.enquired is not None or probe.ended() is not None)
        answer = probe.enquired
        if answer is not None and answer.command == Command.ENQUIRE_LINK_RESP:
            self._told("enquire_link", started, True, "answered")
            return True
        if answer is not None:
            says = f"answered by a generic_nack: {describe(answer.status)}"
        elif isinstance(event := probe.ended(), Failed):
            says = event.reason
        elif isinstance(event, Unbound):
            says = "instead of an answer, the network unbound us"
        elif probe.lost:
            says = f"no answer: {probe.lost}"
        else:
            says = (
                f"no answer within {self.bind.response_timeout:g} s: the link would be taken for "
                "dead again and again"
            )
        self._told("enquire_link", started, False, says)
        return False

    async def _unbind(self, probe: Probe) -> None:
        """An SMSC that just hangs up has understood as well."""
        started = self._now
        if not probe.session.is_bound or probe.lost:
            self._told("unbind", started, True, "the network was faster")
            return
        probe.session.unbind(started)
        probe.send(probe.session.data_to_send())
        answered = await probe.until(lambda: probe.ended() is not None)
        ok = answered or bool(probe.lost)
        waited = f"no unbind_resp within {self.bind.response_timeout:g} s"
        says = "answered" if answered else probe.lost or waited
        self._told("unbind", started, ok, says)


def _hinted(says: str) -> str:
    hint = next((hint for word, hint in _HINTS if word.lower() in says.lower()), "")
    return f"{says} ({hint})" if hint else says


async def visit(bind: Bind) -> Visit:
    """Checks one bind: at most five times its `response_timeout`."""
    return await Visit(bind).make()
