"""The access token with which the sandbox takes a citizen's calls; production has an identity
provider for that.
"""

from typing import Annotated

import typer

from app import sandbox_issuer
from app.clock import system_clock
from app.commands.output import JsonFlag, show, stop
from app.commands.places import Config, settings_of
from app.recipients.rules import check_iin


def token(
    iin: Annotated[str, typer.Option("--iin", help="Whose token: an IIN, 12 digits.")],
    config: Config = None,
    as_json: JsonFlag = False,
) -> None:
    """Prints a citizen's access token, in the sandbox only.

    Example: curl -H "Authorization: Bearer $(jauap token --iin 900101300126)" …/v1/me/offers"""
    settings = settings_of(config)
    if not settings.is_sandbox:
        raise stop("jauap token: found production, expected a sandbox")
    if check_iin(iin) is not None:
        raise stop("--iin: found something else, expected an IIN: 12 digits that fit together")
    now = system_clock()
    try:
        signed = sandbox_issuer.issue(settings.paths.data, iin, now)
    except OSError as error:
        raise stop(f"paths.data: found {error.strerror}, expected room for a key") from None
    ends = now + sandbox_issuer.LIFETIME
    show({"token": signed, "expires_at": ends}, signed, as_json=as_json)
