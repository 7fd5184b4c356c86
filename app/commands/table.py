"""Where every command stands; one that is asked for brings its own libraries and no others."""

from collections.abc import Iterable
from importlib import import_module
from types import MappingProxyType
from typing import Final

import typer

# The module in app.commands and the name in it, in the order of the list of commands.
ALONE: Final = MappingProxyType(
    {
        "up": ("running", "up"),
        "web": ("running", "web"),
        "gateway": ("running", "gateway"),
        "worker": ("running", "worker"),
        "demo": ("demonstrating", "demo"),
        "check-config": ("administering", "check_config"),
        "migrate": ("administering", "migrate"),
        "token": ("tokens", "token"),
        "talk": ("talking", "talk"),
        "simulate": ("simulating", "simulate"),
        "chart": ("charting", "chart"),
    }
)
GROUPS: Final = MappingProxyType(
    {
        "keys": ("retaining", "keys"),  # begun in administering, which it loads
        "binds": ("networks", "binds"),
        "outages": ("outages", "planned"),
        "journal": ("evidence", "journal"),
        "case": ("evidence", "case"),
        "retention": ("retaining", "retention"),
        "replies": ("explaining", "replies"),
        "wording": ("explaining", "wording"),
        "deadline": ("explaining", "deadline"),
        "bench": ("benchmarking", "bench"),
        "wallet": ("wallet", "wallet"),
    }
)


def together(names: Iterable[str]) -> typer.Typer:
    """One command line of these commands and groups. KeyError where there is no such name."""
    made = typer.Typer(
        name="jauap",
        help="Asks a citizen by SMS whether the state should render a service; one lawful outcome.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        add_completion=False,
    )
    made.callback()(_jauap)
    for name in names:
        module, within = ALONE.get(name) or GROUPS[name]
        found = getattr(import_module(f"app.commands.{module}"), within)
        if name in ALONE:
            made.command(name)(found)
        else:
            made.add_typer(found, name=name)
    return made


def _jauap() -> None:
    # A single command would otherwise take the place of its group.
    return
