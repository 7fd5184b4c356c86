"""Small campaigns for the tests of `jauap simulate`: a table as its TOML file would give it."""

from datetime import datetime
from typing import Any

from app.runtime import Runtime
from app.simulate import living
from app.simulate.campaign import Campaign
from app.simulate.day import Day
from app.simulate.reading import read
from tests.conftest import NOON

SERVICES = ("birth-benefit",)


def table(**campaign: Any) -> dict[str, Any]:
    """A campaign of sixty citizens on two networks, everybody saying yes."""
    return {
        "campaign": {
            "service": "birth-benefit",
            "starts_at": NOON,
            "citizens": 60,
            "hours": "always",
            "drain_grace": 2,
            **campaign,
        },
        "citizens": {"kk": 0.6, "ru": 0.4, "answer": {"median": 300, "p95": 1200}},
        "behaviours": {"yes": 1.0},
        "network": [
            {"name": "kcell", "share": 0.5, "price": 10.0},
            {"name": "tele2", "share": 0.5, "price": 8.0},
        ],
    }


def campaign(given: dict[str, Any]) -> Campaign:
    return read(given, "a test", SERVICES)


def silent(*_: object) -> None:
    """Nobody watches."""


def lived(rt: Runtime, given: dict[str, Any]) -> Day:
    """The day of that campaign, to its end."""
    return living.live(rt, campaign(given), silent)


def at(text: str) -> datetime:
    """A moment in Almaty on the campaign's first day, or with its date."""
    return datetime.fromisoformat(text if "T" in text else f"2026-03-02T{text}:00+05:00")
