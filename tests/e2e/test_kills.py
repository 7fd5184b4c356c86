"""kill -9 of whatever there is: it comes back, nothing heard is lost, every case ends once.

The house stays the same from test to test, as one does; each test has people of its own.
"""

import os
import signal
from collections.abc import Iterator

import pytest
from smpp34 import SmppError

from tests.e2e.foreign import ROK, ForeignSmsc
from tests.e2e.hook import Hook
from tests.e2e.house import Api, House, gone, open_folder, until
from tests.e2e.town import ACCEPTED, Town, phone
from tests.server_logs import OF_BEING_KILLED


@pytest.fixture(scope="module")
def place() -> Iterator[Town]:
    """A town whose house may run or not; its day lasts 24 hours, however long a start takes."""
    smsc = ForeignSmsc()
    with open_folder(*OF_BEING_KILLED) as folder, smsc.running():
        house = House(folder, "[sandbox]\nsimulator = false\n")
        try:
            yield Town(house, smsc)
        finally:
            house.end()


@pytest.fixture
def town(place: Town) -> Town:
    """The town with its house running."""
    return place if place.house.runs("app.cli gateway") else place.start()


@pytest.fixture
def api(town: Town) -> Api:
    return town.house.api()


def heard(smsc: ForeignSmsc, number: int, text: str) -> bool:
    """Whether the network was told that a reply is in good hands."""
    try:
        return smsc.write(phone(number), text) == ROK
    except (SmppError, IndexError, TimeoutError):
        return False  # no connection: the network keeps it


def test_a_killed_gateway_comes_back_in_mid_conversation_and_every_case_ends_once(
    town: Town, api: Api
) -> None:
    people = range(1, 5)
    with Hook() as hook:
        webhook = {"url": hook.url, "events": ["offer.accepted"], "secret": "x" * 32}
        api.post("/v1/webhooks", webhook)
        offers = [town.ask(api, number, received=number % 2 == 0) for number in people]
        before = len(town.smsc.bound)
        os.kill(town.house.find("app.cli gateway"), signal.SIGKILL)
        town.bound_after(before)
        for number in people:
            say_yes_then_no(town.smsc, number, received=number % 2 == 0)
        until(lambda: len(hook.offers()) >= len(offers), 15, "the provider hears of every yes")
    assert [api.state(offer) for offer in offers] == ["accepted"] * len(offers)
    assert sorted(hook.offers()) == sorted(offers)
    for number in people:
        town.smsc.message(phone(number), 2)  # the answer to the second answer
        texts = [message.text for message in town.smsc.messages(phone(number))]
        assert [text.startswith(ACCEPTED) for text in texts].count(True) == 1, texts


def say_yes_then_no(smsc: ForeignSmsc, number: int, *, received: bool) -> None:
    if not received:
        smsc.receipt(smsc.message(phone(number), 0))
    assert smsc.write(phone(number), "иә") == ROK
    assert smsc.write(phone(number), "жоқ") == ROK  # the first answer stands


def test_after_the_supervisor_is_killed_its_children_end_and_the_next_start_goes_on(
    town: Town, api: Api
) -> None:
    offer = town.ask(api, 11)
    before, sockets = len(town.smsc.unbound), town.sockets()
    left = town.house.kill()
    until(lambda: len(town.smsc.unbound) > before, 15, "the orphaned gateway unbinds")
    gone(pid for pid, args in left.items() if "app.cli" in args)
    town.start()
    gone(left)  # the next start took over what the servers had stored, and ended them
    assert town.sockets() == sockets
    assert api.state(offer) == "awaiting"
    assert town.smsc.write(phone(11), "Иә") == ROK
    assert api.state(offer) == "accepted"
    assert town.smsc.message(phone(11), 1).text.startswith(ACCEPTED)


@pytest.mark.parametrize("server", ["/postgres ", "/valkey-server "])
def test_a_killed_server_comes_back_and_nothing_was_acknowledged_in_vain(
    town: Town, api: Api, server: str
) -> None:
    number = 21 if "postgres" in server else 22
    offer, killed = town.ask(api, number), town.house.find(server)
    os.kill(killed, signal.SIGKILL)
    was_heard = heard(town.smsc, number, "Иә")
    town.house.until(
        lambda: town.house.runs(server) and town.house.find(server) != killed, 30, "it comes back"
    )
    town.house.until(town.house.is_ready, 30, "the house serves again")
    until(lambda: was_heard or heard(town.smsc, number, "Иә"), 30, "the network gets rid of it")
    assert api.state(offer) == "accepted"
    assert town.smsc.message(phone(number), 1).text.startswith(ACCEPTED)
    assert town.house.process is not None and town.house.process.poll() is None


def test_servers_whose_starter_was_killed_end_by_themselves(town: Town) -> None:
    gone(town.house.kill())


def test_after_all_that_it_stops_cleanly(town: Town) -> None:
    assert town.house.stop() == 0
    assert "Traceback" not in town.house.said()
