"""Commands about what is kept and with which key: retention, and changing the master key."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from app import master_key
from app.calendar import local_date
from app.catalogue import retention as policy
from app.commands.administering import keys
from app.commands.output import JsonFlag, show, stop
from app.commands.places import Config, opened
from app.ledger import retention as erasing
from app.ledger import rotation
from app.settings import Settings

retention = typer.Typer(help="How long personal data is kept.", no_args_is_help=True)


@retention.command("run")
def retention_run(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count only, erase nothing.")] = False,
    config: Config = None,
    as_json: JsonFlag = False,
) -> None:
    """Erases personal data whose term is over; a worker does so daily. What is erased is told in
    the journal, and every case still verifies.

    Example: jauap retention run --dry-run"""
    with opened(config) as rt, _progress() as told:
        now = rt.clock()
        terms = policy.on(policy.terms(), local_date(now))
        done = erasing.run(rt.ledger, rt.vault, terms, now, dry=dry_run, progress=told)
    verb = "would go" if dry_run else "erased"
    lines = [f"{one.what}: {one.rows} {verb}, older than {one.days} days" for one in done]
    data = {"dry_run": dry_run, "erased": done}
    show(data, "\n".join(lines) or "no term is in force", as_json=as_json)


@retention.command("policy")
def retention_policy(as_json: JsonFlag = False) -> None:
    """Lists the terms with their reasons. Example: jauap retention policy"""
    found = policy.terms()
    lines = [
        f"{k.what}  {k.days} days {k.counted}, from {k.start}: {k.reason.kk} / {k.reason.ru}"
        for k in found
    ]
    show(found, "\n".join(lines), as_json=as_json)


@keys.command("rotate-master")
def keys_rotate_master(config: Config = None, as_json: JsonFlag = False) -> None:
    """Seals everything anew with another master key, while the system runs; broken off, it goes
    on where it was.

    Give the new key as JAUAP_MASTER_KEY and the former as JAUAP_OLD_MASTER_KEYS to every process
    first; a sandbox makes a new key by itself. Example: jauap keys rotate-master"""
    while True:
        with opened(config) as rt, _progress() as told:
            has_work = rt.vault.newest != rt.vault.key_id or rotation.is_stale(rt.ledger, rt.vault)
            if has_work:
                done = rotation.rotate(rt.ledger, rt.vault, rt.clock(), told)
                break
            if not _makes_a_new_key(rt.settings):
                raise stop(_NOTHING_NEW)
    lines = [f"{one.table}: {one.rows} rows" for one in done.tables if one.rows]
    lines.append(
        f"sealed with key {done.key}; {done.left} rows are left with a former key"
        + ("" if done.left else ", so the former key can be taken out of the configuration")
    )
    show(done, "\n".join(lines), as_json=as_json)
    if done.left:
        raise typer.Exit(1)


_NOTHING_NEW = (
    "JAUAP_MASTER_KEY: found the key that everything is sealed with already, expected a new one "
    "(`openssl rand -base64 32`), with the former one in JAUAP_OLD_MASTER_KEYS"
)


def _makes_a_new_key(settings: Settings) -> bool:
    """A sandbox keeps its keys in files, so that running processes find a new one there by
    themselves; elsewhere whoever holds the keys has to give one."""
    file = settings.paths.data / "master.key"
    if not settings.is_sandbox or not master_key.is_in_files(os.environ) or not file.exists():
        return False
    former = (*settings.old_master_keys.values(), settings.master_key)
    master_key.put(file, os.urandom(master_key.OCTETS), former)
    return True


@contextmanager
def _progress() -> Iterator[Callable[[str, int], None]]:
    """A line on a terminal, silence elsewhere."""
    shown = sys.stderr.isatty()

    def told(what: str, rows: int) -> None:
        if shown:
            typer.echo(f"\r\x1b[K{what}: {rows}", nl=False, err=True)

    yield told
    if shown:
        typer.echo("\r\x1b[K", nl=False, err=True)
