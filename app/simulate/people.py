"""The citizens of one campaign, drawn from its seed, and what is true of each, whatever the ledger
says: the promises are held against this."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from typing import TypeVar
from uuid import UUID

from app.bench.people import FIRST_PHONE
from app.bench.people import people as phones
from app.simulate.campaign import Behaviour, Campaign

T = TypeVar("T")


@dataclass(slots=True)
class Citizen:
    """One of them. `language` and `network` are what the registers say, `speaks` and `home` what
    is so. `fails` names the gate that must refuse them. Times are seconds since the start."""

    number: int
    iin: str
    language: str | None
    speaks: str
    network: str
    home: str
    behaviour: Behaviour
    fails: str | None = None
    offer: UUID | None = None
    gate: str | None = None  # the gate that did refuse
    asked_in: str = ""  # the languages of the question that left for them, kk first
    asked_at: float | None = None  # the handset had the whole question, for the first time
    proved_at: float | None = None  # we were told so: every receipt of it, or words of theirs
    has_seen_again: bool = False
    keys: list[str] = field(default_factory=list)  # of a USSD session, still to be pressed
    session: int = 0
    said: list[tuple[float, str]] = field(default_factory=list)  # handed over to us, by meaning

    @property
    def phone(self) -> str:
        return f"+{FIRST_PHONE + self.number}"


def number_of(phone: str) -> int:
    """The citizen's number by their phone."""
    return int(phone[1:]) - FIRST_PHONE


def make(campaign: Campaign) -> list[Citizen]:
    """All citizens of a campaign: the same ones for the same seed."""
    chance = Random(f"{campaign.seed}:people")
    shares = {n.name: n.share for n in campaign.networks}
    ported = {n.name: n.ported for n in campaign.networks}
    people = campaign.people
    tongues = {"kk": people.kk, "ru": people.ru, "": people.unknown}
    made: list[Citizen] = []
    for one in phones(campaign.citizens):
        registered = _one(chance, tongues)
        speaks = registered or _one(chance, {"kk": people.kk + 1e-9, "ru": people.ru})
        home = _one(chance, shares)
        recorded = home
        if len(shares) > 1 and chance.random() < ported[home]:
            recorded = _one(chance, {n: s + 1e-9 for n, s in shares.items() if n != home})
        made.append(
            Citizen(
                one.number,
                one.iin,
                registered or None,
                speaks,
                recorded,
                home,
                _one(chance, people.behaviours[speaks]),
                _gate(chance, campaign),
            )
        )
    return made


def _gate(chance: Random, campaign: Campaign) -> str | None:
    people = campaign.people
    if chance.random() < people.without_phone:
        return "phone_registered"
    if chance.random() < people.without_consent:
        return "consent_given"
    return "phone_reachable" if chance.random() < people.sms_off else None


def _one(chance: Random, weights: Mapping[T, float]) -> T:
    """One of them by its weight."""
    left = chance.random() * sum(weights.values())
    for one, weight in weights.items():
        left -= weight
        if left < 0:
            return one
    return max(weights, key=lambda one: weights[one])
