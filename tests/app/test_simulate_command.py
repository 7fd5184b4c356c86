"""`jauap simulate` at the keyboard: repeatable to the byte, drawn, interrupted, clear about files
that will not do."""

import json
import os
import signal
import struct
import subprocess
import sys
import tomllib
import xml.etree.ElementTree as ElementTree
import zlib
from pathlib import Path

import pytest

from app.simulate import plot, raster
from app.simulate.reading import read
from app.simulate.running import simulate
from tests.app.campaigns import SERVICES, at, campaign, silent, table
from tests.app.test_simulate import MIXED
from tests.app.worker_fixtures import eventually
from tests.e2e.desk import say

COMMAND = [sys.executable, "-m", "app.cli", "simulate"]


def jauap(*words: str, folder: Path) -> "subprocess.CompletedProcess[str]":
    environ = os.environ | {"TMPDIR": str(folder)}
    return subprocess.run(
        [*COMMAND, *words], capture_output=True, text=True, timeout=240, env=environ, check=False
    )


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The example that the command prints."""
    told = say("simulate", "--example")
    assert told.code == 0
    there = tmp_path / "day.toml"
    there.write_text(told.out, "utf-8")
    return there


def test_the_example_is_lived_through_and_a_seed_repeats_it_to_the_byte(
    file: Path, tmp_path: Path
) -> None:
    svg, png = tmp_path / "day.svg", tmp_path / "day.png"
    words = (str(file), "--citizens", "60", "--json")
    first = jauap(*words, "--plot", str(svg), "--plot", str(png), folder=tmp_path)
    assert (first.returncode, first.stderr) == (0, "")
    assert jauap(*words, folder=tmp_path).stdout == first.stdout
    other = jauap(*words, "--seed", "2", folder=tmp_path)
    assert other.returncode == 0
    assert other.stdout != first.stdout
    figures = json.loads(first.stdout)
    assert figures["promises"]["kept"] is True
    assert svg.read_bytes() == plot.octets(figures, ".svg")
    assert png.read_bytes() == plot.octets(figures, ".png")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["day.png", "day.svg", "day.toml"]


def test_shards_are_one_campaign_and_repeat_themselves() -> None:
    given = table(citizens=60)
    given["behaviours"] = MIXED
    whole, breaches = simulate(campaign(given), silent, large=50)
    assert breaches == []
    everybody = whole["funnel"]["all"]
    outcomes = sum(everybody[s] for s in ("accepted", "declined", "expired", "undelivered"))
    assert everybody["offered"] == everybody["made"] == outcomes == whole["promises"]["cases"] == 60
    assert whole["binds"]["kcell"]["segments_per_second"] == 50.0
    again, _ = simulate(campaign(given), silent, large=50)
    assert json.dumps(again) == json.dumps(whole)


def test_an_interrupt_leaves_nothing_behind(file: Path, tmp_path: Path) -> None:
    servers = tmp_path / "servers"
    servers.mkdir()
    process = subprocess.Popen(
        [*COMMAND, str(file), "--citizens", "20000", "--plot", str(tmp_path / "day.svg")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"TMPDIR": str(servers)},
        start_new_session=True,
    )
    started = "jauap-simulate-*/var/postgres/postmaster.pid"
    eventually(lambda: any(servers.glob(started)), within_s=60)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: everybody at once
    said, complaint = process.communicate(timeout=120)
    assert process.returncode == 130
    assert (said, complaint) == ("", "jauap simulate: interrupted; nothing is left of it\n")
    assert list(servers.iterdir()) == []
    assert not (tmp_path / "day.svg").exists()
    running = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True)
    assert str(servers) not in running.stdout


def test_everything_wrong_with_a_file_is_said_at_once(file: Path, tmp_path: Path) -> None:
    text = file.read_text("utf-8")
    for good, bad in (
        ('service = "birth-benefit"', 'service = "moon-benefit"'),
        ("starts_at = 2026-03-02T09:00:00+05:00", "starts_at = 2026-03-02T09:00:00"),
        ("kk = 0.55", "kk = 0.75"),
        ("silence = 0.320", "dance = 0.320"),
        ("price = 9.50", 'price = "cheap"'),
        ('network = "beeline"', 'network = "mars"'),
    ):
        assert text.count(good) == 1
        text = text.replace(good, bad)
    file.write_text(text, "utf-8")
    said = say("simulate", str(file))
    assert (said.code, said.out) == (2, "")
    lines = said.err.splitlines()
    assert lines[0] == f"jauap simulate: {file} cannot be used:"
    places = {line.split(": found ")[0] for line in lines[1:]}
    assert places == {
        "campaign.service",
        "campaign.starts_at",
        "citizens: kk + ru + unknown",
        "behaviours.kk.dance",
        "behaviours.kk",
        "network 1.price",
        "outage 1.network",
    }
    assert all(", expected " in line and line.endswith(f"({file})") for line in lines[1:])


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"x = [", "TOML in UTF-8"),
        (b'name = "\xff"', "TOML in UTF-8"),
        (None, "a readable file"),
        (b"", "at least one [[network]]"),
    ],
)
def test_what_is_no_campaign_is_refused(
    content: bytes | None, expected: str, tmp_path: Path
) -> None:
    file = tmp_path / "day.toml"
    if content is not None:
        file.write_bytes(content)
    said = say("simulate", str(file))
    assert said.code == 2
    assert f"expected {expected} ({file})" in said.err


@pytest.mark.parametrize("name", ["day.pdf", "no-such-folder/day.svg"])
def test_a_picture_that_cannot_be_drawn_is_refused_before_the_work(
    name: str, file: Path, tmp_path: Path
) -> None:
    said = say("simulate", str(file), "--plot", str(tmp_path / name))
    assert said.code == 2
    assert f"--plot: found {tmp_path / name}" in said.err
    assert ", expected a " in said.err


def test_the_example_asks_what_the_sandbox_could_ask(file: Path) -> None:
    with file.open("rb") as opened:
        found = read(tomllib.load(opened), str(file), SERVICES)
    assert (found.citizens, found.seed) == (100_000, 1)
    assert {len(mix) for mix in found.people.behaviours.values()} == {10}


def test_a_picture_says_everything_in_both_languages() -> None:
    picture = plot.octets(FIGURES, ".svg").decode()
    root = ElementTree.fromstring(picture)
    texts = [one.text or "" for one in root.iter("{http://www.w3.org/2000/svg}text")]
    assert texts[:3] == [
        "Наурыз <1> & 2 · seed 7",
        "1\u00a0000 азамат, әр 15 минуттағы сұрау салу саны, Алматы уақыты",
        "1\u00a0000 граждан, запросов за каждые 15 минут, время Алматы",
    ]
    assert set(plot.NAMES.values()) <= set(texts)
    letters = {letter for text in texts for letter in text}
    assert letters <= set(raster.glyphs())


def test_a_png_is_the_same_picture_at_twice_the_size() -> None:
    found = plot.octets(FIGURES, ".png")
    assert found.startswith(b"\x89PNG\r\n\x1a\n")
    assert struct.unpack(">II", found[16:24]) == (plot.WIDTH * 2, plot.HEIGHT * 2)
    size = struct.unpack(">I", found[33:37])[0]
    rows = zlib.decompress(found[41 : 41 + size])
    assert len(rows) == plot.HEIGHT * 2 * (1 + plot.WIDTH * 2 * 3)
    for colour, _ in plot.STYLES.values():
        assert bytes.fromhex(colour.removeprefix("#")) in rows


FIGURES = {
    "campaign": "Наурыз <1> & 2",
    "citizens": 1000,
    "seed": 7,
    "quarters": [
        {
            "from": at(f"{9 + n // 4:02}:{n % 4 * 15:02}").isoformat(),
            "sent": 40 * (n < 3),
            "received": 30 * (n == 2),
            "answered": 20 * (n in (5, 6)),
            "expired": 9 * (n > 8),
        }
        for n in range(12)
    ],
}
