"""The embedded servers: they start fast, keep what they were given, and survive a kill -9."""

import fcntl
import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from app.embedded import MOST_STARTS, EmbeddedError, Servers, Urls, attach, running
from app.embedded.processes import of_directory
from app.settings import Settings, load
from tests import server_logs

HOLDER = """
import sys, time
from pathlib import Path
from app.embedded import Servers
from app.settings import load
settings = load(None, {}, {"paths.data": sys.argv[1]}, force_sandbox=True)
with Servers("jauap up") as servers:
    servers.start(settings)
    print("up", flush=True)
    time.sleep(60)
"""


def settings_in(data: Path) -> Settings:
    return load(None, {}, {"paths.data": str(data)}, force_sandbox=True)


def open_to_others(directory: Path) -> None:
    """pytest's directories are closed to the account that runs PostgreSQL when we are root; there
    is one more of them where tests run side by side."""
    for path in (directory, *directory.parents[:3]):
        path.chmod(0o755)


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """One data directory for the module: making one takes longer than starting it again."""
    data = tmp_path_factory.mktemp("embedded") / "var"
    open_to_others(data.parent)
    yield settings_in(data)
    of_another = r"FATAL:  database files are incompatible with server$"
    server_logs.check(server_logs.troubles(data), [*server_logs.OF_BEING_KILLED, of_another])


@pytest.fixture
def holder(settings: Settings) -> Iterator["subprocess.Popen[str]"]:
    """Another process that holds the servers."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(settings.paths.data)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "up\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def ask(urls: Urls, statement: str) -> object:
    with psycopg.connect(urls.ledger, autocommit=True) as link:
        found = link.execute(statement.encode())
        row = found.fetchone() if found.description else None
        return row[0] if row else None


def tell(urls: Urls, line: str) -> str:
    with socket.socket(socket.AF_UNIX) as link:
        link.connect(urlsplit(urls.redis).path)
        link.sendall(line.encode() + b"\r\n")
        return link.recv(200).decode().strip()


def test_what_was_written_is_there_after_the_next_start(settings: Settings) -> None:
    with Servers() as servers:
        urls = servers.start(settings)
        ask(urls, "CREATE TABLE kept AS SELECT 'Иә'::text AS answer")
        assert tell(urls, "SET kept yes") == "+OK"
    start = time.monotonic()
    with Servers() as servers:
        urls = servers.start(settings)
        assert time.monotonic() - start < 5
        assert ask(urls, "SELECT answer FROM kept") == "Иә"
        assert "yes" in tell(urls, "GET kept")
    assert of_directory((settings.paths.data / "postgres").resolve()) == []
    assert of_directory(settings.paths.data / "valkey") == []


def test_the_ledger_is_durable_and_knows_kazakh(settings: Settings) -> None:
    with running(settings) as urls:
        assert ask(urls, "SHOW fsync") == "on"
        assert ask(urls, "SHOW synchronous_commit") == "on"
        assert ask(urls, "SHOW server_encoding") == "UTF8"
        assert ask(urls, "SELECT upper('қазақ әұ')") == "ҚАЗАҚ ӘҰ"
        assert "yes" in tell(urls, "CONFIG GET appendonly")


def test_only_we_may_reach_the_sockets(settings: Settings) -> None:
    with running(settings) as urls:
        assert ask(urls, "SHOW listen_addresses") == ""
        address = Path(urlsplit(urls.redis).path)
        assert stat.S_IMODE(address.parent.stat().st_mode) == 0o700
        assert len(os.fsencode(address)) <= 107


def test_a_second_start_on_the_same_data_names_the_holder(
    settings: Settings, holder: "subprocess.Popen[str]"
) -> None:
    with pytest.raises(EmbeddedError, match=rf"in use by jauap up \(pid {holder.pid}\)"):
        Servers().start(settings)


def test_a_short_command_uses_the_servers_that_run(
    settings: Settings, holder: "subprocess.Popen[str]"
) -> None:
    with running(settings) as urls:
        assert ask(urls, "SELECT 1") == 1
        assert attach(settings) == urls
    assert holder.poll() is None


def test_without_a_holder_there_is_nothing_to_attach_to(settings: Settings) -> None:
    assert attach(settings) is None


def test_after_a_kill_the_next_start_takes_over(
    settings: Settings, holder: "subprocess.Popen[str]"
) -> None:
    urls = attach(settings)
    assert urls is not None
    ask(urls, "CREATE TABLE IF NOT EXISTS after_kill AS SELECT 1")
    left = of_directory((settings.paths.data / "postgres").resolve())
    holder.kill()
    holder.wait()
    with Servers() as servers:
        urls = servers.start(settings)
        assert ask(urls, "SELECT count(*) FROM after_kill") == 1
        assert not set(left) & set(of_directory((settings.paths.data / "postgres").resolve()))


def test_a_killed_postmaster_and_a_pid_used_again_do_not_stop_the_next_start(
    settings: Settings, holder: "subprocess.Popen[str]"
) -> None:
    pid_file = settings.paths.data / "postgres" / "postmaster.pid"
    lines = pid_file.read_text().splitlines()
    os.kill(int(lines[0]), signal.SIGKILL)
    holder.kill()
    holder.wait()
    pid_file.write_text("\n".join([str(os.getpid()), *lines[1:]]) + "\n")
    with running(settings) as urls:
        assert ask(urls, "SELECT 1") == 1


def test_a_server_that_ends_by_itself_is_noticed(settings: Settings) -> None:
    with Servers() as servers:
        servers.start(settings)
        assert servers.ended() is None
        pid = int((settings.paths.data / "postgres" / "postmaster.pid").read_text().split()[0])
        os.kill(pid, signal.SIGQUIT)
        end = time.monotonic() + 10
        while servers.ended() is None:
            assert time.monotonic() < end
            time.sleep(0.02)
        assert "Postgres ended" in (servers.ended() or "")


def test_a_server_that_was_killed_is_started_again_with_what_it_had(settings: Settings) -> None:
    with Servers() as servers:
        urls = servers.start(settings)
        ask(urls, "CREATE TABLE mended AS SELECT 1")
        home = settings.paths.data
        for pid_file in (home / "postgres" / "postmaster.pid", home / "valkey" / "valkey.pid"):
            os.kill(int(pid_file.read_text().split()[0]), signal.SIGKILL)
            end = time.monotonic() + 10
            while servers.ended() is None:
                assert time.monotonic() < end
                time.sleep(0.02)
            assert servers.mend() is None
            assert servers.ended() is None
        assert ask(urls, "SELECT count(*) FROM mended") == 1
        assert tell(urls, "PING") == "+PONG"


def test_a_server_that_cannot_be_started_again_is_trouble(settings: Settings) -> None:
    version = settings.paths.data / "postgres" / "PG_VERSION"
    with Servers() as servers:
        servers.start(settings)
        former = version.read_text()
        version.write_text("9\n")
        try:
            pid_file = settings.paths.data / "postgres" / "postmaster.pid"
            os.kill(int(pid_file.read_text().split()[0]), signal.SIGKILL)
            end = time.monotonic() + 10
            while servers.ended() is None:
                assert time.monotonic() < end
                time.sleep(0.02)
            troubles = [servers.mend() for _ in range(MOST_STARTS)]
            assert troubles[:-1] == [None] * (MOST_STARTS - 1)
            assert "does not start again" in (troubles[-1] or "")
        finally:
            version.write_text(former)


def test_a_path_too_long_for_a_socket_still_starts(tmp_path: Path) -> None:
    open_to_others(tmp_path)
    data = tmp_path / ("long" * 30) / "var"
    with running(settings_in(data)) as urls:
        assert ask(urls, "SELECT 1") == 1
        assert not urlsplit(urls.redis).path.startswith(str(data))


def test_a_broken_data_directory_is_said_in_words(tmp_path: Path) -> None:
    open_to_others(tmp_path)
    settings = settings_in(tmp_path / "var")
    (tmp_path / "var" / "postgres").mkdir(mode=0o755)
    (tmp_path / "var" / "postgres" / "letters.txt").write_text("mine")
    with pytest.raises(EmbeddedError, match="not a data directory"):
        Servers().start(settings)
    assert (tmp_path / "var" / "postgres" / "letters.txt").exists()


def test_data_of_another_postgresql_is_said_in_words(settings: Settings) -> None:
    version = settings.paths.data / "postgres" / "PG_VERSION"
    with running(settings):
        former = version.read_text()
    version.write_text("9\n")
    try:
        with pytest.raises(EmbeddedError, match="incompatible"):
            Servers().start(settings)
    finally:
        version.write_text(former)


def test_servers_of_others_are_passed_through_and_nothing_is_started(tmp_path: Path) -> None:
    flags = {"ledger.url": "postgresql://db/x", "redis.url": "redis://r"}
    settings = load(None, {}, {**flags, "paths.data": str(tmp_path)}, force_sandbox=True)
    with Servers() as servers:
        urls = servers.start(settings)
    assert urls == Urls("postgresql://db/x", "redis://r") == attach(settings)
    assert not (tmp_path / "lock").exists()


def test_the_lock_falls_with_the_servers(settings: Settings) -> None:
    with running(settings):
        pass
    with (settings.paths.data / "lock").open() as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
