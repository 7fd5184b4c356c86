"""Columns go to PostgreSQL as what they are, whatever they hold."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.ledger.engine import sql
from app.runtime import Runtime

_times = st.integers(-(2**60), 2**60).map(
    lambda us: datetime(2000, 1, 1, tzinfo=UTC) + timedelta(microseconds=us // 400)
)
_texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)
_COLUMNS: dict[str, st.SearchStrategy[Any]] = {
    "uuid": st.uuids(),
    "bytea": st.binary(max_size=40),
    "text": _texts,
    "bigint": st.integers(-(2**63), 2**63 - 1),
    "timestamptz": _times,
}


@pytest.mark.parametrize("kind", _COLUMNS)
@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_a_column_comes_back_as_it_went(rt: Runtime, kind: str, data: st.DataObject) -> None:
    column = data.draw(st.lists(st.none() | _COLUMNS[kind], max_size=12))
    found = _there_and_back(rt, kind, column)
    assert [bytes(v) if isinstance(v, memoryview) else v for v in found] == column


def test_small_numbers_fit_the_columns_they_are_cast_to(rt: Runtime) -> None:
    assert _there_and_back(rt, "smallint", [1, None, -7]) == [1, None, -7]
    assert _there_and_back(rt, "boolean", [True, None, False]) == [True, None, False]


def test_a_time_in_another_zone_is_the_same_moment(rt: Runtime) -> None:
    almaty = datetime.fromisoformat("2026-03-22T00:00:00.000001+05:00")
    assert _there_and_back(rt, "timestamptz", [almaty]) == [almaty]
    assert _there_and_back(rt, "timestamptz", [almaty])[0].utcoffset() == timedelta()


def test_an_empty_column_keeps_its_type(rt: Runtime) -> None:
    assert _there_and_back(rt, "uuid", []) == []
    assert _there_and_back(rt, "uuid", [None]) == [None]
    assert _there_and_back(rt, "uuid", [None, UUID(int=1)]) == [None, UUID(int=1)]


def _there_and_back(rt: Runtime, kind: str, column: list[Any]) -> list[Any]:
    statement = sql(f"SELECT v FROM unnest(CAST(:column AS {kind}[])) WITH ORDINALITY AS t (v, n)")
    with rt.ledger.begin() as tx:
        return list(tx.execute(statement, {"column": column}).scalars())
