"""What the values of binds.toml may be: a check returns the value to use, or says what it expects.

Pure. The keys themselves, and what only two of them together can tell, are for smpp.binds.
"""

import re
from collections.abc import Callable
from typing import Any, Final, Literal, get_args
from zoneinfo import ZoneInfo, available_timezones

Codec = Literal["gsm7", "ascii", "latin1", "cyrillic", "cp1251", "ucs2", "utf8"]


class Wrong(Exception):
    """What a value should have been."""


def show(value: Any) -> str:
    """A value as a problem shows it."""
    return "nothing" if value is None else repr(value)


def fits(text: str, most: int, least: int = 1) -> bool:
    """Whether a text is `least` to `most` printable ASCII characters."""
    return least <= len(text) <= most and text.isascii() and text.isprintable()


def ascii_of(most: int, least: int = 0) -> Callable[[Any], str]:
    """A text of `least` to `most` ASCII characters."""

    def check(value: Any) -> str:
        if isinstance(value, str) and fits(value, most, least):
            return value
        raise Wrong(f"{least} to {most} ASCII characters")

    return check


def whole(least: int, most: int) -> Callable[[Any], int]:
    """A whole number within bounds."""

    def check(value: Any) -> int:
        if type(value) is int and least <= value <= most:
            return value
        raise Wrong(f"a whole number from {least} to {most}")

    return check


def number(least: float, most: float, unit: str) -> Callable[[Any], float]:
    """A number within bounds, in a unit that the message names."""

    def check(value: Any) -> float:
        if type(value) in (int, float) and least <= value <= most:
            return float(value)
        raise Wrong(f"{least:g} to {most:g} {unit}")

    return check


def one_of(*words: str | int) -> Callable[[Any], Any]:
    """One of these words or numbers."""

    def check(value: Any) -> Any:
        if type(value) in (str, int) and value in words:
            return value
        raise Wrong("one of " + ", ".join(str(word) for word in words))

    return check


def matching(pattern: str, expected: str) -> Callable[[Any], str]:
    """A text of a pattern; `expected` puts the pattern in words."""
    compiled = re.compile(pattern)

    def check(value: Any) -> str:
        if isinstance(value, str) and compiled.fullmatch(value):
            return value
        raise Wrong(expected)

    return check


def yes_or_no(value: Any) -> bool:
    """true or false."""
    if isinstance(value, bool):
        return value
    raise Wrong("true or false")


def zone(value: Any) -> str:
    """The name of a time zone, or nothing."""
    if value == "" or (isinstance(value, str) and value in available_timezones()):
        ZoneInfo(value or "UTC")
        return str(value)
    raise Wrong('"" or a time zone such as "Asia/Almaty"')


def codings(value: Any) -> dict[str, str]:
    """data_coding values, spelled in decimal, to names of codecs."""
    codecs = get_args(Codec)
    if not isinstance(value, dict) or not all(codec in codecs for codec in value.values()):
        raise Wrong('{ "0" = "gsm7", ... } with ' + ", ".join(codecs))
    if not all(re.fullmatch(r"[0-9]{1,3}|0x[0-9a-fA-F]{1,2}", key) for key in value):
        raise Wrong('data_coding values from "0" to "255" or "0x00" to "0xff"')
    codings = {int(key, 16 if key.startswith("0x") else 10): codec for key, codec in value.items()}
    if max(codings, default=0) > 255:
        raise Wrong('data_coding values up to "255"')
    return {str(coding): codec for coding, codec in codings.items()}


def prefixes(value: Any) -> tuple[str, ...]:
    """Leading digits of numbers."""
    if isinstance(value, list) and all(
        isinstance(one, str) and re.fullmatch(r"[0-9]{1,15}", one) for one in value
    ):
        return tuple(value)
    raise Wrong('a list of leading digits such as ["7701"], without "+"')


def tag(value: Any) -> int:
    """A TLV's tag, as a number or as text such as "0x1383"."""
    if isinstance(value, str) and re.fullmatch(r"0x[0-9a-fA-F]{1,4}", value):
        value = int(value, 16)
    if type(value) is int and 0 < value <= 0xFFFF:
        return value
    raise Wrong('a tag such as "0x1383"')


def operations(names: tuple[str, ...]) -> Callable[[Any], dict[str, int]]:
    """Operations by name, each with the number that this network has for it."""

    def check(value: Any) -> dict[str, int]:
        if (
            isinstance(value, dict)
            and set(value) <= set(names)
            and all(type(op) is int and 0 <= op <= 255 for op in value.values())
        ):
            return value
        raise Wrong("{ pssr_response = 17, ... } with 0 to 255 and " + ", ".join(names))

    return check


pin: Final = matching(r"([0-9a-fA-F]{64})?", "64 hexadecimal digits")
cid: Final = matching(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", "letters, digits, . _ - (64 at most)")
ton: Final = whole(0, 6)
npi: Final = one_of(0, 1, 3, 4, 6, 8, 9, 10, 14, 18)
code: Final = matching(r"[*#0-9]{2,20}", 'a service code such as "*1414#"')
delay: Final = number(0.01, 3600, "seconds")
