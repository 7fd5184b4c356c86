"""The command line as people and scripts use it: what each command says, and its exit code."""

import re
import signal
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import typer

from app.commands.assembled import app
from app.ledger.engine import sql
from app.ledger.journal import Chain
from tests.e2e.desk import Desk, open_desk, say
from tests.e2e.foreign import ForeignSmsc
from tests.e2e.house import JAUAP, clean_environ, until

SCORED = "text\tlabel\tlanguage\tnote\nиә\tyes\tkk\t\nнет\tno\tru\t\n"
FALSE_YES = "text\tlabel\tlanguage\tnote\nиә\tno\tkk\t\n"


@pytest.fixture(scope="module")
def desk() -> Iterator[Desk]:
    with open_desk() as opened:
        yield opened


def every_command() -> list[tuple[str, str, set[str]]]:
    """("keys add", its help text, its options) of every command there is."""
    found: list[tuple[str, str, set[str]]] = []

    def walk(command: Any, name: str) -> None:
        inner = getattr(command, "commands", None)
        if inner is None:
            options = {option for param in command.params for option in param.opts}
            found.append((name, command.help or "", options))
        for word, one in (inner or {}).items():
            walk(one, f"{name} {word}".strip())

    walk(typer.main.get_command(app), "")
    return found


@pytest.mark.parametrize(("name", "words", "options"), every_command())
def test_every_command_explains_itself_with_an_example(
    name: str, words: str, options: set[str]
) -> None:
    assert re.search(rf"Example: .*jauap {name}\b", words.replace("\n", " ")), words
    assert "--json" in options or name in ("up", "web", "gateway", "worker")  # they serve


def test_help_goes_to_stdout_and_wrong_use_ends_with_2(desk: Desk) -> None:
    commands = ("keys add --help", "nonsense", "keys add", "chart x")
    told = dict(zip(commands, desk.give_all(*commands), strict=True))
    assert [t.code for t in told.values()] == [0, 2, 2, 2]
    assert "Example: jauap keys add" in told["keys add --help"].out
    assert "expected one of" in told["chart x"].err


def test_what_explains_needs_no_server(tmp_path: Path) -> None:
    at = "2026-03-20T13:30:00"
    score, wrong, file = (tmp_path / name for name in ("good.tsv", "bad.tsv", "not.tsv"))
    score.write_text(SCORED, "utf-8")
    wrong.write_text(FALSE_YES, "utf-8")
    commands = (
        f"deadline explain {at} --json",
        f"deadline explain {at} --working-days 1 --json",
        "deadline explain whenever",
        "replies explain иә --json",
        f"replies score {score} --json",
        f"replies score {wrong} --json",
        f"replies score {file}",
        "wording lint --json",
        "chart offer",
        "chart lifecycle --graphviz",
    )
    told = [say(*command.split()) for command in commands]
    assert [t.code for t in told] == [0, 0, 2, 0, 0, 1, 2, 0, 0, 0]
    assert told[0].data["deadline"] == "2026-03-21T13:30:00Z"
    assert told[1].data["deadline"] > "2026-03-24"  # Nauryz lies between
    assert told[3].data["label"] == "yes"
    assert (told[4].data["false_yes"], told[5].data["false_yes"]) == (0, 1)
    assert str(file) in told[6].err
    assert told[7].data == []
    assert "Келісесіз бе?" in told[8].out and "Согласны?" in told[8].out
    assert told[9].out.startswith("digraph")


def test_the_configuration_can_be_checked_alone(desk: Desk) -> None:
    bad = desk.house.folder / "bad.toml"
    bad.write_text('environment = "sandbox"\n[server]\nport = "many"\n')
    good, wrong = desk.give_all("check-config --json", f"check-config --config {bad}")
    assert (good.code, good.data["environment"], good.data["binds"]) == (0, "sandbox", [])
    assert wrong.code == 2
    assert "server.port: found 'many', expected a port" in wrong.err


def test_a_key_is_shown_once_listed_without_its_secret_and_revoked(
    desk: Desk,
) -> None:
    made = desk.give("keys", "add", "mtszn", "--scope", "provider", "--json")
    assert made.data["key"].startswith("jau_")
    again = desk.say("keys", "add", "mtszn", "--scope", "provider")
    wrong = desk.say("keys", "add", "other", "--scope", "everything")
    assert (again.code, wrong.code) == (2, 2)
    assert "everything" in wrong.err and "provider" in wrong.err
    listed = desk.give("keys", "list", "--json")
    assert [(k["name"], k["scopes"], k["revoked_at"]) for k in listed.data] == [
        ("mtszn", ["provider"], None)
    ]
    assert made.data["key"] not in listed.out
    assert desk.say("keys", "revoke", "mtszn").code == 0
    assert desk.say("keys", "list", "--json").data[0]["revoked_at"] is not None
    assert desk.say("keys", "revoke", "nobody").code == 2


def test_migrating_again_changes_nothing_and_no_gateway_means_no_binds(desk: Desk) -> None:
    migrated, binds, unknown = desk.give_all(
        "migrate", "binds list --json", "binds suspend nowhere"
    )
    assert (migrated.code, binds.code, unknown.code) == (0, 0, 2)
    assert binds.data == []
    assert "nowhere" in unknown.err


def test_a_journal_that_was_edited_is_found_out(desk: Desk) -> None:
    case = uuid4()
    at = datetime(2026, 3, 2, 7, tzinfo=UTC)
    with desk.house.runtime() as rt:
        with rt.unit() as unit:
            chain = Chain(case)
            for kind in ("made", "submitted", "received"):
                unit.journal.append(chain, kind, at, note=kind)
        whole = desk.give("journal", "verify", "--json")
        assert (whole.code, whole.data["breaks"]) == (0, [])
        with rt.ledger.begin() as tx:
            tx.execute(sql("ALTER TABLE journal DISABLE TRIGGER ALL"))
            edited = "UPDATE journal SET kind = 'accepted' WHERE case_id = :case AND seq = 2"
            tx.execute(sql(edited), {"case": case})
    broken = desk.give("journal", "verify", "--json")
    assert broken.code == 1
    assert {(b["case_id"], b["seq"]) for b in broken.data["breaks"]} == {(str(case), 2)}


@pytest.mark.parametrize(
    ("command", "began"), [("web", "/docs"), ("gateway", "connecting"), ("demo", "are up")]
)
def test_what_runs_on_ends_on_ctrl_c_without_a_traceback(
    desk: Desk, command: str, began: str
) -> None:
    ForeignSmsc().write_binds(desk.house.folder)  # nobody listens there
    log = desk.house.folder / f"{command}.log"
    with log.open("wb") as out:
        running = subprocess.Popen(
            [*JAUAP, command],
            cwd=desk.house.folder,
            env=clean_environ(),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
        )
    try:
        until(lambda: began in log.read_text("utf-8"), 30, f"{command} runs")
        running.send_signal(signal.SIGINT)
        assert running.wait(30) == (130 if command == "demo" else 0), log.read_text("utf-8")
    finally:
        running.kill()
        running.wait()
    assert "Traceback" not in log.read_text("utf-8")
