"""Storms: connections are lost again and again with many messages in flight; a message that breaks
the link each time; and binds.toml read again while all this goes on."""

import asyncio
from collections import Counter
from dataclasses import replace

from app.ledger import binds as bind_rows
from app.runtime import Runtime
from smpp.messages import BindEvent
from smpp.pdu import Pdu
from smpp.simulator import Simulator
from smpp.smsc import Line
from tests.app.town import GatewayTown, town


def numbers(many: int) -> list[str]:
    """Phones whose owners answer yes within a moment (01xx), and silent ones."""
    return [f"+770{1_000_000 + n:08}" for n in range(many)]


async def storm(place: GatewayTown, phones: list[str], drops: int) -> None:
    """Offers to all, and the connection cut so many times while they are on their way."""
    await place.offer(phones)
    counts = place.simulator.counts
    for n in range(1, drops + 1):
        part = len(phones) * n // (drops + 2)
        await place.until(
            lambda part=part: counts.submitted >= part and place.simulator.is_bound,  # type: ignore[misc]
            "traffic",
            60,
        )
        place.simulator.drop()
        await place.until(lambda: not place.simulator.is_bound, "the connection is gone")


def assert_exact(place: GatewayTown, phones: list[str]) -> None:
    """Both sides count the same: each question is on its handset once, or as often more as the
    journal says that it was sent again; each receipt was taken; each offer waits for its answer."""
    shown = Counter({p: len(place.simulator.handset(p).messages) for p in phones})
    again = {p: sum(k == "message-sent-again" for k, _ in place.kinds(p)) for p in phones}
    assert all(1 <= shown[p] <= 1 + again[p] for p in phones)
    counts = place.simulator.counts
    assert counts.receipts == counts.receipts_delivered
    [segments] = place.rows("SELECT count(*) AS n FROM segments WHERE receipt = 'DELIVRD'")
    whole = sum(m.segments for p in phones for m in place.simulator.handset(p).messages[:1])
    assert segments.n >= whole
    assert place.states() == {"awaiting": len(phones)}


async def weathered(rt: Runtime, many: int, drops: int) -> None:
    async with town(rt, window=50) as place:
        phones = numbers(many)
        await storm(place, phones, drops)
        await place.until(lambda: place.all_are("awaiting"), "every receipt", 240)
        open_ = "SELECT 1 FROM outbox WHERE state NOT IN ('delivered', 'cancelled') LIMIT 1"
        await place.until(lambda: not place.rows(open_), "everything is settled")
        assert_exact(place, phones)


def test_a_storm_of_lost_connections_loses_and_doubles_nothing(rt: Runtime) -> None:
    asyncio.run(weathered(rt, 200, 10))


class Fragile(Simulator):
    """A centre that falls over whenever it is sent a message for one phone (trap 6)."""

    poison = ""

    def submitted(self, line: Line, order: Pdu) -> None:
        if self.poison.encode() in order.body:
            self.counts.submitted += 1
            line.drop()
        else:
            super().submitted(line, order)


def test_a_message_that_breaks_the_link_is_put_aside_and_the_others_go_on(rt: Runtime) -> None:
    async def play() -> None:
        async with town(rt, simulator=Fragile) as place:
            phones = numbers(40)
            assert isinstance(place.simulator, Fragile)
            place.simulator.poison = phones[7].removeprefix("+")
            await place.offer(phones)
            await place.until(
                lambda: place.states() == {"awaiting": 39, "undelivered": 1}, "all but one"
            )
            kinds = [k for k, _ in place.kinds(phones[7])]
            assert kinds.count("message-unknown") == 3
            assert kinds.count("message-sent-again") == 2
            assert all(
                sum(k == "message-sent-again" for k, _ in place.kinds(p)) <= 2 for p in phones
            )

    asyncio.run(play())


def test_binds_are_changed_without_touching_the_healthy_ones(rt: Runtime) -> None:
    async def play() -> None:
        async with town(rt) as place:
            [first] = place.binds
            gateway = place.gateway
            await place.until(lambda: place.simulator.is_bound, "the bind")
            healthy = gateway.links.get("sim-1")
            assert healthy is not None
            since = healthy.up_since
            second = replace(first, cid="sim-2")
            third = replace(first, cid="sim-3", network="other")
            done = await gateway.reload([first, second, third], [first, second, third])
            assert done == {"sim-2": "started", "sim-3": "started"}
            await place.until(lambda: all(k.is_bound for k in gateway.links.all()), "three binds")
            slower = replace(second, window=3)
            done = await gateway.reload([first, slower], [first, slower])
            assert done == {"sim-2": "restarted", "sim-3": "stopped"}
            await place.until(lambda: all(k.is_bound for k in gateway.links.all()), "two binds")
            assert gateway.links.cids == ["sim-1", "sim-2"]
            assert gateway.links.get("sim-1") is healthy
            assert healthy.up_since == since
            await place.until(
                lambda: [r.cid for r in rows(place)] == ["sim-1", "sim-2"], "no other row"
            )
            await place.until(lambda: all(r.state == BindEvent.BOUND for r in rows(place)), "rows")

    asyncio.run(play())


def test_a_bind_restarted_in_full_traffic_loses_nothing(rt: Runtime) -> None:
    async def play() -> None:
        async with town(rt) as place:
            phones = numbers(120)
            [bind] = place.binds
            await place.offer(phones)
            for window in (20, 30, 40):
                before = place.simulator.counts.submitted
                await place.until(
                    lambda before=before: (  # type: ignore[misc]
                        place.simulator.counts.submitted > before or place.all_are("awaiting")
                    ),
                    "traffic",
                )
                bind = replace(bind, window=window)
                await place.gateway.reload([bind], [bind])
            await place.until(lambda: place.all_are("awaiting"), "every receipt")
            shown = [len(place.simulator.handset(p).messages) for p in phones]
            assert shown == [1] * len(phones)

    asyncio.run(play())


def rows(place: GatewayTown) -> list[bind_rows.BindRow]:
    with place.rt.ledger.begin() as tx:
        return bind_rows.every(tx)


def test_what_a_bind_did_can_be_read_by_every_process(rt: Runtime) -> None:
    async def play() -> None:
        async with town(rt) as place:
            await place.offer(numbers(3))
            await place.until(lambda: place.all_are("awaiting"), "every receipt")
            sent = place.simulator.counts.submitted

            def counted() -> dict[str, int | float]:
                with place.rt.ledger.begin() as tx:
                    return bind_rows.counters(tx).get("sim-1", {})

            await place.until(lambda: counted().get("submit_sm_count") == sent, "the count")
            assert counted()["submit_sm_resp.ESME_ROK"] == sent
            assert counted()["orphan_receipts_count"] == counted()["refused_mo_count"] == 0
            assert counted()["is_bound"] == 1

    asyncio.run(play())
