"""`jauap talk` says what the real system says: the same words to both, message by message."""

from datetime import timedelta
from random import Random

import pytest

from app.calendar import Calendar
from app.clock import ManualClock
from app.commands.explaining import catalogue
from app.proactive.records import Offer
from app.rehearsal import Line, Rehearsal
from app.runtime import Runtime
from dialogs.engine.wording import Words
from smpp.messages import ReceiptState
from tests.app.world import World
from tests.conftest import NOON

KNOWN, WORDS = catalogue(), Words.load()
CALENDAR = Calendar(KNOWN.swaps)
DAY = timedelta(hours=25)
ACCOUNTS = ("Kaspi *1234", "Halyk *5678")
SAID = [
    "1", "2", "3", "4", "иә", "нет", "жоқ рахмет", "стоп", "тоқтат", "старт", "қосу", "рус",
    "қаз", "?", "көмек", "хм", "joq", "kelisemin", "ок", "вы ошиблись номером", "басқа", "+25h",
]  # fmt: skip


def real(rt: Runtime, said: list[str], language: str | None, accounts: tuple[str, ...]) -> World:
    world = World(rt, ManualClock(NOON))
    world.register("Айгүл", language)
    assert isinstance(world.offer("birth-benefit", "Айгүл", accounts), Offer)
    received(world, 0)
    for words in said:
        told = len(world.mts)
        if words == "+25h":
            world.pass_time(DAY)
        else:
            world.clock.advance(timedelta(minutes=1))
            world.say(words)
        received(world, told)
    return world


def received(world: World, since: int) -> None:
    for of in range(since, len(world.mts)):
        world.receipt(ReceiptState.DELIVRD, of=of)


def rehearsed(
    said: list[str], language: str | None, accounts: tuple[str, ...]
) -> tuple[Rehearsal, list[Line]]:
    service = KNOWN.service("birth-benefit")
    talked = Rehearsal(KNOWN, CALENDAR, WORDS, service, NOON, language, accounts)
    lines = talked.begin()
    for words in said:
        lines += talked.pass_time(DAY) if words == "+25h" else talked.hear(words)
    return talked, lines


@pytest.mark.parametrize("seed", range(40))
def test_whatever_is_said_a_talk_answers_as_the_real_system_does(rt: Runtime, seed: int) -> None:
    chance = Random(seed)
    said = chance.choices(SAID, k=8)
    language = chance.choice(["kk", "ru", None])
    accounts = chance.choice([(), ACCOUNTS])
    world = real(rt, said, language, accounts)
    talked, lines = rehearsed(said, language, accounts)
    found = [line.text for line in lines if line.who == "1414"]
    assert found == [mt.message.body for mt in world.mts], said
    assert talked.state == world.look(world.offers[0]).state
