"""Ends embedded servers whose starter was killed and could not stop them itself.

A small process holds the read end of a pipe: when the starter is gone, however it went, it gives
those who drain a few seconds and then asks the servers to stop, if they are still the same.
"""

import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

GRACE_S = 5  # what was heard may still be stored meanwhile

# $1 is the grace; then three words a server: its pid, a word of its command line, the signal. A pid
# that is somebody else's by now does not have that word.
_WATCH = """
read -r _
sleep "$1"
shift
while [ $# -ge 3 ]; do
    case "$(ps -ww -o args= -p "$1")" in *"$2"*) kill -s "$3" "$1" ;; esac
    shift 3
done
"""


@dataclass(frozen=True, slots=True)
class Running:
    """A server to be ended: `word` stands in its command line, `signal` (INT) ends it in order."""

    pid: int
    word: str
    signal: str


class Lifeline:
    """Ties servers to this process until `close`."""

    def __init__(self, servers: Sequence[Running], grace_s: int = GRACE_S) -> None:
        read_end, self._write_end = os.pipe()
        words = [w for s in servers for w in (str(s.pid), s.word, s.signal)]
        try:
            self._process = subprocess.Popen(
                ["/bin/sh", "-c", _WATCH, "jauap-lifeline", str(grace_s), *words],
                cwd="/",
                stdin=read_end,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        except OSError:
            os.close(self._write_end)
            raise
        finally:
            os.close(read_end)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Lets the servers live on; whoever calls this has stopped them or watches them anew."""
        self._process.kill()
        self._process.wait()
        os.close(self._write_end)
