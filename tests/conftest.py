"""Real servers for the tests: one PostgreSQL and one Valkey a session, emptied before each test."""

import os
import signal
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from app import settings as settings_module
from app.clock import ManualClock
from app.embedded import Servers, Urls
from app.ledger.engine import Ledger, sql
from app.rooms import open_rooms
from app.runtime import Runtime, open_runtime
from app.settings import Settings
from tests.server_logs import Watch

# Files that wait for long, the longest first: begun last, one of them would run on alone.
LONG = (
    "chaos/test_storm", "e2e/", "app/test_promises", "app/api/test_schema", "app/test_worker",
    "app/test_crashes", "app/test_simulate", "app/test_faults", "app/test_bench",
    "app/api/test_limits", "app/test_outage", "app/test_evidence",
)  # fmt: skip


MOST_WORKERS = 4

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell starts what it puts into the background so, and every process inherits it; the tests
    # that interrupt one would wait in vain.
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """One more than there are processors, for tests wait a lot: for processes, sockets, disks."""
    return min(MOST_WORKERS, (os.cpu_count() or 1) + 1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begins what takes long before what does not."""

    def place(item: pytest.Item) -> int:
        path = item.path.as_posix()
        return next((n for n, name in enumerate(LONG) if f"tests/{name}" in path), len(LONG))

    items.sort(key=place)


# A Monday at noon in Almaty.
NOON = datetime(2026, 3, 2, 7, tzinfo=UTC)


@pytest.fixture(scope="session")
def settings() -> Iterator[Settings]:
    """A sandbox's settings, with its data in a directory of this session. Not one of pytest's own:
    those are closed to the account that PostgreSQL runs as where the tests run as root."""
    with TemporaryDirectory(prefix="jauap-") as name:
        here = Path(name)
        here.chmod(0o711)
        nothing = here / "jauap.toml"
        nothing.touch()
        environ = {"JAUAP_ENVIRONMENT": "sandbox", "JAUAP_PATHS_DATA": str(here / "var")}
        yield settings_module.load(nothing, environ)


@pytest.fixture(scope="session")
def watch() -> Watch:
    """Reads the logs of this session's servers, once they are started."""
    return Watch()


@pytest.fixture(scope="session")
def servers(settings: Settings, watch: Watch) -> Iterator[Urls]:
    """PostgreSQL and Valkey out of their wheels, migrated; they end in order, too."""
    watch.data = settings.paths.data
    with Servers("tests") as started:
        urls = started.start(settings)
        ledger = Ledger(urls.ledger)
        ledger.migrate()
        ledger.dispose()
        yield urls
    watch.check()


@pytest.fixture(autouse=True)
def clean_logs(request: pytest.FixtureRequest, watch: Watch) -> Iterator[None]:
    """No test leaves an error in the servers' logs but what it says that it provokes:
    @pytest.mark.provokes("permission denied for table journal")."""
    yield
    marks = request.node.iter_markers("provokes")
    watch.check([pattern for mark in marks for pattern in mark.args])


@pytest.fixture(scope="session")
def opened(settings: Settings, servers: Urls) -> Iterator[Runtime]:
    """A runtime to be copied; its catalogue and words are read once."""
    runtime = open_runtime(settings, servers.ledger, servers.redis)
    yield runtime
    runtime.ledger.dispose()
    runtime.redis.close()


@pytest.fixture
def clock() -> ManualClock:
    """A clock that moves only when told to."""
    return ManualClock(NOON)


@pytest.fixture
def rt(opened: Runtime, servers: Urls, clock: ManualClock) -> Iterator[Runtime]:
    """A runtime on an empty ledger and an empty Redis."""
    _empty(opened)
    opened.redis.flushdb()
    runtime = replace(opened, ledger=Ledger(servers.ledger), clock=clock, rooms={})
    open_rooms(runtime)
    yield runtime
    runtime.ledger.dispose()


def _empty(runtime: Runtime) -> None:
    """Removes every row but what tells the ledger's version and key. As a replica would, or the
    journal's trigger would rightly refuse."""
    with runtime.ledger.begin() as tx:
        tx.execute(sql("SET LOCAL session_replication_role = replica"))
        tables = tx.execute(
            sql(
                "SELECT tablename FROM pg_tables WHERE schemaname = 'public' "
                "AND tablename NOT IN ('alembic_version', 'vault_canary', 'vault_keys')"
            )
        ).scalars()
        for table in list(tables):
            tx.execute(sql(f"DELETE FROM {table}"))
