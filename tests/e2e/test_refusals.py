"""What `jauap up` will not start with: one clear message, no traceback, exit 2, nothing left."""

import base64
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from app.embedded import Urls
from app.runtime import Runtime
from tests.e2e.conftest import Build
from tests.e2e.house import House, free_port


def refused(house: House) -> str:
    """What it said before it gave up."""
    assert house.start().wait() == 2, house.said()
    assert "Traceback" not in house.said()
    assert not (house.folder / "var" / "servers.json").exists()
    return house.said()


def on(rt: Runtime, servers: Urls) -> dict[str, str]:
    """The environment of a start on the servers and the database of a test."""
    ledger = rt.ledger.url
    return {"JAUAP_LEDGER_URL": ledger, "JAUAP_REDIS_URL": servers.redis}


def key_of(rt: Runtime) -> str:
    return base64.b64encode(rt.settings.master_key).decode()


@contextmanager
def taken_port() -> Iterator[int]:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield int(other.getsockname()[1])


def test_every_wrong_key_of_jauap_toml_is_named_at_once(build: Build) -> None:
    toml = '[sandbox]\ncolour = 1\ntime_scale = "often"\n[ledgers]\nurl = "x"\n'
    said = refused(build(toml))
    assert "sandbox.colour: found 1, expected no such key" in said
    assert "sandbox.time_scale: found 'often', expected a number from 0.01 to 100000" in said
    assert "ledgers: " in said


def test_every_fault_of_binds_toml_is_named_before_anything_starts(build: Build) -> None:
    house = build()
    (house.folder / "binds.toml").write_text('[[bind]]\ncid = "a"\nhots = "x"\n')
    said = refused(house)
    assert "bind[1] (a).hots: found an unknown key, expected host" in said
    assert "bind[1] (a).port: found nothing, expected a port" in said
    assert "started" not in said


def test_a_ledger_that_does_not_answer_is_named_without_its_password(build: Build) -> None:
    port = free_port()
    url = f"postgresql://someone:secret@127.0.0.1:{port}/jauap"
    said = refused(build(JAUAP_LEDGER_URL=url))
    assert "127.0.0.1" in said and "Connection refused" in said
    assert "secret" not in said


def test_a_port_that_somebody_has_is_named(build: Build, rt: Runtime, servers: Urls) -> None:
    house = build(JAUAP_MASTER_KEY=key_of(rt), **on(rt, servers))
    with taken_port() as house.port:
        said = refused(house)
    assert f"server.port: found 127.0.0.1:{house.port} (Address already in use)" in said
    assert "started" not in said


def test_another_master_key_is_refused_once_and_not_shown(
    build: Build, rt: Runtime, servers: Urls
) -> None:
    other = base64.b64encode(b"k" * 32).decode()
    said = refused(build(JAUAP_MASTER_KEY=other, **on(rt, servers)))
    assert said.count("the master key does not open this ledger") == 1
    assert other not in said


@pytest.mark.parametrize("key", ["c2hvcnQ=", "not base64!"])
def test_what_is_no_master_key_is_refused_and_not_shown(build: Build, key: str) -> None:
    said = refused(build(JAUAP_MASTER_KEY=key))
    assert "JAUAP_MASTER_KEY: found" in said and "base64 of 32 octets" in said
    assert key not in said


def test_sandbox_means_sandbox(build: Build) -> None:
    said = refused(build(JAUAP_ENVIRONMENT="production"))
    assert 'environment: found "production", expected "sandbox" for this command' in said
