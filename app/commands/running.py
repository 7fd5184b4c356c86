"""Commands that run jauap: all of it at once, or web, gateway and worker apart."""

import asyncio
import os
import signal
import threading
from pathlib import Path
from typing import Annotated

import structlog
import typer

from app import embedded, logs
from app.commands import simulation
from app.commands.output import stop
from app.commands.places import Config, migrate, opened, settings_of
from app.gateway import Gateway
from app.runtime import Runtime, listen
from app.settings import Settings
from app.supervisor import Command, Supervisor, die_with_parent
from smpp.binds import Bind, load

log = structlog.get_logger("jauap")

Sandbox = Annotated[
    bool, typer.Option("--sandbox", help="Refuse production; simulator and fast clock allowed.")
]


def up(config: Config = None, sandbox: Sandbox = False) -> None:
    """Web, gateway and worker in one command. Example: jauap up --sandbox

    Ends cleanly on Ctrl-C or SIGTERM: no new messages, the window is waited for, unbind."""
    settings = settings_of(config, force_sandbox=sandbox)
    logs.configure()
    with embedded.Servers("jauap up") as servers:
        urls = servers.start(settings)
        if settings.is_sandbox:
            migrate(urls.ledger)
        environ = dict(os.environ) | settings.as_environ()
        environ |= {"JAUAP_LEDGER_URL": urls.ledger, "JAUAP_REDIS_URL": urls.redis}
        with simulation.simulator(settings, urls) as binds_file:
            if binds_file is not None:
                environ[simulation.BINDS] = str(binds_file)
            children = [Command.of_jauap(name) for name in ("web", "gateway", "worker")]
            typer.echo(
                f"jauap: http://{settings.server.host}:{settings.server.port}/docs", err=True
            )
            code = Supervisor(children, environ=environ, watch=servers.ended).run()
    raise typer.Exit(code)


def web(config: Config = None) -> None:
    """The HTTP API alone. Example: jauap web --config jauap.toml"""
    from app.main import serve  # the web's libraries are loaded only where they are served

    with opened(config, "web") as rt:
        die_with_parent()
        serve(rt, rt.settings.server.host, rt.settings.server.port)


def gateway(
    config: Config = None,
    bind: Annotated[
        list[str] | None, typer.Option("--bind", help="Only this bind (cid); may be repeated.")
    ] = None,
) -> None:
    """The binds to the networks alone. Example: jauap gateway --bind kcell-1"""
    with opened(config, "gateway") as rt:
        die_with_parent()
        every = binds_of(rt.settings)
        unknown = set(bind or ()) - {b.cid for b in every}
        if unknown:
            known = ", ".join(b.cid for b in every) or "none: binds.toml is empty"
            raise stop(f"--bind: found {', '.join(sorted(unknown))}, expected of {known}")
        mine = [b for b in every if not bind or b.cid in bind]
        asyncio.run(_serve_binds(rt, mine, [b.network for b in every]))


async def _serve_binds(rt: Runtime, mine: list[Bind], networks: list[str]) -> None:
    running = Gateway(rt, mine, networks)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, running.stop)
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
    import worker as jobs

    with opened(config, "worker") as rt:
        die_with_parent()
        raise typer.Exit(jobs.main(rt))
