"""After the storm: what the centre and the provider counted, held against the ledger's word."""

import json
import subprocess
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from app.exchange.inheritance import DOUBTS
from app.ledger.chain import SALT
from app.ledger.engine import sql
from app.runtime import Runtime
from tests.chaos.people import OUTCOMES, REPLIES, phone_of, role_of
from tests.chaos.town import Hook, Provider
from tests.e2e.house import JAUAP, House, clean_environ
from tests.server_logs import OF_BEING_KILLED, OF_LOST_RACES, counted, troubles, unprovoked

FEW = 500  # one in so many at most has their question struck so often; more are a fault of ours
SOME = 100  # one in so many at most meets a receipt that could mean something else
EXCUSED = (*OF_BEING_KILLED, *OF_LOST_RACES)
ENDS = ("offer.accepted", "offer.declined", "offer.expired", "offer.undelivered")


@dataclass(frozen=True, slots=True)
class Line:
    """One promise, what was found, and whether it was kept."""

    promise: str
    found: str
    is_kept: bool = True


def table(lines: Sequence[Line]) -> str:
    """The lines, aligned."""
    width = max(len(line.promise) for line in lines)
    mark = {True: "  ", False: "✗ "}
    return "\n".join(f"{mark[n.is_kept]}{n.promise:<{width}}  {n.found}" for n in lines)


def reckon(
    house: House,
    provider: Provider,
    hook: Hook,
    report: Mapping[str, Any],
    states: Mapping[str, str],
    blows: Mapping[str, int],
) -> list[Line]:
    """Every promise of the storm."""
    with house.runtime() as rt:
        lines = [
            Line("blows", ", ".join(f"{name} {n}" for name, n in sorted(blows.items()))),
            Line("conversations", f"{len(states)}, {dict(Counter(states.values()))}"),
            _outcomes(rt, provider, states),
            _one_outcome(rt, provider, hook),
            *_heard(rt, report),
            *_handed_over(rt, provider, hook),
            _received(rt, report),
            _doubled(rt, report),
            _left(rt),
            _places(rt),
            _verified(house),
        ]
    return [*lines, *_logs(house.folder / "var", len(states)), *_own_log(house)]


def _outcomes(rt: Runtime, provider: Provider, states: Mapping[str, str]) -> Line:
    given_up = _given_up(rt)
    wrong: list[tuple[str, str, str]] = []
    excused = 0
    for reference, state in states.items():
        role = role_of(phone_of(int(reference.removeprefix("r-"))))
        if state in OUTCOMES[role]:
            continue
        if state == "undelivered" and not REPLIES[role] and provider.offers[reference] in given_up:
            excused += 1
        else:
            wrong.append((reference, role, state))
    found = _some([f"{r} ({role}): {state}" for r, role, state in wrong])
    if wrong:
        found += f"; {wrong[0][0]} was {_told_of(rt, provider.offers[wrong[0][0]])}"
    if excused:
        found += f"; {excused} undelivered whose question was struck {DOUBTS} times"
    is_kept = not wrong and excused <= max(1, len(states) // FEW)
    return Line("offers that ended otherwise than their people said", found, is_kept)


def _given_up(rt: Runtime) -> set[str]:
    """Cases of which one message was unknown so often that it is not sent again: by rule they end
    as undelivered, whatever their people meant to do."""
    query = f"""SELECT case_id FROM journal WHERE kind = 'message-unknown'
        GROUP BY case_id, convert_from(body, 'UTF8')::jsonb #>> '{{facts,message}}'
        HAVING count(*) >= {DOUBTS}"""
    return {str(r.case_id) for r in _rows(rt, query)}


def _told_of(rt: Runtime, offer: str) -> str:
    """What the journal says of a case, for whoever has to find out why."""
    query = f"SELECT kind, at FROM journal WHERE case_id = '{UUID(offer)}' ORDER BY seq"
    return ", ".join(f"{r.kind} {r.at:%d %H:%M}" for r in _rows(rt, query))


def _rows(rt: Runtime, query: str) -> list[Any]:
    with rt.ledger.begin() as tx:
        return list(tx.execute(sql(query)))


def _one_outcome(rt: Runtime, provider: Provider, hook: Hook) -> Line:
    """Both by the ledger and by what the provider heard."""
    written = Counter(
        str(r.case_id) for r in _rows(rt, "SELECT case_id, type FROM events") if r.type in ENDS
    )
    told = Counter(e["case"] for e in {e["id"]: e for e in hook.events}.values()
                   if e["type"] in ENDS)  # fmt: skip
    wrong = [o for o in provider.offers.values() if written[o] != 1 or told[o] != 1]
    return Line("offers without exactly one outcome", _some(wrong), not wrong)


def _heard(rt: Runtime, report: Mapping[str, Any]) -> list[Line]:
    """Every reply that got an ESME_ROK, by its words, in the journal or kept beside it."""
    kept: dict[str, Counter[str]] = {}
    said = """SELECT o.facts, o.id AS place, e.sealed FROM journal_evidence e
        JOIN offers o ON o.id = e.case_id"""
    phones: dict[bytes, str] = {}
    for phone in report["acknowledged"]:
        phones[rt.vault.index("phone", phone)] = phone
    by_case = {r.id: bytes(r.phone_index) for r in _rows(rt, "SELECT id, phone_index FROM offers")}
    for r in _rows(rt, said):
        octets = rt.vault.open(bytes(r.sealed), r.place.bytes)[SALT:]
        _count(kept, phones, by_case[r.place], octets)
    for r in _rows(rt, "SELECT id, phone_index, octets FROM heard"):
        _count(kept, phones, bytes(r.phone_index), rt.vault.open(bytes(r.octets), r.id.bytes))
    lost = [
        (phone, text)
        for phone, texts in report["acknowledged"].items()
        for text, times in Counter(texts).items()
        if kept.get(phone, Counter())[text] < times
    ]
    acknowledged = sum(map(len, report["acknowledged"].values()))
    stored = sum(sum(texts.values()) for texts in kept.values())
    return [
        Line("replies acknowledged; stored", f"{acknowledged}; {stored}"),
        Line("replies refused for now; delivered again after a lost link",
             f"{report['refused']}; {report['redelivered']}"),
        Line("replies acknowledged and not stored", _some(lost), not lost),
    ]  # fmt: skip


def _count(
    kept: dict[str, Counter[str]], phones: Mapping[bytes, str], index: bytes, octets: bytes
) -> None:
    if index in phones:
        text = octets.decode("utf-16-be", "replace")
        kept.setdefault(phones[index], Counter())[text] += 1


def _received(rt: Runtime, report: Mapping[str, Any]) -> Line:
    """Whatever receipt was acknowledged, its segment has it."""
    waiting = _rows(rt, "SELECT smsc_id FROM segments WHERE receipt IS NULL AND smsc_id <> ''")
    lost = {r.smsc_id for r in waiting} & set(report["received"])
    found = f"{len(report['received'])}; {_some(sorted(lost))}"
    return Line("receipts acknowledged; and not stored", found, not lost)


def _handed_over(rt: Runtime, provider: Provider, hook: Hook) -> list[Line]:
    """Every event under one id, in its case's order; a repeat is the same event."""
    first: dict[str, dict[str, Any]] = {}
    for event in hook.events:
        first.setdefault(event["id"], event)
    written = {str(r.id) for r in _rows(rt, "SELECT id FROM events")}
    missing = written - set(first)
    twins = [k for k, n in Counter((e["case"], e["sequence"]) for e in first.values()).items()
             if n > 1]  # fmt: skip
    by_case: dict[str, list[int]] = {}
    for event in first.values():
        by_case.setdefault(event["case"], []).append(event["sequence"])
    unordered = [case for case, numbers in by_case.items() if numbers != sorted(numbers)]
    repeats = len(hook.events) - len(first)
    return [
        Line("events handed over; posts repeated under the same id", f"{len(first)}; {repeats}"),
        Line("events that never arrived", _some(sorted(missing)), not missing),
        Line("events with two ids, or out of order", _some([*twins, *unordered]),
             not twins and not unordered),
        Line("events not signed, or not the same when repeated", _some(hook.wrong), not hook.wrong),
        Line("provider's calls repeated under one key", f"{provider.repeated}"),
    ]  # fmt: skip


def _doubled(rt: Runtime, report: Mapping[str, Any]) -> Line:
    """The journal says of every message that was sent again without being known to be lost; what
    belongs to no case has no journal, and its doubts are in the outbox."""
    [journalled] = _rows(
        rt, "SELECT count(*) AS n FROM journal WHERE kind IN ('message-sent-again')"
    )
    [caseless] = _rows(rt, "SELECT coalesce(sum(doubts), 0) AS n FROM outbox WHERE case_id IS NULL")
    unknown, doubled = journalled.n + caseless.n, report["messages_doubled"]
    return Line(
        "messages doubled, of those sent again after an unknown fate",
        f"{doubled} of {unknown} ({report['submits']} segments in all)",
        doubled <= unknown,
    )


def _places(rt: Runtime) -> Line:
    """Whoever has an open offer of a service, and nobody else, can be made no other."""
    query = """SELECT coalesce(o.id, p.offer_id) AS id FROM offers o
        FULL JOIN open_offers p
            ON p.offer_id = o.id AND p.recipient_id = o.recipient_id AND p.service = o.service
        WHERE (o.state IN ('made', 'sent', 'awaiting')) IS DISTINCT FROM (p.offer_id IS NOT NULL)"""
    wrong = [str(r.id) for r in _rows(rt, query)]
    return Line("offers open without their place, or ended with it", _some(wrong), not wrong)


def undone(rt: Runtime) -> int:
    """How many events wait to be handed over, or were given up."""
    return int(_rows(rt, "SELECT count(*) AS n FROM deliveries WHERE state <> 'done'")[0].n)


def _left(rt: Runtime) -> Line:
    found = _rows(
        rt, "SELECT state, count(*) AS n FROM outbox WHERE state IN ('ready', 'unknown') GROUP BY 1"
    )
    due = undone(rt)
    words = ", ".join(f"{r.n} {r.state}" for r in found) or "none"
    said = f"messages: {words}; deliveries: {due}"
    return Line("left behind in the ledger", said, not found and not due)


def _verified(house: House) -> Line:
    done = subprocess.run(
        [*JAUAP, "journal", "verify", "--json", "--config", str(house.config)],
        cwd=house.folder,
        env=clean_environ(),
        capture_output=True,
        text=True,
    )
    try:
        told = json.loads(done.stdout)
    except ValueError:
        return Line("jauap journal verify", done.stderr[-300:], False)
    said = f"{told['cases']} cases, {told['entries']} entries, {told['broken']} breaks"
    return Line("jauap journal verify", said, done.returncode == 0)


def _logs(data: Path, people: int) -> list[Line]:
    """The servers' own logs; what a kill -9 itself makes them say is named and counted, and so are
    lost races, of which there are few."""
    lines = troubles(data)
    races = sum(counted(lines, OF_LOST_RACES).values())
    wrong, excused = unprovoked(lines, EXCUSED), counted(lines, EXCUSED)
    said = ", ".join(f"“{words}” {n}" for words, n in sorted(excused.items())) or "nothing"
    return [
        Line("the servers' logs: other errors than of being killed", _some(wrong), not wrong),
        Line(
            "the servers' logs: of being killed and of lost races",
            said,
            races <= max(1, people // SOME),
        ),
    ]


def _own_log(house: House) -> list[Line]:
    """What we said ourselves: troubles by their names, and none that nobody expected."""
    told: Counter[str] = Counter()
    wrong: list[str] = []
    for line in house.said().splitlines():
        try:
            event = json.loads(line)
        except ValueError:
            continue
        if event.get("level") in ("error", "critical"):
            told[event["event"]] += 1
        if "exception" in event or event.get("event") == "poisoned":
            wrong.append(line[:300])
    said = ", ".join(f"{name} {n}" for name, n in sorted(told.items()))
    return [
        Line("our own log: troubles told", said),
        Line("our own log: exceptions, poisoned messages", _some(wrong), not wrong),
    ]


def _some(found: Sequence[object]) -> str:
    return f"{len(found)}" + (f": {[*found][:5]}" if found else "")
