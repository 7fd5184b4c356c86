"""Where commands are given: as processes of their own, or by the same entry in this one, whose
Python has been started and has read the house already."""

import io
import json
import os
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from app.cli import main
from app.commands.places import migrate
from app.embedded import Servers
from app.settings import load
from tests.e2e.house import JAUAP, House, clean_environ, open_folder


@dataclass(frozen=True, slots=True)
class Told:
    """How a command ended and what it printed."""

    code: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        assert self.code in (0, 1), self.err
        return json.loads(self.out)


@dataclass(frozen=True, slots=True)
class Desk:
    """A place with configuration and running servers, where commands are given."""

    house: House

    def give(self, *words: str, typed: str | None = None) -> Told:
        """Gives one command as a process, with its standard input, and waits for its end."""
        ran = subprocess.run(
            [*JAUAP, *words],
            cwd=self.house.folder,
            env=clean_environ(COLUMNS="200"),
            input=typed or "",
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert "Traceback" not in ran.stderr, ran.stderr
        return Told(ran.returncode, ran.stdout, ran.stderr)

    def give_all(self, *commands: str) -> list[Told]:
        """Gives several at once: most of the time of each is the start of its Python."""
        with ThreadPoolExecutor(3) as pool:
            return list(pool.map(lambda command: self.give(*command.split()), commands))

    def say(self, *words: str) -> Told:
        """Gives one command in this process."""
        return say(*words, folder=self.house.folder)


def say(*words: str, folder: Path | None = None) -> Told:
    """Gives a command by the entry of every jauap, in this process."""
    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        for name in [name for name in os.environ if name.startswith("JAUAP_")]:
            patch.delenv(name)
        for name, value in {"NO_COLOR": "1", "TERM": "dumb", "COLUMNS": "200"}.items():
            patch.setenv(name, value)
        patch.chdir(folder or Path.cwd())
        patch.setattr("sys.stdin", io.StringIO())
        patch.setattr("sys.argv", ["jauap", *words])
        with pytest.raises(SystemExit) as ended:
            main()
    return Told(int(ended.value.code or 0), out.getvalue(), err.getvalue())


@contextmanager
def open_desk(toml: str = "") -> Iterator[Desk]:
    """A desk whose servers run, migrated, until left."""
    with open_folder() as folder:
        house = House(folder, toml)
        house.write_config()
        with Servers("tests of commands") as servers:
            migrate(servers.start(load(house.config, {})).ledger)
            yield Desk(house)
