"""What people do with what arrives on their handsets, by the behaviour each of them has."""

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import Final

from app.simulate import words
from app.simulate.campaign import Behaviour, Delay
from app.simulate.network import QUESTION, Network
from app.simulate.people import Citizen
from app.simulate.times import WINDOW_S, Times, drawn
from dialogs.offer import OFFER
from smpp.messages import Outbound, Ussd, UssdOp

AGAIN: Final = frozenset(f"{OFFER.name}.{key}" for key in OFFER.ask(OFFER.start).again)
WRITES: Final = {
    Behaviour.YES: (words.YES, "yes"),
    Behaviour.NO: (words.NO, "no"),
    Behaviour.UNCLEAR: (words.UNCLEAR, "unclear"),
    Behaviour.UNCLEAR_THEN_YES: (words.UNCLEAR, "unclear"),
    Behaviour.LATE: (words.YES, "yes"),
    Behaviour.STOP: (words.STOP, "stop"),
    Behaviour.WRONG_PERSON: (words.STRANGER, "stranger"),
}
BY_SMS: Final = {Behaviour.USSD_YES: Behaviour.YES, Behaviour.USSD_NO: Behaviour.NO}
CODE: Final = "*1414#"
CHOICE: Final = {Behaviour.USSD_YES: "1", Behaviour.USSD_NO: "2"}
LANGUAGE_KEY: Final = {"kk": "1", "ru": "2"}
CONFIRM: Final = "1"
KEY_S: Final = Delay(4.0, 15.0)  # until the next key
SOONER: Final = 0.2  # who was asked again answers sooner


@dataclass(slots=True)
class Handsets:
    """All handsets of a campaign; `networks` by name."""

    times: Times
    networks: Mapping[str, Network]
    answer: Delay
    chance: Random

    def arrived(self, citizen: Citizen, kind: str, t: float) -> None:
        """A whole message is there."""
        if kind == QUESTION and citizen.asked_at is None:
            citizen.asked_at = t
            self._read(citizen, t)
        elif kind in AGAIN and citizen.behaviour is Behaviour.UNCLEAR_THEN_YES:
            if not citizen.has_seen_again:
                citizen.has_seen_again = True
                at = self.times.awake(t + SOONER * drawn(self.answer, self.chance), self.chance)
                self._write(citizen, words.YES, "yes", at)

    def _read(self, citizen: Citizen, t: float) -> None:
        behaviour = citizen.behaviour
        if behaviour is Behaviour.SILENCE:
            return
        after = drawn(self.answer, self.chance)
        if behaviour is Behaviour.LATE:
            after = WINDOW_S + 90.0 + after
        at = self.times.awake(t + after, self.chance)
        if behaviour in CHOICE and self.networks[citizen.home].plan.ussd:
            self._dial(citizen, at)
        else:
            said, meaning = WRITES[BY_SMS.get(behaviour, behaviour)]
            self._write(citizen, said, meaning, at)

    def _write(
        self, citizen: Citizen, said: Mapping[str, tuple[str, ...]], meaning: str, at: float
    ) -> None:
        text = words.said(self.chance, said, citizen.speaks)
        self.networks[citizen.home].write(citizen, text, meaning, at)

    def _dial(self, citizen: Citizen, at: float) -> None:
        """A phone that has no language yet is asked for one first."""
        language = [] if citizen.language else [LANGUAGE_KEY[citizen.speaks]]
        citizen.keys = [*language, CHOICE[citizen.behaviour], CONFIRM]
        citizen.session += 1
        ussd = Ussd(UssdOp.PSSR_INDICATION, bytes((citizen.session & 0xFF, 0)))
        self.networks[citizen.home].press(citizen, CODE, "dial", at, ussd)

    def shown(self, citizen: Citizen, page: Outbound, t: float) -> None:
        """A USSD page is there: the next key is pressed, unless it was the last one."""
        assert page.ussd is not None
        if page.ussd.ends or not citizen.keys:
            return
        key = citizen.keys.pop(0)
        meaning = "key"
        if not citizen.keys:
            meaning = "yes" if citizen.behaviour is Behaviour.USSD_YES else "no"
        unit = (page.ussd.session[1] + 2) & 0xFE
        ussd = Ussd(UssdOp.USSR_CONFIRM, bytes((citizen.session & 0xFF, unit)))
        at = t + drawn(KEY_S, self.chance)
        self.networks[citizen.home].press(citizen, key, meaning, at, ussd)
