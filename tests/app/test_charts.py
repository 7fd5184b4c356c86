"""`jauap chart` and docs/dialogs: what is drawn is what is declared, and the files cannot drift."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.commands.assembled import app
from app.commands.charting import LIFECYCLE, NAMES, TABLE, write
from app.conversation.sessions import View
from dialogs.engine.wording import Words
from dialogs.every import DIALOGS

DOCS = Path(__file__).parents[2] / "docs" / "dialogs"


def test_the_pictures_in_docs_are_what_the_code_draws(tmp_path: Path) -> None:
    """Where this fails: jauap chart --into docs/dialogs"""
    written = {path.name: path.read_text("utf-8") for path in write(tmp_path, Words.load())}
    committed = {path.name: path.read_text("utf-8") for path in DOCS.iterdir()}
    assert sorted(committed) == sorted(written)
    assert [name for name in written if written[name] != committed[name]] == []


def test_every_state_and_event_of_an_offer_has_a_name_in_both_languages() -> None:
    words = {word for pair in TABLE for word in pair} | set(TABLE.values())
    assert words == set(NAMES)
    assert all(each["kk"] and each["ru"] and each["kk"] != each["ru"] for each in NAMES.values())


@pytest.mark.parametrize("name", [*(one.name for one in DIALOGS), "menu", "language", LIFECYCLE])
def test_a_chart_is_printed_as_a_table_with_both_languages(name: str) -> None:
    ran = CliRunner().invoke(app, ["chart", name])
    assert ran.exit_code == 0
    assert "| kk | ru |" in ran.stdout


def test_a_chart_in_json_names_choices_outcomes_and_wordings() -> None:
    ran = CliRunner().invoke(app, ["chart", "measure", "--json"])
    [data] = json.loads(ran.stdout)
    first = data["steps"][0]
    assert [(c["id"], c["outcome"]) for c in first["choices"]] == [
        ("yes", "data-given"),
        ("no", "data-refused"),
    ]
    assert set(data["wordings"]["ask"]) == {"kk", "ru"}


def test_every_key_of_the_menu_leads_to_a_page_that_a_session_can_show() -> None:
    ran = CliRunner().invoke(app, ["chart", "menu", "--json"])
    [data] = json.loads(ran.stdout)
    assert [e["digit"] for e in data["entries"]] == ["1", "2", "3", "4"]
    assert {e["goto"] for e in data["entries"]} <= {str(view) for view in View}
    assert data["wordings"]["main.offers"] == {"kk": "Ұсыныстар", "ru": "Предложения"}


def test_a_chart_is_drawn_into_a_file(tmp_path: Path) -> None:
    file = tmp_path / "offer.svg"
    assert CliRunner().invoke(app, ["chart", "offer", "--svg", str(file)]).exit_code == 0
    assert file.read_text("utf-8").startswith("<svg ")


@pytest.mark.parametrize(
    "wrong", [["nonsense"], ["--svg", "x.svg"], ["offer", "--svg", "/nowhere/x.svg"]]
)
def test_a_wrong_chart_is_explained_and_exits_two(wrong: list[str]) -> None:
    ran = CliRunner().invoke(app, ["chart", *wrong])
    assert ran.exit_code == 2
    assert "expected" in ran.stderr
