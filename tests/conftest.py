"""Real servers for the tests: one PostgreSQL and one Valkey a session, a database of its own a test."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url, text

from app import settings as settings_module
from app.clock import ManualClock
from app.embedded import Servers, Urls
from app.ledger.engine import Ledger
from app.proactive.room import open_room
from app.runtime import Runtime, open_runtime
from app.settings import Settings

# A Monday at noon in Almaty.
NOON = datetime(2026, 3, 2, 7, tzinfo=UTC)
_TEMPLATE = "jauap_template"
_numbers = count(1)


@pytest.fixture(scope="session")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A sandbox's settings, with its data in a directory of this session."""
    here: Path = tmp_path_factory.mktemp("jauap")
    environ = {"JAUAP_ENVIRONMENT": "sandbox", "JAUAP_PATHS_DATA": str(here / "var")}
    nothing = here / "jauap.toml"
    nothing.touch()
    return settings_module.load(nothing, environ)


@pytest.fixture(scope="session")
def servers(settings: Settings) -> Iterator[Urls]:
    """PostgreSQL and Valkey out of their wheels, with a migrated database to copy."""
    with Servers("tests") as started:
        urls = started.start(settings)
        _administer(urls, f"CREATE DATABASE {_TEMPLATE}")
        ledger = Ledger(_database(urls, _TEMPLATE))
        ledger.migrate()
        ledger.dispose()
        yield urls


@pytest.fixture
def clock() -> ManualClock:
    """A clock that moves only when told to."""
    return ManualClock(NOON)


@pytest.fixture
def rt(settings: Settings, servers: Urls, clock: ManualClock) -> Iterator[Runtime]:
    """A runtime on an empty database and an empty Redis."""
    name = f"jauap_test_{next(_numbers)}"
    _administer(servers, f"CREATE DATABASE {name} TEMPLATE {_TEMPLATE}")
    opened = open_runtime(settings, _database(servers, name), servers.redis)
    opened.redis.flushdb()
    runtime = replace(opened, clock=clock)
    open_room(runtime)
    try:
        yield runtime
    finally:
        runtime.ledger.dispose()
        runtime.redis.close()
        _administer(servers, f"DROP DATABASE {name} WITH (FORCE)")


def _database(urls: Urls, name: str) -> str:
    return make_url(urls.ledger).set(database=name).render_as_string(hide_password=False)


def _administer(urls: Urls, statement: str) -> None:
    engine = create_engine(urls.ledger, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement))
    engine.dispose()
