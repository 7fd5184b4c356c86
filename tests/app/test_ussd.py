"""USSD turns on the real ledger and the real Redis: what is kept, what is refused, one outcome."""

import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from app.clock import ManualClock
from app.conversation.sessions import PREFIX, TTL_S, Session, Sessions, View, key_of
from app.exchange import Batch, Exchange
from app.proactive.records import Offer
from app.runtime import Runtime
from smpp.messages import Inbound, ReceiptState, UssdOp
from tests.app.keypad import Keypad
from tests.app.world import World

MENU = "1. Ұсыныстар"
QUESTION = "бала туғандағы жәрдемақы. Келісесіз бе?"
CONFIRM_YES = "Келісіміңізді растайсыз ба?"
CONFIRM_NO = "Бас тартуыңызды растайсыз ба?"


@pytest.fixture
def keypad(rt: Runtime, clock: ManualClock) -> Keypad:
    """A handset whose owner has been asked in Kazakh and has received the question."""
    return asked(rt, clock)


def asked(rt: Runtime, clock: ManualClock, language: str | None = "kk") -> Keypad:
    world = World(rt, clock)
    world.register("Айгүл", language)
    assert isinstance(world.offer("birth-benefit", "Айгүл"), Offer)
    world.receipt(ReceiptState.DELIVRD)
    return Keypad(world)


def state(keypad: Keypad) -> str:
    return str(keypad.world.look(keypad.world.offers[0]).state)


def last(keypad: Keypad) -> str:
    """The text of the screen that came last."""
    keypad.told = len(keypad.world.screens)
    return keypad.world.screens[-1].text


def to_confirmation(keypad: Keypad) -> None:
    keypad.dial()
    keypad.press("1")
    assert last(keypad).startswith(CONFIRM_YES)


def values(rt: Runtime) -> dict[bytes, bytes]:
    return {key: rt.redis.get(key) for key in rt.redis.keys(f"{PREFIX}*")}  # type: ignore[misc]


def test_a_session_in_redis_is_small_and_names_nobody(rt: Runtime, keypad: Keypad) -> None:
    to_confirmation(keypad)
    [(key, value)] = values(rt).items()
    phone, iin = keypad.world.phone, keypad.world.people["Айгүл"]
    for secret in (phone, phone[1:], phone[2:], iin, keypad.world.network.name, "*1414#"):
        assert secret.encode() not in key + value
    assert len(value) <= 1024
    assert 0 < rt.redis.ttl(key) <= TTL_S


def test_the_longest_session_there_can_be_is_small(rt: Runtime) -> None:
    shown = tuple(uuid4() for _ in range(8))
    session = Session(
        View.CONFIRM, "kk", 99, uuid4(), View.MEASURES, "x" * 40, "x" * 40, "x" * 40, shown, 2,
        True, 255,
    )  # fmt: skip
    rt.sessions.save({b"k": session})
    assert rt.sessions.load([b"k", b"another"]) == {b"k": session}
    [value] = values(rt).values()
    assert len(value) <= 1024


def test_nothing_is_left_of_a_session_that_ended(rt: Runtime, keypad: Keypad) -> None:
    to_confirmation(keypad)
    keypad.press("1")
    assert state(keypad) == "accepted"
    assert values(rt) == {}
    keypad.dial()
    assert len(values(rt)) == 1
    keypad.hang_up()
    assert values(rt) == {}
    assert len(keypad.untold) == 2  # nothing was said to who hung up


def test_a_session_that_another_version_wrote_is_a_fresh_dial(rt: Runtime, keypad: Keypad) -> None:
    to_confirmation(keypad)
    for garbage in (b"\x00", b"\x92\xa4menu", b"{}", "привет".encode()):
        [key] = values(rt)
        rt.redis.set(key, garbage)
        keypad.press("1")
        assert last(keypad).startswith(QUESTION)
    assert state(keypad) == "awaiting"


def test_two_networks_of_one_number_are_two_handsets(rt: Runtime) -> None:
    keys = {key_of(rt.vault, network, "+77010000001") for network in ("kcell", "beeline")}
    assert len(keys | {key_of(rt.vault, "kcell", "+77010000002")}) == 3


@contextmanager
def silent_redis() -> Iterator[str]:
    """A server that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as server:
        yield f"redis://127.0.0.1:{server.getsockname()[1]}"


def test_a_redis_that_hangs_holds_nobody_up(rt: Runtime, keypad: Keypad) -> None:
    with silent_redis() as url:
        keypad.kept = rt.sessions
        keypad._use(Sessions(url))
        for _ in range(4):
            keypad.press("1")
            assert last(keypad).startswith(QUESTION)
    keypad.world.say("иә")
    assert state(keypad) == "accepted"


@pytest.mark.parametrize("op", [2, 3, 16, 17, 19, 5, 31])
def test_an_operation_nobody_asked_for_is_kept_and_not_answered(keypad: Keypad, op: int) -> None:
    keypad.send(op, "1")
    assert keypad.untold == []
    assert keypad.world.heard() == ["ussd"]


def test_a_process_indication_is_answered_as_one(keypad: Keypad) -> None:
    keypad.send(UssdOp.PSSD_INDICATION, "*1414#")
    assert last(keypad).startswith(QUESTION)


@pytest.mark.parametrize("dialled", ["*1414#", "*1414", "1414", "", "#", "*1414*7#", "*1414*12#"])
def test_whatever_is_dialled_opens_the_question_that_waits(keypad: Keypad, dialled: str) -> None:
    keypad.send(UssdOp.PSSR_INDICATION, dialled)
    assert last(keypad).startswith(QUESTION)


@pytest.mark.parametrize("dialled", ["*1414*1#", "*1414*1", "1414*1"])
def test_an_entry_of_the_menu_can_be_dialled(keypad: Keypad, dialled: str) -> None:
    keypad.send(UssdOp.PSSR_INDICATION, dialled)
    assert last(keypad).startswith("Ұсыныстар:\n1. бала туғандағы")


@pytest.mark.parametrize("pressed", ["1\r", " 1", "1\n"])
def test_what_a_network_pads_a_key_with_is_not_part_of_it(keypad: Keypad, pressed: str) -> None:
    to_confirmation(keypad)
    keypad.press(pressed)
    assert state(keypad) == "accepted"


@pytest.mark.parametrize(
    "pressed", ["", "1 1", "11", "01", "1#", "иә", "yes", "١", "1️⃣", "一", "-1", "¹"]
)
def test_nothing_but_the_key_itself_confirms(keypad: Keypad, pressed: str) -> None:
    to_confirmation(keypad)
    keypad.press(pressed)
    assert last(keypad).startswith("Қате таңдау")
    assert state(keypad) == "awaiting"


def test_a_key_of_another_session_confirms_nothing(keypad: Keypad) -> None:
    to_confirmation(keypad)
    keypad.number += 1
    keypad.press("1")
    assert last(keypad).startswith(QUESTION)
    assert state(keypad) == "awaiting"


def test_a_network_that_names_no_session_is_answered_all_the_same(keypad: Keypad) -> None:
    for op, words in ((UssdOp.PSSR_INDICATION, "*1414#"), *[(UssdOp.USSR_CONFIRM, "1")] * 2):
        message = keypad.message(op, words)
        assert message.ussd is not None
        keypad.world.hear([replace(message, ussd=replace(message.ussd, session=b""))])
    assert state(keypad) == "accepted"


def test_octets_that_cannot_be_read_are_a_wrong_key(keypad: Keypad) -> None:
    to_confirmation(keypad)
    message = replace(keypad.message(UssdOp.USSR_CONFIRM, ""), text=None, raw=b"\xd8\x00")
    keypad.world.hear([message])
    assert last(keypad).startswith("Қате таңдау")


def test_a_name_or_a_short_code_gets_no_page(keypad: Keypad) -> None:
    message = keypad.message(UssdOp.PSSR_INDICATION, "*1414#")
    keypad.world.hear([replace(message, sender="KASPI", from_phone=False)])
    assert keypad.untold == []
    assert keypad.world.heard() == ["not-a-phone"]


def test_an_answer_is_journalled_with_the_language_it_was_shown_in(
    rt: Runtime, clock: ManualClock
) -> None:
    keypad = asked(rt, clock, None)
    keypad.dial()
    for key in ("2", "1", "1"):
        keypad.press(key)
    offer = keypad.world.look(keypad.world.offers[0])
    assert (offer.state, offer.answered_by, offer.language) == ("accepted", "ussd", "ru")
    entry = keypad.world.journal(offer.id)[-1]
    assert b'"how":"ussd"' in entry.body
    assert b'"shown_in":"ru"' in entry.body
    assert entry.kind == "yes"


def test_who_got_the_number_later_sees_nothing_of_who_had_it_before(
    rt: Runtime, keypad: Keypad
) -> None:
    world = keypad.world
    world.say("иә")
    world.register("Айгүл", "kk", phone="+77059998877")
    world.register("Ерлан", "kk")
    keypad.dial("*1414*1#")
    assert last(keypad).startswith("Сізге ұсыныс жоқ.")


def test_who_said_to_be_a_stranger_sees_no_offers(keypad: Keypad) -> None:
    keypad.world.say("Кешіріңіз, бұл мен емес")
    assert state(keypad) == "undelivered"
    keypad.dial()
    assert last(keypad) == "1414\n1. Қазақша\n2. Русский"  # whose phone it is, is not known
    keypad.press("2")
    keypad.press("1")
    assert last(keypad).startswith("Предложений для Вас нет.")


def test_a_question_that_was_not_sent_yet_is_not_shown(rt: Runtime, clock: ManualClock) -> None:
    world = World(rt, clock)
    world.register("Айгүл", "kk")
    world.go_down()
    world.offer("birth-benefit", "Айгүл")
    world.network.is_up = True
    keypad = Keypad(world)
    message = keypad.message(UssdOp.PSSR_INDICATION, "*1414#")
    done = world.exchange.commit(Batch(inbound=[world.came(message)]))
    assert done.screens[0][1].text.startswith(MENU)


def test_a_whole_session_in_one_batch_is_taken_key_by_key(keypad: Keypad) -> None:
    world = keypad.world
    dial = keypad.message(UssdOp.PSSR_INDICATION, "*1414#")
    keys = [keypad.message(UssdOp.USSR_CONFIRM, key) for key in ("1", "1")]
    world.commit(Batch(inbound=[world.came(m) for m in (dial, *keys)]))
    starts = [QUESTION, CONFIRM_YES, "Келісіміңіз қабылданды"]
    assert all(s.text.startswith(t) for s, t in zip(keypad.untold, starts, strict=True))
    assert state(keypad) == "accepted"


def test_of_a_no_by_sms_and_a_yes_by_ussd_in_one_batch_the_first_counts(keypad: Keypad) -> None:
    to_confirmation(keypad)
    world = keypad.world
    both = [world.mo("жоқ"), keypad.message(UssdOp.USSR_CONFIRM, "1")]
    world.commit(Batch(inbound=[world.came(m) for m in both]))
    assert state(keypad) == "declined"
    assert last(keypad).startswith("Жауабыңыз бұрын қабылданған: бас тарту")


@pytest.mark.parametrize("round_", range(5))
def test_a_yes_by_ussd_and_a_no_by_sms_at_once_have_one_outcome(
    rt: Runtime, clock: ManualClock, round_: int
) -> None:
    keypad = asked(rt, clock)
    to_confirmation(keypad)
    world = keypad.world
    said: list[Inbound] = [keypad.message(UssdOp.USSR_CONFIRM, "1"), world.mo("жоқ")]
    gateways = [Exchange(world.rt, uuid4(), [world.network.name]) for _ in said]
    start = threading.Barrier(len(said))

    def take(gateway: Exchange, message: Inbound) -> None:
        start.wait()
        gateway.commit(Batch(inbound=[world.came(message)]))

    with ThreadPoolExecutor(len(said)) as pool:
        for done in [pool.submit(take, g, m) for g, m in zip(gateways, said, strict=True)]:
            done.result()
    kinds = [e.kind for e in world.journal(world.offers[0])]
    assert len({"yes", "no"} & set(kinds)) == 1
    assert world.events(world.offers[0]) == [f"offer.{state(keypad)}"]


def test_a_key_after_the_deadline_changes_nothing_and_is_kept(
    clock: ManualClock, keypad: Keypad
) -> None:
    to_confirmation(keypad)
    offer = keypad.world.look(keypad.world.offers[0])
    assert offer.deadline is not None
    clock.advance(offer.deadline - clock())
    at_the_deadline = keypad.message(UssdOp.USSR_CONFIRM, "1")
    late = replace(at_the_deadline, received_at=offer.deadline.replace(microsecond=1))
    keypad.world.hear([late])
    assert state(keypad) == "awaiting"
    assert [e.kind for e in keypad.world.journal(offer.id)][-1] == "heard-late"


def after(keypad: Keypad, key: str) -> str:
    """What the handset shows after a key."""
    match key:
        case "dial":
            keypad.dial()
        case "hang up":
            keypad.hang_up()
            return ""
        case _:
            keypad.press(key)
    return last(keypad)


KEYS = st.lists(st.sampled_from([*"0123456789", "dial", "hang up", "flush", "иә"]), max_size=25)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(KEYS)
def test_only_the_key_1_on_a_confirmation_answers(
    rt: Runtime, clock: ManualClock, keys: list[str]
) -> None:
    keypad = asked(rt, clock)
    shown, confirmed = "", None
    for key in keys:
        if key == "flush":
            rt.redis.flushdb()
            shown = ""
            continue
        if key == "1" and confirmed is None and shown.startswith((CONFIRM_YES, CONFIRM_NO)):
            confirmed = "accepted" if shown.startswith(CONFIRM_YES) else "declined"
        shown = after(keypad, key)
        assert state(keypad) == (confirmed or "awaiting")
    assert all(len(s.text.encode("utf-16-be")) <= 160 for s in keypad.world.screens)
