"""The state registers read by cursor, from a register of our own that has bad days."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest

from app.clock import ManualClock
from app.ledger import cursors
from app.ledger.failures import Raced
from app.proactive.records import Offer
from app.proactive.rules import State
from app.recipients import egov, records, syncing
from app.recipients.egov import Breaker, HttpRegister, Page, RegisterDown
from app.recipients.syncing import CONSENTS, PEOPLE, Read, sync
from app.runtime import Runtime
from smpp.messages import ReceiptState
from tests.app.world import World

AIDA, BOLAT = "900101300126", "999999000012"
AGO = "2026-01-05T06:00:00Z"


@dataclass
class Simulated:
    """A register: `rows` in order, so many a page; `days` are the statuses of its next answers."""

    rows: list[Any] = field(default_factory=list)
    size: int = 2
    days: list[int] = field(default_factory=list)
    raw: bytes | None = None
    asked: list[str | None] = field(default_factory=list)
    tokens: set[str] = field(default_factory=set)
    url: str = ""

    def answer(self, cursor: str | None) -> tuple[int, bytes]:
        self.asked.append(cursor)
        status = self.days.pop(0) if self.days else 200
        if self.raw is not None:
            return status, self.raw
        begin = int(cursor or 0)
        items = self.rows[begin : begin + self.size]
        after = begin + len(items)
        page = {"items": items, "next": str(after), "more": after < len(self.rows)}
        return status, msgspec.json.encode(page)


@contextmanager
def simulated(**given: Any) -> Iterator[Simulated]:
    register = Simulated(**given)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            query = parse_qs(urlsplit(self.path).query)
            register.tokens.add(self.headers["Authorization"])
            status, body = register.answer(query.get("cursor", [None])[0])
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        register.url = f"http://127.0.0.1:{server.server_port}/rows"
        try:
            yield register
        finally:
            server.shutdown()
            thread.join()


def over_http(register: Simulated, **more: Any) -> HttpRegister:
    return HttpRegister(register.url, "secret", pause=lambda seconds: None, **more)


def person(iin: str, phone: str, **more: object) -> dict[str, object]:
    return {"iin": iin, "phone": phone, "registered_at": AGO, "language": "kk"} | more


def consent(iin: str, **more: object) -> dict[str, object]:
    return {"iin": iin, "reference": "C-1", "given_at": AGO} | more


def known(rt: Runtime) -> set[str]:
    with rt.ledger.begin() as tx:
        return set(records.by_iin(tx, rt.vault, [AIDA, BOLAT]))


def test_a_register_is_read_to_its_end_and_then_only_what_is_new(rt: Runtime) -> None:
    rows = [person(AIDA, "+77010000100"), person("1", "2"), {"nonsense": 1}]
    with simulated(rows=rows) as register:
        assert sync(rt, PEOPLE, over_http(register)) == Read(1, 2)
        assert known(rt) == {AIDA}
        assert sync(rt, PEOPLE, over_http(register)) == Read(0, 0)
        register.rows.append(person(BOLAT, "+77010000200"))
        assert sync(rt, PEOPLE, over_http(register)) == Read(1, 0)
        assert known(rt) == {AIDA, BOLAT}
        assert register.asked == [None, "2", "3", "3"]
        assert register.tokens == {"Bearer secret"}


def test_a_revoked_consent_ends_the_open_offer_and_says_why(
    rt: Runtime, clock: ManualClock
) -> None:
    world = World(rt, clock)
    iin = world.register("aida", "kk")
    made = world.offer("birth-benefit", "aida")
    assert isinstance(made, Offer)
    world.receipt(ReceiptState.DELIVRD)
    with simulated(rows=[consent(iin, revoked_at=clock().isoformat())]) as register:
        assert sync(rt, CONSENTS, over_http(register)) == Read(1, 0)
    ended = world.look(made.id)
    assert (ended.state, ended.result) == (State.WITHDRAWN, "consent revoked")


def test_a_bad_moment_is_tried_over(rt: Runtime) -> None:
    with simulated(rows=[person(AIDA, "+77010000100")], days=[503, 500]) as register:
        assert sync(rt, PEOPLE, over_http(register)) == Read(1, 0)


@pytest.mark.parametrize(
    "raw",
    [b"", b"[]", b"nonsense", b'{"items": 5}', b'{"items": [], "more": true, "next": null}'],
)
def test_what_is_no_page_changes_nothing(rt: Runtime, raw: bytes) -> None:
    with simulated(raw=raw) as register, pytest.raises(RegisterDown):
        sync(rt, PEOPLE, over_http(register))
    with rt.ledger.begin() as tx:
        assert cursors.cursor_of(tx, PEOPLE) is None


def test_a_register_that_is_down_is_left_alone_for_a_while(rt: Runtime) -> None:
    now = [0.0]
    breaker = Breaker(seconds=lambda: now[0])
    with simulated(rows=[person(AIDA, "+77010000100")], days=[500] * 6) as register:
        for _ in range(3):
            with pytest.raises(RegisterDown):
                over_http(register, breaker=breaker).page(None)
        asked = len(register.asked)
        assert asked == egov.FAILURES
        now[0] += egov.REST_S
        with pytest.raises(RegisterDown):  # one tries, and it is still down
            over_http(register, breaker=breaker).page(None)
        assert len(register.asked) == asked + 1
        now[0] += egov.REST_S
        assert over_http(register, breaker=breaker).page(None).items
        assert breaker.failed == 0


def test_of_two_workers_one_moves_the_cursor(rt: Runtime) -> None:
    class Slow:
        def page(self, cursor: str | None) -> Page:
            with rt.ledger.begin() as tx:
                cursors.move_cursor(tx, PEOPLE, cursor, "7", rt.clock(), 0, 0)
            return Page([person(AIDA, "+77010000100")], "1", True)

    with pytest.raises(Raced):
        sync(rt, PEOPLE, Slow())
    assert known(rt) == set()


def test_the_configured_registers_are_read(rt: Runtime, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("of-a-file\n")
    with (
        simulated(rows=[person(AIDA, "+77010000100")]) as people,
        simulated(rows=[consent(AIDA)], days=[500] * 3) as consents,
    ):
        registers = replace(
            rt.settings.registers,
            people_url=people.url,
            consents_url=consents.url,
            token_file=str(token),
        )
        configured = replace(rt, settings=replace(rt.settings, registers=registers))
        syncing.sync_all(configured)  # the consents' register is down, and says so in the log
        assert (known(rt), people.tokens) == ({AIDA}, {"Bearer of-a-file"})
        syncing.sync_all(configured)
        with rt.ledger.begin() as tx:
            assert cursors.cursor_of(tx, CONSENTS) == "1"
