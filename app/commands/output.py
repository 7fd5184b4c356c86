"""How commands speak: JSON where asked for, plain lines elsewhere, and one exit code each."""

from typing import Annotated, Any

import msgspec
import typer

JsonFlag = Annotated[bool, typer.Option("--json", help="Print JSON instead of words.")]

FINDINGS = 1  # the command worked and found something
WRONG_USE = 2


def show(data: Any, lines: str, *, as_json: bool) -> None:
    """Prints `data` as JSON or `lines` as they are."""
    if as_json:
        typer.echo(msgspec.json.format(msgspec.json.encode(data)).decode())
    else:
        typer.echo(lines)


def stop(message: str, code: int = WRONG_USE) -> typer.Exit:
    """Says on stderr why the command cannot go on; to be raised."""
    typer.echo(message, err=True)
    return typer.Exit(code)
