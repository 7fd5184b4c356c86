"""The command line: finds the command and turns expected failures into one clear line."""

import signal
import sys

import typer

from app.commands.table import ALONE, GROUPS, together

SERVING = ("web", "gateway", "worker")


def commands() -> typer.Typer:
    """What is asked for, without any other command's libraries; all of them to list or to miss."""
    asked = sys.argv[1:2]
    if asked and asked[0] in SERVING:
        from app.commands.running import serving

        return serving
    known = ALONE.keys() | GROUPS.keys()
    return together(asked if known.issuperset(asked) and asked else [*ALONE, *GROUPS])


def _leave(number: int, _: object) -> None:
    sys.exit(128 + number)


def main() -> None:
    """Runs a command; exits 0 when all is well, 1 with findings, 2 when it could not start. SIGTERM
    ends it as Ctrl-C does: its servers are stopped and its folders go."""
    signal.signal(signal.SIGTERM, _leave)
    try:
        commands()()
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:
        from app.commands.failing import told  # it knows the libraries of all commands

        said = told(error)
        if said is None:
            raise
        typer.echo(f"jauap: {said[0]}", err=True)
        sys.exit(said[1])


if __name__ == "__main__":
    main()
