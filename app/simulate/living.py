"""A day's beginning: everybody and everything in it made from the campaign's seed; then it is
lived."""

from dataclasses import replace
from random import Random
from uuid import UUID

from app.clock import ManualClock
from app.exchange import Exchange, Routes
from app.exchange.routes import Route
from app.ledger import ids
from app.rooms import open_rooms
from app.runtime import Runtime
from app.simulate import people
from app.simulate.campaign import Campaign
from app.simulate.day import WHOLE, Day, Progress, Shard
from app.simulate.events import Agenda
from app.simulate.handsets import Handsets
from app.simulate.network import Network
from app.simulate.times import Times


def opened(rt: Runtime, campaign: Campaign, progress: Progress, shard: Shard = WHOLE) -> Day:
    """A day that has not begun, on a runtime whose ledger is empty."""
    times, agenda = Times(campaign), Agenda()
    clock = ManualClock(times.when(0.0))
    sending = replace(rt.settings.sending, hours=campaign.hours, drain_grace=campaign.drain_grace)
    mine = replace(rt, clock=clock, settings=replace(rt.settings, sending=sending), rooms={})
    open_rooms(mine)

    def chance(about: str) -> Random:
        return Random(f"{campaign.seed}:{shard.number}:{about}")

    service = rt.catalogue.find_service(campaign.service)
    assert service is not None  # the file was read against the same catalogue
    networks = {
        n.name: Network(n, times, agenda, chance(f"network {n.name}"), n.rate / shard.of)
        for n in campaign.networks
    }
    routes = Routes(tuple(Route(n.cid, n.name) for n in networks.values()))
    gateway = UUID(int=chance("gateway").getrandbits(128))
    return Day(
        campaign, shard, mine, clock, progress, times, agenda, networks,
        Handsets(times, networks, campaign.people.answer, chance("handsets")),
        people.make(campaign)[shard.number :: shard.of],
        Exchange(mine, gateway, list(networks), routes=routes),
        {"kk": service.short.kk, "ru": service.short.ru},
    )  # fmt: skip


def live(rt: Runtime, campaign: Campaign, progress: Progress, shard: Shard = WHOLE) -> Day:
    """Lives the whole campaign through; the promises are still to be held against it."""
    with ids.repeatable(Random(f"{campaign.seed}:ids").getrandbits):
        day = opened(rt, campaign, progress, shard)
        day.register()
        day.plan()
        day.run()
    return day
