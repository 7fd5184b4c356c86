"""The web process: it says where it listens, and ends cleanly when it is told to."""

import os
import signal
import subprocess
import sys

import httpx
import pytest

from app.embedded import Urls
from app.main import listen
from app.settings import Settings

WEB = """
import sys
from app.main import serve
from app.runtime import open_runtime
from app.settings import load
rt = open_runtime(load(), sys.argv[1], sys.argv[2])
serve(rt, "127.0.0.1", 0, lambda url: print(url, flush=True))
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_web_process_answers_until_it_is_told_to_stop(
    settings: Settings, servers: Urls, number: signal.Signals
) -> None:
    command = [sys.executable, "-c", WEB, servers.ledger, servers.redis]
    environ = os.environ | settings.as_environ()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environ) as web:
        assert web.stdout is not None
        url = web.stdout.readline().strip()
        assert httpx.get(f"{url}/readyz").json() == {"ledger": "answers", "redis": "answers"}
        web.send_signal(number)
        assert web.wait(30) == 0


def test_a_port_in_use_is_said_at_once() -> None:
    with listen("127.0.0.1", 0) as sock, pytest.raises(OSError, match="in use"):
        listen("127.0.0.1", sock.getsockname()[1])
