"""The binds that a network's engineer fills in: binds.toml to frozen `Bind`s, or all its faults.

Nothing is guessed or cut to fit: an unknown key, or a system_id longer than SMPP carries, stops
the start. Passwords come from the environment or a file, never from the TOML.
"""

import difflib
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal, get_args

from smpp import checks
from smpp.checks import Codec
from smpp.messages import UssdOp

BindType = Literal["transmitter", "receiver", "transceiver"]
LongMessage = Literal["udh8", "udh16", "sar", "payload"]
MessageIds = Literal["auto", "hex-to-dec", "dec-to-hex", "verbatim"]
UssdPdu = Literal["submit_sm", "data_sm"]
UssdCoding = Literal["auto", "cbs", "sms"]
InterfaceVersion = Literal["3.4", "3.3"]

RECONNECT_DELAY: Final = 1.0
RECONNECT_DELAY_MAX: Final = 60.0


@dataclass(frozen=True, slots=True)
class Tls:
    """How to trust the network's end: a CA file (None: the system's), our certificate, a pin."""

    ca: Path | None = None
    cert: Path | None = None
    key: Path | None = None
    pin_sha256: str = ""  # of the server certificate's DER, 64 hex digits


@dataclass(frozen=True, slots=True)
class BindUssd:
    """How this bind carries USSD: the keys of its `ussd` table."""

    service_code: str
    pdu: UssdPdu = "submit_sm"
    data_coding: UssdCoding = "auto"  # as the PDU that is answered; cbs: 0x0F, 0x48; sms: 0, 8
    session_tlv: int = 0x1383  # its_session_info, or the tag of the vendor's own
    ops: Mapping[str, int] = field(default_factory=dict)  # where the gateway's numbers are others
    timeout: float = 20  # seconds after which the gateway takes no more screen for an answer


@dataclass(frozen=True, slots=True)
class Bind:
    """One bind; the fields are the keys of binds.toml. Durations are in seconds."""

    cid: str
    network: str
    host: str
    port: int
    system_id: str
    password: str = field(repr=False)
    bind: BindType = "transceiver"
    system_type: str = ""
    interface_version: InterfaceVersion = "3.4"
    source_addr: str = "1414"
    source_addr_ton: int = 3
    source_addr_npi: int = 0
    dest_addr_ton: int = 1
    dest_addr_npi: int = 1
    address_range: str = ""
    tls: Tls | None = None
    window: int = 10
    throughput: float = 0
    enquire_link_interval: float = 30
    response_timeout: float = 10
    reconnect_delay: float = RECONNECT_DELAY
    reconnect_delay_max: float = RECONNECT_DELAY_MAX
    validity_period: int = 86_400
    long_message: LongMessage = "udh16"
    receipts: bool = True
    receipt_time_zone: str = ""
    message_id: MessageIds = "auto"
    data_coding_in: Mapping[str, Codec] = field(default_factory=dict)  # "0" to "255"
    query: bool = False  # whether the SMSC answers query_sm
    ussd: BindUssd | None = None
    prefixes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault: where it is, what was found there and what is expected."""

    key: str
    found: str
    expected: str

    def __str__(self) -> str:
        return f"{self.key}: found {self.found}, expected {self.expected}"


class BindsError(Exception):
    """binds.toml cannot be used; `problems` lists all its faults."""

    def __init__(self, path: Path, problems: tuple[Problem, ...]) -> None:
        super().__init__("\n".join(f"{path}: {problem}" for problem in problems))
        self.path = path
        self.problems = problems


def load(path: Path, env: Mapping[str, str]) -> tuple[Bind, ...]:
    """The binds of a TOML file, with passwords taken from `env` or from files beside it. Raises
    BindsError with all the faults of all the binds together."""
    problems: list[Problem] = []
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BindsError(path, (Problem("file", str(error), "a readable file"),)) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BindsError(path, (Problem("file", str(error), "TOML in UTF-8"),)) from None
    problems += [
        Problem(key, "an unknown key", "[[bind]] tables only") for key in document if key != "bind"
    ]
    tables = document.get("bind")
    if not isinstance(tables, list) or not tables or not all(isinstance(t, dict) for t in tables):
        problems.append(Problem("bind", checks.show(tables), "one or more [[bind]] tables"))
        raise BindsError(path, tuple(problems))
    read = [_Table(f"bind[{n}]", table, path.parent, env) for n, table in enumerate(tables, 1)]
    binds = [table.bind() for table in read]
    problems += [problem for table in read for problem in table.problems]
    problems += _twice(read)
    if problems:
        raise BindsError(path, tuple(problems))
    return tuple(bind for bind in binds if bind is not None)


class _Table:
    """Reads one [[bind]] table, gathering its problems instead of stopping at the first."""

    def __init__(
        self, name: str, table: dict[str, Any], folder: Path, env: Mapping[str, str]
    ) -> None:
        self.cid = table.get("cid")
        self.name = f"{name} ({self.cid})" if isinstance(self.cid, str) and self.cid else name
        self.table = table
        self.folder = folder
        self.env = env
        self.problems: list[Problem] = []

    def bind(self) -> Bind | None:
        """The bind, or None when there are problems."""
        self._refuse_unknown("", self.table, (*_KEYS, *_APART))
        values: dict[str, Any] = {}
        for key, check in _KEYS.items():
            if key in self.table:
                values[key] = self._checked(key, self.table[key], check)
            elif key in _REQUIRED:
                self._problem(key, "nothing", _REQUIRED[key])
        values["password"] = self._password()
        values["tls"] = self._tls(self.table.get("tls", False))
        values["ussd"] = self._ussd(self.table.get("ussd", False))
        self._weigh(values)
        return None if self.problems else Bind(**values)

    def _checked(self, key: str, value: Any, check: Callable[[Any], Any]) -> Any:
        try:
            return check(value)
        except checks.Wrong as wrong:
            self._problem(key, checks.show(value), str(wrong))
            return None

    def _password(self) -> str:
        """The password itself is never shown, not even when it is too long."""
        named = [key for key in ("password_env", "password_file") if key in self.table]
        if len(named) != 1 or not isinstance(self.table[named[0]], str):
            found = " and ".join(named) if named else "nothing"
            self._problem("password_env", found, "one of password_env and password_file")
            return ""
        key, source = named[0], self.table[named[0]]
        if key == "password_env":
            password = self.env.get(source)
            if password is None:
                self._problem(key, f"no {source} in the environment", "a variable that is set")
                return ""
        else:
            try:
                password = (self.folder / source).read_text(encoding="utf-8").rstrip("\r\n")
            except (OSError, UnicodeDecodeError) as error:
                self._problem(key, str(error), "a readable file")
                return ""
        if not checks.fits(password, 8):
            found = f"a password of {len(password)} characters"
            self._problem(key, found, "1 to 8 ASCII characters (SMPP 3.4, 5.2.2)")
        return password

    def _tls(self, value: Any) -> Tls | None:
        if isinstance(value, bool):
            return Tls() if value else None
        if not isinstance(value, dict):
            self._problem("tls", checks.show(value), "true, false or { ca, cert, key, pin_sha256 }")
            return None
        self._refuse_unknown("tls.", value, ("ca", "cert", "key", "pin_sha256"))
        if "key" in value and "cert" not in value:
            self._problem("tls.key", "a key without a certificate", "tls.cert as well")
        files = {k: self._file(f"tls.{k}", value.get(k)) for k in ("ca", "cert", "key")}
        pin = self._checked("tls.pin_sha256", value.get("pin_sha256", ""), checks.pin)
        return Tls(**files, pin_sha256=pin or "")

    def _ussd(self, value: Any) -> BindUssd | None:
        if value is False:
            return None
        if not isinstance(value, dict) or "service_code" not in value:
            self._problem("ussd", checks.show(value), 'false or { service_code = "*1414#" }')
            return None
        self._refuse_unknown("ussd.", value, tuple(_USSD))
        found = {
            key: self._checked(f"ussd.{key}", value[key], check)
            for key, check in _USSD.items()
            if key in value
        }
        return BindUssd(**found)

    def _file(self, key: str, value: Any) -> Path | None:
        if value is None:
            return None
        if isinstance(value, str) and (self.folder / value).is_file():
            return self.folder / value
        self._problem(key, checks.show(value), "the path of a file")
        return None

    def _weigh(self, values: dict[str, Any]) -> None:
        """What only two keys together can tell."""
        first = values.get("reconnect_delay", RECONNECT_DELAY)
        most = values.get("reconnect_delay_max", RECONNECT_DELAY_MAX)
        if first is not None and most is not None and most < first:
            self._problem("reconnect_delay_max", str(most), f"reconnect_delay ({first}) or more")
        source = values.get("source_addr")
        if values.get("source_addr_ton", 3) == 5 and source is not None and len(source) > 11:
            self._problem("source_addr", checks.show(source), "at most 11 characters with TON 5")
        if values.get("interface_version") == "3.3":
            self._weigh_old(values)

    def _weigh_old(self, values: dict[str, Any]) -> None:
        """SMPP 3.3 has no optional parameters, and some things are nothing but such."""
        if values.get("long_message") in ("sar", "payload"):
            found = f"{values['long_message']!r} with interface_version 3.3"
            self._problem("long_message", found, '"udh16" or "udh8"')
        if values.get("ussd") is not None:
            self._problem("ussd", "USSD with interface_version 3.3", "interface_version 3.4")

    def _refuse_unknown(self, prefix: str, table: dict[str, Any], known: tuple[str, ...]) -> None:
        for key in table:
            if key not in known:
                near = difflib.get_close_matches(key, known, 1)
                expected = f"{prefix}{near[0]}" if near else "one of " + ", ".join(sorted(known))
                if key == "password":
                    expected = "password_env or password_file: no secrets in this file"
                self._problem(prefix + key, "an unknown key", expected)

    def _problem(self, key: str, found: str, expected: str) -> None:
        self.problems.append(Problem(f"{self.name}.{key}", found, expected))


def _twice(tables: list[_Table]) -> list[Problem]:
    problems: list[Problem] = []
    seen: dict[str, str] = {}
    for table in tables:
        if isinstance(table.cid, str) and table.cid in seen:
            found = f"{table.cid!r}, which {seen[table.cid]} has too"
            problems.append(Problem(f"{table.name}.cid", found, "a cid of its own"))
        elif isinstance(table.cid, str):
            seen[table.cid] = table.name
    return problems


_REQUIRED: Final = {
    "cid": "a unique name",
    "network": "the network's name",
    "host": "a host name or address",
    "port": "a port",
    "system_id": "1 to 15 ASCII characters",
}
_APART: Final = ("password_env", "password_file", "tls", "ussd")
_KEYS: Final[dict[str, Callable[[Any], Any]]] = {
    "cid": checks.cid,
    "network": checks.cid,
    "host": checks.ascii_of(253, 1),
    "port": checks.whole(1, 65_535),
    "bind": checks.one_of(*get_args(BindType)),
    "system_id": checks.ascii_of(15, 1),
    "system_type": checks.ascii_of(12),
    "interface_version": checks.one_of(*get_args(InterfaceVersion)),
    "source_addr": checks.ascii_of(20),
    "source_addr_ton": checks.ton,
    "source_addr_npi": checks.npi,
    "dest_addr_ton": checks.ton,
    "dest_addr_npi": checks.npi,
    "address_range": checks.ascii_of(40),
    "window": checks.whole(1, 10_000),
    "throughput": checks.number(0, 100_000, "segments per second"),
    "enquire_link_interval": checks.delay,
    "response_timeout": checks.delay,
    "reconnect_delay": checks.delay,
    "reconnect_delay_max": checks.delay,
    "validity_period": checks.whole(60, 63 * 86_400),
    "long_message": checks.one_of(*get_args(LongMessage)),
    "receipts": checks.yes_or_no,
    "receipt_time_zone": checks.zone,
    "query": checks.yes_or_no,
    "message_id": checks.one_of(*get_args(MessageIds)),
    "data_coding_in": checks.codings,
    "prefixes": checks.prefixes,
}
_OPS: Final = tuple(op.name.lower() for op in UssdOp)
_USSD: Final[dict[str, Callable[[Any], Any]]] = {
    "service_code": checks.code,
    "pdu": checks.one_of(*get_args(UssdPdu)),
    "data_coding": checks.one_of(*get_args(UssdCoding)),
    "session_tlv": checks.tag,
    "ops": checks.operations(_OPS),
    "timeout": checks.delay,
}
