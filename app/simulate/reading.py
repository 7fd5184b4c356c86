"""Reads a campaign file, with everything that is wrong with it at once."""

import math
import tomllib
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from app.configuration import Finding, SettingsError, shown
from app.simulate.campaign import (
    EVERY_NETWORK,
    Behaviour,
    Campaign,
    Delay,
    NetworkPlan,
    OutagePlan,
    People,
)
from app.simulate.keys import (
    A_DELAY,
    A_FRACTION,
    A_MOMENT,
    FRACTION,
    Field,
    Reading,
    delay,
    hours,
    moment,
    name,
    number,
    span,
    switch,
    text,
    whole,
)

MOST_CITIZENS = 1_000_000
MOST_SEED = 2**63 - 1
TONGUES = ("kk", "ru")
LONGEST_OUTAGE = timedelta(days=3)
SUM_MAY_BE_OFF = 0.0005

_HEAD: Mapping[str, Field] = {
    "name": Field(text, "a text", "campaign"),
    "service": Field(text, "the code of a service of the catalogue"),
    "starts_at": Field(moment, A_MOMENT),
    "citizens": Field(whole(1, MOST_CITIZENS), f"a whole number, 1 to {MOST_CITIZENS}"),
    "seed": Field(whole(0, MOST_SEED), f"a whole number, 0 to {MOST_SEED}", 1),
    "hours": Field(hours, '"always" or "HH:MM-HH:MM" of one day', hours("09:00-21:00")),
    "offers_per_hour": Field(
        whole(0, MOST_CITIZENS), f"a whole number, 0 (all at once) to {MOST_CITIZENS}", 0
    ),
    "drain_grace": Field(number(0, 3600), "seconds, 0 to 3600", 60.0),
}
_PEOPLE: Mapping[str, Field] = {
    "kk": Field(FRACTION, A_FRACTION),
    "ru": Field(FRACTION, A_FRACTION),
    "unknown": Field(FRACTION, A_FRACTION, 0.0),
    "without_phone": Field(FRACTION, A_FRACTION, 0.0),
    "without_consent": Field(FRACTION, A_FRACTION, 0.0),
    "sms_off": Field(FRACTION, A_FRACTION, 0.0),
    "awake": Field(span, '"HH:MM-HH:MM" of one day', span("07:00-23:30")),
    "answer": Field(delay, A_DELAY, Delay(1200.0, 32_400.0)),
}
_NETWORK: Mapping[str, Field] = {
    "name": Field(name, "small letters, digits and hyphens"),
    "share": Field(FRACTION, A_FRACTION),
    "price": Field(number(0, 10_000), "tenge a segment, 0 to 10000"),
    "binds": Field(whole(1, 64), "a whole number, 1 to 64", 1),
    "throughput": Field(
        number(0, 10_000), "segments a second, 0 (as the window lets) to 10000", 50.0
    ),
    "window": Field(whole(1, 1000), "a whole number, 1 to 1000", 10),
    "response": Field(delay, A_DELAY, Delay(0.05, 0.3)),
    "receipt": Field(delay, A_DELAY, Delay(4.0, 90.0)),
    "reply": Field(delay, A_DELAY, Delay(1.0, 5.0)),
    "ported": Field(FRACTION, A_FRACTION, 0.0),
    "throttled": Field(number(0, 0.9), "a fraction, 0 to 0.9", 0.0),
    "undelivered": Field(FRACTION, A_FRACTION, 0.0),
    "lost": Field(FRACTION, A_FRACTION, 0.0),
    "no_receipt": Field(FRACTION, A_FRACTION, 0.0),
    "late_receipts": Field(FRACTION, A_FRACTION, 0.0),
    "late_by": Field(delay, A_DELAY, Delay(3600.0, 14_400.0)),
    "duplicate_receipts": Field(FRACTION, A_FRACTION, 0.0),
    "early_receipts": Field(FRACTION, A_FRACTION, 0.0),
    "done_dates": Field(switch, "true or false", True),
    "ussd": Field(switch, "true or false", True),
}
_OUTAGE: Mapping[str, Field] = {
    "network": Field(text, f'a network\'s name, or "{EVERY_NETWORK}"'),
    "starts_at": Field(moment, A_MOMENT),
    "ends_at": Field(moment, A_MOMENT),
    "planned": Field(switch, "true or false", False),
}
_MIX: Mapping[str, Field] = {b.value: Field(FRACTION, A_FRACTION, 0.0) for b in Behaviour}
_TOP = ("campaign", "citizens", "behaviours", "network", "outage")


def read_file(
    path: Path,
    services: Collection[str],
    *,
    citizens: int | None = None,
    seed: int | None = None,
) -> Campaign:
    """The campaign that a TOML file describes; `citizens` and `seed` go before what it says.

    Raises SettingsError with every finding."""
    try:
        table = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise _refusal(path, error.strerror or str(error), "a readable file") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise _refusal(path, str(error), "TOML in UTF-8") from None
    head = table.get("campaign")
    if isinstance(head, dict):
        flags = {"citizens": citizens, "seed": seed}
        table["campaign"] = head | {k: v for k, v in flags.items() if v is not None}
    return read(table, str(path), services)


def _refusal(path: Path, found: str, expected: str) -> SettingsError:
    return SettingsError((Finding("FILE", found, expected, str(path)),))


def read(table: Mapping[str, Any], where: str, services: Collection[str]) -> Campaign:
    """The same from what a TOML parser made of it."""
    reading = Reading(where)
    reading.unknown("", table, _TOP)
    head = reading.table("campaign", table.get("campaign"), _HEAD)
    if head["service"] is not None and head["service"] not in services:
        reading.wrong("campaign.service", head["service"], f"one of {', '.join(sorted(services))}")
    people = reading.table("citizens", table.get("citizens"), _PEOPLE)
    _sum(reading, "citizens: kk + ru + unknown", [people["kk"], people["ru"], people["unknown"]])
    behaviours = _behaviours(reading, table.get("behaviours"))
    networks = _networks(reading, table.get("network"))
    outages = _outages(reading, table.get("outage", []), [n["name"] for n in networks])
    if reading.findings:
        raise SettingsError(tuple(reading.findings))
    return Campaign(
        **head,
        people=People(**people, behaviours=behaviours),
        networks=tuple(NetworkPlan(**n) for n in networks),
        outages=tuple(OutagePlan(**o) for o in outages),
    )


def _sum(reading: Reading, key: str, parts: list[float | None]) -> None:
    """Fractions of a whole; where one of them is wrong there is a finding already."""
    known = [p for p in parts if p is not None]
    whole_of = math.fsum(known)
    if len(known) == len(parts) and abs(whole_of - 1) > SUM_MAY_BE_OFF:
        reading.wrong(key, round(whole_of, 6), "fractions that sum up to 1")


def _behaviours(reading: Reading, given: object) -> dict[str, dict[Behaviour, float]]:
    """By language; a mix without one is everybody's."""
    if not isinstance(given, dict):
        reading.wrong("behaviours", given, "a table of fractions, or one for kk and one for ru")
        return {}
    if any(tongue in given for tongue in TONGUES):
        reading.unknown("behaviours", given, TONGUES)
        return {t: _mix(reading, f"behaviours.{t}", given.get(t)) for t in TONGUES}
    mix = _mix(reading, "behaviours", given)
    return dict.fromkeys(TONGUES, mix)


def _mix(reading: Reading, key: str, given: object) -> dict[Behaviour, float]:
    values = reading.table(key, given, _MIX)
    if isinstance(given, dict):
        _sum(reading, key, list(values.values()))
    return {Behaviour(k): v for k, v in values.items() if v}


def _networks(reading: Reading, given: object) -> list[dict[str, Any]]:
    if not isinstance(given, list) or not given:
        reading.wrong("network", given, "at least one [[network]]")
        return []
    found = [reading.table(f"network {n}", one, _NETWORK) for n, one in enumerate(given, start=1)]
    _sum(reading, "network: share of all", [n["share"] for n in found])
    names = [n["name"] for n in found]
    for place, one in enumerate(names):
        if one is not None and one in names[:place]:
            reading.wrong(f"network {place + 1}.name", one, "a name no other network has")
    for place, one in enumerate(found, start=1):
        fates = [one["undelivered"], one["lost"], one["no_receipt"]]
        if None not in fates and math.fsum(fates) > 1:
            found_sum = round(math.fsum(fates), 6)
            reading.wrong(
                f"network {place}: undelivered + lost + no_receipt", found_sum, "at most 1"
            )
    return found


def _outages(reading: Reading, given: object, networks: list[str]) -> list[dict[str, Any]]:
    if not isinstance(given, list):
        reading.wrong("outage", given, "[[outage]] tables")
        return []
    found = [reading.table(f"outage {n}", one, _OUTAGE) for n, one in enumerate(given, start=1)]
    for place, one in enumerate(found, start=1):
        if one["network"] is not None and one["network"] not in (*networks, EVERY_NETWORK):
            known = ", ".join(n for n in networks if n) or "the networks above"
            reading.wrong(f"outage {place}.network", one["network"], f'"*" or one of {known}')
        _period(reading, place, one["starts_at"], one["ends_at"])
    return found


def _period(reading: Reading, place: int, start: datetime | None, end: datetime | None) -> None:
    if start is None or end is None:
        return
    if not start < end <= start + LONGEST_OUTAGE:
        found = shown(f"{start.isoformat()} to {end.isoformat()}").strip("'")
        key = f"outage {place}.ends_at"
        reading.findings.append(
            Finding(key, found, "an end after the start, within 3 days", reading.where)
        )
