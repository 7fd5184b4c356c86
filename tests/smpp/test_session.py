"""The session as a function of octets and seconds; both ends speak by smpp.pdu."""

from dataclasses import replace

import pytest
from msgspec import structs

from smpp.binds import Bind
from smpp.events import (
    Answered,
    Bound,
    Delivered,
    Failed,
    Refused,
    Unbound,
)
from smpp.pdu import (
    MAX_SEQUENCE,
    Command,
    Frames,
    Pdu,
    SmFields,
    Status,
    pack,
    pack_resp,
    pack_sm,
    read_bind,
)
from smpp.session import MOST_OWED, Session
from smpp.states import TRANSITIONS, State, Step

BIND = Bind("kcell-1", "kcell", "127.0.0.1", 2775, "jauap", "secret", window=2)
MO = SmFields(source="77010000101", dest="1414", short_message=b"1")
MT = SmFields(source="1414", dest="77010000101", short_message=b"?")
BOUND_OK = pack_resp(Command.BIND_TRANSCEIVER_RESP, 1, 0, "SMSC")


def bound(bind: Bind = BIND) -> Session:
    session = Session(bind)
    session.start(0)
    response = pack_resp(Command[f"BIND_{bind.bind.upper()}_RESP"], 1, 0, "SMSC")
    assert session.receive_data(response, 0) == [Bound("SMSC")]
    return session


def sent(session: Session) -> list[Pdu]:
    return Frames().feed(session.data_to_send())


def test_it_binds_with_what_the_bind_declares() -> None:
    session = Session(replace(BIND, address_range="1414", source_addr_ton=3))
    (pdu,) = Frames().feed(session.start(0))
    fields = read_bind(pdu)
    assert (pdu.command, pdu.sequence) == (Command.BIND_TRANSCEIVER, 1)
    assert (fields.interface_version, fields.ton, fields.address_range) == (0x34, 3, "1414")
    assert session.state is State.BINDING
    with pytest.raises(ValueError, match="binding"):
        session.start(0)


@pytest.mark.parametrize(
    ("kind", "state"),
    [
        ("transmitter", State.BOUND_TX),
        ("receiver", State.BOUND_RX),
        ("transceiver", State.BOUND_TRX),
    ],
)
def test_each_bind_leads_to_its_state(kind: str, state: State) -> None:
    session = bound(replace(BIND, bind=kind))  # type: ignore[arg-type]
    assert session.state is state
    assert session.can_submit is (kind != "receiver")


def test_an_answer_of_another_kind_with_our_sequence_is_the_answer() -> None:
    session = Session(replace(BIND, bind="receiver"))
    session.start(0)
    assert session.receive_data(pack(Command.BIND_TRANSMITTER_RESP, 1), 0) == [Bound("")]
    assert session.state is State.BOUND_RX


def test_a_bind_answer_with_another_sequence_is_not_the_answer() -> None:
    session = Session(BIND)
    session.start(0)
    assert session.receive_data(pack_resp(Command.BIND_TRANSCEIVER_RESP, 9, 0, "x"), 0) == []
    assert session.state is State.BINDING


def test_what_comes_before_the_bind_answer_is_not_taken_for_it() -> None:
    session = Session(BIND)
    session.start(0)
    early = pack(Command.ENQUIRE_LINK, 1) + pack_sm(Command.DELIVER_SM, 1, MO)
    assert session.receive_data(early + BOUND_OK, 0) == [Bound("SMSC")]
    answers = [(pdu.command, pdu.status) for pdu in sent(session)]
    assert answers == [
        (Command.ENQUIRE_LINK_RESP, 0),
        (Command.DELIVER_SM_RESP, Status.ESME_RINVBNDSTS),
    ]


@pytest.mark.parametrize(
    "answer",
    [
        pack(Command.BIND_TRANSCEIVER_RESP, 1, Status.ESME_RINVPASWD),
        pack(Command.GENERIC_NACK, 1, Status.ESME_RINVPASWD),
        pack(Command.GENERIC_NACK, 0, Status.ESME_RINVPASWD),
    ],
)
def test_a_refused_bind_says_why(answer: bytes) -> None:
    session = Session(BIND)
    session.start(0)
    (event,) = session.receive_data(answer, 0)
    assert isinstance(event, Refused)
    assert event.status == Status.ESME_RINVPASWD
    assert "password" in event.reason
    assert session.state is State.OPEN


def test_a_bind_or_unbind_without_an_answer_fails_after_the_timeout() -> None:
    session = Session(BIND)
    session.start(0)
    assert session.tick(9.9) == []
    assert session.tick(10) == [Failed(0, "no response to bind within 10 s")]
    session = bound()
    session.unbind(5)
    assert session.tick(14.9) == []
    assert session.tick(15) == [Failed(0, "no response to unbind within 10 s")]
    assert session.state is State.CLOSED


def test_submits_are_matched_by_sequence_in_any_order() -> None:
    session = bound()
    first = session.submit(MT, "a", 0)
    second = session.submit(MT, "b", 0)
    assert not session.can_submit
    with pytest.raises(ValueError, match="2 in flight"):
        session.submit(MT, "c", 0)
    events = session.receive_data(
        pack_resp(Command.SUBMIT_SM_RESP, second, 0, "id-2")
        + pack_resp(Command.SUBMIT_SM_RESP, first, Status.ESME_RTHROTTLED),
        1,
    )
    assert events == [Answered("b", 0, "id-2"), Answered("a", Status.ESME_RTHROTTLED)]
    assert session.receive_data(pack_resp(Command.SUBMIT_SM_RESP, first, 0, "again"), 1) == []


@pytest.mark.parametrize(
    ("body", "id"),
    [
        (b"id without an end", "id without an end"),
        (b"id\0and more", "id"),
        (b"", ""),
        (b"x" * 64, "x" * 64),
        (b"x" * 60_000, ""),
    ],
)
def test_an_id_is_kept_however_it_ends_and_no_id_is_still_an_answer(body: bytes, id: str) -> None:
    session = bound()
    sequence = session.submit(MT, "a", 0)
    answer = pack(Command.SUBMIT_SM_RESP, sequence, 0, body)
    assert session.receive_data(answer, 0) == [Answered("a", 0, id)]


def test_a_submit_without_an_answer_times_out_and_frees_the_window() -> None:
    session = bound()
    session.submit(MT, "a", 0)
    session.submit(MT, "b", 5)
    assert session.next_tick_at == 10
    assert session.tick(10) == [Answered("a", None)]
    assert session.can_submit
    assert session.tick(15) == [Answered("b", None)]


def test_a_nack_counts_for_its_sequence_and_nonsense_for_nothing() -> None:
    session = bound()
    sequence = session.submit(MT, "a", 0)
    for other in (0, 63, 0xFFFF_FFFF):
        assert session.receive_data(pack(Command.GENERIC_NACK, other, 3), 0) == []
    nack = pack(Command.GENERIC_NACK, sequence, Status.ESME_RINVCMDLEN)
    assert session.receive_data(nack, 0) == [Answered("a", Status.ESME_RINVCMDLEN)]
    sequence = session.submit(MT, "b", 0)
    assert session.receive_data(pack(Command.GENERIC_NACK, sequence), 0) == [Answered("b", None)]


def test_data_sm_is_answered_for_in_both_directions() -> None:
    session = bound()
    sequence = session.submit(MT, "a", 0, Command.DATA_SM)
    assert sent(session)[0].command == Command.DATA_SM
    answer = pack_resp(Command.DATA_SM_RESP, sequence, 0, "id")
    assert session.receive_data(answer, 0) == [Answered("a", 0, "id")]
    (event,) = session.receive_data(pack_sm(Command.DATA_SM, 4, MO), 0)
    assert event == Delivered(Command.DATA_SM, 4, structs.replace(MO, short_message=b""))
    session.acknowledge(Command.DATA_SM, 4, Status.ESME_RX_T_APPN)
    assert sent(session) == [Pdu(Command.DATA_SM_RESP, Status.ESME_RX_T_APPN, 4, b"\0")]


def test_a_delivery_is_answered_only_when_told_to() -> None:
    session = bound()
    assert session.receive_data(pack_sm(Command.DELIVER_SM, 7, MO), 0) == [
        Delivered(Command.DELIVER_SM, 7, MO)
    ]
    assert (session.data_to_send(), session.owed) == (b"", 1)
    session.acknowledge(Command.DELIVER_SM, 7)
    assert sent(session) == [Pdu(Command.DELIVER_SM_RESP, 0, 7, b"\0")]
    assert session.owed == 0


def test_more_than_can_be_held_is_left_to_the_network() -> None:
    session = bound()
    session.owed = MOST_OWED
    assert session.receive_data(pack_sm(Command.DELIVER_SM, 7, MO), 0) == []
    assert sent(session)[0].status == Status.ESME_RX_T_APPN


def test_a_transmitter_hears_no_messages() -> None:
    session = bound(replace(BIND, bind="transmitter"))
    assert session.receive_data(pack_sm(Command.DELIVER_SM, 7, MO), 0) == []
    assert sent(session)[0].status == Status.ESME_RINVBNDSTS


def test_a_bad_body_is_refused_and_the_session_lives() -> None:
    session = bound()
    body = pack_sm(Command.DELIVER_SM, 1, MO)[16:]
    for bad in (b"", body[:-1], body + b"\x04\x24\xff\xff", b"7" * 40):
        assert session.receive_data(pack(Command.DELIVER_SM, 9, 0, bad), 0) == []
        (answer,) = sent(session)
        assert (answer.command, answer.sequence) == (Command.DELIVER_SM_RESP, 9)
        assert answer.status != 0
    assert session.is_bound
    assert session.owed == 0


@pytest.mark.parametrize(
    ("command", "answer", "status"),
    [
        (0x0000_7777, Command.GENERIC_NACK, Status.ESME_RINVCMDID),
        (0x8000_7777, Command.GENERIC_NACK, Status.ESME_RINVCMDID),
        (Command.OUTBIND, Command.GENERIC_NACK, Status.ESME_RINVBNDSTS),
        (Command.SUBMIT_SM, Command.SUBMIT_SM_RESP, Status.ESME_RINVCMDID),
        (Command.QUERY_SM, Command.QUERY_SM_RESP, Status.ESME_RINVCMDID),
        (Command.BIND_RECEIVER, Command.BIND_RECEIVER_RESP, Status.ESME_RINVCMDID),
    ],
)
def test_what_is_not_for_us_is_refused_with_its_sequence(
    command: int, answer: int, status: int
) -> None:
    session = bound()
    assert session.receive_data(pack(command, 77), 0) == []
    assert sent(session) == [Pdu(answer, status, 77)]
    assert session.is_bound


def test_alerts_and_stray_responses_are_ignored() -> None:
    session = bound()
    for command in (Command.ALERT_NOTIFICATION, Command.QUERY_SM_RESP, Command.UNBIND_RESP):
        assert session.receive_data(pack(command, 5, 0, b"\1\2"), 0) == []
    assert session.receive_data(BOUND_OK, 0) == []
    assert (session.data_to_send(), session.is_bound) == (b"", True)


def test_enquire_link_is_answered_in_every_state() -> None:
    for session in (Session(BIND), bound()):
        session.receive_data(pack(Command.ENQUIRE_LINK, 5), 0)
        assert sent(session) == [Pdu(Command.ENQUIRE_LINK_RESP, 0, 5)]


def test_silence_is_asked_about_and_then_fails() -> None:
    session = bound()
    assert session.next_tick_at == 30
    assert session.tick(29.9) == []
    assert session.data_to_send() == b""
    assert session.tick(30) == []
    assert sent(session)[0].command == Command.ENQUIRE_LINK
    session.receive_data(pack(Command.ENQUIRE_LINK_RESP, 2), 35)
    assert session.tick(64) == []
    session.tick(65)
    (event,) = session.tick(75)
    assert isinstance(event, Failed)
    assert session.state is State.CLOSED


def test_octets_that_complete_no_pdu_prove_no_life() -> None:
    session = bound()
    session.receive_data((60_000).to_bytes(4, "big"), 1)
    for now in (30, 31, 39):
        session.receive_data(pack(Command.ENQUIRE_LINK_RESP, 2), now)
        assert session.tick(now) == []
    assert isinstance(session.tick(40)[0], Failed)


def test_an_unbind_of_the_network_is_answered() -> None:
    session = bound()
    session.submit(MT, "a", 0)
    session.data_to_send()
    assert session.receive_data(pack(Command.UNBIND, 9), 0) == [Unbound(by_peer=True)]
    assert sent(session) == [Pdu(Command.UNBIND_RESP, 0, 9)]
    assert not session.can_submit
    assert session.receive_data(pack(Command.UNBIND, 10), 0) == []
    assert session.close() == [Answered("a", None)]


def test_our_unbind_still_hears_and_answers_what_is_under_way() -> None:
    session = bound()
    sequence = session.submit(MT, "a", 0)
    session.unbind(0)
    session.unbind(0)
    unbind = sent(session)[-1]
    assert (unbind.command, session.can_submit) == (Command.UNBIND, False)
    under_way = pack_sm(Command.DELIVER_SM, 7, MO)
    under_way += pack_resp(Command.SUBMIT_SM_RESP, sequence, 0, "id")
    assert session.receive_data(under_way, 0) == [
        Delivered(Command.DELIVER_SM, 7, MO),
        Answered("a", 0, "id"),
    ]
    session.acknowledge(Command.DELIVER_SM, 7)
    assert sent(session)[0].command == Command.DELIVER_SM_RESP
    ended = session.receive_data(pack(Command.UNBIND_RESP, unbind.sequence), 0)
    assert ended == [Unbound(by_peer=False)]


def test_lost_framing_ends_the_session_after_what_came_before_it() -> None:
    session = bound()
    nonsense = pack_sm(Command.DELIVER_SM, 7, MO) + b"HTTP/1.1 200 OK\r\n"
    delivered, failed = session.receive_data(nonsense, 0)
    assert delivered == Delivered(Command.DELIVER_SM, 7, MO)
    assert isinstance(failed, Failed)
    assert sent(session) == [Pdu(Command.GENERIC_NACK, Status.ESME_RINVCMDLEN, 0)]
    assert session.receive_data(BOUND_OK, 0) == session.tick(1e9) == session.close() == []


def test_sequences_wrap_and_pass_over_what_is_in_flight() -> None:
    session = bound()
    kept = session.submit(MT, "a", 0)
    assert kept == 2
    session._sequence = MAX_SEQUENCE - 1
    taken = [session._next_sequence() for _ in range(3)]
    assert taken == [MAX_SEQUENCE, 1, 3]


def test_every_state_can_close_and_closed_is_the_end() -> None:
    assert {state for state, step in TRANSITIONS if step is Step.CLOSE} == set(State) - {
        State.CLOSED
    }
    assert all(state is not State.CLOSED for state, _ in TRANSITIONS)
