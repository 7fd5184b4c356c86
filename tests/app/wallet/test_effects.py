"""How measures work, in figures that tell of no small group (214/НҚ, clause 5)."""

import csv
import io
import zipfile
from datetime import timedelta
from typing import Any
from xml.etree import ElementTree

import pytest

from app.wallet.actions import accounting, noticing
from app.wallet.actions.accounting import Report
from app.wallet.actions.noticing import Draft
from app.wallet.notices.records import Kind
from tests.app.api.conftest import Caller, auditor, client, provider, registry, stranger
from tests.app.wallet.purse import GAS, MEALS, Purse
from tests.app.world import _iin

__all__ = ["auditor", "client", "provider", "registry", "stranger"]
BODY = "mtszn"


@pytest.fixture
def town(purse: Purse) -> Purse:
    """A few dozen people told of two measures in three regions; some were granted one."""
    people = [_iin(6000 + n) for n in range(32)]
    drafts = [Draft(Kind.OFFER, MEALS, iin, f"M-{n}", region=region(n))
              for n, iin in enumerate(people)]  # fmt: skip
    drafts += [Draft(Kind.OFFER, GAS, iin, f"G-{n}", region="aktau")
               for n, iin in enumerate(people[:8])]  # fmt: skip
    with purse.rt.unit() as unit:
        noticing.make(purse.rt, unit, BODY, drafts)
    purse.clock.advance(timedelta(hours=6))
    reports = [
        Report(MEALS, iin, BODY, f"A-{n}", purse.clock(), 100) for n, iin in enumerate(people[:7])
    ]
    with purse.rt.unit() as unit:
        accounting.account(purse.rt, unit, BODY, reports)
        accounting.account(
            purse.rt, unit, BODY,
            [Report(MEALS, people[6], BODY, "A-6c", purse.clock(), None, None, "A-6", True)],
        )  # fmt: skip
    return purse


def region(number: int) -> str:
    return "almaty" if number < 20 else "astana" if number < 29 else "aral"


def read(caller: Caller, **query: str) -> dict[str, Any]:
    found: dict[str, Any] = caller.get("/v1/wallet/effectiveness", params=query).json()
    return found


def counts(found: dict[str, Any], stage: str) -> dict[str, int | None]:
    return {line["group"]: line[stage] for line in found["items"]}


def test_people_count_by_measure_and_a_cancelled_grant_is_none(
    town: Purse, provider: Caller
) -> None:
    found = read(provider)
    assert counts(found, "reached") == {MEALS: 32, GAS: 8}
    assert counts(found, "granted") == {MEALS: 6, GAS: 0}
    assert found["total"]["reached"] == 40
    [meals] = [line for line in found["items"] if line["group"] == MEALS]
    assert meals["median_hours_to_granted"] is None  # nobody has consented in between


def test_a_small_region_is_hidden_and_the_totals_do_not_tell_it(
    town: Purse, provider: Caller
) -> None:
    found = read(provider, by="region", measure=MEALS)
    assert counts(found, "reached") == {"almaty": 20, "astana": None, "aral": None}
    assert found["total"]["reached"] == 32
    everywhere = read(provider, by="region")
    shown = counts(everywhere, "reached")
    assert shown["aral"] is None and list(shown.values()).count(None) >= 2
    assert read(provider)["total"]["reached"] == everywhere["total"]["reached"] == 40


@pytest.mark.parametrize("by", ["week", "language", "network"])
def test_every_dimension_answers(town: Purse, provider: Caller, by: str) -> None:
    assert read(provider, by=by)["total"]["reached"] == 40
    if by == "week":
        assert counts(read(provider, by=by), "reached") == {"2026-W10": 40}


def test_a_body_sees_its_own_and_an_auditor_everybodys(
    town: Purse, stranger: Caller, auditor: Caller
) -> None:
    assert read(stranger)["items"] == []
    assert read(auditor)["total"]["reached"] == 40


def test_it_comes_as_a_table_a_workbook_and_a_picture(town: Purse, provider: Caller) -> None:
    told = provider.get("/v1/wallet/effectiveness.csv", params={"by": "region", "measure": MEALS})
    assert told.headers["Content-Type"].startswith("text/csv")
    rows = list(csv.reader(io.StringIO(told.content.decode("utf-8-sig"))))
    assert rows[0][:2] == ["group", "reached"]
    assert ["almaty", "20"] in [row[:2] for row in rows] and ["aral", "<5"] in [r[:2] for r in rows]
    book = provider.get("/v1/wallet/effectiveness.xlsx")
    with zipfile.ZipFile(io.BytesIO(book.content)) as opened:
        assert opened.testzip() is None
        for name in opened.namelist():
            ElementTree.fromstring(opened.read(name))
        sheet = opened.read("xl/worksheets/sheet1.xml").decode()
    assert "<v>32</v>" in sheet and MEALS in sheet
    picture = provider.get("/v1/wallet/effectiveness.svg", headers={"Accept-Language": "kk"})
    assert picture.headers["Content-Type"].startswith("image/svg+xml")
    drawn = ElementTree.fromstring(picture.content)
    assert drawn.tag.endswith("svg") and "Жеткізілді" in picture.text
