"""SIGHUP: binds.toml is read again while jauap runs; what has not changed notices nothing."""

import os
import signal
from collections.abc import Iterator

import pytest

from tests.e2e.foreign import ROK, ForeignSmsc
from tests.e2e.house import House, open_folder
from tests.e2e.town import ACCEPTED, Town, phone


@pytest.fixture
def town() -> Iterator[Town]:
    smsc = ForeignSmsc()
    with open_folder() as folder, smsc.running():
        house = House(folder, "[sandbox]\nsimulator = false\n")
        try:
            yield Town(house, smsc).start()
        finally:
            house.end()


def hang_up(town: Town) -> None:
    os.kill(town.house.pid, signal.SIGHUP)


def test_sighup_starts_a_new_bind_and_leaves_the_old_one_alone(town: Town) -> None:
    binds = town.house.folder / "binds.toml"
    before = len(town.smsc.bound)
    first = binds.read_text("utf-8")
    binds.write_text(first + first.replace("foreign-1", "foreign-2"))
    hang_up(town)
    town.bound_after(before)
    town.house.until(lambda: "binds-reloaded" in town.house.said(), 10, "it says that it read")
    assert len(town.smsc.bound) == before + 1
    binds.write_text(first + "window = 'ten'\n")
    hang_up(town)
    town.house.until(lambda: "binds-refused" in town.house.said(), 10, "it refuses the file")
    assert "window" in town.house.said()
    offer = town.ask(town.house.api(), 1)
    assert town.smsc.write(phone(1), "иә") == ROK
    assert town.smsc.message(phone(1), 1).text.startswith(ACCEPTED)
    assert town.house.api().state(offer) == "accepted"
    assert len(town.smsc.bound) == before + 1
    assert town.house.stop() == 0
