"""Commands for whoever runs jauap: configuration, migrations, keys."""

from collections.abc import Sequence
from typing import Annotated

import typer

from app import embedded
from app.catalogue import retention
from app.catalogue.loader import BUILT_IN
from app.catalogue.loader import load as load_catalogue
from app.commands.output import JsonFlag, show, stop
from app.commands.places import Config, opened, settings_of
from app.commands.places import migrate as migrate_ledger
from app.commands.running import binds_of
from app.ledger import keys as api_keys
from app.ledger import rights
from app.recipients.rules import normalise_phone
from app.settings import EMBEDDED
from dialogs.engine.wording import Words

keys = typer.Typer(help="API keys of systems.", no_args_is_help=True)


_NO_SEAL_KEY = (
    "JAUAP_SEAL_KEY: found nothing, so the journal is sealed with a key that comes of the master "
    "key; better a key of its own, as `openssl rand -base64 32` prints"
)


def check_config(config: Config = None, as_json: JsonFlag = False) -> None:
    """Reads all configuration, catalogue and wordings, and starts nothing.

    Example: jauap check-config --config jauap.toml"""
    settings = settings_of(config)
    found = binds_of(settings)
    known = load_catalogue(BUILT_IN)
    Words.load()
    retention.terms()
    warnings = [] if settings.seal_key else [_NO_SEAL_KEY]
    data = {
        "environment": settings.environment,
        "binds": [b.cid for b in found],
        "services": len(known.services),
        "warnings": warnings,
    }
    for warning in warnings if not as_json else ():
        typer.echo(f"warning: {warning}", err=True)
    words = f"{settings.environment}: {len(found)} binds, {len(known.services)} services; all well"
    show(data, words, as_json=as_json)


def migrate(
    app_role: Annotated[
        str | None,
        typer.Option(help="The role that runs the system: it may add to the journal, no more."),
    ] = None,
    config: Config = None,
    as_json: JsonFlag = False,
) -> None:
    """Makes or updates the ledger's tables, as their owner.

    Example: jauap migrate --app-role jauap_app"""
    settings = settings_of(config)
    with embedded.running(settings, "jauap migrate") as urls:
        migrate_ledger(urls.ledger)
        try:
            role = rights.prepare(urls.ledger, app_role, make=settings.ledger.url == EMBEDDED)
        except rights.UnfitRole as error:
            raise stop(f"--app-role: {error}") from None
    words = "the ledger is at its newest version"
    words += f"; {role} runs the system" if role else ""
    show({"migrated": True, "app_role": role}, words, as_json=as_json)


@keys.command("add")
def keys_add(
    name: str,
    scope: Annotated[list[str], typer.Option("--scope", help="A scope; may be repeated.")],
    provider: Annotated[
        str | None, typer.Option(help="Whose offers the key may make (default: NAME).")
    ] = None,
    kind: Annotated[
        api_keys.Kind,
        typer.Option(help="live; test: to the simulator alone; team: to the listed phones alone."),
    ] = api_keys.Kind.LIVE,
    phone: Annotated[
        list[str] | None, typer.Option("--phone", help="A phone of the team; may be repeated.")
    ] = None,
    config: Config = None,
    as_json: JsonFlag = False,
) -> None:
    """Makes a key and shows it once. Example: jauap keys add mtszn --scope provider --kind live"""
    known = [str(s) for s in api_keys.Scope]
    unknown = sorted(set(scope) - set(known))
    if unknown:
        raise stop(f"--scope: found {', '.join(unknown)}, expected of {', '.join(known)}")
    if bool(phone) != (kind is api_keys.Kind.TEAM):
        found = f"{len(phone or ())} phones with --kind {kind}"
        raise stop(f"--phone: found {found}, expected phones of a team and only of a team")
    numbers = _phones(phone or ())
    scopes = [api_keys.Scope(s) for s in scope]
    with opened(config) as rt, rt.unit() as unit:
        phones = [rt.vault.index("phone", number) for number in numbers]
        try:
            made, secret = api_keys.add(
                unit.tx, name, scopes, unit.now, provider, kind=kind, phones=phones
            )
        except api_keys.NameTaken:
            raise stop(
                f"NAME: found {name!r}, which another key has; expected a new name"
            ) from None
    data = {"id": made.id, "name": name, "scopes": made.scopes, "kind": kind, "key": secret}
    show(data, f"{secret}\nShown once; keep it where secrets are kept.", as_json=as_json)


def _phones(given: Sequence[str]) -> list[str]:
    """The phones of a team in E.164; a wrong one is named by its place, never repeated."""
    read = [normalise_phone(number) for number in given]
    for place, phone in enumerate(read, start=1):
        if not phone.is_reachable:
            raise stop(f"--phone: found {phone.kind} at place {place}, expected a mobile phone")
    return [phone.e164 for phone in read]


@keys.command("list")
def keys_list(config: Config = None, as_json: JsonFlag = False) -> None:
    """Lists keys without their secrets. Example: jauap keys list --json"""
    with opened(config) as rt, rt.unit() as unit:
        found = api_keys.every(unit.tx)
    lines = [
        f"{k.name}  {k.provider}  {','.join(k.scopes)}  {k.kind}  "
        f"{'revoked' if k.revoked_at else 'valid'}"
        for k in found
    ]
    data = [
        {
            "id": k.id,
            "name": k.name,
            "provider": k.provider,
            "scopes": k.scopes,
            "kind": k.kind,
            "phones": len(k.phones),
            "created_at": k.created_at,
            "revoked_at": k.revoked_at,
        }
        for k in found
    ]
    show(data, "\n".join(lines) or "no keys yet; make one: jauap keys add", as_json=as_json)


@keys.command("revoke")
def keys_revoke(name: str, config: Config = None, as_json: JsonFlag = False) -> None:
    """Ends a key at once. Example: jauap keys revoke mtszn"""
    with opened(config) as rt, rt.unit() as unit:
        if not api_keys.revoke(unit.tx, name, unit.now):
            raise stop(f"NAME: found {name!r}, expected the name of a valid key")
    show({"name": name, "state": "revoked"}, f"{name}: revoked", as_json=as_json)
