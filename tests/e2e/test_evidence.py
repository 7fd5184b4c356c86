"""Evidence by the command line, as an administrator and an auditor use it."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from app.ledger.chain import Chain
from app.ledger.ids import new_id
from tests.e2e.desk import Desk, open_desk


@pytest.fixture(scope="module")
def desk() -> Iterator[Desk]:
    with open_desk() as opened:
        yield opened


@pytest.fixture(scope="module")
def case(desk: Desk) -> str:
    """A case of three days ago, with words."""
    with desk.house.runtime() as rt, rt.unit() as unit:
        at = unit.now - timedelta(days=3)
        chain = Chain(new_id(at))
        for kind, said in (("made", None), ("yes", "иә".encode("utf-16-be"))):
            unit.journal.append(chain, kind, at, said, data_coding=8)
        return str(chain.case_id)


def test_a_case_is_sealed_exported_and_verified_by_its_file(desk: Desk, case: str) -> None:
    sealed = desk.say("journal", "seal", "--json")
    assert [s["cases"] for s in sealed.data] == [1, 0, 0]
    assert desk.say("journal", "seal", "--json").data == []
    kept = desk.say("journal", "seals", "--json")
    assert [s["hash"] for s in kept.data] == [s["hash"] for s in sealed.data]
    (desk.house.folder / "seals.json").write_text(kept.out)
    key = desk.say("journal", "key", "--json").data["public_key"]
    plain, page = (str(desk.house.folder / name) for name in ("case.json", "case.html"))
    assert desk.give("case", "export", case, "--out", plain).code == 0
    assert desk.say("case", "export", case, "--format", "html", "--out", page).code == 0
    whole = desk.say("journal", "verify", "--against", "seals.json", "--json")
    assert (whole.code, whole.data["breaks"], whole.data["warnings"]) == (0, [], [])
    assert "Келісті / Согласие" in Path(page).read_text("utf-8")
    for file in (plain, page):
        told = desk.give("journal", "verify", "--file", file, "--public-key", key, "--json")
        assert (told.code, told.data["breaks"], told.data["warnings"]) == (0, [], [])
    other = kept.data[:1]
    other[0]["hash"] = "00"
    (desk.house.folder / "other.json").write_text(json.dumps(other))
    moved = desk.say("journal", "verify", "--against", "other.json")
    assert (moved.code, "another one than was kept elsewhere" in moved.out) == (1, True)


def test_the_master_key_is_changed_and_everything_still_opens(desk: Desk, case: str) -> None:
    keys = desk.house.folder / "var"
    before = (keys / "master.key").read_bytes()
    first = desk.say("keys", "rotate-master", "--json")
    assert (first.data["key"], first.data["left"]) == (1, 0)
    assert (keys / "master.key").read_bytes() != before
    assert before in (keys / "master.key.old").read_bytes()
    (keys / "master.key.old").unlink()  # nothing needs it any more
    whole = desk.say("journal", "verify", "--case", case, "--json")
    assert (whole.code, whole.data["entries"], whole.data["breaks"]) == (0, 2, [])


def test_a_phone_is_looked_for_by_the_standard_input_and_leaves_a_trace(
    desk: Desk, case: str
) -> None:
    told = desk.give("case", "find", "2026-03-02", "--json", typed="+7 701 000 00 01\n")
    assert (told.code, told.data) == (0, [])
    assert desk.say("journal", "verify", "--json").data["cases"] == 2


def test_wrong_use_is_told_what_was_found_and_what_is_expected(desk: Desk) -> None:
    nobody = str(uuid4())
    for words, reason in (
        (("case", "export", nobody), f"found no case {nobody}"),
        (("journal", "verify", "--case", nobody), f"found no case {nobody}"),
        (("journal", "verify", "--file", "nowhere.json"), "expected a readable file"),
        (("journal", "verify", "--public-key", "x"), "expected together"),
        (("journal", "verify", "--against", "jauap.toml"), "journal seals --json"),
        (("case", "find", "yesterday"), "expected a day"),
        (("case", "find", "2026-03-02"), "expected a phone"),
        (("migrate", "--app-role", "jauap"), "is a superuser"),
    ):
        told = desk.say(*words)
        assert (told.code, reason in told.err) == (2, True), (words, told)


def test_retention_can_be_asked_what_it_would_do(desk: Desk) -> None:
    told = desk.say("retention", "run", "--dry-run", "--json")
    assert {one["what"]: one["rows"] for one in told.data["erased"]} == {
        "words": 0, "messages": 0, "heard": 0, "address": 0
    }  # fmt: skip
    assert {k["what"] for k in desk.say("retention", "policy", "--json").data} == {
        "words", "messages", "heard", "address"
    }  # fmt: skip
