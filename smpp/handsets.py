"""The simulator's handsets: what each magic number does, and what has arrived on it.

Pure: it decides and remembers; the simulator sends. The last four digits of +7700000xxxx choose
the behaviour, the same in tests, demo and sandbox.
"""

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final, Literal

from smpp import text
from smpp.messages import ReceiptState, SegmentOf

MAGIC: Final = re.compile(r"\+7700000(\d\d)(\d\d)")
DAY_S: Final = 86_400.0
TYPING_S: Final = 1.0

# Even numbers of a kind answer in Kazakh, odd ones in Russian, digits now and then.
YES: Final = (
    *("Иә", "Да", "1", "1", "Келісемін", "Согласен", "Иә, келісемін", "Да, согласна"),
    *("Әрине", "Конечно", "ия", "да", "келисемин", "ДА", "Растаймын", "Подтверждаю"),
)
NO: Final = (
    *("Жоқ", "Нет", "2", "2", "Бас тартамын", "Отказываюсь", "Керек емес", "Не надо"),
    *("Келіспеймін", "Не согласен", "жок", "нет", "Қажет емес", "НЕТ", "Қарсымын", "Не хочу"),
)
UNCLEAR: Final = ("Ойланамын", "Подумаю", "Рахмет", "Спасибо", "Бұл не?", "Что это?")
IN_SEGMENTS: Final = ("Иә, келісемін", "Да, согласен")

# An option is a digit that stands alone: "1 – ", "2)"; not a date, a time, a sum or 1414.
_OPTION: Final = r"(?<![\d.,:/*])%s(?![\d:/]|[.,]\d)"
_FIRST: Final = re.compile(_OPTION % 1)
_SECOND: Final = re.compile(_OPTION % 2)


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What a handset does with an MT message. `answers` go to one question each, in a circle;
    `order` are the numbers of the segments of an answer as they leave; waits are in seconds."""

    answers: tuple[str, ...] = ()
    state: ReceiptState = ReceiptState.DELIVRD
    receipts: int = 1
    receipt_first: bool = False
    answers_after_s: float = TYPING_S
    order: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Received:
    """What a person sees: a short message or a USSD screen. `text` is None where the handset
    could not have shown it."""

    phone: str
    text: str | None
    at: datetime
    segments: int = 1
    kind: Literal["sms", "ussd"] = "sms"


@dataclass(slots=True)
class Handset:
    """One subscriber's phone: whole messages as they arrived, screens, and the open session."""

    phone: str
    behaviour: Behaviour
    messages: list[Received] = field(default_factory=list)
    screens: list[Received] = field(default_factory=list)
    written: list[Received] = field(default_factory=list)  # what its owner sent, as a transcript
    ussd_session: int | None = None
    _units: int = 0
    _sent: int = 0
    _questions: int = 0
    _held: dict[tuple[int, int], dict[int, text.ParsedText]] = field(default_factory=dict)

    def take(self, parsed: text.ParsedText, at: datetime) -> Received | None:
        """A segment has arrived; the message that it completes, if it does."""
        segment = parsed.segment
        if segment is None:
            return self._show(Received(self.phone, parsed.text, at))
        held = self._held.setdefault(_key(segment), {})
        held[segment.number] = parsed
        if len(held) < segment.total:
            return None
        del self._held[_key(segment)]
        whole = text.joined(list(held.values()))[0]
        return self._show(Received(self.phone, whole, at, segment.total))

    def answer(self, received: Received) -> str | None:
        """What its owner answers to a question, or None: nobody answers a notice."""
        if not self.behaviour.answers or not received.text or not is_question(received.text):
            return None
        self._questions += 1
        return self.behaviour.answers[(self._questions - 1) % len(self.behaviour.answers)]

    def next_reference(self) -> int:
        """TP-MR: counts what this handset sent, modulo 256 (3GPP TS 23.040, 9.2.3.6)."""
        self._sent = (self._sent + 1) % 256
        return self._sent

    def next_unit(self) -> bytes:
        """its_session_info of the next USSD unit in the open session."""
        assert self.ussd_session is not None
        octets = bytes((self.ussd_session, (self._units << 1) & 0xFE))
        self._units += 1
        return octets

    def open_session(self, number: int) -> None:
        """A USSD session begins; an open one is over."""
        self.ussd_session, self._units = number, 0

    def _show(self, received: Received) -> Received:
        self.messages.append(received)
        return received


def behaviour(phone: str) -> Behaviour:
    """What the magic number says; any other phone gets its messages and keeps silent."""
    magic = MAGIC.fullmatch(phone)
    if magic is None or magic[1] not in _KINDS:
        return Behaviour()
    kind, vocabularies = _KINDS[magic[1]]
    variant = int(magic[2])
    answers = tuple(words[variant % len(words)] for words in vocabularies)
    return replace(kind, answers=answers)


def is_question(shown: str) -> bool:
    """Whether a text offers the options 1 and 2."""
    return bool(_FIRST.search(shown) and _SECOND.search(shown))


def cut(written: str, reference: int, pieces: int | None) -> list[text.Segment]:
    """A handset's own segments: as many as needed, or just so many, of nearly equal length.
    Raises ValueError where there are fewer characters than pieces."""
    if pieces is None:
        return text.segments(written, reference, "udh8")
    if not 1 <= pieces <= len(written):
        raise ValueError(f"{len(written)} characters cannot make {pieces} segments")
    ends = [len(written) * number // pieces for number in range(pieces + 1)]
    coding = text.encode(written)[0]
    codec = "ascii" if coding == text.GSM7 else "utf-16-be"
    octets = [written[a:b].encode(codec) for a, b in itertools.pairwise(ends)]
    return text.headed(octets, coding, reference, "udh8")


def _key(segment: SegmentOf) -> tuple[int, int]:
    return segment.reference, segment.total


_KINDS: Final[dict[str, tuple[Behaviour, tuple[Sequence[str], ...]]]] = {
    "00": (Behaviour(), ()),
    "01": (Behaviour(), (YES,)),
    "02": (Behaviour(), (NO,)),
    "03": (Behaviour(), (UNCLEAR, YES)),
    "04": (Behaviour(state=ReceiptState.UNDELIV), ()),
    "05": (Behaviour(receipts=0), ()),
    "06": (Behaviour(receipt_first=True), ()),
    "07": (Behaviour(receipts=2), ()),
    "08": (Behaviour(order=(3, 1, 2)), (IN_SEGMENTS,)),
    "09": (Behaviour(answers_after_s=DAY_S + 60), (YES,)),
}
