"""How a command finds its configuration, servers and ledger; and how it says that it cannot."""

import gc
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from app import embedded, logs
from app.ledger import rights
from app.ledger.engine import Ledger
from app.rooms import open_rooms
from app.runtime import Runtime, open_runtime
from app.settings import EMBEDDED, Settings, load

LAST_RING_S = 0.5

Config = Annotated[
    Path | None,
    typer.Option("--config", help="Configuration file (default: jauap.toml, if there is one)."),
]


def settings_of(config: Path | None, *, force_sandbox: bool = False) -> Settings:
    """The settings by file < JAUAP_* < flags; SettingsError lists all that is wrong."""
    return load(config, force_sandbox=force_sandbox)


def migrate(ledger_url: str) -> None:
    """Brings the ledger's tables to the newest version."""
    ledger = Ledger(ledger_url)
    try:
        ledger.migrate()
    finally:
        ledger.dispose()


def least(settings: Settings, ledger_url: str) -> str:
    """The ledger for a process that runs: an embedded one knows a role that may do no more than
    it needs; with another PostgreSQL the configured role is that one already."""
    return rights.least(ledger_url) if settings.ledger.url == EMBEDDED else ledger_url


def log_as(process: str) -> None:
    """Begins the log of a process that runs on; JAUAP_LOG_LEVEL says how much of it."""
    level = os.environ.get("JAUAP_LOG_LEVEL", "info").upper()
    logs.configure(process, level=logging.getLevelNamesMapping().get(level, logging.INFO))


@contextmanager
def opened(
    config: Path | None, process: str | None = None, *, own_tables: bool = False
) -> Iterator[Runtime]:
    """A runtime on the servers that run already, or on our own until the command is done.
    `process` names one that logs; plain commands only speak. `own_tables` makes the tables where
    the ledger is ours to make: a sandbox's, or an embedded one."""
    settings = settings_of(config)
    if process is not None:
        log_as(process)
    with embedded.running(settings) as urls:
        if own_tables and (settings.is_sandbox or settings.ledger.url == EMBEDDED):
            migrate(urls.ledger)
        rt = open_runtime(settings, least(settings, urls.ledger), urls.redis)
        open_rooms(rt)
        if process is not None:
            spare_the_collector()
        try:
            yield rt
        finally:
            rt.bell.wait(LAST_RING_S)
            rt.ledger.dispose()
            rt.redis.close()


def spare_the_collector() -> None:
    """A batch makes tens of thousands of objects and no cycles. What was loaded is taken out of
    the garbage collector's sight, and it looks less often: a seventh of the hot path was its."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 100)
