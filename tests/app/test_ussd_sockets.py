"""USSD over real sockets: a handset of the simulator, the real gateway, the real ledger."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from uuid import UUID, uuid4

import pytest

from app.acceptance.echo import Echo
from app.clock import ManualClock
from app.conversation.sessions import Sessions
from app.gateway import Gateway
from app.proactive.actions import offering
from app.proactive.records import Offer
from app.runtime import Runtime
from smpp.binds import Bind
from smpp.simulator import Simulator
from tests.app.keypad import NOWHERE
from tests.app.world import PROVIDER, World

SERVICE = {"kk": "бала туғандағы жәрдемақы", "ru": "пособие на рождение"}
YES = {
    "kk": ("Келісіміңізді", "Келісіміңіз қабылданды"),
    "ru": ("Подтверждаете", "согласие принято"),
}


@dataclass(slots=True)
class Street:
    """One handset before a gateway that runs."""

    smsc: Simulator
    world: World
    gateway: Gateway

    @property
    def phone(self) -> str:
        return self.world.phone

    @property
    def screens(self) -> list[str]:
        return [screen.text or "" for screen in self.smsc.handset(self.phone).screens]

    async def dial(self, code: str = "*1414#") -> str:
        return await self._next(lambda: self.smsc.dial(self.phone, code))

    async def press(self, key: str) -> str:
        return await self._next(lambda: self.smsc.key(self.phone, key))

    async def _next(self, act: Callable[[], object]) -> str:
        seen = len(self.screens)
        act()
        await self.smsc.until(lambda: len(self.screens) > seen)
        return self.screens[-1]

    @property
    def is_open(self) -> bool:
        return self.smsc.handset(self.phone).ussd_session is not None


@asynccontextmanager
async def street(
    rt: Runtime, clock: ManualClock, take: Echo | None = None
) -> AsyncIterator[Street]:
    world = World(rt, clock)
    smsc = Simulator(clock=clock)
    await smsc.start()
    network = world.network.name
    bind = Bind(f"{network}-1", network, "127.0.0.1", smsc.port, "jauap", "secret")
    gateway = Gateway(rt, [bind], [network])
    if take is not None:
        gateway.exchange.take = take
    running = asyncio.create_task(gateway.run())
    try:
        await smsc.until(lambda: smsc.is_bound)
        yield Street(smsc, world, gateway)
    finally:
        gateway.stop()
        await running
        await smsc.stop()


Scene = Callable[[Street], Awaitable[None]]


def played(rt: Runtime, clock: ManualClock, scene: Scene, take: Echo | None = None) -> None:
    async def play() -> None:
        async with street(rt, clock, take) as here:
            await scene(here)

    asyncio.run(play())


async def asked(here: Street, language: str) -> UUID:
    """An offer whose SMS has arrived on the handset."""
    await asyncio.to_thread(here.world.register, "Айгүл", language)
    rt, world = here.world.rt, here.world

    def make() -> UUID:
        draft = offering.Draft("birth-benefit", world.people["Айгүл"], uuid4().hex, {})
        with rt.unit() as unit:
            [made] = offering.make(rt, unit, PROVIDER, [draft])
        assert isinstance(made, Offer)
        return made.id

    offer = await asyncio.to_thread(make)
    here.gateway.wake()
    await here.smsc.until(lambda: bool(here.smsc.handset(here.phone).messages))
    return offer


@pytest.mark.parametrize("language", ["kk", "ru"])
def test_a_yes_by_ussd_is_taken_over_real_sockets(
    rt: Runtime, clock: ManualClock, language: str
) -> None:
    async def scene(here: Street) -> None:
        offer = await asked(here, language)
        assert (await here.dial()).startswith(SERVICE[language])
        assert (await here.press("1")).startswith(YES[language][0])
        assert YES[language][1] in await here.press("1")
        assert not here.is_open
        found = await asyncio.to_thread(here.world.look, offer)
        assert (found.state, found.answered_by) == ("accepted", "ussd")
        assert len(here.smsc.handset(here.phone).messages) == 1

    played(rt, clock, scene)


def test_two_sessions_follow_one_another_on_a_handset(rt: Runtime, clock: ManualClock) -> None:
    async def scene(here: Street) -> None:
        offer = await asked(here, "kk")
        await here.dial()
        assert "растайсыз" in await here.press("2")
        here.smsc.hang_up(here.phone)
        assert (await here.dial()).startswith(SERVICE["kk"])
        assert "растайсыз" in await here.press("2")
        assert "тіркелді" in await here.press("1")
        found = await asyncio.to_thread(here.world.look, offer)
        assert (found.state, found.answered_by) == ("declined", "ussd")

    played(rt, clock, scene)


def test_without_redis_a_handset_gets_its_page_and_an_sms_is_taken(
    rt: Runtime, clock: ManualClock
) -> None:
    async def scene(here: Street) -> None:
        offer = await asked(here, "ru")
        assert (await here.dial()).startswith(SERVICE["ru"])
        assert (await here.press("1")).startswith(SERVICE["ru"])
        here.smsc.send(here.phone, "да")
        await here.smsc.until(lambda: len(here.smsc.handset(here.phone).messages) == 2)
        found = await asyncio.to_thread(here.world.look, offer)
        assert (found.state, found.answered_by) == ("accepted", "sms")

    played(replace(rt, sessions=Sessions(NOWHERE)), clock, scene)


def test_the_acceptance_mode_shows_the_menu_and_0_ends_it(rt: Runtime, clock: ManualClock) -> None:
    async def scene(here: Street) -> None:
        assert await here.dial() == "1414\n1. Қазақша\n2. Русский"
        assert here.is_open
        assert (await here.press("2")).startswith("1. Предложения")
        assert here.is_open
        assert (await here.press("1")).startswith("Предложений для Вас нет")
        assert here.is_open
        assert (await here.press("0")).startswith("1. Предложения")
        assert (await here.press("0")).startswith("До свидания")
        assert not here.is_open

    played(rt, clock, scene, Echo())
