"""The acceptance mode against a message centre of other hands: nothing lost, nothing doubled."""

import re
import signal
from collections import Counter
from collections.abc import Iterator

import pytest

from tests.e2e.echoing import EchoHouse
from tests.e2e.foreign import ROK, ForeignSmsc, Message
from tests.e2e.house import open_folder, until

INVALID_DESTINATION = 0x0000000B
A, B, C, D, E, F = (f"+7701555020{n}" for n in range(6))
LONG = "Ұлттық сыныптағы өтініш 👩‍👩‍👧 " * 9  # four segments, with pairs to be cut wrongly
GSM = "A plain one, 100 (ok?) " + "x" * 150


@pytest.fixture(scope="module")
def smsc() -> Iterator[ForeignSmsc]:
    foreign = ForeignSmsc()
    with foreign.running():
        yield foreign


@pytest.fixture(scope="module")
def house(smsc: ForeignSmsc) -> Iterator[EchoHouse]:
    with open_folder() as folder:
        smsc.write_binds(folder)
        echo = EchoHouse(folder, "[sandbox]\nsimulator = false\n")
        try:
            yield echo.start().until_bound(smsc, 1)
        finally:
            echo.end()


def stat(smsc: ForeignSmsc, phone: str) -> str:
    """What #STAT says now."""
    before = len(stats(smsc, phone))
    assert smsc.write(phone, "#STAT") == ROK
    until(lambda: len(stats(smsc, phone)) > before, 20, "the answer to #STAT")
    found = re.fullmatch(
        r"STAT (accepted=\d+ delivered=\d+ failed=\d+ pending=\d+)", stats(smsc, phone)[before]
    )
    assert found
    return found[1]


def stats(smsc: ForeignSmsc, phone: str) -> list[str]:
    return [m.text for m in smsc.messages(phone) if m.text.startswith("STAT ")]


def receipt_all(smsc: ForeignSmsc, messages: list[Message]) -> None:
    for message in messages:
        smsc.receipt(message)


def test_the_same_text_comes_back_once_in_whatever_alphabet(
    smsc: ForeignSmsc, house: EchoHouse
) -> None:
    texts = ["Сәлем, қалайсыз? 😀", "  spaces stay ", GSM, LONG, "Иә"]
    for number, text in enumerate(texts):
        assert smsc.write_long(A, text) == {ROK}
        answer = smsc.message(A, number)
        assert answer.text == text
        assert {s.event.registered_delivery & 0x03 for s in answer.segments} == {1}
    assert [len(m.segments) for m in smsc.messages(A)] == [1, 1, 2, 5, 1]


def test_stat_counts_whole_messages_and_not_itself(smsc: ForeignSmsc, house: EchoHouse) -> None:
    echoes = smsc.messages(A)
    assert stat(smsc, A) == "accepted=5 delivered=0 failed=0 pending=5"
    receipt_all(smsc, echoes[:2])
    smsc.receipt_of_segment(echoes[3].segments[0])
    assert stat(smsc, A) == "accepted=5 delivered=2 failed=0 pending=3"
    receipt_all(smsc, echoes[2:4])
    smsc.receipt(echoes[4], "UNDELIV")
    assert stat(smsc, A) == "accepted=5 delivered=4 failed=1 pending=0"
    assert stat(smsc, B) == "accepted=0 delivered=0 failed=0 pending=0"


def test_what_the_network_refuses_for_good_has_failed(smsc: ForeignSmsc, house: EchoHouse) -> None:
    smsc.refuse.append(INVALID_DESTINATION)
    assert smsc.write(C, "never taken") == ROK
    until(lambda: not smsc.refuse, 15, "the refused submit")
    until(lambda: stat(smsc, C) == "accepted=0 delivered=0 failed=1 pending=0", 15, "it failed")


def test_the_same_words_typed_twice_are_answered_twice(smsc: ForeignSmsc, house: EchoHouse) -> None:
    assert [smsc.write(D, "1") for _ in range(15)] == [ROK] * 15
    assert [smsc.message(D, n).text for n in range(15)] == ["1"] * 15


def test_a_burst_cut_by_kill_9_is_answered_in_whole_and_once(
    smsc: ForeignSmsc, house: EchoHouse
) -> None:
    texts = [f"Хабарлама {n}" for n in range(60)]
    statuses = smsc.write_many(E, texts[:30])
    assert set(statuses) == {ROK}
    binds = len(smsc.bound)
    house.kill_at_once()
    house.start().until_bound(smsc, binds + 1)
    assert set(smsc.write_many(E, texts[30:])) == {ROK}
    receipted: list[Message] = []

    def is_settled() -> bool:
        fresh = smsc.messages(E)[len(receipted) :]
        receipted.extend(fresh)
        receipt_all(smsc, [m for m in fresh if not m.text.startswith("STAT ")])
        return stat(smsc, E) == "accepted=60 delivered=60 failed=0 pending=0"

    house.until(is_settled, 90, "every answer is delivered")
    told = Counter(m.text for m in smsc.messages(E))
    assert {text: told[text] for text in texts if not told[text]} == {}
    assert {text: told[text] for text in texts if told[text] > 1} == {}
    assert stat(smsc, A) == "accepted=5 delivered=4 failed=1 pending=0"


def test_a_closed_terminal_ends_it_as_cleanly(smsc: ForeignSmsc, house: EchoHouse) -> None:
    gone, binds = len(smsc.unbound), len(smsc.bound)
    assert house.stop(signal.SIGHUP) == 0
    until(lambda: len(smsc.unbound) > gone, 10, "the unbind")
    house.start().until_bound(smsc, binds + 1)


def test_it_ends_cleanly_and_says_what_it_did(smsc: ForeignSmsc, house: EchoHouse) -> None:
    gone = len(smsc.unbound)
    assert house.interrupt() == 0
    until(lambda: len(smsc.unbound) > gone, 10, "the unbind")
    assert "answers so far: accepted=" in house.said()
    assert "Traceback" not in house.said()
