"""jauap's gateway against npm's smpp: bind, submit, receive, receipts, and what goes wrong."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from interop.node import NodeSmsc, node_smsc
from tests.e2e.echoing import EchoHouse
from tests.e2e.house import JAUAP, clean_environ, open_folder, until

A, B, C, D = (f"7701555030{n}" for n in range(4))
LONG = "Ұзақ хабарлама 😀 қазақша " * 8
UDHI = 0x40
QUICK = "[sandbox]\nsimulator = false\n"


@pytest.fixture(scope="module")
def smsc() -> Iterator[NodeSmsc]:
    with node_smsc() as running:
        yield running


@pytest.fixture(scope="module")
def house(smsc: NodeSmsc) -> Iterator[EchoHouse]:
    with open_folder() as folder:
        write_binds(folder, smsc.wait("listening")["port"], "secret")
        echo = EchoHouse(folder, QUICK)
        try:
            binds = len(smsc.of("bind"))
            echo.start()
            smsc.wait("bind", binds)
            yield echo
        finally:
            echo.end()


def write_binds(folder: Path, port: int, password: str) -> None:
    (folder / "node.password").write_text(password)
    lines = {"cid": "node-1", "network": "node", "host": "127.0.0.1", "port": port}
    lines |= {"system_id": "jauap", "password_file": "node.password", "reconnect_delay_max": 1}
    text = "".join(f"{key} = {json.dumps(value)}\n" for key, value in lines.items())
    (folder / "binds.toml").write_text("[[bind]]\n" + text)


def check(folder: Path) -> tuple[int, Any]:
    """`jauap binds check --json`: the exit code and what it found."""
    ran = subprocess.run(
        [*JAUAP, "binds", "check", "--json"],
        cwd=folder, env=clean_environ(JAUAP_ENVIRONMENT="sandbox"), capture_output=True, text=True,
        timeout=60,
    )  # fmt: skip
    return ran.returncode, json.loads(ran.stdout)


def test_the_check_finds_the_bind_well_and_names_a_wrong_password(
    smsc: NodeSmsc, tmp_path: Path
) -> None:
    port = smsc.wait("listening")["port"]
    write_binds(tmp_path, port, "secret")
    code, found = check(tmp_path)
    assert (code, [s["step"] for s in found["binds"][0]["steps"]]) == (
        0,
        ["connect", "bind", "enquire_link", "unbind"],
    )
    write_binds(tmp_path, port, "wrong")
    code, found = check(tmp_path)
    assert code == 1
    assert "ESME_RINVPASWD" in found["binds"][0]["steps"][-1]["says"]


def test_it_binds_as_a_transceiver_of_smpp_3_4(smsc: NodeSmsc, house: EchoHouse) -> None:
    bind = smsc.of("bind")[-1]
    assert (bind["kind"], bind["system_id"], bind["version"]) == ("bind_transceiver", "jauap", 0x34)
    assert smsc.ask("enquire") == 0


def test_what_is_received_is_acknowledged_and_submitted(smsc: NodeSmsc, house: EchoHouse) -> None:
    assert smsc.write(A, "Сәлем 😀") == 0
    until(lambda: smsc.messages(A) == ["Сәлем 😀"], 20, "the echo")
    [submit] = [s for s in smsc.of("submit") if s["phone"] == A]
    assert (submit["source"], submit["data_coding"], submit["registered_delivery"]) == (
        "1414",
        8,
        1,
    )


def test_long_messages_pass_in_both_directions(smsc: NodeSmsc, house: EchoHouse) -> None:
    pieces = [LONG[at : at + 60] for at in range(0, len(LONG), 60)]
    for number in reversed(range(len(pieces))):
        header = bytes((5, 0, 3, 77, len(pieces), number + 1))
        assert smsc.write(B, pieces[number], esm_class=UDHI, header=header) == 0
    until(lambda: smsc.messages(B) == [LONG], 20, "the long echo")


def test_receipts_are_believed(smsc: NodeSmsc, house: EchoHouse) -> None:
    submits = [s for s in smsc.of("submit") if s["phone"] == B]
    for one in submits:
        assert smsc.ask("receipt", phone=B, id=one["id"], stat="DELIVRD") == 0
    assert smsc.write(B, "#STAT") == 0
    wanted = "STAT accepted=1 delivered=1 failed=0 pending=0"
    until(lambda: smsc.messages(B)[-1:] == [wanted], 20, "the counts")


def test_a_burst_over_a_cut_connection_is_answered_once_each(
    smsc: NodeSmsc, house: EchoHouse
) -> None:
    texts = [f"Ағын {n}" for n in range(200)]
    tags = {text: f"burst {text}" for text in texts[:100]}
    for text, tag in tags.items():
        octets = text.encode("utf-16-be").hex()
        smsc.order("deliver", phone=C, data_coding=8, octets=octets, tag=tag)
    until(lambda: len(smsc.messages(C)) >= 40, 30, "some of the echoes")
    binds = len(smsc.of("bind"))
    smsc.order("cut")
    smsc.wait("bind", binds)
    answered = {one["tag"] for one in smsc.of("answered") if one["status"] == 0}
    for text in texts:  # an SMSC delivers again what it got no answer to
        if tags.get(text) not in answered:
            assert smsc.write(C, text) == 0
    until(lambda: set(smsc.messages(C)) == set(texts), 90, "every text has come back")
    assert len(smsc.messages(C)) - len(texts) <= 10  # a window, of which nobody knew


def test_an_unbind_is_answered_and_the_bind_comes_back(smsc: NodeSmsc, house: EchoHouse) -> None:
    binds = len(smsc.of("bind"))
    assert smsc.ask("unbind") == 0
    smsc.order("cut")
    smsc.wait("bind", binds)
    assert smsc.write(D, "after") == 0
    until(lambda: smsc.messages(D) == ["after"], 20, "the echo after the unbind")


def test_it_unbinds_at_its_end(smsc: NodeSmsc, house: EchoHouse) -> None:
    before = len(smsc.of("unbind"))
    assert house.interrupt() == 0
    smsc.wait("unbind", before)
    assert "Traceback" not in house.said()
