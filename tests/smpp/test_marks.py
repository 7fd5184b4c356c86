"""What the peer has certainly read of our acknowledgements."""

from smpp.binds import Bind
from smpp.marks import MOST_ASKED, Marks
from smpp.pdu import Command, SmFields, pack, pack_resp
from smpp.session import Session

BIND = Bind("k-1", "kcell", "127.0.0.1", 2775, "jauap", "secret")


def bound() -> Session:
    session = Session(BIND)
    session.start(0.0)
    session.receive_data(pack_resp(Command.BIND_TRANSCEIVER_RESP, 1, 0, "smsc"), 0.0)
    assert session.is_bound
    return session


def test_an_answer_proves_that_all_said_before_its_question_was_read() -> None:
    session = bound()
    session.marks.say("first")
    sequence = session.submit(SmFields(dest="77010000001"), "token", 1.0)
    session.marks.say("second")
    assert session.marks.read is None
    session.receive_data(pack_resp(Command.SUBMIT_SM_RESP, sequence, 0, "7"), 2.0)
    assert session.marks.read == "first"


def test_an_answered_enquire_link_proves_it_too() -> None:
    session = bound()
    session.marks.say("mark")
    session.tick(BIND.enquire_link_interval)
    session.receive_data(pack(Command.ENQUIRE_LINK_RESP, 2), BIND.enquire_link_interval)
    assert session.marks.read == "mark"


def test_where_nothing_else_is_asked_an_enquire_link_asks_soon_and_once() -> None:
    session = bound()
    session.marks.say("mark")
    session.tick(1.0)
    assert session.data_to_send() == pack(Command.ENQUIRE_LINK, 2)
    session.tick(1.5)
    assert session.data_to_send() == b""
    session.receive_data(pack(Command.ENQUIRE_LINK_RESP, 2), 2.0)
    assert session.marks.read == "mark"


def test_an_answer_to_what_was_asked_before_proves_nothing() -> None:
    session = bound()
    sequence = session.submit(SmFields(dest="77010000001"), "token", 1.0)
    session.marks.say("mark")
    session.receive_data(pack_resp(Command.SUBMIT_SM_RESP, sequence, 0, "7"), 2.0)
    session.receive_data(pack(Command.ENQUIRE_LINK, 9), 2.0)
    assert session.marks.read is None


def test_what_is_never_answered_takes_no_memory() -> None:
    marks = Marks()
    marks.say("mark")
    for sequence in range(MOST_ASKED + 5):
        marks.ask(sequence)
    marks.answered(0)
    assert marks.read is None
    marks.answered(MOST_ASKED)
    assert marks.read == "mark"
