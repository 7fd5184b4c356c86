"""Where the master key comes from: the environment, a file, or the sandbox's own file.

It is never in `jauap.toml` and never in a finding.
"""

import base64
import binascii
import os
from collections.abc import Mapping
from pathlib import Path

from app.configuration import Finding, SettingsError

KEY = "JAUAP_MASTER_KEY"
FILE = "JAUAP_MASTER_KEY_FILE"
OLD = "JAUAP_OLD_MASTER_KEYS"
OCTETS = 32
_EXPECTED = "base64 of 32 octets, as `openssl rand -base64 32` prints"


def master_key(environ: Mapping[str, str], sandbox_file: Path | None) -> bytes:
    """The 32 octets; `sandbox_file` is made with mode 0600 when nothing else is given.

    Raises SettingsError, also in production (`sandbox_file` None) when there is none.
    """
    if environ.get(KEY):
        return _decoded(environ[KEY], KEY)
    if environ.get(FILE):
        return _from_file(Path(environ[FILE]), FILE)
    if sandbox_file is None:
        raise _refusal(KEY, "nothing", f"{_EXPECTED}, or {FILE} with a path", "environment")
    if not sandbox_file.exists():
        _make(sandbox_file)
    return _from_file(sandbox_file, "paths.data")


def old_master_keys(environ: Mapping[str, str]) -> tuple[bytes, ...]:
    """Keys that only open: JAUAP_OLD_MASTER_KEYS, comma separated, oldest first."""
    given = environ.get(OLD, "")
    return tuple(_decoded(key, OLD) for key in given.split(",") if key.strip())


def _refusal(key: str, found: str, expected: str, where: str) -> SettingsError:
    return SettingsError((Finding(key, found, expected, where),))


def _decoded(text: str, where: str) -> bytes:
    try:
        key = base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        raise _refusal(where, "something that is not base64", _EXPECTED, where) from None
    if len(key) != OCTETS:
        raise _refusal(where, f"{len(key)} octets", _EXPECTED, where)
    return key


def _from_file(path: Path, where: str) -> bytes:
    try:
        return _decoded(path.read_text("ascii"), str(path))
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not text"
        raise _refusal(where, f"{path}: {reason}", "a readable key file", where) from None


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
