"""Commands for whoever runs jauap: configuration, migrations, keys."""

from typing import Annotated

import typer

from app import embedded
from app.catalogue.loader import BUILT_IN
from app.catalogue.loader import load as load_catalogue
from app.commands.output import JsonFlag, show, stop
from app.commands.places import Config, opened, settings_of
from app.commands.places import migrate as migrate_ledger
from app.commands.running import binds_of
from app.ledger import keys as api_keys
from dialogs.engine.wording import Words

keys = typer.Typer(help="API keys of systems.", no_args_is_help=True)


def check_config(config: Config = None, as_json: JsonFlag = False) -> None:
    """Reads all configuration, catalogue and wordings, and starts nothing.

    Example: jauap check-config --config jauap.toml"""
    settings = settings_of(config)
    found = binds_of(settings)
    known = load_catalogue(BUILT_IN)
    Words.load()
    data = {
        "environment": settings.environment,
        "binds": [b.cid for b in found],
        "services": len(known.services),
    }
    words = f"{settings.environment}: {len(found)} binds, {len(known.services)} services; all well"
    show(data, words, as_json=as_json)


def migrate(config: Config = None, as_json: JsonFlag = False) -> None:
    """Makes or updates the ledger's tables. Example: jauap migrate --config jauap.toml"""
    settings = settings_of(config)
    with embedded.running(settings, "jauap migrate") as urls:
        migrate_ledger(urls.ledger)
    show({"migrated": True}, "the ledger is at its newest version", as_json=as_json)


@keys.command("add")
def keys_add(
    name: str,
    scope: Annotated[list[str], typer.Option("--scope", help="A scope; may be repeated.")],
    provider: Annotated[
        str | None, typer.Option(help="Whose offers the key may make (default: NAME).")
    ] = None,
    config: Config = None,
    as_json: JsonFlag = False,
) -> None:
    """Makes a key and shows it once. Example: jauap keys add mtszn --scope provider"""
    known = [str(s) for s in api_keys.Scope]
    unknown = sorted(set(scope) - set(known))
    if unknown:
        raise stop(f"--scope: found {', '.join(unknown)}, expected of {', '.join(known)}")
    scopes = [api_keys.Scope(s) for s in scope]
    with opened(config) as rt, rt.unit() as unit:
        try:
            made, secret = api_keys.add(unit.tx, name, scopes, unit.now, provider)
        except api_keys.NameTaken:
            raise stop(
                f"NAME: found {name!r}, which another key has; expected a new name"
            ) from None
    data = {"id": made.id, "name": name, "scopes": made.scopes, "key": secret}
    show(data, f"{secret}\nShown once; keep it where secrets are kept.", as_json=as_json)


@keys.command("list")
def keys_list(config: Config = None, as_json: JsonFlag = False) -> None:
    """Lists keys without their secrets. Example: jauap keys list --json"""
    with opened(config) as rt, rt.unit() as unit:
        found = api_keys.every(unit.tx)
    lines = [
        f"{k.name}  {k.provider}  {','.join(k.scopes)}  {'revoked' if k.revoked_at else 'valid'}"
        for k in found
    ]
    show(found, "\n".join(lines) or "no keys yet; make one: jauap keys add", as_json=as_json)


@keys.command("revoke")
def keys_revoke(name: str, config: Config = None, as_json: JsonFlag = False) -> None:
    """Ends a key at once. Example: jauap keys revoke mtszn"""
    with opened(config) as rt, rt.unit() as unit:
        if not api_keys.revoke(unit.tx, name, unit.now):
            raise stop(f"NAME: found {name!r}, expected the name of a valid key")
    show({"name": name, "state": "revoked"}, f"{name}: revoked", as_json=as_json)
