"""What has left and what was answered, in a file beside the ledger: written before the first octet
leaves and as answers come, so that a killed gateway's heir knows what no commit told any more.

It holds no phone and no text. A file of an earlier run of the machine, whose last lines may be
missing, is not believed; without one the heir takes every claim for doubtful.
"""

import asyncio
import os
from collections.abc import Collection, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from uuid import UUID

import msgspec
import structlog

from smpp.messages import SubmitOutcome, SubmitResult

MOST = 4 * 1024 * 1024  # octets before what is settled is left out
_BOOT = Path("/proc/sys/kernel/random/boot_id")

log = structlog.get_logger("gateway")


_encode = msgspec.json.Encoder().encode


class _Line(msgspec.Struct, array_like=True):
    """What is written of a SubmitResult: all but the phone."""

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


def _line(r: SubmitResult) -> _Line:
    return _Line(
        r.cid, r.network, r.message_id, r.segment, r.total, r.status, r.smsc_id, r.outcome, r.at,
        r.user_message_reference, r.broke_link, r.is_late,
    )  # fmt: skip


def _result(line: _Line) -> SubmitResult:
    return SubmitResult(phone="", **msgspec.structs.asdict(line))


class Trail:
    """The trail of one gateway. `write` is called on the loop's thread."""

    def __init__(self, folder: Path, gateway: UUID) -> None:
        self._path = path_of(folder, gateway)
        self._lines: dict[str, dict[int, bytes]] = {}  # by message and segment
        self._waiting: list[SubmitResult] = []
        self._size = 0
        self._file: int | None = None
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._start_anew()
        except OSError as error:
            self._give_up(error)

    @property
    def is_kept(self) -> bool:
        """Whether what is written can be read by an heir."""
        return self._file is not None

    def write(self, results: Sequence[SubmitResult]) -> None:
        """Adds results: UNKNOWN for what is about to leave, then what became of it."""
        waiting, self._waiting = self._waiting, []
        if self._file is None:
            return
        lines: list[bytes] = []
        for r in (*waiting, *results):
            line = _encode(_line(r)) + b"\n"
            self._lines.setdefault(r.message_id, {})[r.segment] = line
            lines.append(line)
        self._append(b"".join(lines))

    def write_soon(self, result: SubmitResult) -> None:
        """Adds what became of a segment; with others, once all that was read is told."""
        if not self._waiting:
            asyncio.get_running_loop().call_soon(self._write_waiting)
        self._waiting.append(result)

    def _write_waiting(self) -> None:
        if self._waiting:
            self.write([])

    def trim(self, held: Collection[UUID]) -> None:
        """Leaves out what is settled, once the file is large: all but the `held` messages."""
        if self._file is None or self._size <= MOST:
            return
        kept = {str(one) for one in tuple(held)}  # at once: a lane may claim meanwhile
        self._lines = {one: lines for one, lines in self._lines.items() if one in kept}
        try:
            self._start_anew()
        except OSError as error:
            self._give_up(error)

    def close(self) -> None:
        """A gateway that ended in order leaves none."""
        self._end()
        with suppress(OSError):
            self._path.unlink()

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
        new = self._path.with_suffix(".new")
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_CLOEXEC
        self._file = os.open(new, flags, 0o600)
        self._size = 0
        kept = [line for lines in self._lines.values() for line in lines.values()]
        self._append(b"".join([_boot().encode() + b"\n", *kept]))
        os.replace(new, self._path)

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


def read(folder: Path, gateway: UUID) -> list[SubmitResult] | None:
    """The trail of a dead gateway in its order; None where there is none to be believed."""
    try:
        head, *lines = path_of(folder, gateway).read_bytes().split(b"\n")
    except OSError:
        return None
    if not head or head.decode(errors="replace") != _boot() or not lines:
        return None
    found: list[SubmitResult] = []
    for line in lines[:-1]:  # behind the last end of a line is nothing, or what was cut
        try:
            found.append(_result(msgspec.json.decode(line, type=_Line)))
        except msgspec.MsgspecError:
            return None
    return found


def forget(folder: Path, gateways: Sequence[UUID]) -> None:
    """What these left has been taken over."""
    for gateway in gateways:
        with suppress(OSError):
            path_of(folder, gateway).unlink()


def _boot() -> str:
    """Which run of the machine this is: a file outlives the death of a process, not always that of
    a machine. "" where nobody says."""
    try:
        return _BOOT.read_text().strip()
    except OSError:
        return ""
