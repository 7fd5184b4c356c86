"""A stolen dump tells nothing: after everything a person can do, no column of any table holds their
phone, their IIN or their words, in any spelling a thief would try."""

import base64
import hashlib
import io
import logging
import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import structlog
from psycopg.rows import dict_row

import worker
from app import logs
from app.clock import ManualClock
from app.exchange import Batch
from app.ledger.engine import sql
from app.proactive.records import Offer
from app.runtime import Runtime
from app.wallet.actions import accounting
from smpp.messages import ReceiptState, SegmentOf, SubmitOutcome
from tests.app.keypad import Keypad
from tests.app.wallet.purse import BODY, GAS, MEALS, Purse
from tests.app.world import World

WORDS = ("жарайды ағайын", "келісемін", "мен ауырып тұрмын", "құпия сөз")
OF_MEASURES = ("ойланып көрейін апай", "жоқ, керек емес", "табысы шектен асады")


def whole_life(rt: Runtime, clock: ManualClock) -> Purse:
    """Leaves something in every table a person's data could reach."""
    world = Purse(rt, clock)
    world.register("Айгүл", "kk")
    made = world.offer("birth-benefit", "Айгүл")
    assert isinstance(made, Offer)
    world.receipt(ReceiptState.DELIVRD)
    world.say(WORDS[0])
    world.say(WORDS[1])
    world.say(WORDS[2])
    world.report(made.id, "rendered")
    world.say("жоқ")
    world.hear([world.mo(None, raw=WORDS[3].encode("utf-16-be"))])
    world.hear([world.mo(WORDS[3], segment=SegmentOf(3, 2, 1))])
    world.say(WORDS[3], sender=world.phone.lstrip("+"), from_phone=False)
    world.deliver_again()
    world.network.answers = SubmitOutcome.UNKNOWN
    world.offer("childcare-benefit", "Айгүл")
    world.commit(Batch(receipts=world.receipts_of(world.mts[-1], ReceiptState.DELIVRD)))
    world.pass_time(timedelta(hours=30))
    world.network.answers = SubmitOutcome.ACCEPTED
    life_with_measures(world)
    return world


def life_with_measures(world: Purse) -> None:
    """Told of measures, asked, answered by SMS, on USSD and in the app; decided on, granted, taken
    back; a USSD session is left open."""
    phone = Keypad(world)
    world.say("жоқ")  # to the offer that is still open
    told = world.told(MEALS, "Айгүл", asks=True)
    world.receipt(ReceiptState.DELIVRD)
    world.say(OF_MEASURES[0])
    world.receipt(ReceiptState.DELIVRD)
    world.say(OF_MEASURES[1])
    phone.dial()
    for key in ("1", "1"):
        phone.press(key)
    assert (world.asking(told.id).data, world.asking(told.id).sms) == ("refused", "given")
    world.pass_time(timedelta(minutes=5))
    world.decide(MEALS, "Айгүл", "not-granted", world.clock(), words=OF_MEASURES[2])
    world.told(GAS, "Айгүл", asks=True)
    report = accounting.Report(
        MEALS, world.people["Айгүл"], BODY, "G-1", world.clock(), 12_500, None
    )
    with world.rt.unit() as unit:
        accounting.account(world.rt, unit, BODY, [report])
    world.say("келісімімді қайтарып аламын")
    phone.dial()
    phone.press("1")


def needles(world: World) -> set[bytes]:
    """Phone, IIN and words, in every spelling: as text, in hex and base64, hashed without a key."""
    phone, iin = world.phone, world.people["Айгүл"]
    said = {*WORDS, *OF_MEASURES, *(m.message.body for m in world.mts)}
    said |= {screen.text for screen in world.screens}
    texts = {phone, phone[1:], phone[2:], iin, *said}
    plain = {t.encode() for t in texts} | {t.encode("utf-16-be") for t in texts}
    hashed = {hashlib.new(name, t).digest() for t in plain for name in ("sha256", "sha1", "md5")}
    found = plain | hashed | {h[:16] for h in hashed}
    return found | {n.hex().encode() for n in found} | {base64.b64encode(n)[:-4] for n in found}


def values(world: World) -> Iterator[tuple[str, str, bytes]]:
    """Every value of every table: (table, column, octets)."""
    tables = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
    with world.rt.ledger.begin() as tx:
        cursor = tx.driver.cursor(row_factory=dict_row)
        for table in tx.execute(sql(tables)).scalars():
            for row in cursor.execute(f'SELECT * FROM "{table}"'.encode()):
                for column, value in row.items():
                    yield table, column, octets(value)


def copied(rt: Runtime) -> Iterator[tuple[str, bytes]]:
    """Every table as `pg_dump` writes it: (table, lines of COPY)."""
    tables = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
    with rt.ledger.begin() as tx:
        cursor = tx.driver.cursor()
        for table in tx.execute(sql(tables)).scalars():
            with cursor.copy(f'COPY "{table}" TO STDOUT') as copy:
                yield table, b"".join(bytes(part) for part in copy)


def kept_in_redis(rt: Runtime) -> bytes:
    """Every key of Redis with its value as Redis itself would write it to disk."""
    keys = list(rt.redis.scan_iter(count=1000))
    return b"\n".join(key + b" " + (rt.redis.dump(key) or b"") for key in keys)


def octets(value: Any) -> bytes:
    return bytes(value) if isinstance(value, bytes | memoryview) else str(value).encode()


def test_no_column_of_any_table_tells_who_or_what(rt: Runtime, clock: ManualClock) -> None:
    world = whole_life(rt, clock)
    sought = needles(world)
    told = {
        f"{table}.{column}"
        for table, column, value in values(world)
        if any(needle in value for needle in sought)
    }
    assert told == set()


def test_the_search_would_find_what_is_not_sealed(rt: Runtime, clock: ManualClock) -> None:
    world = whole_life(rt, clock)
    filled = {table for table, _, _ in values(world)}
    assert {"recipients", "outbox", "journal", "heard", "parts", "segments"} <= filled
    assert {"wallet_notices", "wallet_consents", "wallet_grants"} <= filled
    with rt.ledger.begin() as tx:
        tx.execute(sql("UPDATE offers SET result = :leak"), {"leak": world.phone})
        iin = world.people["Айгүл"].encode().hex()
        tx.execute(sql("UPDATE outbox SET cid = :leak"), {"leak": iin})
    sought = needles(world)
    told = {f"{t}.{c}" for t, c, v in values(world) if any(n in v for n in sought)}
    assert {"offers.result", "outbox.cid"} <= told


def test_a_dump_of_postgresql_and_redis_and_every_log_line_tell_nothing(
    rt: Runtime, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    out = io.StringIO()
    logs.configure("dump", level=logging.DEBUG, stream=out)
    try:
        world = whole_life(rt, clock)
        house = worker.House(rt, threading.Event())
        worker.reconcile(house)
        clock.advance(timedelta(days=2))
        worker.seal(house)
        worker.erase(house)
        structlog.get_logger("test").warning("as somebody might", phone=world.phone)
        assert rt.redis.dbsize() > 0  # the USSD session
        sought = needles(world)
        told = {table for table, text in copied(rt) if any(n in text for n in sought)}
        redis_told = [n for n in sought if n in kept_in_redis(rt)]
    finally:
        logs.configure("tests", level=logging.ERROR)
    lines = out.getvalue().encode()
    assert lines.count(b"\n") > 1 and logs.MASK.encode() in lines
    assert (told, redis_told, [n for n in sought if n in lines]) == (set(), [], [])


def test_the_search_would_find_what_is_in_a_dump(rt: Runtime, clock: ManualClock) -> None:
    world = whole_life(rt, clock)
    rt.redis.set("session", world.phone)
    rt.redis.rpush("list", WORDS[0])
    with rt.ledger.begin() as tx:
        tx.execute(sql("UPDATE offers SET result = :leak"), {"leak": WORDS[2]})
        tx.execute(sql("UPDATE outbox SET body = :leak"), {"leak": WORDS[2].encode()})
    sought = needles(world)
    assert {t for t, text in copied(rt) if any(n in text for n in sought)} >= {"offers", "outbox"}
    found = {n for n in sought if n in kept_in_redis(rt)}
    assert {world.phone.encode(), WORDS[0].encode()} <= found
