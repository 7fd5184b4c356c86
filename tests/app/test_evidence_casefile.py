"""A case file is handed to somebody who trusts neither our ledger nor us: a process without any
server checks it by the published key alone."""

import os
import re
import subprocess
import sys
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest

from app.clock import ManualClock
from app.evidence import offline, page
from app.evidence.casefile import CaseFile, case_file
from app.ledger import merkle, seals
from app.ledger.merkle import BLOCK
from app.ledger.seals import Leaf, leaf_hash
from app.proactive.actions.saying import public
from app.proactive.records import Offer
from app.runtime import Runtime
from smpp.messages import ReceiptState
from tests.app.world import World
from tests.e2e.desk import Told, say

ROOT = Path(__file__).parents[2]
WORDS = "жарайды <b>ағайын</b></script>"


@pytest.fixture
def case(rt: Runtime, clock: ManualClock) -> UUID:
    """A case over two sealed days, among others, with an entry of today."""
    world = World(rt, clock)
    for name in ("Айгүл", "Ерлан", "Данияр"):
        world.register(name, "kk")
    offer = world.offer("birth-benefit", "Айгүл")
    assert isinstance(offer, Offer)
    world.offer("birth-benefit", "Ерлан")
    world.receipt(ReceiptState.DELIVRD)
    world.say(WORDS)
    clock.advance(timedelta(hours=14))
    world.say("иә")
    clock.advance(timedelta(days=1))
    for _ in range(2):
        with rt.ledger.begin() as tx:
            assert seals.make(tx, rt.seal_key, rt.clock()) is not None
    world.report(offer.id, "rendered")
    return offer.id


def exported(rt: Runtime, case: UUID) -> CaseFile:
    with rt.ledger.begin() as tx:
        from app.proactive.records import one

        offer = one(tx, rt.vault, case, None)
        assert offer is not None
        about = msgspec.to_builtins(public(offer))
        file = case_file(tx, rt.vault, case, rt.clock(), offer=about, with_said=True)
    assert file is not None
    return file


def elsewhere(file: Path, *more: str) -> Told:
    """Verifies a file in a process of its own, in a directory with nothing, with no network
    address of any server in its environment."""
    environ = {k: v for k, v in os.environ.items() if not k.startswith("JAUAP")}
    command = [sys.executable, "-m", "app.cli", "journal", "verify", "--file", str(file), *more]
    ran = subprocess.run(
        command,
        cwd=file.parent,
        env={**environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    return Told(ran.returncode, ran.stdout, ran.stderr)


def here(file: Path, *more: str) -> Told:
    """The same in this process."""
    return say("journal", "verify", "--file", str(file), *more, folder=file.parent)


def test_an_exported_file_is_verified_in_a_process_without_a_ledger(
    rt: Runtime, case: UUID, tmp_path: Path
) -> None:
    file = exported(rt, case)
    plain, readable = tmp_path / "case.json", tmp_path / "case.html"
    plain.write_bytes(msgspec.json.encode(file))
    readable.write_text(page.html(file), "utf-8")
    key = rt.seal_key.public.hex()
    outside = elsewhere(plain, "--public-key", key, "--json")
    for told in (outside, here(readable, "--public-key", key, "--json")):
        assert (told.code, told.data["case"], told.data["seals"]) == (0, str(case), 2)
        entries = told.data["entries"]
        assert told.data["breaks"] == []
        assert told.data["warnings"] == [
            f"entries {entries} to {entries} are under no seal of this file yet"
        ]
    forged = plain.read_bytes().replace(b'"yes"', b'"no"')
    (tmp_path / "forged.json").write_bytes(forged)
    broken = elsewhere(tmp_path / "forged.json", "--public-key", key)
    assert (broken.code, "column" in broken.out) == (1, True)
    stranger = here(plain, "--public-key", bytes(32).hex())
    assert (stranger.code, "not known here" in stranger.out) == (1, True)
    assert here(ROOT / "README.md").code == 2


def changed(file: CaseFile, change: Any) -> list[str]:
    data = msgspec.to_builtins(file)
    change(data)
    return [b.what for b in offline.check(msgspec.json.encode(data)).breaks]


CHANGES: dict[str, Any] = {
    "column kind": lambda f: f["entries"][1].update(kind="made"),
    "column at": lambda f: f["entries"][1].update(at="2026-03-01T00:00:00Z"),
    "facts: altered": lambda f: f["entries"][0]["facts"].update(service="other"),
    "column body": lambda f: f["entries"][2].update(
        body=f["entries"][2]["body"].replace("received", "receiver")
    ),
    "column hash": lambda f: f["entries"][2].update(hash="00" * 32),
    "missing": lambda f: f["entries"].pop(2),
    "not the file's head": lambda f: f["entries"].pop(),
    "said: what was said": lambda f: next(e for e in f["entries"] if e["said"])["said"].update(
        octets="0431"
    ),
    "signature": lambda f: f["seals"][0].update(signature="00" * 64),
    "root of the seal": lambda f: f["seals"][0]["path"].append("00" * 32),
    "its hash is another than was sealed": lambda f: f["seals"][0].update(head="00" * 32),
    "a seal was taken out": lambda f: f["seals"].pop(0),
    "expected a seal": lambda f: f["seals"][0].update(since=-1),
    "offer.state: found 'refused'": lambda f: f["offer"].update(state="refused"),
    "offer.id": lambda f: f["offer"].update(id=str(UUID(int=1))),
    "offer.service": lambda f: f["offer"].update(service="childcare-benefit"),
    "offer.created_at": lambda f: f["offer"].update(created_at="2026-01-01T00:00:00Z"),
    "offer.received_at": lambda f: f["offer"].update(received_at=None),
    "offer.deadline": lambda f: f["offer"].update(deadline="2026-03-03T07:00:01Z"),
    "offer.closed_at": lambda f: f["offer"].update(closed_at=f["offer"]["created_at"]),
    "offer.answered_by": lambda f: f["offer"].update(answered_by="app"),
    "number, day": lambda f: f["seals"][0].update(day="2026-03-09"),
}


@pytest.mark.parametrize("what", CHANGES)
def test_any_change_to_a_file_is_found(rt: Runtime, case: UUID, what: str) -> None:
    file = exported(rt, case)
    assert any(what in found for found in changed(file, CHANGES[what]))


def test_a_file_of_another_case_cannot_borrow_its_seals(rt: Runtime, case: UUID) -> None:
    file = exported(rt, case)
    assert any("case_id" in w for w in changed(file, lambda f: f.update(case=str(uuid4()))))


def test_what_is_no_case_file_is_told_so() -> None:
    for text in (b"", b"[]", b'{"entries": [], "head": ""}', b"\xff\xfe", b'{"entries": 1}'):
        with pytest.raises(offline.NoCaseFile, match="expected"):
            offline.check(text)


class Seen(HTMLParser):
    """What a reader sees of a page, and every address it would fetch."""

    def __init__(self) -> None:
        super().__init__()
        self.text: list[str] = []
        self.fetched: list[str] = []
        self.depth = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.depth += tag in ("script", "style")
        self.fetched += [v or "" for n, v in attrs if n in ("src", "href", "data", "action")]

    def handle_endtag(self, tag: str) -> None:
        self.depth -= tag in ("script", "style")

    def handle_data(self, data: str) -> None:
        if not self.depth:
            self.text.append(data)


@pytest.mark.parametrize(("languages", "shown", "hidden"), [
    (("kk",), "Келісті", "Согласие"), (("ru",), "Согласие", "Келісті"),
    (("kk", "ru"), "Келісті / Согласие", "Consent"),
])  # fmt: skip
def test_the_page_is_readable_alone_in_either_language_and_runs_nothing(
    rt: Runtime, case: UUID, languages: tuple[str, ...], shown: str, hidden: str
) -> None:
    html = page.html(exported(rt, case), languages)
    seen = Seen()
    seen.feed(html)
    text = "".join(seen.text)
    assert shown in text and hidden not in text
    assert WORDS in text and "<b>" not in html  # what was said is shown as it was, and is no markup
    assert seen.fetched == [] and not re.search(r"https?://|@import|url\(", html)
    assert rt.seal_key.public.hex() in text
    assert "02.03.2026 12:00:00" in text  # noon in Almaty


def test_proofs_lead_to_the_root_from_every_place_of_trees_of_many_sizes() -> None:
    for size in (1, 2, 3, 7, 8, 9, 100, BLOCK, BLOCK + 1, 2 * BLOCK + 3):
        leaves = [Leaf(1, n, UUID(int=n), 0, 3, bytes([n % 251]) * 32).hash for n in range(size)]
        blocks = merkle.Blocks()
        for one in leaves:
            blocks.add(one)
        roots = blocks.close()
        for place in {0, 1, size // 2, size - 2, size - 1} & set(range(size)):
            own = place - place % BLOCK
            path = merkle.path_of_block(roots, leaves[own : own + BLOCK], place)
            assert merkle.climb(leaves[place], place, size, path) == merkle.root(roots)
            wrong = leaf_hash(UUID(int=place), 1, 3, bytes(32))
            assert merkle.climb(wrong, place, size, path) != merkle.root(roots)
            assert merkle.climb(leaves[place], place + 1, size, path) != merkle.root(roots)
    assert merkle.root(()) == merkle.EMPTY
