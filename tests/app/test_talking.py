"""`jauap talk`: a conversation in memory goes as the real one does, whatever is typed."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from app.calendar import Calendar
from app.commands.assembled import app
from app.commands.explaining import catalogue
from app.proactive.rules import OUTCOMES, State
from app.rehearsal import Rehearsal
from dialogs.engine.wording import Words
from tests.app.journey import JOURNEYS
from tests.conftest import NOON

KNOWN = catalogue()
WORDS = Words.load()
CALENDAR = Calendar(KNOWN.swaps)
KASPI, HALYK = "Kaspi *1234", "Halyk *5678"


def rehearsal(language: str | None = "kk", labels: tuple[str, ...] = ()) -> Rehearsal:
    service = KNOWN.service("birth-benefit")
    return Rehearsal(KNOWN, CALENDAR, WORDS, service, NOON, language, labels)


def talk(*lines: str, options: tuple[str, ...] = ("--language", "kk")) -> Any:
    return CliRunner().invoke(app, ["talk", *options], input="\n".join(lines) + "\n")


def told(*lines: str, options: tuple[str, ...] = ("--language", "kk")) -> list[dict[str, Any]]:
    ran = talk(*lines, options=(*options, "--json"))
    assert ran.exit_code == 0, ran.output
    return [json.loads(line) for line in ran.stdout.splitlines()]


def keys(lines: list[dict[str, Any]]) -> list[str]:
    return [line["key"] for line in lines if line.get("key")]


def test_a_yes_is_told_with_what_every_message_costs() -> None:
    ran = talk("иә")
    assert "[2 segments, 115]" in ran.stdout
    assert "offer: yes, accepted" in ran.stdout
    assert ran.exit_code == 0


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (
            ("да нет", "а?", "бәлкім", "бәлкім", "2"),
            ["ask", "ask.again1", "ask.again2", "declined"],
        ),
        (("көмек", "рус", "жоқ"), ["ask", "help", "ask.switched", "declined"]),
        (("/time 25h", "1", "1"), ["ask", "expired", "late", "late"]),
        (("жоқ", "иә"), ["ask", "declined", "already"]),
        (("вы ошиблись номером", "/time 2d"), ["ask"]),
    ],
)
def test_a_conversation_goes_by_the_dialog(lines: tuple[str, ...], expected: list[str]) -> None:
    assert keys(told(*lines)) == [f"offer.{key}" for key in expected]


def test_stop_and_start_are_each_confirmed_once() -> None:
    found = keys(told("стоп", "стоп", "старт", "/quit", "иә"))
    assert found == ["offer.ask", "common.stopped", "common.started"]


def test_a_first_digit_is_a_yes_and_the_next_an_account() -> None:
    options = ("--language", "ru", "--account", KASPI, "--account", HALYK)
    lines = told("1", "1", options=options)
    assert keys(lines) == ["offer.ask", "offer.accepted", "account.ask", "account.chosen"]
    assert any(KASPI in line["text"] and line["who"] == "offer" for line in lines)


def test_silence_about_the_account_leaves_the_yes_as_it_was() -> None:
    options = ("--language", "ru", "--account", KASPI)
    lines = told("да", "/time 25h", "1", "/state", options=options)
    assert keys(lines)[2:] == ["account.ask", "account.none", "account.late"]
    assert lines[-1]["state"]["state"] == "accepted"


def test_ussd_and_the_app_show_the_same_question() -> None:
    lines = told("/ussd", "/app", "/choose yes", "/app", options=("--language", "ru"))
    [ussd] = [line["ussd"] for line in lines if "ussd" in line]
    cards = [line["app"] for line in lines if "app" in line]
    assert ussd == ["пособие на рождение. Согласны?\n1. Да\n2. Нет\n0. Назад"]
    assert [c["id"] for c in cards[0]["choices"]] == ["yes", "no"]
    assert cards[1]["choices"] == []


def test_without_a_language_both_are_spoken_until_an_answer_shows_one() -> None:
    lines = told("келісемін", options=())
    asked = next(line for line in lines if line.get("key") == "offer.ask")
    assert "\n" in asked["text"]
    assert asked["segments"] == 4
    assert "\n" not in lines[-1]["text"]


@pytest.mark.parametrize(
    "wrong",
    [
        ("--service", "no-such"),
        ("--language", "en"),
        ("--phone", "12"),
        ("--account", "KZ86125KZT1001300335"),
        ("--service", "age-pension", "--account", KASPI),
    ],
)
def test_wrong_options_are_named_and_exit_two(wrong: tuple[str, ...]) -> None:
    ran = talk("1", options=wrong)
    assert ran.exit_code == 2
    assert "expected" in ran.stderr


def test_a_wrong_command_is_explained_and_the_talk_goes_on() -> None:
    ran = talk("/time soon", "/nothing", "/choose maybe", "/time 99999999d", "1")
    assert ran.exit_code == 0
    assert ran.stderr.count("expected") == 4
    assert "accepted" in ran.stdout


def test_octets_that_are_no_text_are_a_reply_like_any_other() -> None:
    ran = CliRunner().invoke(app, ["talk", "--json"], input=b"\xff\xfe\n\x00\n1\n")
    assert ran.exit_code == 0
    assert json.loads(ran.stdout.splitlines()[-1])["key"] == "offer.accepted"


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.sampled_from(["1", "2", "3", "иә", "жоқ", "стоп", "старт", "рус", "?", "", "хм"])),
    st.booleans(),
)
def test_whatever_is_said_the_offer_has_at_most_one_outcome(said: list[str], asks: bool) -> None:
    talked = rehearsal(labels=(KASPI, HALYK) if asks else ())
    talked.begin()
    outcomes: list[State] = []
    for text in said:
        for line in talked.hear(text):
            if line.who == "offer" and line.state and not line.text.startswith("account"):
                outcomes.append(State(line.state))
    talked.pass_time(NOON - NOON)
    assert len([o for o in outcomes if o in OUTCOMES]) <= 1


def test_what_is_rehearsed_is_what_the_journeys_say() -> None:
    """The messages of a journey with one offer, word by word."""
    played = (JOURNEYS / "account_silence_kk.txt").read_text(encoding="utf-8").splitlines()
    messages = [line.partition("phone: ")[2] for line in played if line.startswith("1414 →")]
    talked = rehearsal(labels=(KASPI,))
    lines = [*talked.begin(), *talked.hear("иә"), *talked.hear("көмек")]
    lines += [*talked.pass_time(2 * talked.service.window_on(NOON.date())), *talked.hear("1")]
    assert [line.text for line in lines if line.who == "1414"] == messages[:-1]
