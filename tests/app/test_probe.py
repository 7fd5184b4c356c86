"""`jauap binds check` against message centres that are wrong in every way, and the words for it."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.acceptance import consequences
from app.acceptance.probe import Visit, visit
from app.commands.assembled import app
from smpp.binds import Bind, Tls
from smpp.pdu import Command, Pdu, Status, pack
from tests.e2e.house import free_port
from tests.smpp.scripted import MO, Answer, Smsc, ok, quick, silence, status

pytestmark = pytest.mark.anyio
BIND = quick()


@asynccontextmanager
async def serving(**answers: Answer) -> AsyncIterator[Smsc]:
    smsc = Smsc({Command[name.upper()]: answer for name, answer in answers.items()})
    server = await asyncio.start_server(smsc.serve, "127.0.0.1", 0)
    smsc.port = server.sockets[0].getsockname()[1]
    try:
        yield smsc
    finally:
        server.close()
        await server.wait_closed()


async def tried(bind: Bind = BIND, **answers: Answer) -> tuple[Visit, Smsc]:
    async with serving(**answers) as smsc:
        return await visit(replace(bind, port=smsc.port)), smsc


def last(found: Visit) -> tuple[str, bool, str]:
    step = found.steps[-1]
    return step.step, step.ok, step.says


async def test_a_good_network_is_told_step_by_step_and_left_in_order() -> None:
    found, smsc = await tried()
    assert [(s.step, s.ok) for s in found.steps] == [
        ("connect", True),
        ("bind", True),
        ("enquire_link", True),
        ("unbind", True),
    ]
    assert [p.command for p in smsc.heard] == [
        Command.BIND_TRANSCEIVER,
        Command.ENQUIRE_LINK,
        Command.UNBIND,
    ]
    assert all(0 <= s.seconds < 5 for s in found.steps)


@pytest.mark.parametrize(
    ("code", "word"),
    [
        (Status.ESME_RALYBND, "bound already"),
        (Status.ESME_RINVPASWD, "password"),
        (Status.ESME_RINVSYSID, "system_id"),
        (Status.ESME_RBINDFAIL, "refuses the bind"),
        (0x00000400, "0x400"),
    ],
)
async def test_a_refused_bind_is_told_in_words(code: int, word: str) -> None:
    found, _ = await tried(bind_transceiver=status(code))
    step, is_ok, says = last(found)
    assert (step, is_ok) == ("bind", False)
    assert word in says


async def test_a_port_where_nobody_answers_the_bind_is_told_apart_from_one_that_hangs_up() -> None:
    found, _ = await tried(bind_transceiver=silence)
    assert last(found)[:2] == ("bind", False)
    assert "no answer to the bind within 0.3 s" in last(found)[2]
    found, _ = await tried(bind_transceiver=lambda smsc, pdu: smsc.drop())
    assert last(found)[:2] == ("bind", False)
    assert "connection was lost" in last(found)[2] or "closed" in last(found)[2]


async def test_what_is_no_smpp_at_all_is_said() -> None:
    def speak(smsc: Smsc, pdu: Pdu) -> None:
        smsc.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    found, _ = await tried(bind_transceiver=speak)
    assert last(found)[:2] == ("bind", False)
    assert "command_length" in last(found)[2]


async def test_an_enquire_link_without_an_answer_is_a_finding() -> None:
    found, _ = await tried(enquire_link=silence)
    assert last(found)[:2] == ("enquire_link", False)
    assert "taken for dead" in last(found)[2]


async def test_a_nack_of_enquire_link_and_a_hang_up_are_told() -> None:
    def nack(smsc: Smsc, pdu: Pdu) -> None:
        smsc.write(pack(Command.GENERIC_NACK, pdu.sequence, Status.ESME_RINVCMDID))

    found, _ = await tried(enquire_link=nack)
    assert "generic_nack: ESME_RINVCMDID" in last(found)[2]
    found, _ = await tried(enquire_link=lambda smsc, pdu: smsc.drop())
    assert last(found)[:2] == ("enquire_link", False)


async def test_an_unbind_answered_by_hanging_up_is_well() -> None:
    found, _ = await tried(unbind=lambda smsc, pdu: smsc.drop())
    assert last(found)[:2] == ("unbind", True)
    found, _ = await tried(unbind=silence)
    assert last(found)[:2] == ("unbind", False)


async def test_what_the_network_delivers_meanwhile_stays_with_it() -> None:
    def deliver(smsc: Smsc, pdu: Pdu) -> None:
        smsc.deliver(MO)
        ok(smsc, pdu)

    found, smsc = await tried(enquire_link=deliver)
    assert last(found)[:2] == ("unbind", True)
    [answer] = smsc.of(Command.DELIVER_SM_RESP)
    assert answer.status == Status.ESME_RX_T_APPN
    assert found.kept_back == 1


async def test_a_closed_port_a_wrong_name_and_tls_on_a_plain_port_are_told_apart() -> None:
    bind = replace(BIND, port=free_port())
    assert "nothing listens" in last(await visit(bind))[2]
    assert "is not known" in last(await visit(replace(bind, host="no-such.invalid")))[2]
    assert last(await visit(replace(bind, host="a..b")))[:2] == ("connect", False)
    found, _ = await tried(replace(BIND, tls=Tls()))
    assert last(found)[:2] == ("connect", False)
    assert "TLS" in last(found)[2]


async def test_a_machine_that_drops_our_packets_is_waited_for_no_longer_than_said() -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        port = full.getsockname()[1]
        others = [socket.socket() for _ in range(8)]
        for other in others:  # the queue of connections is full, so further ones hang
            other.setblocking(False)
            other.connect_ex(("127.0.0.1", port))
        found = await visit(replace(BIND, port=port))
        for other in others:
            other.close()
    assert last(found)[:2] == ("connect", False)
    assert "no answer from" in last(found)[2]


def test_consequences_for_people_are_said_and_a_plain_bind_has_hardly_any() -> None:
    assert len(consequences.of_bind(BIND)) == 1
    zoned = replace(BIND, receipt_time_zone="Asia/Almaty")
    assert consequences.of_bind(zoned) == []
    loud = replace(
        zoned, receipts=False, long_message="payload", host="8.8.8.8", validity_period=90_000,
        enquire_link_interval=300,
    )  # fmt: skip
    words = [note.split(" ")[0] for note in consequences.of_bind(loud)]
    assert words == ["receipts", "long_message", "tls", "validity_period", "enquire_link_interval"]
    pinned = replace(zoned, tls=Tls(pin_sha256="0" * 64))
    assert "renews" in consequences.of_bind(pinned)[0]
    deaf = [replace(BIND, bind="transmitter"), replace(BIND, bind="receiver", network="other")]
    assert len(consequences.of_networks(deaf)) == 2


def test_all_faults_of_the_file_come_together_with_exit_code_1(tmp_path: Path) -> None:
    (tmp_path / "binds.toml").write_text('[[bind]]\ncid = "a"\nwindow = 0\nfoo = 1\n')
    ran = checked(tmp_path)
    assert ran.exit_code == 1
    told = json.loads(ran.output)
    keys = {p["key"].split(".", 1)[1] for p in told["problems"]}
    assert {"foo", "window", "network", "host", "port", "system_id", "password_env"} <= keys
    assert all(set(p) == {"key", "found", "expected"} for p in told["problems"])


def test_no_file_and_an_unknown_cid_are_wrong_use(tmp_path: Path) -> None:
    assert checked(tmp_path).exit_code == 2
    (tmp_path / "pw").write_text("secret")
    (tmp_path / "binds.toml").write_text(
        '[[bind]]\ncid = "a"\nnetwork = "n"\nhost = "127.0.0.1"\nport = 1\n'
        'system_id = "s"\npassword_file = "pw"\n'
    )
    assert checked(tmp_path, "b").exit_code == 2
    ran = checked(tmp_path, "a")
    assert ran.exit_code == 1
    assert "secret" not in ran.output


def checked(folder: Path, *words: str):  # type: ignore[no-untyped-def]
    """`jauap binds check --json` with a configuration in `folder`."""
    config = folder / "jauap.toml"
    config.write_text('environment = "sandbox"\n[paths]\ndata = "var"\nbinds = "binds.toml"\n')
    return CliRunner().invoke(
        app, ["binds", "check", *words, "--json", "--config", str(config)], env={}
    )
