"""What has left and what was answered, in a file beside the ledger: written before the first octet
leaves, as answers come, and before a receipt is acknowledged that is not stored yet, so that a
killed gateway's heir knows what no commit told any more.

It holds no phone and no text. A file of an earlier run of the machine, whose last lines may be
missing, is not believed; without one the heir takes every claim for doubtful.
"""

import asyncio
import os
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from uuid import UUID

import msgspec
import structlog

from app.exchange import Trailed
from smpp.messages import Receipt, ReceiptState, SubmitOutcome, SubmitResult

MOST = 4 * 1024 * 1024  # octets before what is settled is left out
_BOOT = Path("/proc/sys/kernel/random/boot_id")

Mark = tuple[int, int]  # inode, octets

log = structlog.get_logger("gateway")

_encode = msgspec.json.Encoder().encode


class _Receipt(msgspec.Struct, array_like=True):
    """What is written of a Receipt: all but the phone, and what its response says as well."""

    message_ids: tuple[str, ...]
    state: ReceiptState
    error: str
    done_at: datetime | None
    received_at: datetime
    user_message_reference: int | None


class _Line(msgspec.Struct, array_like=True):
    """What is written of a SubmitResult, all but the phone, and of its receipt."""

    cid: str
    network: str
    message_id: str
    segment: int
    total: int
    status: int
    smsc_id: str
    outcome: SubmitOutcome
    at: datetime
    user_message_reference: int | None
    broke_link: bool
    is_late: bool
    receipt: _Receipt | None = None


def _line(r: SubmitResult, receipt: Receipt | None = None) -> _Line:
    return _Line(
        r.cid, r.network, r.message_id, r.segment, r.total, r.status, r.smsc_id, r.outcome, r.at,
        r.user_message_reference, r.broke_link, r.is_late,
        None if receipt is None else _receipt(receipt),
    )  # fmt: skip


def _receipt(r: Receipt) -> _Receipt:
    return _Receipt(
        r.message_ids, r.state, r.error, r.done_at, r.received_at, r.user_message_reference
    )


def _trailed(line: _Line) -> Trailed:
    said = msgspec.structs.asdict(line)
    receipt = said.pop("receipt")
    result = SubmitResult(phone="", **said)
    if receipt is None:
        return Trailed(result)
    came = msgspec.structs.asdict(receipt)
    return Trailed(result, Receipt(line.cid, line.network, "", acknowledgement=None, **came))


class Trail:
    """The trail of one gateway, from `start` to `close`. Belongs to the loop's thread."""

    def __init__(self, folder: Path, gateway: UUID) -> None:
        self._path = path_of(folder, gateway)
        self._new = self._path.with_suffix(".new")
        self._lines: dict[str, dict[int, bytes]] = {}  # by message and segment
        self._waiting: dict[tuple[str, int], _Line] = {}
        self._size = 0
        self._file: int | None = None

    def start(self) -> None:
        """Begins the file."""
        self._start_anew()

    @property
    def is_kept(self) -> bool:
        """Whether what is written can be read by an heir."""
        return self._file is not None

    def write(self, results: Sequence[SubmitResult]) -> None:
        """Adds results: UNKNOWN for what is about to leave, then what became of it."""
        lines = [*self._waiting.values(), *map(_line, results)]
        self._waiting.clear()
        if self._file is None:
            return
        if not os.fstat(self._file).st_nlink:  # an heir took us for dead, and what we left
            self._start_anew()
        written: list[bytes] = []
        for line in lines:
            octets = _encode(line) + b"\n"
            self._lines.setdefault(line.message_id, {})[line.segment] = octets
            written.append(octets)
        if self._file is not None:
            self._append(b"".join(written))

    def write_soon(self, result: SubmitResult, receipt: Receipt | None = None) -> None:
        """Adds what became of a segment; with others, once all that was read is told: one line
        where that is the response and its receipt."""
        if not self._waiting:
            asyncio.get_running_loop().call_soon(self.flush)
        self._waiting[result.message_id, result.segment] = _line(result, receipt)

    def flush(self) -> None:
        """Writes what waits."""
        if self._waiting:
            self.write([])

    def trim(self, held: Callable[[], Collection[str]]) -> None:
        """Leaves out what the ledger knows, once the file is large: all but the `held` messages."""
        if self._file is None or self._size <= MOST:
            return
        kept = held()
        self._lines = {one: lines for one, lines in self._lines.items() if one in kept}
        self._start_anew()

    def close(self) -> None:
        """A gateway that ended in order leaves none."""
        self._end()
        for path in (self._path, self._new):
            with suppress(OSError):
                path.unlink()

    def _append(self, data: bytes) -> None:
        assert self._file is not None
        self._size += len(data)
        try:
            if os.write(self._file, data) != len(data):
                raise OSError("written in part")
        except OSError as error:
            self._give_up(error)

    def _start_anew(self) -> None:
        """The new file takes the old one's place only once it is whole."""
        self._end()
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_CLOEXEC
        kept = [line for lines in self._lines.values() for line in lines.values()]
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.open(self._new, flags, 0o600)
            self._size = 0
            self._append(b"".join([_boot().encode() + b"\n", *kept]))
            if self._file is not None:
                os.replace(self._new, self._path)
        except OSError as error:
            self._give_up(error)

    def _give_up(self, error: OSError) -> None:
        """Half a trail would be worse than none."""
        log.warning("no-trail", found=error.strerror or str(error), expected="a writable file")
        self.close()

    def _end(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None


def path_of(folder: Path, gateway: UUID) -> Path:
    """Where a gateway's trail is."""
    return folder / f"{gateway}.trail"


def left(folder: Path) -> list[UUID]:
    """Whose trails are here: of gateways that live, or were killed and nobody has read theirs."""
    found: list[UUID] = []
    for path in sorted(folder.glob("*.trail")):
        with suppress(ValueError):  # it is none of ours
            found.append(UUID(path.stem))
    return found


def read(folder: Path, gateway: UUID) -> list[Trailed] | None:
    """The trail of a dead gateway in its order; None where there is none to be believed."""
    try:
        head, *lines = path_of(folder, gateway).read_bytes().split(b"\n")
    except OSError:
        return None
    if not head or head.decode(errors="replace") != _boot() or not lines:
        return None
    found: list[Trailed] = []
    for line in lines[:-1]:  # behind the last end of a line is nothing, or what was cut
        try:
            found.append(_trailed(msgspec.json.decode(line, type=_Line)))
        except msgspec.MsgspecError:
            return None
    return found


def mark_of(folder: Path, gateway: UUID) -> Mark | None:
    """What tells a trail from one that has been written to since; None where there is none."""
    try:
        stat = path_of(folder, gateway).stat()
    except OSError:
        return None
    return stat.st_ino, stat.st_size


def forget(folder: Path, seen: Mapping[UUID, Mark | None]) -> None:
    """What these gateways left when their trails were `seen` has been taken over. One that still
    writes was not dead, and is read again."""
    for gateway, mark in seen.items():
        if mark == mark_of(folder, gateway):
            with suppress(OSError):
                path_of(folder, gateway).unlink()


def _boot() -> str:
    """Which run of the machine this is: a file outlives the death of a process, not always that of
    a machine. "" where nobody says."""
    try:
        return _BOOT.read_text().strip()
    except OSError:
        return ""
