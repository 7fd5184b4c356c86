"""jauap's link against a real mobile core: bind, refused bind, submits. Its subscribers would need
a base station, so what comes from handsets is shown against the other message centres."""

import asyncio
import json
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.clock import system_clock
from smpp.binds import Bind
from smpp.link import Link
from smpp.messages import BindEvent, BindState, Heard, Outbound, SubmitOutcome, SubmitResult
from tests.e2e.house import JAUAP, clean_environ, free_port, until

HERE = Path(__file__).parent
PHONE = "+77015550400"
LONG = "Ұлттық желінің хабарламасы 😀 " * 6


def answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture(scope="module")
def core(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of OsmoMSC's SMPP."""
    found = shutil.which("osmo-msc")
    assert found, "found no osmo-msc, expected Debian's package osmo-msc"
    folder, port = tmp_path_factory.mktemp("osmo"), free_port()
    library = folder / "tcp_for_sctp.so"
    source = HERE / "tcp_for_sctp.c"
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
    config = (HERE / "osmo-msc.cfg").read_text().replace("@PORT@", str(port))
    (folder / "osmo-msc.cfg").write_text(config)
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [found, "-c", "osmo-msc.cfg"],
            cwd=folder, env=os.environ | {"LD_PRELOAD": str(library)}, stdout=log, stderr=log,
        )  # fmt: skip
    try:
        until(lambda: answers(port), 20, f"OsmoMSC listens: {folder / 'log'}")
        yield port
    finally:
        process.terminate()
        process.wait(10)


def check(folder: Path, port: int, password: str) -> tuple[int, Any]:
    (folder / "password").write_text(password)
    lines = {"cid": "osmo-1", "network": "osmo", "host": "127.0.0.1", "port": port}
    lines |= {"system_id": "jauap", "password_file": "password", "response_timeout": 3}
    text = "".join(f"{key} = {json.dumps(value)}\n" for key, value in lines.items())
    (folder / "binds.toml").write_text("[[bind]]\n" + text)
    ran = subprocess.run(
        [*JAUAP, "binds", "check", "--json"],
        cwd=folder, env=clean_environ(JAUAP_ENVIRONMENT="sandbox"), capture_output=True, text=True,
        timeout=60,
    )  # fmt: skip
    return ran.returncode, json.loads(ran.stdout)["binds"][0]


def test_the_check_finds_a_real_core_well(core: int, tmp_path: Path) -> None:
    code, found = check(tmp_path, core, "secret")
    assert (code, [s["ok"] for s in found["steps"]]) == (0, [True] * 4)


def test_the_check_says_that_the_password_is_wrong(core: int, tmp_path: Path) -> None:
    code, found = check(tmp_path, core, "wrong")
    assert code == 1
    assert "ESME_RINVPASWD" in found["steps"][-1]["says"]


def test_whole_and_long_messages_are_accepted_segment_by_segment(core: int) -> None:
    results = asyncio.run(submit(core, ["Сәлем", LONG, "GSM only"]))
    assert {r.outcome for r in results} == {SubmitOutcome.ACCEPTED}
    assert len({(r.message_id, r.segment) for r in results}) == len(results) == 5
    # Its message_id is always the same, which is why no receipt may be matched by the id alone.
    assert {r.smsc_id for r in results} == {"msg_id_not_implemented"}


async def submit(port: int, texts: list[str]) -> list[SubmitResult]:
    """What became of the segments of these texts."""
    heard: list[Heard] = []
    bind = Bind("osmo-1", "osmo", "127.0.0.1", port, "jauap", "secret", response_timeout=5)
    link = Link(bind, heard.append, system_clock)
    running = asyncio.create_task(link.run())
    try:
        async with asyncio.timeout(30):
            while not link.is_bound:
                await asyncio.sleep(0.01)
            for number, text in enumerate(texts):
                link.submit(Outbound(str(number), PHONE, text, number, 600))
            while len([h for h in heard if isinstance(h, SubmitResult)]) < 5:
                await asyncio.sleep(0.01)
            await link.stop()
    finally:
        running.cancel()
    assert BindEvent.BOUND in [h.event for h in heard if isinstance(h, BindState)]
    return [h for h in heard if isinstance(h, SubmitResult)]
