"""`jauap outages` at the keyboard: announced, explained, called off, and clear about wrong use."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from app import embedded
from app.commands.places import migrate
from app.settings import load
from tests.e2e.house import open_folder

TOML = """environment = "sandbox"
[paths]
data = "var"
[sending]
hours = "09:00-21:00"
"""
FAR = ("--from", "2099-11-22T01:00", "--until", "2099-11-22T05:00")


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with open_folder() as there:
        config = there / "jauap.toml"
        config.write_text(TOML)
        settings = load(config, {})
        with embedded.Servers("tests") as servers:
            migrate(servers.start(settings).ledger)
            yield there


def jauap(folder: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    environ = {k: v for k, v in os.environ.items() if not k.startswith("JAUAP_")}
    return subprocess.run(
        [sys.executable, "-m", "app.cli", "outages", *words, "--config", "jauap.toml"],
        cwd=folder,
        env=environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
    )


def test_an_outage_is_announced_explained_listed_and_called_off(folder: Path) -> None:
    added = json.loads(jauap(folder, "add", "kcell", *FAR, "--json").stdout)
    assert (added["starts_at"], added["network"]) == ("2099-11-22T01:00:00+05:00", "kcell")
    assert added["id"] in jauap(folder, "list").stdout
    asked = jauap(folder, "explain", "kcell", "--at", "2099-11-22T04:30")
    assert (asked.returncode, asked.stdout.count("held: outage")) == (1, 1)
    assert "2099-11-22 09:00:00 Almaty" in asked.stdout
    assert jauap(folder, "explain", "kcell", "--at", "2099-11-22T09:00").returncode == 0
    quiet = json.loads(
        jauap(folder, "explain", "beeline", "--at", "2099-11-22T04:30", "--json").stdout
    )
    assert quiet[0]["held"] == "quiet-hours"
    assert jauap(folder, "remove", added["id"]).returncode == 0
    assert jauap(folder, "list").stdout == "no outage is planned\n"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("add", "kcell", "--from", "2099-01-01T05:00", "--until", "2099-01-01T05:00"), "after"),
        (("add", "kcell", "--from", "2001-01-01T05:00", "--until", "2001-01-02T05:00"), "now"),
        (("add", "kcell", "--from", "tomorrow", "--until", "2099-01-02T05:00"), "tomorrow"),
        (("remove", "00000000-0000-0000-0000-000000000000"), "jauap outages list"),
    ],
)
def test_wrong_use_says_what_was_found_and_expected(
    folder: Path, words: tuple[str, ...], said: str
) -> None:
    answer = jauap(folder, *words)
    assert answer.returncode == 2
    assert said in answer.stderr
    assert "Traceback" not in answer.stderr
