"""The integrators' quick start, run line by line, so that it cannot rot."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from app.embedded import Urls
from app.runtime import Runtime
from tests.app.api.conftest import served

ROOT = Path(__file__).parents[3]
README = (ROOT / "README.md").read_text(encoding="utf-8")
GUIDE = (ROOT / "docs/integrators.md").read_text(encoding="utf-8")
MARK = "---end-of-line---"


def said(rt: Runtime, servers: Urls, folder: Path, lines: list[str]) -> list[Any]:
    """What every line of a page answers, one after the other in one shell."""
    script = "set -e\n" + "\n".join(f"{line}\necho {MARK}" for line in lines)
    with served(rt) as url:
        environ = os.environ | rt.settings.as_environ() | {
            "API": url,
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "JAUAP_LEDGER_URL": servers.ledger,
            "JAUAP_REDIS_URL": servers.redis,
        }  # fmt: skip
        run = subprocess.run(
            ["sh", "-c", script], env=environ, cwd=folder, text=True, timeout=100,
            capture_output=True, check=False,
        )  # fmt: skip
    assert run.returncode == 0, run.stdout + run.stderr
    parts = [part.strip() for part in run.stdout.split(MARK)]
    return [json.loads(part) for part in parts if part]


def test_every_line_of_the_quick_start_does_what_it_says(
    rt: Runtime, servers: Urls, tmp_path: Path
) -> None:
    found = re.search(r"```sh\n(.+?)```", GUIDE, re.DOTALL)
    assert found is not None
    answers = said(rt, servers, tmp_path, found[1].strip().splitlines())
    taken, consented, previewed, made, again, listed, uploaded, campaigns = answers
    assert (taken["accepted"], consented["accepted"]) == (1, 1)
    assert previewed["items"][0]["screen"] == "ask"
    assert made == again == listed["items"][0]
    assert (uploaded["progress"]["staged"], campaigns["items"]) == (1, [])


def test_the_readmes_five_lines_make_an_offer(rt: Runtime, servers: Urls, tmp_path: Path) -> None:
    found = re.search(r"## The API in five lines\n+```\n(.+?)```", README, re.DOTALL)
    assert found is not None
    lines = [line.replace("localhost:8414", "$API") for line in found[1].strip().splitlines()]
    assert len(lines) == 5
    taken, consented, made = said(rt, servers, tmp_path, lines)
    assert (taken["accepted"], consented["accepted"]) == (1, 1)
    assert (made["service"], made["state"]) == ("birth-benefit", "made")


def test_what_the_guides_name_exists() -> None:
    guides = GUIDE + (ROOT / "docs/app.md").read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#h][^)]*)\)", guides):
        assert (ROOT / "docs" / target).exists(), target
