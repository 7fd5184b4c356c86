"""`jauap wallet` at the keyboard: terms, figures and other systems, and clear about wrong use."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from app.calendar import local_date
from app.clock import system_clock
from app.commands.assembled import app
from app.embedded import Urls
from app.wallet.actions import accounting, exchanging, noticing
from app.wallet.actions.accounting import Report
from app.wallet.actions.noticing import Draft
from app.wallet.notices.records import Kind
from app.wallet.rules.agreements import Class
from tests.app.wallet.purse import BODY, GAS, MEALS, Purse
from tests.app.world import _iin


class Keyboard:
    """Gives commands to the tests' own servers."""

    def __init__(self, purse: Purse, servers: Urls, folder: Path) -> None:
        self.folder = folder
        self.environ = purse.rt.settings.as_environ() | {
            "JAUAP_LEDGER_URL": servers.ledger, "JAUAP_REDIS_URL": servers.redis,
        }  # fmt: skip

    def give(self, *words: str) -> Result:
        return CliRunner().invoke(app, ["wallet", *words], env=self.environ)

    def told(self, *words: str, code: int = 0) -> Any:
        ran = self.give(*words, "--json")
        assert ran.exit_code == code, ran.output
        return json.loads(ran.stdout)


@pytest.fixture
def keyboard(purse: Purse, servers: Urls, tmp_path: Path) -> Keyboard:
    return Keyboard(purse, servers, tmp_path)


def test_what_is_overdue_is_listed_and_is_a_finding(purse: Purse, keyboard: Keyboard) -> None:
    assert keyboard.told("overdue") == []
    assert keyboard.give("overdue").stdout == "no term is broken or at stake\n"
    purse.decide(MEALS, "Аида", "granted", purse.clock().replace(month=2), reference="D-1")
    [late] = keyboard.told("overdue", "--soon", code=1)
    assert (late["reference"], late["kind"], late["term"]) == ("D-1", "decision", "overdue")
    assert keyboard.told("overdue", "--provider", "another") == []
    said = keyboard.give("overdue").stdout
    assert "overdue, due 2026-02-03" in said and purse.people["Аида"] not in said


def test_effectiveness_is_shown_and_written(purse: Purse, keyboard: Keyboard) -> None:
    drafts = [Draft(Kind.OFFER, MEALS, _iin(6000 + n), f"M-{n}", region="almaty") for n in range(9)]
    with purse.rt.unit() as unit:
        noticing.make(purse.rt, unit, BODY, drafts)
    found = keyboard.told("effectiveness", "--by", "region")
    assert [(line["group"], line["reached"]) for line in found["items"]] == [("almaty", 9)]
    assert "almaty" in keyboard.give("effectiveness", "--by", "region").stdout
    beginnings = {"csv": b"\xef\xbb\xbfgroup", "xlsx": b"PK", "svg": b"<svg"}
    for form, beginning in beginnings.items():
        out = keyboard.folder / f"figures.{form}"
        ran = keyboard.give("effectiveness", "--format", form, "--out", str(out))
        assert ran.exit_code == 0 and out.read_bytes().startswith(beginning), ran.output


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("effectiveness", "--measure", "free-flights"), "expected one of"),
        (("effectiveness", "--format", "xlsx"), "expected a file"),
        (("effectiveness", "--format", "svg", "--out", "/nowhere/a.svg"), "expected a file"),
        (("systems", "dossier", "nobody"), "expected a system"),
        (("effectiveness", "--by", "iin"), "iin"),
    ],
)
def test_wrong_use_is_said(keyboard: Keyboard, words: tuple[str, ...], said: str) -> None:
    ran = keyboard.give(*words)
    assert ran.exit_code == 2 and said in ran.output


def test_systems_are_listed_and_an_agreement_about_to_end_is_a_finding(
    purse: Purse, keyboard: Keyboard
) -> None:
    assert keyboard.told("systems", "list") == []
    last_day = local_date(system_clock()) + timedelta(days=10)
    with purse.rt.unit() as unit:
        exchanging.enter(unit, "fund", ("Қор", "Фонд"), Class.THIRD, "№ 5", [GAS], last_day)
    [fund] = keyboard.told("systems", "list", code=1)
    assert (fund["code"], fund["standing"], fund["days_left"]) == ("fund", "ending", 11)
    assert "last day" in keyboard.give("systems", "list").stdout
    assert keyboard.told("systems", "dossier", "fund")["agreement"] == "№ 5"
    page = keyboard.give("systems", "dossier", "fund", "--language", "en").stdout
    assert page.startswith("<!doctype html>") and "№ 5" in page


def test_conflicts_are_listed_and_are_findings(purse: Purse, keyboard: Keyboard) -> None:
    assert keyboard.told("systems", "conflicts") == []
    with purse.rt.unit() as unit:
        for amount in (1, 2):
            report = Report(MEALS, purse.people["Аида"], "akimat", "G-1", purse.clock(), amount)
            done = accounting.account(purse.rt, unit, "akimat", [report])
            exchanging.keep_conflicts(unit, "akimat", done)
    [one] = keyboard.told("systems", "conflicts", code=1)
    assert (one["source_id"], one["fields"]) == ("G-1", ["amount"])
    assert keyboard.told("systems", "conflicts", "--system", "fund") == []


def test_every_command_shows_an_example() -> None:
    for words in (
        ("overdue",), ("effectiveness",), ("systems", "list"), ("systems", "conflicts"),
        ("systems", "dossier"),
    ):  # fmt: skip
        shown = CliRunner().invoke(app, ["wallet", *words, "--help"]).stdout
        assert f"Example: jauap wallet {' '.join(words)}" in " ".join(shown.split())
