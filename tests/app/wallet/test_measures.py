"""Measures of support in the catalogue: dated, in both languages, for individuals."""

from datetime import date
from pathlib import Path
from shutil import copytree

import pytest

from app.catalogue.loader import BUILT_IN, CatalogueError, load
from app.catalogue.model import SHORT_NAME_MAX, Channels

REAL = load(BUILT_IN)


def broken(tmp_path: Path, old: str, new: str) -> str:
    """What is said of a catalogue in which one text of school-meals.toml stands differently."""
    folder = copytree(BUILT_IN, tmp_path / "catalogue")
    file = folder / "measures/school-meals.toml"
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(CatalogueError) as caught:
        load(folder)
    return str(caught.value)


def test_every_measure_has_its_names_criteria_provider_and_by_law_in_both_languages() -> None:
    assert {m.channels for m in REAL.measures.values()} == set(Channels)
    for measure in REAL.measures.values():
        assert measure.by_law == "214/НҚ"
        for language in ("kk", "ru"):
            assert 0 < len(measure.short.of(language)) <= SHORT_NAME_MAX
            assert measure.criteria.of(language) and measure.provider.name.of(language)


def test_a_measure_is_in_force_from_its_first_day_and_not_before() -> None:
    measure = REAL.find_measure("school-meals")
    assert measure is not None
    assert not measure.is_in_force(date(2025, 5, 24))
    assert measure.is_in_force(date(2025, 5, 25))


def test_an_unknown_measure_is_none() -> None:
    assert REAL.find_measure("free-flights") is None


def test_a_by_law_that_is_not_there_is_named_with_its_line(tmp_path: Path) -> None:
    said = broken(tmp_path, 'by_law = "214/НҚ"', 'by_law = "999/НҚ"')
    assert "school-meals.toml" in said and "measure.by_law" in said and "999/НҚ" in said


def test_a_channel_that_nobody_knows_is_refused(tmp_path: Path) -> None:
    said = broken(tmp_path, 'channels = "both"', 'channels = "pigeon"')
    assert "expected one of cabinet, sms, both" in said


def test_a_measure_may_not_end_before_it_begins(tmp_path: Path) -> None:
    said = broken(tmp_path, "verified = false", "to = 2025-05-24\nverified = false")
    assert "a day not before 2025-05-25" in said


def test_one_provider_has_one_name_for_measures_and_services_alike(tmp_path: Path) -> None:
    said = broken(tmp_path, 'provider.code = "education"', 'provider.code = "labour"')
    assert "provider.name" in said


def test_a_catalogue_may_do_without_measures(tmp_path: Path) -> None:
    folder = tmp_path / "catalogue"
    for name in ("by_laws", "services", "branches", "holidays"):
        copytree(BUILT_IN / name, folder / name)
    assert load(folder).measures == {}
