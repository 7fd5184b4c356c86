"""docs/operators.md is what is typed at night: its commands, keys and figures exist."""

import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from prometheus_client.parser import text_string_to_metric_families as parsed
from typer.core import TyperGroup
from typer.main import get_command

from app.api.metrics import Numbers
from app.commands.assembled import app
from app.configuration import KEYS
from app.ledger import binds
from app.ledger.binds import BindRow
from app.master_key import FILE, OLD_SEALS, SEAL_FILE
from app.runtime import Runtime
from tests.conftest import NOON

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "operators.md").read_text("utf-8")
UP = BindRow("kcell-1", "kcell", uuid4(), "bound", "", NOON, NOON)


def commands() -> Iterator[str]:
    """Every `jauap …` of the page, in its sentences, blocks and units."""
    places = PAGE.split("```")
    lines = [line for block in places[1::2] for line in block.splitlines()]
    prose = re.sub(r"\s*\n\s*", " ", "".join(places[::2]))
    spoken = re.findall(r"`(jauap [^`]+)`", prose)
    for line in [*lines, *spoken]:
        found = re.search(r"(?:^|\s|bin/)jauap ((?!jauap )[a-z-]+ ?.*)$", line)
        if found and not line.startswith("createuser"):
            yield found[1]


@pytest.mark.parametrize("words", sorted(set(commands())))
def test_every_command_of_the_page_is_taken_as_it_stands(words: str) -> None:
    command = get_command(app)
    left = [str(uuid4()) if word == "ID" else word for word in shlex.split(words)]
    while isinstance(command, TyperGroup):
        name, *left = left
        assert name in command.commands, f"jauap {words}: found no {name}"
        command = command.commands[name]
    command.make_context(words, left)


def test_every_key_of_the_pages_configuration_exists() -> None:
    block = re.search(r"```toml\n(.+?)```", PAGE, re.DOTALL)
    assert block is not None
    table = tomllib.loads(block[1])
    assert table.pop("environment") == "production"
    named = {f"{section}.{key}" for section, values in table.items() for key in values}
    assert named <= {key.name for key in KEYS}


def test_every_secret_of_the_page_is_read_from_there() -> None:
    named = set(re.findall(r"JAUAP_[A-Z_]*KEYS?(?:_FILE)?\b", PAGE))
    assert named <= {FILE, SEAL_FILE, OLD_SEALS}


def test_every_figure_of_the_page_is_shown(rt: Runtime) -> None:
    with rt.unit() as unit:
        binds.write(unit.tx, UP)
        binds.heard(unit.tx, ["kcell-1"], NOON)
        binds.count(unit.tx, {"kcell-1": {"refused_mo_count": 1}})
    shown = {f.name for f in parsed(Numbers(rt).shown().decode())}
    named = set(re.findall(r"\bjauap_(?!app|owner)[a-z_]+", PAGE))
    assert {name.removesuffix("_total") for name in named} <= shown


def test_every_page_it_links_to_exists() -> None:
    for target in re.findall(r"\]\(([^)#h][^)]*)\)", PAGE):
        assert (ROOT / "docs" / target).exists(), target
