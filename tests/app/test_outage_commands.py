"""`jauap outages` at the keyboard: announced, explained, called off, and clear about wrong use."""

from collections.abc import Iterator

import pytest

from tests.e2e.desk import Desk, open_desk

FAR = ("--from", "2099-11-22T01:00", "--until", "2099-11-22T05:00")


@pytest.fixture(scope="module")
def desk() -> Iterator[Desk]:
    with open_desk('[sending]\nhours = "09:00-21:00"\n') as opened:
        yield opened


def test_an_outage_is_announced_explained_listed_and_called_off(desk: Desk) -> None:
    added = desk.give("outages", "add", "kcell", *FAR, "--json").data
    assert (added["starts_at"], added["network"]) == ("2099-11-22T01:00:00+05:00", "kcell")
    assert added["id"] in desk.say("outages", "list").out
    asked = desk.say("outages", "explain", "kcell", "--at", "2099-11-22T04:30")
    assert (asked.code, asked.out.count("held: outage")) == (1, 1)
    assert "2099-11-22 09:00:00 Almaty" in asked.out
    assert desk.say("outages", "explain", "kcell", "--at", "2099-11-22T09:00").code == 0
    quiet = desk.say("outages", "explain", "beeline", "--at", "2099-11-22T04:30", "--json").data
    assert quiet[0]["held"] == "quiet-hours"
    assert desk.say("outages", "remove", added["id"]).code == 0
    assert desk.say("outages", "list").out == "no outage is planned\n"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("add", "kcell", "--from", "2099-01-01T05:00", "--until", "2099-01-01T05:00"), "after"),
        (("add", "kcell", "--from", "2001-01-01T05:00", "--until", "2001-01-02T05:00"), "now"),
        (("add", "kcell", "--from", "tomorrow", "--until", "2099-01-02T05:00"), "tomorrow"),
        (("remove", "00000000-0000-0000-0000-000000000000"), "jauap outages list"),
    ],
)
def test_wrong_use_says_what_was_found_and_expected(
    desk: Desk, words: tuple[str, ...], said: str
) -> None:
    answer = desk.say("outages", *words)
    assert answer.code == 2
    assert said in answer.err
    assert "Traceback" not in answer.err
