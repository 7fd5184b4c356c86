"""Reads bodies and queries strictly, and names every field that is not as declared.

The fast path is one decode; only what it refuses is looked at field by field. No value of a caller
ever gets into a fault: it may be an IIN.
"""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from types import UnionType
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

import msgspec

from app.api.problems import Fault, Problem

MOST_FAULTS = 50
Body = TypeVar("Body", bound=msgspec.Struct)

_PATH = re.compile(r" - at `\$\.?(?P<path>.*?)`$")
_TYPES = re.compile(r"Expected `(?P<expected>[a-z0-9 |]+)`, got `(?P<found>[a-z0-9]+)`")
_LENGTH = re.compile(r"Expected `[a-z]+` (?:of length )?(?P<expected>[<>=]{1,2} \S+)")
_ANYTHING = msgspec.json.Decoder()
_JSON_NAMES = {"str": "string", "int": "integer", "float": "number", "bool": "boolean"}


class _Repeated(Exception):
    """A name that an object has twice."""


def read_body(raw: bytes, kind: type[Body]) -> Body:
    """The body of a call. Raises Problem: 400 where it is not JSON, 422 where it does not fit, or
    where it says a thing twice: of two answers nobody knows which is meant."""
    try:
        read = msgspec.json.decode(raw, type=kind)
        _refuse_repeated(raw)
        return read
    except msgspec.ValidationError as error:
        raise _explained(raw, kind, error) from None
    except (msgspec.DecodeError, ValueError, RecursionError):
        raise Problem("malformed") from None


def _refuse_repeated(raw: bytes) -> None:
    """Decoders keep the last of several; the standard library's shows them all."""
    try:
        json.loads(raw, object_pairs_hook=_once)
    except _Repeated as error:
        raise Problem("invalid", Fault(shown(str(error)), "repeated")) from None


def _once(pairs: list[tuple[str, object]]) -> None:
    if len({name for name, _ in pairs}) < len(pairs):
        names = [name for name, _ in pairs]
        raise _Repeated(next(name for name in names if names.count(name) > 1))


def read_query(values: Mapping[str, str], kind: type[Body]) -> Body:
    """The query of a call; numbers are read from their digits, and nothing is the absence of a
    value but its absence. Raises Problem (422)."""
    try:
        read = msgspec.convert(values, type=kind, strict=False)
        wrong = [Fault(n, why) for n in values if (why := _guessed(values[n], getattr(read, n)))]
        if wrong:
            raise Problem("invalid", *wrong)
        return read
    except msgspec.ValidationError as error:
        faults = list(_faults(dict(values), kind, "", strict=False))
        raise Problem("invalid", *(faults or [_fault(str(error), "")])) from None


def _guessed(raw: str, value: object) -> str | None:
    """What the decoder made of a text where it was too kind: null of "null", a time of seconds."""
    if isinstance(value, datetime) and not re.match(r"\d{4}-", raw):
        return "time"
    return "value" if value is None else None


def read_row(value: object, kind: type[Body]) -> Body | tuple[Fault, ...]:
    """One row of a file, or all that is wrong with it."""
    try:
        return msgspec.convert(value, type=kind)
    except msgspec.ValidationError as error:
        found = tuple(_faults(value, kind, "", strict=True))
        return found or (_fault(str(error), ""),)


def _explained(raw: bytes, kind: type[msgspec.Struct], error: Exception) -> Problem:
    """All faults of a body, or at least the one the decoder stopped at."""
    try:
        value = _ANYTHING.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Problem("malformed")
    faults = []
    for fault in _faults(value, kind, "", strict=True):
        faults.append(fault)
        if len(faults) == MOST_FAULTS:
            break
    return Problem("invalid", *(faults or [_fault(str(error), "")]))


def _faults(value: object, kind: Any, path: str, *, strict: bool) -> Iterator[Fault]:
    """Every fault of `value`, which should be a `kind`, below `path` ("offers[3].iin")."""
    struct = _struct_of(kind)
    row = _row_of(kind)
    if struct is not None and isinstance(value, dict):
        yield from _struct_faults(value, struct, path, strict=strict)
    elif row is not None and isinstance(value, list) and _fits_but_rows(value, kind):
        for index, item in enumerate(value):
            yield from _faults(item, row, f"{path}[{index}]", strict=strict)
    else:
        try:
            msgspec.convert(value, type=kind, strict=strict)
        except msgspec.ValidationError as error:
            yield _fault(str(error), path)


def _struct_faults(
    value: dict[str, Any], struct: type[msgspec.Struct], path: str, *, strict: bool
) -> Iterator[Fault]:
    fields = {f.encode_name: f for f in msgspec.structs.fields(struct)}
    for name, declared in fields.items():
        if name in value:
            yield from _faults(value[name], declared.type, _join(path, name), strict=strict)
        elif declared.required:
            yield Fault(_join(path, name), "missing")
    for name in value:
        if name not in fields:
            yield Fault(_join(path, shown(name)), "unknown")


def _fits_but_rows(value: list[Any], kind: Any) -> bool:
    """True unless the list itself is too long or too short; then its rows are not looked at."""
    limits = [a for a in get_args(kind)[1:] if isinstance(a, msgspec.Meta)]
    return all(
        (m.min_length or 0) <= len(value) and (m.max_length is None or len(value) <= m.max_length)
        for m in limits
    )


def _struct_of(kind: Any) -> type[msgspec.Struct] | None:
    """The struct that `kind` is, or is when it is not None."""
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return kind
    if get_origin(kind) in (Union, UnionType):
        structs = [s for s in map(_struct_of, get_args(kind)) if s is not None]
        return structs[0] if len(structs) == 1 else None
    return None


def _row_of(kind: Any) -> Any:
    """What a list of structs is a list of."""
    if get_origin(kind) is Annotated:
        return _row_of(get_args(kind)[0])
    if get_origin(kind) is list and _struct_of(get_args(kind)[0]) is not None:
        return get_args(kind)[0]
    return None


def _fault(message: str, path: str) -> Fault:
    """One of the decoder's messages as a fault; of its text only types and limits are kept."""
    if at := _PATH.search(message):
        path = _join(path, at["path"])
    if found := _TYPES.search(message):
        named = {name: _json_name(found[name]) for name in ("expected", "found")}
        return Fault(path, "type", named)
    if limit := _LENGTH.search(message):
        return Fault(path, "form", {"expected": limit["expected"]})
    if "enum value" in message:
        return Fault(path, "choice")
    if "datetime" in message:
        return Fault(path, "time")
    return Fault(path, "value")


def _json_name(types: str) -> str:
    """The decoder's types as JSON calls them."""
    return " | ".join(_JSON_NAMES.get(one, one) for one in types.split(" | "))


def _join(path: str, name: str) -> str:
    return path + name if not path or name.startswith("[") or not name else f"{path}.{name}"


def shown(name: str) -> str:
    """An unknown field's name as it may be repeated: short, and no digits of a person."""
    plain = re.sub(r"\d{6,}", "…", name)
    return plain[:40] if plain.isprintable() else "?"
