"""`jauap bench`: what it measures is done by the real processes, and its pictures are right."""

import json
import os
import signal
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections import Counter
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.bench.flames import Sampler, as_svg
from app.bench.messaging import Work
from app.commands.assembled import app
from tests.app.worker_fixtures import eventually

SVG = "{http://www.w3.org/2000/svg}"


def titles(picture: str) -> list[str]:
    return [t.text or "" for t in ET.fromstring(picture).iter(f"{SVG}title")]


def test_a_flame_graph_shows_shares_from_its_root_on() -> None:
    stacks = Counter(
        {
            ("main.run", "app.exchange.commit", "app.a.f"): 3,
            ("main.run", "app.exchange.commit", "app.a.g"): 1,
            ("main.run", "elsewhere.h"): 96,
        }
    )
    shown = titles(as_svg(stacks, "exchange"))
    assert shown == ["app.exchange.commit: 100.0%", "app.a.f: 75.0%", "app.a.g: 25.0%"]


def test_what_stands_above_a_function_is_no_broader_than_it() -> None:
    stacks = Counter({("app.exchange.f", "x.<g>", "x.h"): 2, ("app.exchange.f",): 2})
    picture = as_svg(stacks, "exchange")
    widths = [float(r.get("width", "0")) for r in ET.fromstring(picture).iter(f"{SVG}rect")][1:]
    assert widths == sorted(widths, reverse=True)
    assert titles(picture)[1] == "x.<g>: 50.0%"


def test_a_sampler_sees_the_thread_that_runs_it() -> None:
    sampler = Sampler()
    with sampler.running():
        while sampler.stacks.total() < 20:  # its first looks may find us still starting it
            sum(range(1000))
    assert any(stack[-1].endswith(f".{self_name()}") for stack in sampler.stacks)


def self_name() -> str:
    return test_a_sampler_sees_the_thread_that_runs_it.__name__


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_who_ends_a_measurement_early_finds_nothing_left_of_it(
    tmp_path: Path, number: signal.Signals
) -> None:
    command = [sys.executable, "-m", "app.cli", "bench", "mt", "--n", "100000"]
    environ = dict(os.environ) | {"TMPDIR": str(tmp_path)}
    with subprocess.Popen(command, env=environ, stderr=subprocess.PIPE) as process:
        eventually(lambda: bool(list(tmp_path.glob("jauap-bench-*/*.log"))), 60)
        process.send_signal(number)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 128 + number
    assert (list(tmp_path.iterdir()), b"Traceback" in said) == ([], False)


def test_questions_and_receipts_are_measured_on_the_real_processes() -> None:
    run = CliRunner().invoke(app, ["bench", "mt", "--n", "30", "--segments", "2", "--json"])
    assert run.exit_code == 0, run.output
    figures = json.loads(run.stdout)
    assert (figures["n"], figures["segments"]) == (30, 2)
    assert figures["segments_per_s"] > figures["messages_per_s"] > 0
    assert set(figures["memory_mb"]) == {"web", "worker", "gateway"}


def test_binds_are_shared_out_among_gateways_none_without_one() -> None:
    words = ["bench", "mt", "--n", "30", "--binds", "3", "--gateways", "2", "--json"]
    run = CliRunner().invoke(app, words)
    assert run.exit_code == 0, run.output
    figures = json.loads(run.stdout)
    assert (figures["binds"], figures["gateways"]) == (3, 2)
    assert set(figures["memory_mb"]) == {"web", "worker", "gateway", "gateway-2"}
    assert Work(30, binds=3, gateways=2).shares == [["bench-1", "bench-3"], ["bench-2"]]
    wrong = CliRunner().invoke(app, ["bench", "turn", "--gateways", "2"])
    assert (wrong.exit_code, wrong.stdout) == (2, "")
    assert "--gateways: found 2, expected no more than --binds 1" in wrong.stderr


def test_every_stage_of_a_message_is_measured() -> None:
    run = CliRunner().invoke(app, ["bench", "stages", "--n", "60", "--json"])
    assert run.exit_code == 0, run.output
    figures = json.loads(run.stdout)
    for stage in ("claim", "results", "receipts", "delivered", "turns"):
        assert figures[stage]["wall_us"] >= figures[stage]["python_us"] > 0


def test_a_message_centre_that_is_none_is_named() -> None:
    run = CliRunner().invoke(app, ["bench", "mt", "--smsc", "localhost"])
    assert run.exit_code == 2
    assert "HOST:PORT" in run.output
