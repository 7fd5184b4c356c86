"""Whatever octets come, in whatever chunks: the same events, no exception, little memory."""

import tracemalloc
from itertools import pairwise
from struct import Struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from smpp.events import Answered, Delivered, Event, Failed, Queried
from smpp.pdu import (
    MAX_LENGTH,
    RESPONSE,
    Command,
    Frames,
    Status,
    pack,
    pack_sm,
)
from smpp.query import QueryFields
from smpp.session import LARGE, MOST_OCTETS_OWED, Session
from smpp.states import State
from smpp.tlv import Tag
from tests.smpp.test_session import BIND, MO, MT, bound

HEADER = Struct(">IIII")

known = st.sampled_from([int(command) for command in Command])
bodies = st.one_of(
    st.binary(max_size=60),
    st.just(pack_sm(Command.DELIVER_SM, 1, MO)[16:]),
    st.just(b"id\0"),
)
pdus = st.builds(
    pack,
    st.one_of(known, st.integers(0, 0xFFFF_FFFF)),
    st.integers(0, 6),
    st.sampled_from([0, 0, 0x58, 0xE, 0xFFFF_FFFF]),
    bodies,
)
streams = st.lists(st.one_of(pdus, pdus, st.binary(max_size=40)), max_size=8).map(b"".join)


def played(chunks: list[bytes], *, is_bound: bool) -> tuple[list[Event], bytes, State]:
    session = bound() if is_bound else Session(BIND)
    if is_bound:
        session.submit(MT, "a", 0)
        session.submit(MT, "b", 0)
        session.query(QueryFields("77"), "c", 0)
    else:
        session.start(0)
    session.data_to_send()
    events = [event for chunk in chunks for event in session.receive_data(chunk, 1)]
    return events, session.data_to_send(), session.state


@given(streams, st.booleans(), st.data())
def test_chunks_of_any_size_make_the_same_events(
    stream: bytes, is_bound: bool, data: st.DataObject
) -> None:
    whole = played([stream], is_bound=is_bound)
    octets = [bytes((octet,)) for octet in stream]
    assert played(octets, is_bound=is_bound) == whole
    cuts = sorted(data.draw(st.sets(st.integers(0, len(stream)), max_size=5)))
    edges = [0, *cuts, len(stream)]
    chunks = [stream[a:b] for a, b in pairwise(edges)]
    assert played(chunks, is_bound=is_bound) == whole


@given(st.binary(max_size=300), st.booleans())
def test_arbitrary_octets_raise_nothing(noise: bytes, is_bound: bool) -> None:
    events, _, state = played([noise], is_bound=is_bound)
    assert (state is State.CLOSED) == any(isinstance(event, Failed) for event in events)


@given(st.lists(pdus, max_size=12))
def test_every_order_has_at_most_one_answer_of_its_own(stream: list[bytes]) -> None:
    _, out, _ = played([b"".join(stream)], is_bound=True)
    orders = [pdu.sequence for wire in stream for pdu in Frames().feed(wire)]
    answers = [pdu.sequence for pdu in Frames().feed(out)]
    assert all(pdu.command & RESPONSE for pdu in Frames().feed(out))
    assert all(answers.count(sequence) <= orders.count(sequence) for sequence in answers)


PLAUSIBLE = (
    pack_sm(Command.DELIVER_SM, 5, replace(MO, tlvs={Tag.MESSAGE_STATE: b"\2", 0x1400: b"x"})),
    pack_sm(Command.DATA_SM, 6, replace(MO, short_message=b"", tlvs={Tag.MESSAGE_PAYLOAD: b"1"})),
    pack(Command.SUBMIT_SM_RESP, 2, 0, b"id\0"),
    pack(Command.QUERY_SM_RESP, 4, 0, b"id\0\0\2\0"),
    pack(Command.ENQUIRE_LINK, 9),
    pack(Command.GENERIC_NACK, 0, 3),
    pack(Command.ALERT_NOTIFICATION, 1, 0, b"\1\1" + b"7701\0\1\1" + b"1414\0"),
)


@given(st.sampled_from(PLAUSIBLE), st.data())
@settings(max_examples=300)
def test_a_pdu_with_octets_changed_makes_only_events(pdu: bytes, data: st.DataObject) -> None:
    spoiled = bytearray(pdu)
    for at in data.draw(st.lists(st.integers(0, len(pdu) - 1), max_size=4)):
        spoiled[at] = data.draw(st.integers(0, 255))
    end = data.draw(st.integers(0, len(pdu)))
    stream = bytes(spoiled[:end]) + b"".join(PLAUSIBLE)
    events, out, _ = played([stream], is_bound=True)
    allowed = (Delivered, Answered, Queried, Failed)
    assert all(isinstance(event, allowed) or "nbound" in repr(event) for event in events)
    Frames().feed(out)  # what is answered is SMPP itself


@given(st.integers(0, 0xFFFF_FFFF).filter(lambda n: not 16 <= n <= MAX_LENGTH))
def test_a_length_that_cannot_be_true_takes_no_memory(length: int) -> None:
    session = bound()
    session.data_to_send()
    tracemalloc.start()
    try:
        (failed,) = session.receive_data(HEADER.pack(length, Command.DELIVER_SM, 0, 1), 0)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert isinstance(failed, Failed)
    assert failed.status == Status.ESME_RINVCMDLEN
    assert f"command_length {length}, expected 16 to 65536" in failed.reason
    assert peak < 100_000


def test_a_stream_without_an_end_is_held_by_one_pdu_at_most() -> None:
    session = bound()
    session.data_to_send()
    tracemalloc.start()
    try:
        for _ in range(200):  # 12 MiB of what nobody asked for
            session.receive_data(pack(Command.SUBMIT_MULTI_RESP, 9, 0, b"x" * 60_000), 0)
            session.receive_data(HEADER.pack(60_000, 0x7777_7777, 0, 3) + b"y" * 59_984, 0)
            session.data_to_send()
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < 1_000_000


def test_large_messages_that_nobody_acknowledges_are_left_to_the_network() -> None:
    session = bound()
    session.data_to_send()
    payload = b"x" * 60_000
    sm = replace(MO, short_message=b"", tlvs={Tag.MESSAGE_PAYLOAD: payload})
    most = MOST_OCTETS_OWED // len(payload) + 1
    heard = 0
    for sequence in range(1, most + 50):
        heard += len(session.receive_data(pack_sm(Command.DELIVER_SM, sequence, sm), 0))
    assert heard <= most
    refused = Frames().feed(session.data_to_send())
    assert {one.status for one in refused} == {Status.ESME_RX_T_APPN}
    session.acknowledge(Command.DELIVER_SM, 1)
    assert len(session.receive_data(pack_sm(Command.DELIVER_SM, 9_999, sm), 0)) == 1
    assert len(payload) > LARGE


@pytest.mark.parametrize("is_bound", [True, False])
def test_every_command_in_every_state_makes_only_events(is_bound: bool) -> None:
    for command in [*Command, 0, 0x7FFF_FFFF, 0xFFFF_FFFF, 0x0001_0200]:
        for body in (b"", b"\0", b"\0" * 40, b"\xff" * 40):
            for sequence in (0, 1, 2, 3, 0xFFFF_FFFF):
                played([pack(command, sequence, 0, body)], is_bound=is_bound)
