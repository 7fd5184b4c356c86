"""The wallet's part of `jauap demo` (214/НҚ): people are told of a measure in the cabinet and by
SMS, asked for two consents, and told what was decided; another system has to account for what it
gives before it may close it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import httpx
from rich.console import Console

from app.clock import system_clock
from app.commands.simulation import Simulation
from app.commands.transcripts import show_talk
from app.ledger import keys
from app.runtime import Runtime
from app.sandbox_issuer import issue

MEASURE = "school-meals"
SYSTEM = "demo-akimat"
Until = Callable[[str, Callable[[], bool]], None]


@dataclass(frozen=True, slots=True)
class Purse:
    """Somebody who is told of a measure: the words they answer both questions with, and how it has
    to end: the two consents, what became of the decision's SMS, and the SMS on the handset."""

    title: str
    phone: str
    iin: str
    language: str
    answers: tuple[str, str]
    ends: tuple[str, ...]
    messages: int
    decision: str = "granted"


PURSES = (
    Purse("a measure, in Kazakh: data yes, SMS no", "+77000000004", "999999000101", "kk",
          ("Иә", "Жоқ"),
          ("read in the cabinet", "data given", "sms refused", "decision in the cabinet"), 4),
    Purse("a measure, in Russian: both yes", "+77000000005", "999999000111", "ru",
          ("Да", "Согласна"),
          ("read in the cabinet", "data given", "sms given", "decision in the cabinet",
           "decision by SMS"), 5),
)  # fmt: skip
# What a rendering through another system must meet, in this order (clause 8).
THROUGH_ANOTHER = ("refused by 214:8", "accounted for", "closed")


@dataclass(slots=True)
class Kept:
    """A promise of the wallet: what must be, what is, and the SMS where some are sent."""

    title: str
    must: tuple[str, ...]
    ended: tuple[str, ...] = ()
    messages: tuple[int, int] | None = None  # seen, expected
    lines: list[str] = field(default_factory=list)

    @property
    def is_lawful(self) -> bool:
        return self.ended == self.must and (
            self.messages is None or self.messages[0] == self.messages[1]
        )


class WalletDay:
    """A body, another system and a few people, side by side with the day's conversations."""

    def __init__(self, rt: Runtime, api: httpx.Client, simulated: Simulation, until: Until) -> None:
        self.rt, self.api, self.smsc = rt, api, simulated.smsc
        self.call, self.until = simulated.call, until

    def play(self) -> list[Kept]:
        """Everybody is told and asked; the other system is refused, accounts, and closes."""
        notices = {purse.iin: self._tell(purse) for purse in PURSES}
        kept = [self._talk(purse, notices[purse.iin]) for purse in PURSES]
        return [*kept, self._through_another(PURSES[0])]

    def show(self, console: Console, kept: list[Kept]) -> None:
        """Prints what the handsets saw, what stood in the cabinet and what the body was told."""
        for purse, one in zip(PURSES, kept, strict=False):
            show_talk(console, purse.title, self.smsc.handset(purse.phone))
            for line in one.lines:
                console.print(f"  {line}", highlight=False, markup=False)
            console.print(f"  measure: {', '.join(one.ended)}\n", highlight=False)
        last = kept[-1]
        console.print(f"[bold]{last.title}[/bold]")
        for line in last.lines:
            console.print(f"  {line}", highlight=False, markup=False)
        console.print(f"  rendering: {', '.join(last.ended)}\n", highlight=False)

    def _tell(self, purse: Purse) -> str:
        body = {
            "measure": MEASURE, "iin": purse.iin, "reference": f"m-{purse.iin}", "asks": True
        }  # fmt: skip
        made: str = self.api.post("/v1/notices", json=body).raise_for_status().json()["id"]
        return made

    def _talk(self, purse: Purse, notice: str) -> Kept:
        kept = Kept(purse.title, purse.ends)
        for question, answer in zip(("data", "sms"), purse.answers, strict=True):
            self.until(purse.title, partial(self._is_asked, notice, question))
            self.call(partial(self.smsc.send, purse.phone, answer))
            self.until(purse.title, partial(self._is_answered, notice, question))
        self.until(purse.title, lambda: len(self.smsc.handset(purse.phone).messages) >= 4)
        read = self._read(purse, notice)
        kept.lines.append(f"in the cabinet: {read}")
        decided = self._decide(purse)
        self.until(purse.title, lambda: self._messages(purse) >= purse.messages)
        shown = self._consents(notice)
        kept.lines.append(f"in the cabinet: {self._read(purse, decided)}")
        kept.ended = (
            *(("read in the cabinet",) if read else ()),
            f"data {shown['data']}", f"sms {shown['sms']}", *self._told_of(decided),
        )  # fmt: skip
        kept.messages = (self._messages(purse), purse.messages)
        return kept

    def _consents(self, notice: str) -> dict[str, Any]:
        found = self._notice(notice)["consents"]
        return dict(found or {"data": None, "sms": None, "state": None, "deadline": None})

    def _notice(self, notice: str) -> dict[str, Any]:
        answer = self.api.get(f"/v1/notices/{notice}").raise_for_status()
        return dict(answer.json())

    def _is_asked(self, notice: str, question: str) -> bool:
        """The handset has the question: its window has begun."""
        shown = self._consents(notice)
        state = {"data": "awaiting", "sms": "second"}[question]
        return shown["state"] == state and shown["deadline"] is not None

    def _is_answered(self, notice: str, question: str) -> bool:
        return self._consents(notice)[question] is not None

    def _messages(self, purse: Purse) -> int:
        return len(self.smsc.handset(purse.phone).messages)

    def _read(self, purse: Purse, notice: str) -> str:
        """The person opens the app and reads the notice, which the body is told; what it says."""
        token = issue(self.rt.settings.paths.data, purse.iin, system_clock())
        headers = {"Authorization": f"Bearer {token}", "Accept-Language": purse.language}
        answer = self.api.post(f"/v1/me/notices/{notice}/read", headers=headers)
        if not answer.is_success or self._notice(notice)["read_at"] is None:
            return ""
        return str(answer.json()["body"]).replace("\n", " / ")

    def _decide(self, purse: Purse) -> str:
        at = self.rt.clock().isoformat().replace("+00:00", "Z")
        body = {
            "measure": MEASURE, "iin": purse.iin, "reference": f"d-{purse.iin}",
            "decision": purse.decision, "decided_at": at,
        }  # fmt: skip
        made: str = self.api.post("/v1/decisions", json=body).raise_for_status().json()["id"]
        return made

    def _told_of(self, decided: str) -> tuple[str, ...]:
        """How the decision reached the person; only what was in time counts."""
        shown = self._notice(decided)
        in_time = shown["placed_at"] is not None and not shown["is_overdue"]
        placed = ("decision in the cabinet",) if in_time else ()
        by_sms = shown["sms"] in ("sent", "delivered")
        return (*placed, "decision by SMS") if by_sms else placed

    def _through_another(self, purse: Purse) -> Kept:
        """Another system renders the measure: it may close only what the wallet accounts for."""
        kept = Kept("a grant through another system", THROUGH_ANOTHER)
        headers = self._enter()
        what = {"measure": MEASURE, "iin": purse.iin, "source_id": "g-1"}
        refused = self.api.post("/v1/grants/close", json=what, headers=headers)
        kept.lines.append(f"{SYSTEM} closes → {refused.status_code} {refused.json()['detail']}")
        at = self.rt.clock().isoformat().replace("+00:00", "Z")
        grant = what | {"granted_at": at, "amount": "12500.00"}
        accounted = self.api.post("/v1/grants", json=grant, headers=headers)
        kept.lines.append(f"{SYSTEM} accounts for 12500.00 → {accounted.status_code}")
        closed = self.api.post("/v1/grants/close", json=what, headers=headers)
        kept.lines.append(f"{SYSTEM} closes → {closed.status_code}")
        said = f"refused by {refused.json().get('clause')}"
        ended = [(said, not refused.is_success), ("accounted for", accounted.is_success)]
        ended.append(("closed", closed.is_success))
        kept.ended = tuple(what for what, is_so in ended if is_so)
        return kept

    def _enter(self) -> dict[str, str]:
        """The operator enters the system; returns the headers of its key."""
        with self.rt.unit() as unit:
            _, office = keys.add(unit.tx, "demo-operator", [keys.Scope.OPERATOR], unit.now)
            _, secret = keys.add(unit.tx, SYSTEM, [keys.Scope.EXCHANGE], unit.now)
        body = {"code": SYSTEM, "name_kk": "Әкімдік", "name_ru": "Акимат", "kind": "state"}
        headers = {"Authorization": f"Bearer {office}"}
        self.api.post("/v1/wallet/systems", json=body, headers=headers).raise_for_status()
        return {"Authorization": f"Bearer {secret}", "Accept-Language": "ru"}
