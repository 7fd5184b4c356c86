"""jauap against a message centre that this project did not write, from the offer to its end."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import pytest

from tests.e2e.foreign import ROK, RTHROTTLED, UCS2, UDHI, ForeignSmsc, Message
from tests.e2e.house import (
    FOREIGN_ONLY,
    TIME_SCALE,
    Api,
    House,
    iin,
    is_alive,
    open_folder,
    processes_under,
)

DAY_S = 86_400 / TIME_SCALE
YES, NO, SILENT, TWO, THROTTLED = (f"+7701555010{n}" for n in range(5))


@dataclass(frozen=True, slots=True)
class Street:
    """A running house, its API and the foreign network; somebody silent has had their question
    since the beginning."""

    house: House
    api: Api
    smsc: ForeignSmsc
    silent_offer: str
    silent_since: float

    def ask(self, phone: str, number: int, language: str) -> tuple[str, Message]:
        """An offer whose question has been received, and the question."""
        offer, question = ask(self.api, self.smsc, phone, number, language)
        self.smsc.receipt(question)
        assert self.api.state(offer) == "awaiting"
        return offer, question


def ask(api: Api, smsc: ForeignSmsc, phone: str, number: int, language: str) -> tuple[str, Message]:
    api.register(iin(number), phone, language)
    offer = api.offer(iin(number))
    return offer, smsc.message(phone, 0)


@pytest.fixture(scope="module")
def street() -> Iterator[Street]:
    smsc = ForeignSmsc()
    with open_folder() as folder, smsc.running():
        house = House(folder, FOREIGN_ONLY)
        smsc.write_binds(folder)
        try:
            house.start().ready()
            house.until(lambda: smsc.bound, 15, "the foreign network sees a bind")
            api = house.api()
            offer, question = ask(api, smsc, SILENT, 1, "ru")
            yield Street(house, api, smsc, offer, smsc.receipt(question))
        finally:
            house.end()


def test_the_bind_is_ours_and_both_ways(street: Street) -> None:
    assert [esme.system_id for esme in street.smsc.bound] == ["jauap"]
    assert street.smsc.bound[0].can_receive


def test_yes_is_stored_before_it_is_acknowledged_and_then_confirmed(street: Street) -> None:
    offer, question = street.ask(YES, 2, "kk")
    assert "Келісесіз бе? Иә – 1, жоқ – 2." in question.text
    assert street.smsc.write(YES, "Иә") == ROK
    seen = street.api.see(offer)
    assert (seen["state"], seen["answered_by"]) == ("accepted", "sms")
    assert street.smsc.message(YES, 1).text.startswith("Келісім қабылданды")


def test_the_question_goes_out_in_segments_of_ucs2(street: Street) -> None:
    question = street.smsc.message(SILENT, 0)
    assert len(question.segments) == 2
    assert [segment.header[1:] for segment in question.segments] == [(2, 1), (2, 2)]
    assert len({segment.header[0] for segment in question.segments}) == 1
    for segment in question.segments:
        event = segment.event
        assert (event.esm_class & UDHI, event.data_coding) == (UDHI, UCS2)
        assert len(event.short_message) <= 140
        assert (event.source_addr, event.source_addr_ton, event.source_addr_npi) == ("1414", 3, 0)
        assert event.destination_addr == SILENT.removeprefix("+")
        assert (event.dest_addr_ton, event.dest_addr_npi) == (1, 1)
        assert event.registered_delivery & 0x03 == 1


def test_no_in_russian_declines(street: Street) -> None:
    offer, _ = street.ask(NO, 3, "ru")
    assert street.smsc.write(NO, "нет, спасибо") == ROK
    assert street.api.state(offer) == "declined"
    assert street.smsc.message(NO, 1).text.startswith("Ваш отказ принят")


def test_a_reply_in_two_segments_counts_in_whichever_order_they_come(street: Street) -> None:
    offer, _ = street.ask(TWO, 4, "kk")
    assert street.smsc.write_in_two(TWO, "Иә, келісемін") == (0, 0)
    assert street.api.state(offer) == "accepted"


def test_what_the_network_throttles_is_sent_again(street: Street) -> None:
    street.smsc.refuse.append(RTHROTTLED)
    offer, question = street.ask(THROTTLED, 5, "ru")
    assert not street.smsc.refuse
    assert len(street.smsc.messages(THROTTLED)) == 1
    assert "Согласны? Да – 1, нет – 2." in question.text
    assert street.smsc.write(THROTTLED, "1") == ROK
    assert street.api.state(offer) == "accepted"


def test_silence_expires_a_day_after_the_receipt_and_sends_to_the_branch(street: Street) -> None:
    closing = street.smsc.message(SILENT, 1, DAY_S + 10)
    assert closing.text.startswith("В течение 24 часов ответа не было")
    assert "обратитесь лично" in closing.text
    assert closing.at - street.silent_since == pytest.approx(DAY_S, abs=1.5)
    seen = street.api.see(street.silent_offer)
    assert (seen["state"], seen["answered_by"]) == ("expired", None)
    received, closed = (datetime.fromisoformat(seen[k]) for k in ("received_at", "closed_at"))
    assert (closed - received).total_seconds() >= 86_400


def test_at_the_end_the_network_is_told_and_nothing_was_said_twice(street: Street) -> None:
    below = processes_under(street.house.pid)
    assert street.house.stop() == 0
    assert [pid for pid in below if is_alive(pid)] == []
    street.house.until(lambda: street.smsc.unbound, 10, "the foreign network sees the unbind")
    assert {phone: len(street.smsc.messages(phone)) for phone in (YES, NO, SILENT, TWO)} == {
        YES: 2,
        NO: 2,
        SILENT: 2,
        TWO: 2,
    }
    assert "Traceback" not in street.house.said()
