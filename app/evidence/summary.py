"""What is said of an offer beside its journal, on top of a case file or in its own row, held
against the entries that prove it.

Pure. That is what people read first, so it must not say what the chain does not.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from app.evidence.casefile import CaseEntry

# What an offer is after an entry of a kind; an answer's own entry names the state itself.
_AFTER: Final[Mapping[str, str]] = {
    "made": "made",
    "submitted": "sent",
    "returned": "made",
    "received": "awaiting",
    "yes": "accepted",
    "no": "declined",
    "stopped": "declined",
    "wrong_person": "undelivered",
    "lapsed": "expired",
    "not-delivered": "undelivered",
    "withdrawn": "withdrawn",
    "consent-revoked": "withdrawn",
    "gate-failed": "withdrawn",
    "rendered": "rendered",
    "refused": "refused",
}
_OPEN: Final = frozenset({"made", "sent", "awaiting"})
_RECEIVED: Final = frozenset({"received", "received-later"})
_ANSWERS: Final = frozenset({"yes", "no", "stopped"})


def faults(case: str, summary: Mapping[str, Any], entries: Sequence[CaseEntry]) -> Iterator[str]:
    """What a summary says of an offer that its entries do not. A field that it leaves out says
    nothing; `reference`, `language` and `sent_at` are no facts of the chain."""
    proven = _proven(case, entries)
    for name, value in proven.items():
        if name in summary and _moment(summary[name]) != _moment(value):
            yield f"{name}: found {summary[name]!r}, but the entries say {value!r}"


def _proven(case: str, entries: Sequence[CaseEntry]) -> dict[str, object]:
    found: dict[str, Any] = {
        "id": case,
        **dict.fromkeys(("state", "received_at", "deadline", "closed_at", "answered_by")),
    }
    for one in entries:
        if one.kind == "made":
            found |= {"service": one.facts.get("service"), "created_at": _written(one)}
        if one.kind in _RECEIVED:
            found |= {name: one.facts.get(name) for name in ("received_at", "deadline")}
        state = _AFTER.get(one.kind)
        if state is None:
            continue
        _answer(found, one)
        found["state"] = one.facts.get("state", state)
        if found["state"] not in _OPEN and found["closed_at"] is None:
            found["closed_at"] = _written(one)
    return found


def _answer(found: dict[str, Any], one: CaseEntry) -> None:
    """A reply that comes before its receipt proves receipt."""
    if "how" not in one.facts:
        return
    if found["received_at"] is None and found["state"] == "sent":
        found["received_at"] = one.facts.get("received_at")
    if one.kind in _ANSWERS:
        found["answered_by"] = one.facts["how"]


def _moment(value: object) -> object:
    """Times are compared as times, however they are written."""
    try:
        return datetime.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        return value


def _written(one: CaseEntry) -> str:
    return one.at.isoformat().replace("+00:00", "Z")
