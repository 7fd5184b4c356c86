"""The storm in its short form, with a seed that stays; `make chaos` is the long one."""

import ast
import sys
from pathlib import Path

import pytest

from tests.chaos.reckoning import table
from tests.chaos.storm import CHANCES, Storm

SEED = 14
HERE = Path(__file__).parent
OUTSIDERS = ("people", "smsc", "wire")  # what the message centre is made of


@pytest.mark.timeout(400)
def test_whatever_is_killed_every_promise_is_kept(capsys: pytest.CaptureFixture[str]) -> None:
    storm = Storm(SEED, many=60, seconds=5, pause=0.4, day=20)
    with capsys.disabled():
        lines = storm.run()
    assert set(storm.blows) == set(CHANCES)
    assert [line for line in lines if not line.is_kept] == [], table(lines)


@pytest.mark.parametrize("name", OUTSIDERS)
def test_the_message_centre_reads_the_standard_for_itself(name: str) -> None:
    ours = {f"tests.chaos.{other}" for other in OUTSIDERS} | {"tests.chaos"}
    for node in ast.walk(ast.parse((HERE / f"{name}.py").read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found = {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found = {str(node.module)}
        else:
            continue
        assert {one for one in found if one.split(".")[0] not in sys.stdlib_module_names} <= ours
