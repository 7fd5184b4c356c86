"""`jauap binds echo` in a process of its own: a house that only echoes."""

import signal
import subprocess
from dataclasses import dataclass

from tests.e2e.foreign import ForeignSmsc
from tests.e2e.house import JAUAP, House, clean_environ


@dataclass(slots=True)
class EchoHouse(House):
    """The acceptance mode in `folder`, on embedded servers of its own."""

    options: tuple[str, ...] = ()

    def start(self) -> "EchoHouse":
        """Starts it and does not wait."""
        self.write_config()
        self.before = len(self.said())
        with self.log.open("ab") as out:
            self.process = subprocess.Popen(
                [*JAUAP, "binds", "echo", "--config", str(self.config), *self.options],
                cwd=self.folder,
                env=clean_environ(**self.environ),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )
        return self

    def bound(self, smsc: ForeignSmsc, seconds: float = 60) -> "EchoHouse":
        """Waits until the network sees one more bind."""
        have = len(smsc.bound)
        return self.until_bound(smsc, have + 1, seconds)

    def until_bound(self, smsc: ForeignSmsc, number: int, seconds: float = 60) -> "EchoHouse":
        """Waits until the network has seen so many binds."""
        self.until(lambda: len(smsc.bound) >= number, seconds, f"bind number {number}")
        return self

    def kill_at_once(self) -> None:
        """kill -9 of the gateway; its embedded servers see to themselves."""
        self.orphans += self.kill()

    def interrupt(self) -> int:
        """Ctrl-C; the exit code."""
        return self.stop(signal.SIGINT)
