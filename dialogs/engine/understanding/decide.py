"""From the units of a reply to one label.

Contradiction, doubt and questions are looked for before any agreement.
"""

from dataclasses import dataclass
from typing import Final

from dialogs.engine.understanding.grammar import Unit
from dialogs.engine.understanding.labels import Label
from dialogs.engine.understanding.reading import Reading

_BREAKS: Final = frozenset({"comma", "stop_mark"})
_SIGNS: Final = frozenset({"emoji_yes", "emoji_no", "emoji_courtesy"})
_COURTESY: Final = frozenset({"polite", "greeting", "emoji_courtesy", "answer", "conj", "because"})
_PLUS: Final = frozenset({"yes", "bare_yes", "aga", "digit_yes", "apart_yes"})
_MINUS: Final = frozenset({"no", "bare_no", "digit_no", "apart_no"})
_FEELINGS: Final = frozenset({"regret", "but_no", "glad", "await"})
_ASIDES: Final = {
    "stop": (Label.STOP, _MINUS | {"stop", "rude", "emoji_no", "ack", "ack_read"}),
    "help": (Label.HELP, frozenset({"help", "question", "ack"})),
    "language_kk": (Label.LANGUAGE_KK, frozenset({"language_kk", "question"})),
    "language_ru": (Label.LANGUAGE_RU, frozenset({"language_ru", "question"})),
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """A label and the rule behind it."""

    label: Label
    rule: str


def _unclear(rule: str) -> Verdict:
    return Verdict(Label.UNCLEAR, rule)


def _stands_apart(units: list[Unit], place: int) -> bool:
    """Whether a noun ("отказ") is not grown together with another answer ("нет отказ")."""
    sides = [units[i].kind for i in (place - 1, place + 1) if 0 <= i < len(units)]
    return all(
        side in _BREAKS | {"polite", "regret", "but_no", "answer", "digit_yes", "digit_no"} | _SIGNS
        for side in sides
    )


def _joins_answers(units: list[Unit], place: int) -> bool:
    """Whether "and" stands between two full sayings, not in "да и нет"."""
    sides = [units[i].kind for i in (place - 1, place + 1) if 0 <= i < len(units)]
    return len(sides) == 2 and all(
        side in ("yes", "no", "litotes", "stop", "polite") for side in sides
    )


def _refuses_next(units: list[Unit], place: int) -> bool:
    """Whether a refusal follows at once: "спасибо, но нет"."""
    return place + 1 < len(units) and units[place + 1].kind in _MINUS


def _malformed(units: list[Unit]) -> Verdict | None:
    for place, unit in enumerate(units):
        if unit.kind == "":
            return _unclear("unexplained words")
        if unit.kind.startswith("apart_") and not _stands_apart(units, place):
            return _unclear("a noun that may belong to another answer")
        if unit.kind == "aga" and any(u.kind in _PLUS for u in units[:place]):
            return _unclear("may be irony")
        if unit.kind == "but_no" and not _refuses_next(units, place):
            return _unclear("a reservation")
        if unit.kind == "conj" and not _joins_answers(units, place):
            return _unclear("a loose conjunction")
    return None


def _aside(kinds: set[str]) -> Verdict | None:
    """Stop, help and language: each alone or with what it may be said with."""
    for kind, (label, company) in _ASIDES.items():
        if kind in kinds:
            rest = kinds - company - _COURTESY
            return _unclear(f"{kind} mixed with something else") if rest else Verdict(label, kind)
    return None


def _asks_only_when(units: list[Unit]) -> bool:
    """A full sentence of consent, then a separate question only about when the money comes."""
    kinds = [unit.kind for unit in units]
    if kinds.count("when") != 1 or kinds.count("question") != 1 or kinds[-1] != "question":
        return False
    place = kinds.index("when")
    before = kinds[:place]
    return kinds[place:] == ["when", "question"] and "yes" in before and before[-1] == "stop_mark"


def _of_signs(kinds: set[str]) -> Verdict:
    """A reply without a single word."""
    if kinds == {"emoji_yes"}:
        return Verdict(Label.YES, "an agreeing sign alone")
    if kinds == {"emoji_no"}:
        return Verdict(Label.NO, "a refusing sign alone")
    return _unclear("an acknowledgement, no answer" if kinds else "nothing was said")


def _of_litotes(kinds: set[str], plus: set[str], minus: set[str]) -> Verdict:
    if minus or kinds & {"emoji_no", "emoji_sad"} or plus - {"yes"}:
        return _unclear("a negated objection beside another answer")
    if not plus and kinds - {"litotes", "polite", "greeting", "emoji_yes", "emoji_courtesy"}:
        return _unclear("a negated objection not alone")
    return Verdict(Label.YES, "a negated objection is consent")


def _weak(kinds: set[str], full: str, bare: set[str]) -> str | None:
    """Why an answer is too weak beside what else was said, or None."""
    if full in kinds:
        return None
    if kinds & {"await", "glad"}:
        return "may be glad of something else"
    if "self" in kinds:
        return "answers who it is, not the question"
    if "ack_read" in kinds:
        return "may only say that it was read"
    if "ack" in kinds and bare & {"bare_yes", "bare_no", "aga"}:
        return "a bare word beside an acknowledgement"
    if {"aga", "bare_yes"} <= kinds:
        return "may be irony"
    return None


def _of_words(kinds: set[str], plus: set[str], minus: set[str]) -> Verdict:
    if plus and minus:
        return _unclear("two answers")
    if plus:
        if kinds & {"emoji_no", "emoji_sad"}:
            return _unclear("the sign contradicts the words")
        weak = _weak(kinds, "yes", plus)
        return _unclear(weak) if weak else Verdict(Label.YES, "consent: " + ", ".join(sorted(plus)))
    if kinds & {"emoji_yes", "emoji_ok"}:
        return _unclear("the sign contradicts the words")
    weak = _weak(kinds, "no", minus)
    return _unclear(weak) if weak else Verdict(Label.NO, "refusal: " + ", ".join(sorted(minus)))


def _out_of_place(kinds: set[str]) -> Verdict | None:
    """A feeling that belongs to the other answer: regret to a refusal, gladness to a consent."""
    feelings = kinds & _FEELINGS
    if not feelings:
        return None
    plus, minus = kinds & (_PLUS | {"litotes"}), kinds & _MINUS
    if feelings & {"regret", "but_no"} and (plus or not minus):
        return _unclear("a regret that no refusal follows")
    if minus and feelings & {"glad", "await"}:
        return _unclear("gladness beside a refusal")
    return None


def _not_an_answer(units: list[Unit], said: list[str], kinds: set[str]) -> Verdict | None:
    """Every reason for doubt that holds whatever the answer may be."""
    if ("question" in kinds or "when" in kinds) and not _asks_only_when(units):
        return _unclear("a question")
    if "lets" in kinds and not {"yes", "bare_yes"} & kinds:
        return _unclear("an invitation, no answer")
    if "rude" in kinds:
        return _unclear("anger is no answer")
    if said.count("litotes") > 1:
        return _unclear("two negated objections")
    if said.count("digit_yes") > 1 or said.count("digit_no") > 1:
        return _unclear("more than one number")
    return _out_of_place(kinds)


def decide(reading: Reading) -> Verdict:
    """Return what the reply says. Pure; every way out names its rule."""
    units = list(reading.units)
    said = [unit.kind for unit in units if unit.kind not in _BREAKS]
    kinds = set(said)
    if kinds == {"question"}:
        return Verdict(Label.HELP, "a question mark alone")
    verdict = _malformed(units) or _aside(kinds) or _not_an_answer(units, said, kinds)
    if verdict:
        return verdict
    kinds -= {"question", "when"}
    plus, minus = kinds & _PLUS, kinds & _MINUS
    if "litotes" in kinds:
        return _of_litotes(kinds, plus, minus)
    if plus or minus:
        return _of_words(kinds, plus, minus)
    return _of_signs(kinds)
