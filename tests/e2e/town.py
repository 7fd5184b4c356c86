"""A house, the foreign network it is bound to, and people with phones."""

from dataclasses import dataclass
from typing import Self

from tests.e2e.foreign import ForeignSmsc
from tests.e2e.house import Api, House, iin

ACCEPTED = "Келісім қабылданды"


def phone(number: int) -> str:
    """The phone of the person of that number, up to 999."""
    return f"+7702555{number:04d}"


@dataclass(frozen=True, slots=True)
class Town:
    """`house` has no other network than `smsc`."""

    house: House
    smsc: ForeignSmsc

    def start(self) -> Self:
        """Starts the house and waits until it serves and has bound once more."""
        before = len(self.smsc.bound)
        self.smsc.write_binds(self.house.folder)
        self.house.start()
        self.house.until(self.house.has_listened, 30, "it says where it listens")
        self.bound_after(before)
        return self

    def bound_after(self, before: int) -> None:
        """Waits for a bind after so many."""
        self.house.until(lambda: len(self.smsc.bound) > before, 30, "the network sees a bind")

    def sockets(self) -> str:
        """Where the embedded servers listen, as the house's own commands find them."""
        return (self.house.folder / "var" / "servers.json").read_text("utf-8")

    def ask(self, api: Api, number: int, *, received: bool = True) -> str:
        """An offer to a person; with the receipt of its question the day has begun."""
        api.register(iin(number), phone(number), "kk")
        offer = api.offer(iin(number))
        question = self.smsc.message(phone(number), 0)
        if received:
            self.smsc.receipt(question)
            assert api.state(offer) == "awaiting"
        return offer
