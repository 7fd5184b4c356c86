"""The README's configuration and commands are tried, so that they cannot rot."""

import re
import tomllib
from pathlib import Path

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from app.commands.assembled import app
from app.configuration import KEYS

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_every_key_of_the_readmes_configuration_exists() -> None:
    block = re.search(r"```toml\n(.+?)```", README, re.DOTALL)
    assert block is not None
    table = tomllib.loads(block[1])
    named = {
        f"{section}.{key}" if isinstance(values, dict) else section
        for section, values in table.items()
        for key in (values if isinstance(values, dict) else [""])
    }
    assert named <= {key.name for key in KEYS} | {"environment"}


def test_every_file_the_readme_links_to_exists() -> None:
    for target in re.findall(r"\]\(([^)#h][^)]*)\)", README):
        assert (ROOT / target).exists(), target


@pytest.mark.parametrize(
    "words", sorted(set(re.findall(r"jauap ([a-z-]+(?: [a-z]+)?)[ `\[]", README)))
)
def test_every_command_the_readme_names_exists(words: str) -> None:
    first = words.split()[0]
    names = set(get_command(app).commands)  # type: ignore[attr-defined]
    if first in names:
        assert CliRunner().invoke(app, [first, "--help"]).exit_code == 0
    else:
        pytest.fail(f"the README names `jauap {words}`, expected one of {sorted(names)}")


def test_decisions_are_numbered_and_short() -> None:
    text = (ROOT / "DECISIONS.md").read_text(encoding="utf-8")
    sections = re.split(r"^## ", text, flags=re.MULTILINE)[1:]
    assert [int(s.split(".")[0]) for s in sections] == list(range(1, len(sections) + 1))
    assert all(len(s.strip().splitlines()) <= 20 for s in sections)
