"""How measures work, in figures that tell of no small group (214/НҚ, clause 5)."""

import csv
import io
import zipfile
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from typing import Any
from xml.etree import ElementTree

import pytest

from app.wallet.actions import accounting, noticing, reading
from app.wallet.actions.accounting import Report
from app.wallet.actions.noticing import Draft
from app.wallet.effects import pictures, sheets
from app.wallet.effects.figures import Effects, Line
from app.wallet.effects.records import STAGES, STEPS
from app.wallet.notices.records import Kind, Notice
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
    assert ["almaty", "20"] in [row[:2] for row in rows] and ["aral", "hidden"] in [
        r[:2] for r in rows
    ]
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
    assert drawn.tag.endswith("svg") and "Хабарланды" in picture.text
    assert "Жалпы білім беретін мектептерде" in picture.text


@pytest.mark.parametrize("language", ["kk", "ru", "en"])
def test_no_words_of_a_picture_overlap_or_leave_it(language: str) -> None:
    worst = Line("x" * 200, (12345678, None, 12345678, 0, 1), (12345.67, 12345.67, None, 0.0))
    drawn = ElementTree.fromstring(
        pictures.as_svg(Effects("region", None, [worst] * 99, worst), language, {})
    )
    height, lines = int(drawn.attrib["height"]), dict[int, int]()
    for text in drawn.iter("{http://www.w3.org/2000/svg}text"):
        x, y = int(text.attrib["x"]), int(text.attrib["y"])
        is_bold = "font-weight" in text.attrib
        end = x + len(text.text or "") * (8.7 if is_bold else 7.9)
        assert end <= 760 and y <= height
        assert x >= lines.get(y, 0), text.text  # ends of what stands left of it
        lines[y] = int(end)
    steps = sorted(lines)
    assert all(below - above >= 14 for above, below in pairwise(steps))


def test_a_group_that_looks_like_a_formula_is_shown_and_not_run(
    town: Purse, provider: Caller
) -> None:
    people = [_iin(7000 + n) for n in range(20)]
    drafts = [
        Draft(Kind.OFFER, MEALS, iin, f"F-{n}", region="-2-3") for n, iin in enumerate(people)
    ]
    with town.rt.unit() as unit:
        noticing.make(town.rt, unit, BODY, drafts)
    told = provider.get("/v1/wallet/effectiveness.csv", params={"by": "region"})
    groups = [row[0] for row in csv.reader(io.StringIO(told.content.decode("utf-8-sig")))]
    assert "'-2-3" in groups and not [g for g in groups if g.startswith(("=", "+", "-", "@"))]
    line = Line('=HYPERLINK("http://evil")', (9,) * 5, (None,) * 4)
    for code in ("=1+1", "+1", "-1", "@SUM(1)", "\t=1"):
        shown = sheets.as_csv(Effects("region", None, [replace(line, group=code)], line)).decode()
        assert f"'{code}" in shown and "'=HYPERLINK" not in shown.splitlines()[0]


def test_one_measure_can_be_asked_for_and_an_unknown_one_is_named(
    town: Purse, provider: Caller
) -> None:
    found = read(provider, measure=GAS)
    assert (counts(found, "reached"), found["total"]["reached"]) == ({GAS: 8}, 8)
    answer = provider.get("/v1/wallet/effectiveness", params={"measure": "free-flights"})
    assert answer.status_code == 422
    assert [e["field"] for e in answer.json()["errors"]] == ["measure"]


def test_the_whole_way_is_counted_with_its_median_hours(purse: Purse, provider: Caller) -> None:
    people = [_iin(8000 + n) for n in range(5)]
    with purse.rt.unit() as unit:
        made = noticing.make(
            purse.rt, unit, BODY,
            [Draft(Kind.OFFER, MEALS, iin, iin, asks=True) for iin in people],
        )  # fmt: skip
    ids = [one.id for one in made if isinstance(one, Notice)]
    for number, (iin, notice) in enumerate(zip(people, ids, strict=True)):
        purse.people[str(number)] = iin
        purse.clock.advance(timedelta(hours=1))
        with purse.rt.unit() as unit:
            reading.read(purse.rt, unit, purse.id_of(str(number)), notice, "kk")
        purse.clock.advance(timedelta(minutes=30))
        purse.tap(str(number), purse.asking(notice).id, "yes")
    granted = purse.clock()
    purse.clock.advance(timedelta(hours=2))
    grants = [Report(MEALS, iin, "other", iin, granted, 100) for iin in people]
    with purse.rt.unit() as unit:
        accounting.account(purse.rt, unit, "other", grants)
        for iin in people:
            accounting.use(unit, "other", "other", iin, purse.clock())
    [line] = read(provider)["items"]
    assert [line[stage] for stage in STAGES] == [5, 5, 5, 5, 5]
    hours = [line[f"median_hours_to_{step}"] for step in STEPS]
    assert hours == [4.0, 0.5, 3.0, 2.0]


def test_a_grant_counts_for_whom_its_correction_says(town: Purse, provider: Caller) -> None:
    fix = [Report(GAS, _iin(6000 + n), BODY, f"A-{n}c", town.clock(), 100, None, f"A-{n}")
           for n in range(6)]  # fmt: skip
    with town.rt.unit() as unit:
        accounting.account(town.rt, unit, BODY, fix)
    assert counts(read(provider), "granted") == {MEALS: 0, GAS: 6}


def test_what_a_small_group_did_later_is_not_told_either(town: Purse, provider: Caller) -> None:
    found = read(provider, by="region", measure=MEALS)
    [aral] = [line for line in found["items"] if line["group"] == "aral"]
    assert [aral[stage] for stage in STAGES] == [None] * 5
