"""Where secret keys come from: the environment, a file, or the sandbox's own files.

They are never in `jauap.toml` and never in a finding.
"""

import base64
import binascii
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from app.configuration import Environment, Finding, SettingsError

KEY = "JAUAP_MASTER_KEY"
FILE = "JAUAP_MASTER_KEY_FILE"
OLD = "JAUAP_OLD_MASTER_KEYS"
OLD_FILE = "JAUAP_OLD_MASTER_KEYS_FILE"
SEAL_KEY = "JAUAP_SEAL_KEY"
SEAL_FILE = "JAUAP_SEAL_KEY_FILE"
OLD_SEALS = "JAUAP_OLD_SEAL_KEYS"
OCTETS = 32
_EXPECTED = "base64 of 32 octets, as `openssl rand -base64 32` prints"
_PUBLIC = "public keys in base64, comma separated, as `jauap journal key` prints them"


@dataclass(slots=True)
class Keys:
    """The secrets, each as soon as it has been read."""

    master: bytes = b""
    old: tuple[bytes, ...] = ()
    seal: bytes | None = None
    old_seals: tuple[bytes, ...] = ()
    now: Callable[[], Sequence[bytes]] | None = None


def keys(
    environ: Mapping[str, str], data: Path | None, environment: Environment
) -> tuple[Keys, list[Finding]]:
    """All keys. `data` is where the sandbox keeps its own; after other findings it makes none."""
    found = Keys()
    findings: list[Finding] = []
    master_file, seal_file = (data and data / name for name in ("master.key", "seal.key"))

    def read_master() -> None:
        if data is not None or environment is not Environment.SANDBOX:
            found.master = master_key(environ, master_file)

    def read_old() -> None:
        found.old = old_master_keys(environ, master_file)

    def read_seal() -> None:
        found.seal = seal_key(environ, seal_file)

    def read_old_seals() -> None:
        found.old_seals = old_seal_keys(environ)

    for read in (read_master, read_old, read_seal, read_old_seals):
        try:
            read()
        except SettingsError as error:
            findings += error.findings
    if is_in_files(environ):
        found.now = lambda: (
            *old_master_keys(environ, master_file),
            master_key(environ, master_file),
        )
    return found, findings


def master_key(environ: Mapping[str, str], sandbox_file: Path | None) -> bytes:
    """The 32 octets; `sandbox_file` is made with mode 0600 when nothing else is given.

    Raises SettingsError, also in production (`sandbox_file` None) when there is none.
    """
    found = _given(environ, KEY, FILE, sandbox_file)
    if found is None:
        raise _refusal(KEY, "nothing", f"{_EXPECTED}, or {FILE} with a path", "environment")
    return found


def old_master_keys(
    environ: Mapping[str, str], sandbox_file: Path | None = None
) -> tuple[bytes, ...]:
    """Keys that only open, oldest first: comma separated in JAUAP_OLD_MASTER_KEYS, or lines of
    the file that JAUAP_OLD_MASTER_KEYS_FILE names; the sandbox keeps its own beside its key."""
    given = environ.get(OLD, "")
    if given:
        return tuple(_decoded(key, OLD) for key in given.split(",") if key.strip())
    file = Path(environ[OLD_FILE]) if environ.get(OLD_FILE) else _beside(environ, sandbox_file)
    if file is None:
        return ()
    try:
        lines = file.read_text("ascii").split()
    except (OSError, UnicodeDecodeError) as error:
        raise _unreadable(OLD_FILE, file, error) from None
    return tuple(_decoded(line, str(file)) for line in lines)


def former(sandbox_file: Path) -> Path:
    """Where a sandbox keeps the former keys of its `master.key`."""
    return sandbox_file.with_name(sandbox_file.name + ".old")


def is_in_files(environ: Mapping[str, str]) -> bool:
    """Can a running process read its keys once more, after they were changed?"""
    return not environ.get(KEY) and not environ.get(OLD)


def seal_key(environ: Mapping[str, str], sandbox_file: Path | None) -> bytes | None:
    """The seed of the key that signs seals; None in production where none is given."""
    return _given(environ, SEAL_KEY, SEAL_FILE, sandbox_file)


def old_seal_keys(environ: Mapping[str, str]) -> tuple[bytes, ...]:
    """Public keys of former seals, which still count: JAUAP_OLD_SEAL_KEYS, comma separated."""
    keys = environ.get(OLD_SEALS, "").split(",")
    return tuple(_decoded(key, OLD_SEALS, _PUBLIC) for key in keys if key.strip())


def put(sandbox_file: Path, fresh: bytes, old: tuple[bytes, ...]) -> None:
    """Gives a sandbox another master key. The former ones are on disk before it: whoever reads in
    between finds one key twice and misses none."""
    lines = b"".join(base64.b64encode(key) + b"\n" for key in old)
    _write(former(sandbox_file), lines)
    _write(sandbox_file, base64.b64encode(fresh) + b"\n")


def _beside(environ: Mapping[str, str], sandbox_file: Path | None) -> Path | None:
    if sandbox_file is None or environ.get(KEY) or environ.get(FILE):
        return None
    return former(sandbox_file) if former(sandbox_file).exists() else None


def _given(
    environ: Mapping[str, str], key: str, file: str, sandbox_file: Path | None
) -> bytes | None:
    if environ.get(key):
        return _decoded(environ[key], key)
    if environ.get(file):
        return _from_file(Path(environ[file]), file)
    if sandbox_file is None:
        return None
    if not sandbox_file.exists():
        _make(sandbox_file)
    return _from_file(sandbox_file, "paths.data")


def _refusal(key: str, found: str, expected: str, where: str) -> SettingsError:
    return SettingsError((Finding(key, found, expected, where),))


def _decoded(text: str, where: str, expected: str = _EXPECTED) -> bytes:
    try:
        key = base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        raise _refusal(where, "something that is not base64", expected, where) from None
    if len(key) != OCTETS:
        raise _refusal(where, f"{len(key)} octets", expected, where)
    return key


def _from_file(path: Path, where: str) -> bytes:
    try:
        return _decoded(path.read_text("ascii"), str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise _unreadable(where, path, error) from None


def _unreadable(where: str, path: Path, error: Exception) -> SettingsError:
    reason = error.strerror if isinstance(error, OSError) else "not text"
    return _refusal(where, f"{path}: {reason}", "a readable key file", where)


def _make(path: Path) -> None:
    """Two starts at once must end with one key: the first link wins, nobody sees half a file."""
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(base64.b64encode(os.urandom(OCTETS)) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)
    except FileExistsError:
        return
    except OSError as error:
        raise _refusal("paths.data", str(error), "room for the key", str(path)) from None
    finally:
        draft.unlink(missing_ok=True)


def _write(path: Path, octets: bytes) -> None:
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(octets)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
