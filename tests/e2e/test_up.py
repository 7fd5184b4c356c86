"""`jauap up`: it starts, stops, and outlives whatever is killed; nothing heard is lost over it."""

import os
import pwd
import shutil
import signal
import subprocess
import sys

import httpx
from smpp34 import SmppError

from tests.e2e.conftest import Build
from tests.e2e.foreign import ROK, ForeignSmsc
from tests.e2e.hook import Hook
from tests.e2e.house import (
    FOREIGN_ONLY,
    Api,
    House,
    clean_environ,
    free_port,
    iin,
    is_alive,
    processes_under,
    until,
)

PHONES = [f"+7702555010{n}" for n in range(4)]
PROCESSES = ("app.cli web", "app.cli gateway", "app.cli worker", "/postgres ", "valkey-server ")
ACCEPTED = "Келісіміңіз қабылданды"


def gone(pids: dict[int, str], seconds: float = 30) -> None:
    """Waits until none of these processes is left."""
    until(lambda: not [p for p in pids if is_alive(p)], seconds, f"they end: {pids}")


def joined(build: Build, smsc: ForeignSmsc, toml: str = FOREIGN_ONLY, **environ: str) -> House:
    """A running house whose only network is the foreign one."""
    house = build(toml, **environ)
    smsc.write_binds(house.folder)
    house.start()
    house.until(lambda: f"jauap: {house.url}/docs" in house.said(), 30, "it says where it listens")
    house.until(lambda: smsc.bound, 15, "the foreign network sees a bind")
    return house


def asked(api: Api, smsc: ForeignSmsc, number: int, *, received: bool = True) -> str:
    """An offer to PHONES[number]; with its receipt the day has begun."""
    api.register(iin(number), PHONES[number], "kk")
    offer = api.offer(iin(number))
    question = smsc.message(PHONES[number], 0)
    if received:
        smsc.receipt(question)
        assert api.state(offer) == "awaiting"
    return offer


def heard(smsc: ForeignSmsc, phone: str, text: str) -> bool:
    """Whether the network was told that a reply is in good hands."""
    try:
        return smsc.write(phone, text) == ROK
    except (SmppError, IndexError, TimeoutError):
        return False  # no connection: the network keeps it


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
        tried = [*prefix, sys.executable, "-c", "import app.cli"]
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


def test_kill_9_of_the_supervisor_ends_its_children_and_the_next_start_goes_on(
    build: Build, smsc: ForeignSmsc
) -> None:
    house = joined(build, smsc)
    api = house.api()
    offer = asked(api, smsc, 0)
    left = house.kill()
    house.until(lambda: smsc.unbound, 15, "the orphaned gateway unbinds")
    gone({pid: args for pid, args in left.items() if "app.cli" in args})
    house.start()
    gone(left)  # the next start takes over what the servers have stored, and ends them
    house.ready()
    house.until(lambda: len(smsc.bound) > 1, 15, "the next start binds")
    assert api.state(offer) == "awaiting"
    assert smsc.write(PHONES[0], "Иә") == ROK
    assert api.state(offer) == "accepted"
    assert smsc.message(PHONES[0], 1).text.startswith(ACCEPTED)
    assert house.stop() == 0


def test_a_gateway_killed_in_mid_conversation_comes_back_and_every_case_ends_once(
    build: Build, smsc: ForeignSmsc
) -> None:
    house = joined(build, smsc)
    api = house.api()
    with Hook() as hook:
        webhook = {"url": hook.url, "events": ["offer.accepted"], "secret": "x" * 32}
        api.post("/v1/webhooks", webhook)
        offers = [asked(api, smsc, n, received=n % 2 == 0) for n in range(len(PHONES))]
        kill_the_gateway_and_go_on(house, smsc)
        until(lambda: len(hook.offers()) >= len(offers), 15, "the provider hears of every yes")
    assert [api.state(offer) for offer in offers] == ["accepted"] * len(offers)
    assert sorted(hook.offers()) == sorted(offers)
    for phone in PHONES:
        texts = [message.text for message in smsc.messages(phone)]
        assert [text.startswith(ACCEPTED) for text in texts].count(True) == 1, texts
    assert house.stop() == 0


def kill_the_gateway_and_go_on(house: House, smsc: ForeignSmsc) -> None:
    """Everybody says yes, and then no, to a gateway that knows nothing of the beginning."""
    os.kill(house.find("app.cli gateway"), signal.SIGKILL)
    house.until(lambda: len(smsc.bound) > 1, 20, "the gateway comes back")
    for number, phone in enumerate(PHONES):
        if number % 2:
            smsc.receipt(smsc.message(phone, 0))
        assert smsc.write(phone, "иә") == ROK
        assert smsc.write(phone, "жоқ") == ROK  # the first answer stands
    for phone in PHONES:
        smsc.message(phone, 2)  # the answer to the second answer


def test_kill_9_of_postgresql_stops_everything_and_loses_nothing(
    build: Build, smsc: ForeignSmsc
) -> None:
    house = joined(build, smsc)
    api = house.api()
    offer = asked(api, smsc, 0)
    os.kill(house.find("/postgres "), signal.SIGKILL)
    was_heard = heard(smsc, PHONES[0], "Иә")
    assert house.wait() == 1
    assert "Postgres ended with code -9" in house.said()
    house.start().ready()
    assert api.state(offer) == ("accepted" if was_heard else "awaiting")
    house.until(lambda: len(smsc.bound) > 1, 15, "the next start binds")
    assert smsc.write(PHONES[0], "Иә") == ROK
    assert api.state(offer) == "accepted"
    assert house.stop() == 0
    assert "Traceback" not in house.said()


def test_without_redis_people_are_heard_and_days_still_end(build: Build, smsc: ForeignSmsc) -> None:
    toml = FOREIGN_ONLY.replace("4320", "17280")  # a day of 5 seconds
    house = joined(build, smsc, toml, JAUAP_REDIS_URL=f"redis://127.0.0.1:{free_port()}/0")
    readiness = httpx.get(f"{house.url}/readyz").json()
    assert readiness == {"ledger": "answers", "redis": "does not answer"}
    api = house.api()
    silent = asked(api, smsc, 0)
    spoken = asked(api, smsc, 1)
    assert smsc.write(PHONES[1], "Иә") == ROK
    assert api.state(spoken) == "accepted"
    assert smsc.message(PHONES[1], 1).text.startswith("Келісіміңіз қабылданды")
    assert "сұрау салу жойылды" in smsc.message(PHONES[0], 1).text
    assert api.state(silent) == "expired"
    assert house.stop() == 0
    assert "Traceback" not in house.said()
