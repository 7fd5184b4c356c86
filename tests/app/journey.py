"""Reads and plays tests/journeys: transcripts of a phone and 1414, with what happens around them.

A transcript is strict: every message to the phone and every event to the provider must be in it,
word by word and in order, or the journey fails. `tests/journeys/README.md` tells the language.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from app.clock import ManualClock
from app.evidence import offline
from app.evidence.casefile import case_file
from app.ledger.journal import Entry, verify
from app.proactive.actions.saying import public
from app.proactive.records import Offer
from app.proactive.rules import LIFECYCLE, Event, State, step
from app.runtime import Runtime
from tests.app import measure_steps
from tests.app.journey_steps import STEPS, Play, phone_gets, phone_shows
from tests.app.wallet.purse import Purse

JOURNEYS = Path(__file__).parent.parent / "journeys"
Pair = tuple[State, Event]


@dataclass(frozen=True, slots=True)
class Line:
    """One step of a transcript, with its number in the file."""

    number: int
    text: str


def lines(path: Path) -> Iterator[Line]:
    """The steps of a transcript; "#" begins a remark, an indented line goes on with the last."""
    held: Line | None = None
    for number, raw in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if held is not None and raw.startswith("    "):
            held = Line(held.number, f"{held.text}\n{raw.strip()}")
            continue
        if held is not None:
            yield held
        text = "" if raw.startswith("#") else raw.strip()
        held = Line(number, text) if text else None
    if held is not None:
        yield held


def carry_out(play: Play, line: Line) -> None:
    for pattern, step_of in STEPS:
        found = pattern.match(line.text)
        if found:
            if step_of not in (phone_gets, phone_shows):
                assert_all_told(play)
            step_of(play, **found.groupdict())
            return
    raise AssertionError(f"no such step: {line.text}")


def assert_all_told(play: Play) -> None:
    untold = [mt.message.body for mt in play.world.mts[play.told :]]
    assert untold == [], "the transcript does not have these messages"
    screens = [screen.text for screen in play.keypad.untold]
    assert screens == [], "the transcript does not have these screens"


def play_file(rt: Runtime, clock: ManualClock, path: Path) -> set[Pair]:
    """Plays a journey; returns the lines of the lifecycle that its journals show."""
    play = Play(Purse(rt, clock))
    for line in lines(path):
        try:
            carry_out(play, line)
        except AssertionError as error:
            error.add_note(f"{path.name}, line {line.number}: {line.text}")
            raise
    assert_all_told(play)
    assert play.untold() == [], "the transcript does not have these events"
    measure_steps.assert_whole(play)
    for offer in play.offers:
        assert_proven(play, offer)
    return {pair for offer in play.offers for pair in passed(play, offer)}


def assert_proven(play: Play, offer: Offer) -> None:
    """What a case file says of the offer on top is what its entries say."""
    rt = play.world.rt
    with rt.ledger.begin() as tx:
        about = msgspec.to_builtins(public(offer))
        file = case_file(tx, rt.vault, offer.id, rt.clock(), offer=about, with_said=True)
    assert offline.check(msgspec.json.encode(file)).breaks == []


def passed(play: Play, offer: Offer) -> list[Pair]:
    """The (state, event) pairs of one case, as its journal tells them; the chain must hold."""
    entries = play.world.journal(offer.id)
    assert verify(entries, play.world.rt.vault) == []
    pairs = pairs_of(entries)
    state = State.MADE
    for pair in pairs:
        assert pair[0] is state
        state = step(*pair)
    assert state is offer.state
    return pairs


def pairs_of(entries: list[Entry]) -> list[Pair]:
    """The moves of a case through the lifecycle, folded from its journal alone."""
    events = {str(event) for event in Event}
    state, found = State.MADE, []
    for entry in entries:
        kind = entry.kind.replace("-", "_")
        if kind in events:
            found.append((state, Event(kind)))
            state = LIFECYCLE[state, Event(kind)]
    return found
