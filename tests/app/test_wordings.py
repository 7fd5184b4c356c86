"""Every wording with what it can really carry: the names of the catalogue, the longest account."""

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.catalogue.loader import BUILT_IN, CatalogueError, load
from app.commands.assembled import app
from app.commands.explaining import catalogue, longest_values
from dialogs.engine.lint import lint
from dialogs.engine.model import Screen
from dialogs.engine.render import segments
from dialogs.engine.wording import LANGUAGES, Words
from dialogs.every import DIALOGS

KNOWN, WORDS = catalogue(), Words.load()


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("code", KNOWN.services)
def test_the_question_of_every_service_is_two_segments_at_most(code: str, language: str) -> None:
    short = KNOWN.service(code).short
    values = {"service": {"kk": short.kk, "ru": short.ru}}
    for key in OFFERED:
        assert segments(WORDS.text(Screen("offer", key), language, values)) <= 2


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("code", KNOWN.services)
def test_what_confirms_is_one_segment_wherever_the_name_leaves_room(
    code: str, language: str
) -> None:
    short = {"kk": KNOWN.service(code).short.kk, "ru": KNOWN.service(code).short.ru}
    told = {
        key: segments(WORDS.text(Screen("offer", key), language, {"service": short}))
        for key in ("accepted", "declined", "rendered")
    }
    most = {"kk": 28, "ru": 32}[language]  # of the name beside "consent was recorded"
    assert told["accepted"] == (1 if len(short[language]) <= most else 2)
    assert told["declined"] == told["rendered"] == 1


OFFERED = next(d for d in DIALOGS if d.name == "offer").ask("ask").screens


def test_every_wording_is_within_its_budget_with_the_longest_real_values() -> None:
    assert lint(WORDS, longest_values(KNOWN, WORDS)) == []


def test_every_placeholder_of_every_dialog_has_a_longest_value() -> None:
    names = {d.name for d in DIALOGS}
    used = {
        placeholder
        for (_, name), book in WORDS.books.items()
        if name in names
        for wording in book.values()
        for placeholder in wording.placeholders
    }
    assert used <= longest_values(KNOWN, WORDS).keys()


def test_the_lint_says_that_all_is_well_and_exits_zero() -> None:
    assert CliRunner().invoke(app, ["wording", "lint"]).exit_code == 0
    ran = CliRunner().invoke(app, ["wording", "lint", "--json"])
    assert (ran.exit_code, json.loads(ran.stdout)) == (0, [])


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_service_name_that_is_too_long_is_named_with_file_and_line(
    tmp_path: Path, language: str
) -> None:
    folder = shutil.copytree(BUILT_IN, tmp_path / "catalogue")
    file = folder / "services" / "birth-benefit.toml"
    lines = file.read_text("utf-8").splitlines()
    place = next(i for i, line in enumerate(lines) if line.startswith(f"short.{language} "))
    lines[place] = f'short.{language} = "{"ш" * 41}"'
    file.write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(
        CatalogueError, match=f"services/birth-benefit.toml:{place + 1}: "
    ) as caught:
        load(folder)
    assert "expected a text of 1 to 40 characters" in str(caught.value)
