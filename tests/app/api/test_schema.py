"""Calls of every kind that the document allows, and many that it does not: no answer that is not
described, no fault of ours, nothing let in without a key. All checks of schemathesis, bounded.
"""

import subprocess
import sys
from pathlib import Path

import pytest

from app import sandbox_issuer
from app.clock import system_clock
from app.ledger import keys
from app.ledger.keys import Scope
from app.runtime import Runtime
from tests.app.api.conftest import AIDA, served

PROGRAM = Path(sys.executable).parent / "schemathesis"
RULES = Path(__file__).with_name("schemathesis.toml")
EXAMPLES = 6  # a route and phase; a longer search is `schemathesis run` by hand
STREAM = r"^/v1/me/events$"  # does not end by itself; test_events.py reads it
SIDES = {
    "citizens": ["--include-path-regex", "^/v1/me", "--exclude-path-regex", STREAM],
    "systems": ["--exclude-path-regex", "^/v1/me"],
}


@pytest.mark.parametrize("side", SIDES)
def test_the_api_does_what_its_document_says(rt: Runtime, side: str) -> None:
    with rt.unit() as unit:
        _, token = keys.add(unit.tx, "schema", list(Scope), unit.now)
    if side == "citizens":
        token = sandbox_issuer.issue(rt.settings.paths.data, AIDA, system_clock())
    with served(rt) as url:
        # One worker: on Python 3.11 two threads that compile at once spoil one another's count.
        command = [
            str(PROGRAM), "--config-file", str(RULES), "run", f"{url}/openapi.json",
            "-H", f"Authorization: Bearer {token}",
            "--checks", "all", "-n", str(EXAMPLES), "--phases", "examples,coverage,fuzzing",
            "--suppress-health-check", "all", "--no-color", "--seed", "1", "--workers", "1",
            *SIDES[side],
        ]  # fmt: skip
        run = subprocess.run(command, capture_output=True, text=True, timeout=110, check=False)
    assert run.returncode == 0, run.stdout[-12000:]
