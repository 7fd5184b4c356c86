"""Commands that run jauap: all of it at once, or web, gateway and worker apart."""

import asyncio
import errno
import importlib
import logging
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import structlog
import typer

from app import embedded
from app.commands import simulation
from app.commands.output import stop
from app.commands.places import Config, least, log_as, migrate, opened, settings_of
from app.exchange import Take
from app.gateway import Gateway
from app.gateway.keeping import Pace
from app.ledger import binds as bind_rows
from app.ledger.failures import FAILURES, in_words
from app.runtime import Runtime, listen, open_runtime
from app.settings import Server, Settings
from app.supervisor import Command, Supervisor, die_with_parent
from smpp.binds import Bind, BindsError, load

LEAVING_S = 2.0
log = structlog.get_logger("jauap")

Sandbox = Annotated[
    bool, typer.Option("--sandbox", help="Refuse production; simulator and fast clock allowed.")
]


def up(config: Config = None, sandbox: Sandbox = False) -> None:
    """Web, gateway and worker in one command. Example: jauap up --sandbox

    Ends cleanly on Ctrl-C or SIGTERM: no new messages, the window is waited for, unbind."""
    settings = settings_of(config, force_sandbox=sandbox)
    binds_of(settings)
    log_as("jauap")
    with embedded.Servers("jauap up") as servers:
        urls = servers.start(settings)
        _must_be_free(settings.server)
        if settings.is_sandbox:
            migrate(urls.ledger)
        urls = replace(urls, ledger=least(settings, urls.ledger))
        _must_open(settings, urls)
        environ = dict(os.environ) | settings.as_environ()
        environ |= {"JAUAP_LEDGER_URL": urls.ledger, "JAUAP_REDIS_URL": urls.redis}
        with simulation.simulator(settings, urls) as binds_file:
            if binds_file is not None:
                environ[simulation.BINDS] = str(binds_file)
            names = ("web", "gateway", "worker")
            children = [Command.of_jauap(n, reloads=n == "gateway") for n in names]
            code = Supervisor(children, environ=environ, watch=servers.mend).run()
    raise typer.Exit(code)


def _must_be_free(server: Server) -> None:
    """Says what is wrong with the address before anything is started on it. The web process of a
    killed start may still be leaving it."""
    end = time.monotonic() + LEAVING_S
    family = socket.AF_INET6 if ":" in server.host else socket.AF_INET
    while True:
        try:
            socket.create_server((server.host, server.port), family=family).close()
            return
        except OSError as error:
            if error.errno != errno.EADDRINUSE or time.monotonic() > end:
                raise stop(_not_ours(server, error)) from None
        time.sleep(0.05)


def _not_ours(server: Server, error: OSError) -> str:
    number = error.errno or 0  # a name that is not found has a number of its own, below 0
    reason = os.strerror(number) if number > 0 else error.strerror
    found = f"{server.host}:{server.port} ({reason})"
    return f"jauap: server.host, server.port: found {found}, expected an address that is free"


def _must_open(settings: Settings, urls: embedded.Urls) -> None:
    """What would stop every process is said once, before they start."""
    rt = open_runtime(settings, urls.ledger, urls.redis)
    rt.ledger.dispose()
    rt.redis.close()


def web(config: Config = None) -> None:
    """The HTTP API alone. Example: jauap web --config jauap.toml"""
    from app.main import serve  # the web's libraries are loaded only where they are served

    die_with_parent()
    with opened(config, "web") as rt:
        server = rt.settings.server
        try:
            serve(rt, server.host, server.port, _say_where)
        except OSError as error:
            raise stop(_not_ours(server, error)) from None


def _say_where(url: str) -> None:
    if logging.getLogger().isEnabledFor(logging.INFO):  # the demo wants only errors
        typer.echo(f"jauap: {url}/docs", err=True)


def gateway(
    config: Config = None,
    bind: Annotated[
        list[str] | None, typer.Option("--bind", help="Only this bind (cid); may be repeated.")
    ] = None,
) -> None:
    """The binds to the networks alone. Example: jauap gateway --bind kcell-1"""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # one that comes too early must not end us
    die_with_parent()
    with opened(config, "gateway") as rt:
        every = binds_of(rt.settings)
        unknown = set(bind or ()) - {b.cid for b in every}
        if unknown:
            known = ", ".join(b.cid for b in every) or "none: binds.toml is empty"
            raise stop(f"--bind: found {', '.join(sorted(unknown))}, expected of {known}")
        mine = [b for b in every if not bind or b.cid in bind]
        with rt.unit() as unit:  # what binds.toml no longer names must not hold offers back
            bind_rows.forget_all_but(unit.tx, [b.cid for b in every])
        networks = [b.network for b in every]
        run_links(serve_binds(rt, mine, networks, every=every, only=bind or ()))


def run_links(work: Coroutine[Any, Any, None]) -> None:
    """Runs a gateway on uvloop where there is one: a fifth less for every octet on a socket."""
    with asyncio.Runner(loop_factory=_fast_loop()) as runner:
        runner.run(work)


def _fast_loop() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        uvloop = importlib.import_module("uvloop")
    except ImportError:  # Windows
        return None
    made: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return made


async def serve_binds(
    rt: Runtime,
    mine: Sequence[Bind],
    networks: Sequence[str],
    take: Take | None = None,
    every: Sequence[Bind] = (),
    only: Sequence[str] = (),
) -> None:
    """Runs a gateway of the binds `mine` until SIGTERM or SIGINT; `networks` and `every` are those
    of all gateways. `take` stands in for conversation: then SIGHUP, a closed terminal, ends it;
    else it reads binds.toml again, of which `only` these cids are ours (empty: all)."""
    running = Gateway(rt, mine, networks, every, Pace(patience_s=rt.settings.sending.patience))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, running.stop)
    if take is not None:
        running.exchange.take = take
        loop.add_signal_handler(signal.SIGHUP, running.stop)
    else:
        reloading = Reloading(rt, running, only)
        loop.add_signal_handler(signal.SIGHUP, lambda: reloading.ask(loop))
    over = threading.Event()
    ear = threading.Thread(
        target=listen,
        args=(rt, lambda: loop.call_soon_threadsafe(running.wake), over.is_set),
        daemon=True,
    )
    ear.start()
    try:
        await running.run()
    finally:
        over.set()


@dataclass(slots=True)
class Reloading:
    """SIGHUP: binds.toml is read again, one reading after the other."""

    rt: Runtime
    gateway: Gateway
    only: Sequence[str] = ()
    _task: "asyncio.Task[None] | None" = None

    def ask(self, loop: asyncio.AbstractEventLoop) -> None:
        """Reads again once the reading before has been carried out."""
        self._task = loop.create_task(self._reload(self._task))

    async def _reload(self, before: "asyncio.Task[None] | None") -> None:
        if before is not None:
            await asyncio.wait((before,))
        try:
            every = binds_of(self.rt.settings)
        except BindsError as error:
            for problem in error.problems:
                log.error("binds-refused", file=str(error.path), problem=str(problem))
            log.error("binds-refused", consequence="the binds stay as they were")
            return
        mine = [b for b in every if not self.only or b.cid in self.only]
        try:
            done = await self.gateway.reload(mine, every)
        except FAILURES as error:
            log.error("binds-reloaded", ledger=in_words(error))
            return
        log.info("binds-reloaded", binds=len(mine), changed=len(done))


def binds_of(settings: Settings) -> tuple[Bind, ...]:
    """The binds of binds.toml (none where there is no such file) and, in the sandbox, the
    simulator's."""
    files = [settings.paths.binds] if settings.paths.binds.exists() else []
    simulated = os.environ.get(simulation.BINDS)
    if simulated and settings.is_sandbox:
        files.append(Path(simulated))
    return tuple(bind for file in files for bind in load(file, os.environ))


def worker(config: Config = None) -> None:
    """Retries, webhooks and the sweep alone. Example: jauap worker"""
    jobs = importlib.import_module("worker")  # by name: RQ must find the same module, and no other

    die_with_parent()
    with opened(config, "worker") as rt:
        raise typer.Exit(jobs.main(rt))


serving = typer.Typer(name="jauap", pretty_exceptions_enable=False, add_completion=False)
for _command in (web, gateway, worker):
    serving.command()(_command)
