"""docs/wallet.md is what bodies and systems copy from: every line of it is run."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from app.commands.assembled import app
from app.embedded import Urls
from app.main import ENDPOINTS
from app.runtime import Runtime
from app.wallet.rules import agreements, terms
from app.wallet.rules.accounting import COLUMNS
from app.wallet.rules.suppressing import SMALLEST
from tests.app.api.conftest import served

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs/wallet.md").read_text(encoding="utf-8")
MARK = "---end-of-line---"


@pytest.fixture
def answers(rt: Runtime, servers: Urls, tmp_path: Path) -> list[Any]:
    """What each line of the page printed, where it printed anything."""
    blocks = re.findall(r"```sh\n(.+?)```", PAGE, re.DOTALL)
    lines = [line for block in blocks for line in block.strip().splitlines()]
    script = "set -e\n" + "\n".join(f"{line}\necho {MARK}" for line in lines)
    with served(rt) as url:
        environ = os.environ | rt.settings.as_environ() | {
            "API": url,
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "JAUAP_LEDGER_URL": servers.ledger,
            "JAUAP_REDIS_URL": servers.redis,
        }  # fmt: skip
        run = subprocess.run(
            ["sh", "-c", script], env=environ, cwd=tmp_path, text=True, timeout=300,
            capture_output=True, check=False,
        )  # fmt: skip
    assert run.returncode == 0, run.stdout + run.stderr
    said = [part.strip() for part in run.stdout.split(MARK)]
    return [json.loads(part) for part in said if part]


def test_every_line_of_the_page_does_what_it_says(answers: list[Any], tmp_path: Path) -> None:
    _, notice, cabinet, data, sms, *rest = answers
    assert notice["placed_at"] is not None and len(cabinet["items"]) == 1
    assert data["screen"]["question"] == "sms"
    assert (sms["consents"]["data"], sms["consents"]["sms"]) == ("given", "refused")
    decision, grant, again, conflict, correction, used, *rest = rest
    assert decision["decision"] == "granted" and grant == again
    assert (conflict["status"], conflict["errors"][0]["field"]) == (409, "amount")
    assert (correction["corrects"], correction["amount"]) == (grant["id"], "12000.00")
    assert used["used_at"] == "2026-03-02T06:30:00Z"
    found, effects, *rest = rest
    assert (found["matched"], found["missing_in_wallet_rows"]) == (1, ["G-2"])
    assert (found["different"], found["unreadable"], found["missing_in_file"]) == (0, 0, 0)
    assert effects["items"][0]["reached"] is None  # one person is a small group
    system, refused, synced, closed, changes, again, conflicts, fund, dossier = rest
    assert (system["code"], fund["standing"], dossier["accounts"]) == ("akimat", "ending", 1)
    assert (refused["gate"], refused["clause"]) == ("wallet_accounting", "214:8")
    assert (synced["created"], closed["notice"]) == (1, notice["id"])
    assert {one["iin"] for one in changes["items"]} == {"999999000012"}
    assert again["conflicts"] and conflicts["items"][0]["fields"] == ["kind"]
    beginnings = {
        "effects.csv": "group", "effects.svg": "<svg", "effects.xlsx": "PK",
        "dossier.html": "<!doctype html>",
    }  # fmt: skip
    for name, beginning in beginnings.items():
        octets = (tmp_path / name).read_bytes().removeprefix(b"\xef\xbb\xbf")
        assert octets.startswith(beginning.encode())


def test_its_addresses_commands_and_links_exist() -> None:
    paths = {endpoint.path for endpoint in ENDPOINTS}
    for named in re.findall(r"`(?:GET|POST) (/v1/[^`?]+)", PAGE):
        assert named in paths, named
    for words in re.findall(r"`jauap (wallet [a-z]+(?: list)?)", PAGE):
        assert CliRunner().invoke(app, [*words.split(), "--help"]).exit_code == 0, words
    for target in re.findall(r"\]\(([^)#h][^)]*)\)", PAGE):
        assert (ROOT / "docs" / target).exists(), target


def test_its_numbers_are_ours() -> None:
    assert "(12 hours before)" in PAGE and terms.ALARM_LEAD.total_seconds() == 12 * 3600
    assert "An hour\nbefore the end" in PAGE and terms.SAVE_LEAD.total_seconds() == 3600
    assert "one to four people" in PAGE and SMALLEST == 5
    assert "Thirty days before" in PAGE and agreements.WARN.days == 30
    assert all(f"`{column}`" in PAGE for column in (*COLUMNS, "amount", "kind"))
