"""The embedded servers' own logs: what they call trouble, apart from what a test provokes."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

# PostgreSQL names its trouble; of a crash of its own it tells as of any other event.
OF_POSTGRES = re.compile(r"\b(ERROR|FATAL|PANIC|WARNING|error): |was terminated by")
OF_VALKEY = re.compile(r" # ")
SERVERS = {"postgres.log": OF_POSTGRES, "valkey.log": OF_VALKEY}

# What is no trouble: of the machine, and of an end in order.
USUAL = (
    r" # WARNING Memory overcommit must be enabled!",
    r" # WARNING You have Transparent Huge Pages",
    r" # WARNING: The TCP backlog setting",
    r" # You requested maxclients of \d+ requiring at least",
    r" # Server can't set maximum open files",
    r" # Current maximum open files is",
    r" # Valkey is now ready to exit, bye bye\.\.\.$",
    r"FATAL:  terminating autovacuum process due to administrator command$",
    r"FATAL:  terminating background worker \"logical replication launcher\"",
)
# What a kill -9 of a server, or of whoever spoke with it, makes it say.
OF_BEING_KILLED = (
    r"FATAL:  the database system is (starting|shutting|in recovery|not yet accepting)",
    r"FATAL:  terminating connection due to (administrator command|unexpected postmaster exit)"
    r"( at character \d+)?$",
    r"WARNING:  terminating connection because of crash of another server process$",
    r"FATAL:  connection to client lost",
    r"\) was terminated by signal 9: Killed$",
    r" # (Bad file format reading|Unexpected end of file reading) the append only file",
    r" # !!! Warning: short read while loading the AOF file",
    r" # AOF .* loaded anyway because aof-load-truncated is enabled",
    r" # Truncating the AOF",
)
# What the ledger says where something else could be meant by a receipt: the batch runs again, by
# the ordinary way.
OF_LOST_RACES = (r"ERROR:  found \d+ rows as they were loaded, expected 0$",)
# What a ledger says that lets nobody in for a while and sends away whoever is there.
OF_BEING_CLOSED = (
    r'FATAL:  database "jauap" is not currently accepting connections$',
    r"FATAL:  terminating connection due to administrator command( at character \d+)?$",
)


def troubles(data: Path, since: dict[Path, int] | None = None) -> list[str]:
    """The lines of trouble in the logs of the servers on `data`, those put away included; with
    `since` only what was written after the last call with it."""
    found = []
    for name, is_trouble in SERVERS.items():
        for log in sorted(data.glob(name + "*")):
            with log.open("rb") as file:
                file.seek(since.get(log, 0) if since is not None else 0)
                lines = file.read().decode("utf-8", "replace").splitlines()
                if since is not None:
                    since[log] = file.tell()
            found += [line for line in lines if is_trouble.search(line) and not is_usual(line)]
    return found


def is_usual(line: str) -> bool:
    """Whether a line tells of the machine, or of an end in order."""
    return any(re.search(pattern, line) for pattern in USUAL)


def unprovoked(lines: Iterable[str], provoked: Sequence[str]) -> list[str]:
    """The lines that none of these patterns declares."""
    return [line for line in lines if not any(re.search(p, line) for p in provoked)]


def counted(lines: Iterable[str], provoked: Sequence[str]) -> Counter[str]:
    """How often each of these patterns was found, by the words that it matched."""
    found = (re.search(p, line) for line in lines for p in provoked)
    return Counter(match[0] for match in found if match is not None)


def check(lines: Sequence[str], provoked: Sequence[str] = ()) -> None:
    """AssertionError with the lines of trouble that nobody has declared."""
    wrong = unprovoked(lines, provoked)
    assert wrong == [], "in the servers' own logs, provoked by no declaration:\n" + "\n".join(wrong)


@dataclass(slots=True)
class Watch:
    """Reads the logs on `data` from test to test, each line once; none before `data` is known."""

    data: Path | None = None
    since: dict[Path, int] = field(default_factory=dict)

    def check(self, provoked: Sequence[str] = ()) -> None:
        """What came since the last time is what was provoked, and that did come."""
        lines = troubles(self.data, self.since) if self.data else []
        check(lines, provoked)
        missed = [p for p in provoked if not any(re.search(p, line) for line in lines)]
        assert missed == [], f"declared, yet the servers never said it: {missed}"
