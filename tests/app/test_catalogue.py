"""The built-in catalogue is whole, and a broken one is refused with every reason at once."""

import shutil
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest

from app.calendar import Calendar
from app.catalogue.fields import Problem
from app.catalogue.loader import BUILT_IN, CatalogueError, load
from app.catalogue.model import ADDRESS_MAX, SHORT_NAME_MAX, Catalogue, Schedule

REAL = load(BUILT_IN)
TODAY = date(2026, 3, 5)

Edit = Callable[[str, str, str], None]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the built-in catalogue, to be broken."""
    for name in ("by_laws", "services", "measures", "branches", "holidays"):
        shutil.copytree(BUILT_IN / name, tmp_path / name)
    return tmp_path


@pytest.fixture
def edit(copy: Path) -> Edit:
    """Replaces a text that must stand in that file of the copy."""

    def replace(file: str, old: str, new: str) -> None:
        text = (copy / file).read_text(encoding="utf-8")
        assert old in text
        (copy / file).write_text(text.replace(old, new), encoding="utf-8")

    return replace


def problems_of(path: Path) -> tuple[Problem, ...]:
    with pytest.raises(CatalogueError) as caught:
        load(path)
    return caught.value.problems


def window_in(path: Path) -> str:
    """The reply window of 155/НҚ as it is written, to the end of its file."""
    text = (path / "by_laws/155.toml").read_text(encoding="utf-8")
    return text[text.index("[[reply_window]]") :]


def keys_of(path: Path) -> list[tuple[str, str]]:
    return [(p.file, p.key) for p in problems_of(path)]


def test_the_services_of_the_family_card_are_all_there() -> None:
    proactive = {s.code for s in REAL.services.values() if s.is_in_force(TODAY)}
    assert proactive == {
        "birth-benefit",
        "childcare-benefit",
        "large-family-benefit",
        "awarded-mother-benefit",
        "disability-benefit",
        "breadwinner-loss-benefit",
        "work-capacity-loss-payment",
        "job-loss-payment",
        "disabled-child-benefit",
        "social-assistance",
        "burial-payment",
        "pension-fund-payment",
    }


def test_a_pension_is_no_proactive_service() -> None:
    assert not REAL.service("age-pension").is_proactive
    assert not REAL.service("age-pension").is_in_force(TODAY)


def test_the_pension_fund_offers_nothing_before_its_rules_are_in_force() -> None:
    service = REAL.service("pension-fund-payment")
    assert not service.is_in_force(date(2026, 2, 27))
    assert service.is_in_force(date(2026, 2, 28))


def test_every_service_waits_twenty_four_hours_as_clause_4_says() -> None:
    window = REAL.by_law("155/НҚ").reply_window_on(TODAY)
    assert window is not None
    assert (window.clause, window.hours, window.counted) == ("4", 24, "from-receipt")
    assert window.length == timedelta(hours=24)
    assert {s.window_on(TODAY) for s in REAL.services.values()} == {window.length}


def test_the_wallet_and_the_contact_centre_have_their_terms() -> None:
    decision = REAL.by_law("214/НҚ").term_on("decision", TODAY)
    mail = REAL.by_law("83").term_on("e-mail-answer", TODAY)
    recording = REAL.by_law("83").term_on("recording", TODAY)
    assert decision is not None and decision.working_days == 1
    assert mail is not None and mail.working_days == 2
    assert recording is not None and (recording.hours, recording.working_days) == (4, None)
    assert REAL.by_law("83").term_on("recording", date(2020, 1, 1)) is None


def test_an_act_is_cited_in_the_edition_of_the_day() -> None:
    rules = REAL.by_law("155/НҚ")
    before, after = rules.edition_on(date(2022, 10, 14)), rules.edition_on(date(2022, 10, 15))
    assert before is not None and before.act.startswith("155/НҚ")
    assert after is not None and after.act.startswith("364/НҚ")
    assert rules.edition_on(date(2019, 1, 1)) is None


def test_unchecked_dates_are_marked_as_such() -> None:
    assert "from" in REAL.by_law("155/НҚ").unverified
    assert not REAL.service("birth-benefit").in_force_verified
    assert not any(b.verified for b in REAL.branches)


def test_names_and_addresses_keep_to_their_budget_in_both_languages() -> None:
    for service in REAL.services.values():
        for language in ("kk", "ru"):
            assert 0 < len(service.short.of(language)) <= SHORT_NAME_MAX
            assert service.apply_in_person.of(language)
    for branch in REAL.branches:
        assert max(len(branch.address.kk), len(branch.address.ru)) <= ADDRESS_MAX
    with pytest.raises(KeyError):
        REAL.branches[0].name.of("en")


def test_the_branch_is_the_one_of_the_region_else_the_default() -> None:
    birth = REAL.service("birth-benefit")
    assert REAL.branch_for(birth, "almaty").id == "almaty-1"
    assert REAL.branch_for(birth, "astana").id == "astana-1"
    assert REAL.branch_for(birth, None).default
    assert REAL.branch_for(birth, "no such region").default
    assert REAL.branch_for(REAL.service("social-assistance")).kind == "career-centre"
    assert {b.schedule for b in REAL.branches} == set(Schedule)


def test_an_unknown_code_is_a_key_error_or_nothing() -> None:
    with pytest.raises(KeyError):
        REAL.service("no-such-service")
    with pytest.raises(KeyError):
        REAL.by_law("no such act")
    assert REAL.find_service("no-such-service") is None


def test_a_copy_loads_the_same(copy: Path) -> None:
    assert isinstance(load(copy), Catalogue)
    assert load(copy) == REAL


BIRTH = "services/birth-benefit.toml"


def test_a_name_in_one_language_is_refused(copy: Path, edit: Edit) -> None:
    edit(BIRTH, 'short.kk = "бала туғандағы жәрдемақы"\n', "")
    (problem,) = problems_of(copy)
    assert str(problem) == (
        f"{BIRTH}:3: service.short.kk: found nothing, expected a text of 1 to 40 characters"
    )


def test_a_third_language_is_an_unknown_key(copy: Path, edit: Edit) -> None:
    edit(BIRTH, "short.kk", 'short.en = "birth benefit"\nshort.kk')
    assert keys_of(copy) == [(BIRTH, "service.short.en")]


def test_a_short_name_over_forty_characters_is_refused(copy: Path, edit: Edit) -> None:
    edit(BIRTH, '"пособие на рождение"', f'"{"п" * 41}"')
    assert keys_of(copy) == [(BIRTH, "service.short.ru")]


def test_an_unknown_by_law_is_refused(copy: Path, edit: Edit) -> None:
    edit(BIRTH, '"169 (2023)"', '"170 (2023)"')
    (problem,) = problems_of(copy)
    assert (problem.file, problem.key, problem.found) == (
        BIRTH,
        "service.by_law",
        "'170 (2023)'",
    )


def test_an_unknown_key_is_refused_wherever_it_stands(copy: Path, edit: Edit) -> None:
    edit(BIRTH, "[service]", "[service]\nwindow_hour = 72")
    edit("by_laws/155.toml", "hours = 24", "hours = 24\nminutes = 30")
    assert keys_of(copy) == [
        ("by_laws/155.toml", "reply_window[0].minutes"),
        (BIRTH, "service.window_hour"),
    ]


@pytest.mark.parametrize("start", ["2020-05-10", "2022-10-15", "2030-01-01"])
def test_two_reply_windows_never_hold_on_one_day(copy: Path, edit: Edit, start: str) -> None:
    window = window_in(copy)
    second = window.replace("from = 2020-05-10", f"from = {start}")
    edit("by_laws/155.toml", window, window + "\n" + second)
    assert keys_of(copy) == [("by_laws/155.toml", "reply_window")]


def test_a_window_may_follow_one_that_has_ended(copy: Path, edit: Edit) -> None:
    edit(
        "by_laws/155.toml",
        "hours = 24",
        "to = 2026-12-31\nhours = 24",
    )
    window = window_in(copy)
    later = window.replace("from = 2020-05-10", "from = 2027-01-01").replace(
        "to = 2026-12-31\n", ""
    )
    later = later.replace("hours = 24", "hours = 48")
    edit("by_laws/155.toml", window, window + "\n" + later)
    rules = load(copy).by_law("155/НҚ")
    found = [
        rules.reply_window_on(day)
        for day in (date(2020, 1, 1), date(2026, 12, 31), date(2027, 1, 1))
    ]
    assert [window and window.hours for window in found] == [None, 24, 48]


def test_overlapping_editions_of_a_service_are_refused(copy: Path, edit: Edit) -> None:
    edit(
        "services/pension-fund-payment.toml",
        "window_hours = 24",
        'window_hours = 24\n\n[[edition]]\nact = "twice"\nfrom = 2026-05-01',
    )
    assert keys_of(copy) == [("services/pension-fund-payment.toml", "edition")]


def test_a_service_cannot_end_before_it_begins(copy: Path, edit: Edit) -> None:
    edit(
        BIRTH,
        "proactive_from = 2023-07-01",
        "proactive_from = 2023-07-01\nproactive_to = 2023-06-30",
    )
    assert keys_of(copy) == [(BIRTH, "service.proactive_to")]


def test_a_state_body_is_no_recipient(copy: Path, edit: Edit) -> None:
    edit(BIRTH, '["individual"]', '["individual", "state-body"]')
    assert keys_of(copy) == [(BIRTH, "service.recipient_kinds")]


def test_a_code_may_be_used_once(copy: Path) -> None:
    shutil.copy(copy / BIRTH, copy / "services/twin.toml")
    assert keys_of(copy) == [("services/twin.toml", "service.code")]


def test_a_kind_of_branch_has_exactly_one_default(copy: Path, edit: Edit) -> None:
    edit("branches/career-centres.toml", "default = true\n", "")
    assert keys_of(copy) == [("branches", "career-centre.default")]


def test_a_provider_has_one_name(copy: Path, edit: Edit) -> None:
    edit(BIRTH, "Министерство труда и", "Министерство труда,")
    files = {p.file for p in problems_of(copy)}
    assert files and all(p.key == "service.provider.name" for p in problems_of(copy))


def test_a_swap_moves_at_least_one_day_and_no_day_both_ways(copy: Path, edit: Edit) -> None:
    edit("holidays/swaps.toml", "off = 2023-07-07\nworked = 2023-07-01\n", "worked = 2025-01-03\n")
    assert keys_of(copy) == [("holidays/swaps.toml", "swap")]
    edit("holidays/swaps.toml", "worked = 2025-01-03\n", "")
    assert keys_of(copy) == [("holidays/swaps.toml", "swap[1].off")]


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("proactive_from = 2023-07-01", 'proactive_from = "2023-07-01"', "service.proactive_from"),
        (
            "proactive_from = 2023-07-01",
            "proactive_from = 2023-07-01T00:00:00Z",
            "service.proactive_from",
        ),
        ("in_force_verified = false", "in_force_verified = 0", "service.in_force_verified"),
        ('["individual"]', "[1]", "service.recipient_kinds"),
        ("in_force_verified", "window_hours = 0\nin_force_verified", "service.window_hours"),
        ("in_force_verified", "window_hours = true\nin_force_verified", "service.window_hours"),
        ('branch_kind = "state-corporation"', 'branch_kind = "bank"', "service.branch_kind"),
        ('code = "birth-benefit"', 'code = " "', "service.code"),
    ],
)
def test_a_value_of_the_wrong_kind_is_named(
    copy: Path, edit: Edit, old: str, new: str, key: str
) -> None:
    edit(BIRTH, old, new)
    assert keys_of(copy) == [(BIRTH, key)]


def test_everything_wrong_is_told_at_once(copy: Path, edit: Edit) -> None:
    edit(BIRTH, '"169 (2023)"', '"170 (2023)"')
    edit("branches/state-corporation.toml", 'schedule = "duty"', 'schedule = "nightly"')
    (copy / "by_laws/52.toml").write_text("[by_law", encoding="utf-8")
    (copy / "holidays/swaps.toml").unlink()
    with pytest.raises(CatalogueError, match="problems in the catalogue") as caught:
        load(copy)
    found = str(caught.value)
    for file in ("by_laws/52.toml", BIRTH, "branches/state-corporation.toml", "holidays"):
        assert file in found


def test_an_empty_directory_is_no_catalogue(tmp_path: Path) -> None:
    assert [p.file for p in problems_of(tmp_path)] == [
        "by_laws",
        "services",
        "branches",
        "holidays",
    ]


def test_the_moved_days_on_file_agree_with_those_the_library_knows() -> None:
    moved = Calendar(REAL.swaps)
    for swap in REAL.swaps:
        assert swap.off is not None and swap.worked is not None
        assert not moved.is_working_day(swap.off) and not Calendar().is_working_day(swap.off)
        assert moved.is_working_day(swap.worked) and Calendar().is_working_day(swap.worked)
