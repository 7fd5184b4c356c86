"""What a start needs to know, as one frozen Settings: `jauap.toml` < `JAUAP_*` < flags.

Everything that is wrong is reported at once. Secrets come only from the environment or from files
of their own and are never shown.
"""

import os
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app.configuration import (
    BY_NAME,
    EMBEDDED,
    ENVIRONMENT,
    Environment,
    Finding,
    Given,
    SendingHours,
    SettingsError,
    flatten,
    from_environ,
    read_all,
    shown,
)
from app.master_key import Keys, keys

__all__ = [
    "EMBEDDED",
    "Environment",
    "Finding",
    "SendingHours",
    "Settings",
    "SettingsError",
    "load",
]

DEFAULT_FILE = "jauap.toml"


@dataclass(frozen=True, slots=True)
class Ledger:
    """`url` is "embedded" or postgresql://…"""

    url: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Redis:
    """`url` is "embedded" or redis://…, rediss://…, unix://…"""

    url: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Server:
    """Where the API listens; port 0 takes any free one."""

    host: str
    port: int


@dataclass(frozen=True, slots=True)
class Paths:
    """`data`: embedded servers and the sandbox's key; `binds`: the networks. Both absolute."""

    data: Path
    binds: Path


@dataclass(frozen=True, slots=True)
class Sending:
    """`hours` None means always; `drain_grace`, and `patience` with a message of which nobody knows
    whether it left, are in real seconds, whatever the time scale. The other two are for forecasts:
    what all networks take together, and a segment's price in tenge."""

    hours: SendingHours | None
    drain_grace: float
    patience: float
    segments_per_second: float
    segment_price: float


@dataclass(frozen=True, slots=True)
class Sandbox:
    """Only the sandbox reads these; in production there is no simulator and time runs once."""

    simulator: bool
    time_scale: float


@dataclass(frozen=True, slots=True)
class Oidc:
    """Whose access tokens of citizens we believe; None until an issuer is configured."""

    issuer: str | None
    audience: str | None
    jwks_url: str | None
    iin_claim: str


@dataclass(frozen=True, slots=True)
class Webhooks:
    """`allow_private`: may a webhook go to a private or loopback address?"""

    allow_private: bool


@dataclass(frozen=True, slots=True)
class Limits:
    """How often a key may call, and how many offers a day may be made to one recipient and to one
    phone, whoever makes them; 0 is no limit."""

    key_per_second: float
    key_burst: float
    recipient_per_day: float
    phone_per_day: float


@dataclass(frozen=True, slots=True)
class Registers:
    """The state registers that are read by cursor; None: they write to us, or are not there yet.
    `every` is in seconds."""

    people_url: str | None
    consents_url: str | None
    token_file: str | None
    every: float


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything a start needs. `old_master_keys` are former ones, oldest first; `seal_key` signs
    the journal's seals, and `old_seal_keys` are public keys whose seals still count.
    `master_keys_now` reads the master keys once more where they lie in files, current one last."""

    environment: Environment
    ledger: Ledger
    redis: Redis
    server: Server
    paths: Paths
    sending: Sending
    sandbox: Sandbox
    oidc: Oidc
    webhooks: Webhooks
    limits: Limits
    registers: Registers
    master_key: bytes = field(repr=False)
    old_master_keys: Mapping[int, bytes] = field(default_factory=dict, repr=False)
    seal_key: bytes | None = field(default=None, repr=False)
    old_seal_keys: tuple[bytes, ...] = ()
    master_keys_now: Callable[[], Sequence[bytes]] | None = field(
        default=None, repr=False, compare=False
    )

    @property
    def is_sandbox(self) -> bool:
        return self.environment is Environment.SANDBOX

    def as_environ(self) -> dict[str, str]:
        """The same settings as `JAUAP_*` variables for a child process; secrets excepted."""
        hours, oidc = self.sending.hours, self.oidc
        values: dict[str, object] = {
            "environment": self.environment,
            "ledger.url": self.ledger.url,
            "redis.url": self.redis.url,
            "server.host": self.server.host,
            "server.port": self.server.port,
            "paths.data": self.paths.data,
            "paths.binds": self.paths.binds,
            "sending.hours": "always" if hours is None else hours,
            "sending.drain_grace": self.sending.drain_grace,
            "sending.patience": self.sending.patience,
            "sending.segments_per_second": self.sending.segments_per_second,
            "sending.segment_price": self.sending.segment_price,
            "oidc.issuer": oidc.issuer,
            "oidc.audience": oidc.audience,
            "oidc.jwks_url": oidc.jwks_url,
            "oidc.iin_claim": oidc.iin_claim,
            "webhooks.allow_private": str(self.webhooks.allow_private).lower(),
        }
        for name in ("limits", "registers"):
            section = getattr(self, name)
            values |= {f"{name}.{key}": getattr(section, key) for key in section.__slots__}
        if self.is_sandbox:
            values["sandbox.simulator"] = str(self.sandbox.simulator).lower()
            values["sandbox.time_scale"] = self.sandbox.time_scale
        return {
            BY_NAME[key].variable: str(value) for key, value in values.items() if value is not None
        }


def load(
    config_path: Path | None = None,
    environ: Mapping[str, str] = os.environ,
    flags: Mapping[str, object] | None = None,
    *,
    force_sandbox: bool = False,
) -> Settings:
    """Settings from file < environment < `flags` ({"server.port": 8415}; None counts as not given).

    Without `config_path` a `jauap.toml` in the working directory is read if there is one.
    Paths in the file count from the file's directory, others from the working directory.
    `force_sandbox` refuses what calls itself production. Raises SettingsError.
    """
    here = Path.cwd()
    file = _file(config_path, here)
    given = {**(file or {}), **from_environ(environ, here)}
    for name, value in (flags or {}).items():
        if value is not None:
            given[name] = Given(value, "flag", here)
    environment, findings = _environment(
        given, here, has_file=file is not None, force_sandbox=force_sandbox
    )
    try:
        values = read_all(given, environment)
    except SettingsError as error:
        raise SettingsError((*findings, *error.findings)) from None
    paths = {name: _path(values[name], given.get(name), here) for name in _PATHS}
    findings += _oidc(values, environment) + _places(values, paths, given, environment)
    data = paths["paths.data"] if environment is _SANDBOX and not findings else None
    secrets, key_findings = keys(environ, data, environment)
    if findings + key_findings:
        raise SettingsError((*findings, *key_findings))
    return _settings(environment, values, paths, secrets)


_SANDBOX = Environment.SANDBOX
_PATHS = ("paths.data", "paths.binds")


def _file(path: Path | None, here: Path) -> dict[str, Given] | None:
    chosen = path or here / DEFAULT_FILE
    if path is None and not chosen.is_file():
        return None
    try:
        table = tomllib.loads(chosen.read_text("utf-8"))
    except OSError as error:
        raise _refusal(str(chosen), error.strerror or str(error), "a readable file") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise _refusal(str(chosen), str(error), "TOML in UTF-8") from None
    return flatten(table, str(chosen), chosen.resolve().parent)


def _refusal(where: str, found: str, expected: str) -> SettingsError:
    return SettingsError((Finding("--config", found, expected, where),))


def _environment(
    given: Mapping[str, Given], here: Path, *, has_file: bool, force_sandbox: bool
) -> tuple[Environment, list[Finding]]:
    """Nothing is guessed into a sandbox, except where --sandbox began one and no file is read."""
    said = given.get("environment")
    if said is None:
        data = given.get("paths.data", Given("var", "default", here))
        begun = not has_file and (data.base / str(data.value) / "master.key").is_file()
        if force_sandbox or begun:
            return _SANDBOX, []
        where = "no jauap.toml, JAUAP_ENVIRONMENT or --sandbox says it"
        return _SANDBOX, [Finding("environment", "nothing", ENVIRONMENT.expected, where)]
    try:
        environment: Environment = ENVIRONMENT.read(said.value)
    except ValueError:
        finding = Finding("environment", shown(said.value), ENVIRONMENT.expected, said.where)
        return _SANDBOX, [finding]
    if force_sandbox and environment is not _SANDBOX:
        finding = Finding("environment", '"production"', '"sandbox" for this command', said.where)
        return environment, [finding]
    return environment, []


def _path(value: str, given: Given | None, here: Path) -> Path:
    return ((given.base if given else here) / Path(value).expanduser()).resolve()


def _oidc(values: Mapping[str, Any], environment: Environment) -> list[Finding]:
    names = ("oidc.issuer", "oidc.audience", "oidc.jwks_url")
    set_ = [name for name in names if values[name] is not None]
    missing = [name for name in names if set_ and values[name] is None]
    findings = [
        Finding(name, "nothing", BY_NAME[name].expected, f"{set_[0]} is set") for name in missing
    ]
    for name in ("oidc.issuer", "oidc.jwks_url"):
        plain = str(values[name]).startswith("http://")
        if plain and environment is not _SANDBOX:
            findings.append(Finding(name, shown(values[name]), "https:// in production", "oidc"))
    return findings


def _places(
    values: Mapping[str, Any],
    paths: Mapping[str, Path],
    given: Mapping[str, Given],
    environment: Environment,
) -> list[Finding]:
    """`data` must take files when something of ours lives there; `binds` must be readable."""
    findings = []
    data, binds = paths["paths.data"], paths["paths.binds"]
    embedded = EMBEDDED in (values["ledger.url"], values["redis.url"])
    if embedded or environment is _SANDBOX:
        reason = _unwritable(data)
        if reason:
            findings.append(Finding("paths.data", reason, "a directory we may write", str(data)))
    wanted = "paths.binds" in given and environment is not _SANDBOX
    if (wanted or binds.exists()) and not (binds.is_file() and os.access(binds, os.R_OK)):
        found = "no such file" if not binds.exists() else "no readable file"
        findings.append(Finding("paths.binds", found, "a file we may read", str(binds)))
    return findings


def _unwritable(directory: Path) -> str | None:
    probe = directory / f".probe.{os.getpid()}"
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        probe.write_bytes(b"jauap")
        probe.unlink()
    except OSError as error:
        return f"{error.strerror}"
    return None


def _settings(
    environment: Environment,
    values: Mapping[str, Any],
    paths: Mapping[str, Path],
    secrets: Keys,
) -> Settings:
    def section(name: str) -> dict[str, Any]:
        prefix = name + "."
        return {k.removeprefix(prefix): v for k, v in values.items() if k.startswith(prefix)}

    return Settings(
        environment=environment,
        ledger=Ledger(**section("ledger")),
        redis=Redis(**section("redis")),
        server=Server(**section("server")),
        paths=Paths(data=paths["paths.data"], binds=paths["paths.binds"]),
        sending=Sending(**section("sending")),
        sandbox=Sandbox(**section("sandbox")),
        oidc=Oidc(**section("oidc")),
        webhooks=Webhooks(**section("webhooks")),
        limits=Limits(**section("limits")),
        registers=Registers(**section("registers")),
        master_key=secrets.master,
        old_master_keys=dict(enumerate(secrets.old)),
        seal_key=secrets.seal,
        old_seal_keys=secrets.old_seals,
        master_keys_now=secrets.now,
    )
