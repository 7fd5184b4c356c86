"""What names a call in its answer and in every log line about it. It is spelled as ids are, so that
the log's mask leaves it whole; a caller's own is kept where it is sound.
"""

import re
import secrets
from itertools import count

HEADER = "X-Correlation-ID"
FIELD = "correlation"  # what it is called in log lines and in a call's scope
_SOUND = re.compile(r"[A-Za-z0-9._-]{1,64}")
# Nobody must be unable to guess it: what is random names the process, the rest is counted.
_PROCESS = "-".join(secrets.token_hex(octets) for octets in (4, 2, 2, 2))
_numbers = count(1)


def new() -> str:
    """A name that no other call has."""
    return f"{_PROCESS}-{next(_numbers):012x}"


def of(given: str | None) -> str:
    """The caller's own name for the call, else a new one."""
    return given if given and _SOUND.fullmatch(given) else new()
