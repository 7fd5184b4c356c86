"""`jauap up` from its start to its end, whoever starts it, with Redis and without."""

import os
import pwd
import shutil
import signal
import subprocess
import sys

import httpx

from tests.e2e.conftest import Build
from tests.e2e.foreign import ROK, ForeignSmsc
from tests.e2e.house import FOREIGN_ONLY, clean_environ, free_port, gone, processes_under
from tests.e2e.town import ACCEPTED, Town, phone

PROCESSES = ("app.cli web", "app.cli gateway", "app.cli worker", "/postgres ", "valkey-server ")


def ordinary() -> list[str]:
    """What makes root's command an ordinary account's; nothing where we are one, or cannot. Our
    Python may lie where only root may look, so looking is allowed as a last resort."""
    setpriv = shutil.which("setpriv")
    if os.geteuid() != 0 or setpriv is None:
        return []
    nobody = pwd.getpwnam("nobody")
    ids = ["--reuid", str(nobody.pw_uid), "--regid", str(nobody.pw_gid), "--clear-groups"]
    looking = ["--inh-caps", "+dac_read_search", "--ambient-caps", "+dac_read_search"]
    for more in ([], looking):
        prefix = [setpriv, *ids, *more]
        tried = [*prefix, sys.executable, "-c", "import app.commands.assembled"]
        ran = subprocess.run(tried, env=clean_environ(), stderr=subprocess.DEVNULL)
        if ran.returncode == 0:
            return prefix
    return []


def test_an_ordinary_account_runs_it_and_ctrl_c_leaves_nobody_behind(build: Build) -> None:
    house, second = build(), build()
    house.prefix = second.prefix = ordinary()
    account = pwd.getpwnam("nobody").pw_uid if house.prefix else os.geteuid()
    os.chown(house.folder, account, -1)
    house.start().ready()
    assert [words for words in PROCESSES if not house.runs(words)] == []
    assert f"jauap: {house.url}/docs" in house.said()
    assert (house.folder / "var" / "postgres" / "PG_VERSION").stat().st_uid == account
    assert second.start().wait() == 2
    assert f"is in use by jauap up (pid {house.pid})" in second.said()
    below = processes_under(house.pid)
    os.killpg(house.pid, signal.SIGINT)  # as a terminal does
    assert house.wait() == 0
    gone(below, 1)
    assert not (house.folder / "var" / "servers.json").exists()
    assert "Traceback" not in house.said()


def test_without_redis_people_are_heard_and_days_still_end(build: Build, smsc: ForeignSmsc) -> None:
    toml = FOREIGN_ONLY.replace("4320", "28800")  # a day of 3 seconds
    house = build(toml, JAUAP_REDIS_URL=f"redis://127.0.0.1:{free_port()}/0")
    town = Town(house, smsc).start()
    readiness = httpx.get(f"{house.url}/readyz").json()
    assert readiness == {"ledger": "answers", "redis": "does not answer"}
    api = house.api()
    silent = town.ask(api, 1)
    spoken = town.ask(api, 2)
    assert smsc.write(phone(2), "Иә") == ROK
    assert api.state(spoken) == "accepted"
    assert smsc.message(phone(2), 1).text.startswith(ACCEPTED)
    assert "сұрау салу жойылды" in smsc.message(phone(1), 1).text
    assert api.state(silent) == "expired"
    assert house.stop() == 0
    assert "Traceback" not in house.said()
