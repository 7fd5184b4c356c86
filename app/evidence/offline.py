"""Verifies an exported case file by itself: no ledger, no network, nothing but the file and, if
need be, the public keys that its reader trusts.
"""

import re
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from html import unescape
from typing import Any
from uuid import UUID

import msgspec
from msgspec import Struct

from app.evidence import sealing, summary
from app.evidence.casefile import CaseEntry, CaseSeal
from app.ledger import chain, merkle
from app.ledger.chain import Break, Entry
from app.ledger.seals import Seal, facts_of, leaf_hash
from app.ledger.signing import key_id

_EMBEDDED = re.compile(r'<script type="application/json" id="case">(.*?)</script>', re.DOTALL)


class NoCaseFile(Exception):
    """What was given is no case file; the message says what was found."""


class _File(Struct):
    entries: list[CaseEntry]
    head: str
    case: str | None = None
    offer: dict[str, Any] | None = None
    seals: list[CaseSeal] = []


@dataclass(slots=True)
class Checked:
    """What a case file is worth."""

    case: str
    entries: int
    seals: int
    sealed_entries: int
    keys: list[str]
    breaks: list[Break] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def check(text: bytes, trusted: Mapping[str, bytes] | None = None) -> Checked:
    """Checks the file's chain, what was said, its seals' signatures, and that the case is among
    the cases they cover. Without `trusted` public keys (by their ids) it believes those in the
    file, and says so. Raises NoCaseFile."""
    file = _read(text)
    case = _case_of(file)
    try:
        entries = [_entry(case, one) for one in file.entries]
        head = bytes.fromhex(file.head)
    except ValueError as error:
        raise NoCaseFile(f"found {error}, expected hashes in hex") from None
    breaks = chain.verify(entries, None, head)
    if entries and entries[-1].hash != head:
        breaks.append(Break(str(case), entries[-1].seq, "the last hash is not the file's head"))
    for one in file.entries:
        breaks += [Break(str(case), one.seq, what) for what in _said_faults(one)]
    for what in summary.faults(str(case), file.offer or {}, file.entries):
        breaks.append(Break(str(case), 0, f"offer.{what}"))
    keys = dict(trusted) if trusted else _own_keys(file.seals)
    breaks += list(_seal_breaks(case, entries, file.seals, keys))
    covered = max((seal.seq for seal in file.seals), default=0)
    checked = Checked(
        str(case), len(entries), len(file.seals), min(covered, len(entries)), sorted(keys), breaks
    )
    checked.warnings += _warnings(checked, is_trusted=bool(trusted))
    return checked


def _read(text: bytes) -> _File:
    inside = _EMBEDDED.search(text.decode("utf-8", "replace"))
    raw = unescape(inside[1]).encode() if inside else text
    try:
        return msgspec.json.decode(raw, type=_File)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise NoCaseFile(f"found {error}, expected a case file: JSON or HTML") from None


def _case_of(file: _File) -> UUID:
    if not file.entries:
        raise NoCaseFile("found no entries, expected a case file with at least one")
    try:
        body = msgspec.json.decode(file.entries[0].body)
        return UUID(file.case or body["case"])
    except (msgspec.DecodeError, ValueError, KeyError, TypeError):
        raise NoCaseFile("found no case id, expected one in `case` or in the entries") from None


def _entry(case: UUID, one: CaseEntry) -> Entry:
    return Entry(case, one.seq, one.at, one.kind, one.body.encode(), None, bytes.fromhex(one.hash))


def _said_faults(one: CaseEntry) -> Iterator[str]:
    try:
        facts: Any = msgspec.json.decode(one.body)["facts"]
    except (msgspec.DecodeError, KeyError, TypeError):
        return  # the chain has told of it
    if facts != one.facts:
        yield "facts: altered; they are not those of the body"
    if one.said is None:
        return
    try:
        found = chain.digest(bytes.fromhex(one.said.salt), bytes.fromhex(one.said.octets))
    except ValueError:
        found = ""
    if found != facts.get("said"):
        yield "said: what was said does not match its digest"


def _own_keys(seals: list[CaseSeal]) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for seal in seals:
        try:
            public = bytes.fromhex(str(facts_of(seal.body.encode()).get("public_key")))
        except ValueError:
            continue
        found[key_id(public)] = public
    return found


def _seal_breaks(
    case: UUID, entries: list[Entry], given: list[CaseSeal], keys: Mapping[str, bytes]
) -> Iterator[Break]:
    by_seq = {entry.seq: entry for entry in entries}
    before = 0
    for one in given:
        try:
            seal = _seal(one)
            head, path = bytes.fromhex(one.head), [bytes.fromhex(step) for step in one.path]
            leaf = leaf_hash(case, one.since, one.seq, head)
        except (ValueError, struct.error) as error:
            yield Break(str(case), one.seq, f"seal {one.number}: found {error}, expected a seal")
            continue
        yield from (sealing.about(seal, w) for w in sealing.signature_faults(seal, keys))
        size, root = seal.facts.get("cases"), seal.facts.get("root")
        found = merkle.climb(leaf, one.place, size, path) if isinstance(size, int) else None
        if found is None or found.hex() != root:
            what = f"its path does not lead to the root of the seal of {one.day}"
            yield Break(str(case), one.seq, what)
        entry = by_seq.get(one.seq)
        if entry is None or entry.hash != head:
            what = "gone" if entry is None else "its hash is another than was sealed"
            yield Break(str(case), one.seq, f"{what}; the seal of {one.day} covers it")
        if one.since != before:
            what = f"the seal of {one.day} begins after entry {one.since}, expected after {before}"
            yield Break(str(case), one.seq, f"{what}: a seal was taken out of the file")
        before = one.seq


def _seal(one: CaseSeal) -> Seal:
    return Seal(
        one.number,
        date.fromisoformat(one.day),
        one.body.encode(),
        bytes.fromhex(one.hash),
        bytes.fromhex(one.signature),
        b"",
    )


def _warnings(checked: Checked, *, is_trusted: bool) -> Iterator[str]:
    if checked.sealed_entries < checked.entries:
        first = checked.sealed_entries + 1
        yield f"entries {first} to {checked.entries} are under no seal of this file yet"
    if checked.seals and not is_trusted:
        yield (
            f"the seals are checked with the public key in the file ({', '.join(checked.keys)}); "
            "compare it with the one that was published, or give it: --public-key"
        )
