"""Every key of `jauap.toml`: how it is written, what it may hold, what it is when nobody says.

Reading collects findings instead of stopping at the first; it opens no file and makes nothing.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import time
from enum import StrEnum
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit

EMBEDDED = "embedded"


class Environment(StrEnum):
    """Where we are: the sandbox talks to handsets of its own, production to people."""

    SANDBOX = "sandbox"
    PRODUCTION = "production"


@dataclass(frozen=True, slots=True)
class SendingHours:
    """Offers leave from `start` until before `end`, Asia/Almaty wall time."""

    start: time
    end: time

    def __str__(self) -> str:
        return f"{self.start:%H:%M}-{self.end:%H:%M}"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing wrong with the configuration; `found` never holds a secret."""

    key: str
    found: str
    expected: str
    where: str

    def __str__(self) -> str:
        return f"{self.key}: found {self.found}, expected {self.expected} ({self.where})"


class SettingsError(Exception):
    """The start is refused; `findings` holds every reason at once."""

    def __init__(self, findings: tuple[Finding, ...]) -> None:
        super().__init__("\n".join(str(finding) for finding in findings))
        self.findings = findings


@dataclass(frozen=True, slots=True)
class Given:
    """A value as it was written, and by which file, variable or flag. Paths count from `base`."""

    value: object
    where: str
    base: Path


@dataclass(frozen=True, slots=True)
class Key:
    """One key: `read` raises ValueError for what will not do; `expected` says what would."""

    name: str
    read: Callable[[object], Any]
    expected: str
    default: object
    sandbox_default: object = ...

    def default_in(self, environment: Environment) -> object:
        sandbox = environment is Environment.SANDBOX and self.sandbox_default is not ...
        return self.sandbox_default if sandbox else self.default

    @property
    def variable(self) -> str:
        """server.port is JAUAP_SERVER_PORT."""
        return "JAUAP_" + self.name.replace(".", "_").upper()


def _text(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError
    return value.strip()


def _environment(value: object) -> Environment:
    return Environment(_text(value))


def _between(low: float, high: float) -> Callable[[object], float]:
    def read(value: object) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            raise ValueError
        number = float(value)
        if not low <= number <= high:
            raise ValueError
        return number

    return read


def _port(value: object) -> int:
    number = _between(0, 65535)(value)
    if not number.is_integer():
        raise ValueError
    return int(number)


def _switch(value: object) -> bool:
    word = str(value).lower()
    if not isinstance(value, bool | str) or word not in ("true", "false", "1", "0"):
        raise ValueError
    return word in ("true", "1")


def _hours(value: object) -> SendingHours | None:
    text = _text(value)
    if text == "always":
        return None
    if re.fullmatch(r"\d\d:\d\d-\d\d:\d\d", text, re.ASCII) is None:
        raise ValueError
    start, end = (time.fromisoformat(half) for half in text.split("-"))
    if start >= end:
        raise ValueError
    return SendingHours(start, end)


def _url(*schemes: str) -> Callable[[object], str]:
    def read(value: object) -> str:
        text = _text(value)
        parts = urlsplit(text)
        if parts.scheme not in schemes or not (parts.netloc or parts.path.strip("/")):
            raise ValueError
        return text

    return read


def _ledger(value: object) -> str:
    if value == EMBEDDED:
        return EMBEDDED
    text = _url("postgresql", "postgres", "postgresql+psycopg")(value)
    return _PASSWORD.sub(_spelled, "postgresql" + text[text.index(":") :])


# PostgreSQL wants what is special in a password percent-encoded; people write it as it is. What
# begins like a port is none: host:5432/db?user=me@there.
_PASSWORD = re.compile(r"(?<=://)([^:/@]*:)(?!\d*/)([^@]*)(?=@)")


def _spelled(found: re.Match[str]) -> str:
    return found[1] + quote(unquote(found[2]), safe="")


def _redis(value: object) -> str:
    return EMBEDDED if value == EMBEDDED else _url("redis", "rediss", "unix")(value)


KEYS: tuple[Key, ...] = (
    Key("ledger.url", _ledger, '"embedded" or postgresql://user@host/db', EMBEDDED),
    Key("redis.url", _redis, '"embedded", redis://…, rediss://… or unix://…', EMBEDDED),
    Key("server.host", _text, "a host name or address", "127.0.0.1"),
    Key("server.port", _port, "a port, 1 to 65535, or 0 for any free one", 8414),
    Key("paths.data", _text, "a directory", "var"),
    Key("paths.binds", _text, "a file", "binds.toml"),
    Key("sending.hours", _hours, '"always" or "HH:MM-HH:MM" of one day', "09:00-21:00", "always"),
    Key("sending.drain_grace", _between(0, 3600), "seconds, 0 to 3600", 60, 2),
    Key("sending.patience", _between(1, 3600), "seconds, 1 to 3600", 30),
    Key("sandbox.simulator", _switch, "true or false", False, True),
    Key("sandbox.time_scale", _between(0.01, 100_000), "a number from 0.01 to 100000", 1),
    Key("oidc.issuer", _url("https", "http"), "the issuer's https:// address", None),
    Key("oidc.audience", _text, "our name at the issuer", None),
    Key("oidc.jwks_url", _url("https", "http"), "the https:// address of its keys", None),
    Key("oidc.iin_claim", _text, "the claim that holds the IIN", "iin"),
    Key("sending.segments_per_second", _between(0.01, 1e6), "what all networks take", 50),
    Key("sending.segment_price", _between(0, 1e6), "tenge a segment, 0 where unknown", 0),
    Key("limits.key_per_second", _between(0, 1e6), "calls a second, 0 for no limit", 2000),
    Key("limits.key_burst", _between(1, 1e6), "calls at once, 1 or more", 4000),
    Key("limits.recipient_per_day", _between(0, 1e6), "offers a day, 0 for no limit", 10, 0),
    Key("limits.phone_per_day", _between(0, 1e6), "offers a day, 0 for no limit", 20, 0),
    Key("registers.people_url", _url("https", "http"), "the mobile citizens base's address", None),
    Key("registers.consents_url", _url("https", "http"), "the consent service's address", None),
    Key("registers.token_file", _text, "a file with the token for both", None),
    Key("registers.every", _between(1, 86_400), "seconds between two looks", 60),
    Key("webhooks.allow_private", _switch, "true or false", False, True),
)
ENVIRONMENT = Key("environment", _environment, '"sandbox" or "production"', None)
BY_NAME: Mapping[str, Key] = {key.name: key for key in (ENVIRONMENT, *KEYS)}
SECTIONS = tuple(dict.fromkeys(key.name.split(".")[0] for key in KEYS))


def flatten(table: Mapping[str, Any], where: str, base: Path) -> dict[str, Given]:
    """{"server": {"port": 1}} as {"server.port": Given(1)}; an unknown key keeps its name."""
    flat: dict[str, Given] = {}
    for name, value in table.items():
        if name in SECTIONS and isinstance(value, dict):
            flat |= {f"{name}.{inner}": Given(v, where, base) for inner, v in value.items()}
        else:
            flat[name] = Given(value, where, base)
    return flat


def from_environ(environ: Mapping[str, str], base: Path) -> dict[str, Given]:
    """JAUAP_SERVER_PORT as server.port; a wrong name in a section we own is kept, to be reported.

    A name with a section we do not own, or one of a secret, is nobody's mistake: bind passwords
    are called as binds.toml likes.
    """
    known = {key.variable: key.name for key in BY_NAME.values()}
    given: dict[str, Given] = {}
    for variable, value in environ.items():
        section = variable.removeprefix("JAUAP_").split("_")[0].lower()
        ours = variable.startswith("JAUAP_") and section in SECTIONS and "_" in variable[6:]
        if variable in known or (ours and not variable.endswith(("PASSWORD", "KEY"))):
            name = known.get(variable, variable)
            given[name] = Given(value, variable, base)
    return given


def shown(value: object) -> str:
    """A value for a finding, without a URL's name and password."""
    return re.sub(r"://[^/@\s]*@", "://…@", repr(value))


def read_all(given: Mapping[str, Given], environment: Environment) -> dict[str, Any]:
    """Every key's value, keyed by its name. Raises SettingsError with all that is wrong."""
    findings = [
        Finding(name, shown(g.value), "no such key", g.where)
        for name, g in given.items()
        if name not in BY_NAME
    ]
    values: dict[str, Any] = {}
    for key in KEYS:
        g = given.get(key.name)
        raw = g.value if g else key.default_in(environment)
        try:
            values[key.name] = key.read(raw) if raw is not None else None
        except ValueError:
            where = g.where if g else "default"
            findings.append(Finding(key.name, shown(raw), key.expected, where))
    findings += _not_in_production(given) if environment is Environment.PRODUCTION else []
    if findings:
        raise SettingsError(tuple(findings))
    return values


def _not_in_production(given: Mapping[str, Given]) -> list[Finding]:
    return [
        Finding(name, shown(g.value), "nothing: [sandbox] is refused in production", g.where)
        for name, g in given.items()
        if name in BY_NAME and name.startswith("sandbox.")
    ]
