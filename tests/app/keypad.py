"""A handset that dials and presses keys, as a network's USSD gateway hands them over."""

from dataclasses import dataclass, replace

from msgspec import structs

from app.conversation.sessions import Sessions
from smpp.messages import Inbound, Outbound, Ussd, UssdOp
from tests.app.world import World

NOWHERE = "redis://127.0.0.1:1"
ABORTED = 129  # a vendor's word for a session that is over
ASCII = 1


@dataclass(slots=True)
class Keypad:
    """The USSD side of a world's phone; `told` screens have been looked at already."""

    world: World
    number: int = 0
    unit: int = 0
    told: int = 0
    kept: Sessions | None = None

    def dial(self, code: str = "*1414#") -> None:
        """A new session; an open one is over."""
        self.number, self.unit = self.number % 255 + 1, 0
        self.send(UssdOp.PSSR_INDICATION, code)

    def press(self, key: str) -> None:
        self.send(UssdOp.USSR_CONFIRM, key)

    def hang_up(self) -> None:
        self.send(ABORTED, "", ends=True)

    def send(self, op: int, words: str, *, ends: bool = False) -> None:
        self.world.hear([self.message(op, words, ends=ends)])

    def message(self, op: int, words: str, *, ends: bool = False) -> Inbound:
        session = bytes((self.number, (self.unit << 1) & 0xFE))
        self.unit += 1
        mo = self.world.mo(words, words.encode("ascii", "replace"))
        ussd = Ussd(op, session, ends)
        return structs.replace(mo, data_coding=ASCII, ussd=ussd, user_message_reference=self.number)

    @property
    def untold(self) -> list[Outbound]:
        return self.world.screens[self.told :]

    def next_screen(self) -> Outbound:
        """The oldest screen nobody has looked at; it belongs to the session that is open."""
        assert self.untold, "no screen came"
        screen = self.untold[0]
        self.told += 1
        assert screen.phone == self.world.phone
        assert screen.ussd is not None
        assert screen.ussd.session[:1] == bytes((self.number,))
        assert not screen.wants_receipt
        return screen

    def shows(self) -> str:
        """The next screen's text; it must leave the session open."""
        screen = self.next_screen()
        assert screen.ussd is not None
        assert (screen.ussd.op, screen.ussd.ends) == (UssdOp.USSR_REQUEST, False)
        return screen.text

    def ends_with(self) -> str:
        """The next screen's text; it must be the last one of the session."""
        screen = self.next_screen()
        assert screen.ussd is not None
        assert (screen.ussd.op, screen.ussd.ends) == (UssdOp.PSSR_RESPONSE, True)
        return screen.text

    def lose_redis(self) -> None:
        """From here on Redis does not answer."""
        self.kept = self.world.rt.sessions
        self._use(Sessions(NOWHERE))

    def find_redis(self) -> None:
        """It answers again."""
        assert self.kept is not None
        self._use(self.kept)

    def _use(self, sessions: Sessions) -> None:
        self.world.rt = replace(self.world.rt, sessions=sessions)
        self.world.exchange.rt = self.world.rt
