"""docs/networks.md and binds.example.toml say what the program does, and leave nothing out."""

import re
import tomllib
from pathlib import Path

import pytest
from typer.main import get_command

from app.commands.assembled import app
from smpp.binds import Bind
from smpp.statuses import OUTCOMES

HOUSE = Path(__file__).parents[2]
PAGE = (HOUSE / "docs" / "networks.md").read_text("utf-8")
EXAMPLE = (HOUSE / "smpp" / "binds.example.toml").read_text("utf-8")
KEYS = sorted({*Bind.__dataclass_fields__} - {"password"} | {"password_env", "password_file"})


def rows(heading: str) -> list[list[str]]:
    """The cells of the first table under a heading, without its head."""
    section = PAGE.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    cells = [re.split(r"(?<!\\)\|", line)[1:-1] for line in lines]
    return [[cell.strip() for cell in row] for row in cells[2:]]


def test_the_table_of_parameters_has_every_key_once() -> None:
    assert sorted(row[0].strip("`") for row in rows("Parameters")) == KEYS


def test_its_defaults_are_those_of_the_example_which_are_those_of_the_program() -> None:
    [shown] = tomllib.loads(EXAMPLE)["bind"]
    told = {row[0].strip("`"): row[1] for row in rows("Parameters")}
    fields = Bind.__dataclass_fields__
    required = {"cid", "network", "host", "port", "system_id", "password_env"}
    assert {key for key, default in told.items() if default == "**must**"} == required
    for key, default in told.items():
        if key not in required | {"password_file", "prefixes"}:
            assert tomllib.loads(f"x = {default.strip('`')}")["x"] == shown[key]
            assert (fields[key].default in (shown[key], None)) or shown[key] == {}


@pytest.mark.parametrize("key", [k for k in KEYS if k != "password_file"])
def test_the_example_tells_every_key_and_both_other_words_for_it(key: str) -> None:
    block = re.search(rf"^{key} = .*(?:\n {{10,}}#.*)*", EXAMPLE, re.MULTILINE)
    assert block is not None
    assert "#" in block[0]
    assert re.search(r"\[[^\[\]]+, [^\[\]]+\]$", block[0])


def test_the_error_table_is_the_program_s() -> None:
    told = {
        name: row[1].strip("`")
        for row in rows("Answers to our submits")
        for name in re.findall(r"ESME_\w+", row[0])
    }
    known = {status.name: str(outcome) for status, outcome in OUTCOMES.items() if status}  # type: ignore[attr-defined]
    assert told == known


def test_every_command_it_names_exists() -> None:
    named = set(re.findall(r"`jauap ([a-z-]+)(?: ([a-z-]+))?", PAGE))
    commands = get_command(app).commands  # type: ignore[attr-defined]
    for first, second in named:
        assert first in commands
        below = getattr(commands[first], "commands", None)
        assert below is None or not second or second in below
    assert {"check", "echo", "list", "suspend", "resume"} <= {s for f, s in named if f == "binds"}
