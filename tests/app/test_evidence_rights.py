"""The role that runs the system may add to the journal, and the database itself refuses the rest,
trigger or no trigger."""

from collections.abc import Iterator
from dataclasses import replace

import psycopg
import pytest

from app.clock import ManualClock
from app.embedded import Urls
from app.evidence import verifying
from app.ledger import rights, seals
from app.ledger.engine import Ledger, sql
from app.runtime import Runtime
from smpp.messages import ReceiptState
from tests.app.world import World


@pytest.fixture
def least(rt: Runtime, servers: Urls) -> Iterator[Runtime]:
    """The runtime as a process has it."""
    ledger = Ledger(rights.least(servers.ledger))
    yield replace(rt, ledger=ledger)
    ledger.dispose()


def test_the_running_system_does_all_it_has_to_with_the_rights_of_its_role(
    least: Runtime, clock: ManualClock
) -> None:
    world = World(least, clock)
    world.register("Айгүл", "kk")
    world.offer("birth-benefit", "Айгүл")
    world.receipt(ReceiptState.DELIVRD)
    world.say("иә")
    clock.advance(seals.LOOK_BACK)
    with least.ledger.begin() as tx:
        assert seals.make(tx, least.seal_key, clock()) is not None
    verdict = verifying.verify(least.ledger, least.vault, least.seal_key, clock())
    assert (verdict.breaks, verdict.warnings) == ([], [])


# What the role may not do, and what PostgreSQL says to that.
FORBIDDEN = {
    **{f"UPDATE {t} SET {c} = {c}": f"permission denied for table {t}"
       for t, c in (("journal", "kind"), ("seals", "day"), ("seal_leaves", "seq"),
                    ("erasures", "day"))},
    **{f"DELETE FROM {t}": f"permission denied for table {t}" for t in rights.APPENDED},
    **{f"TRUNCATE {t}": f"permission denied for table {t}" for t in rights.APPENDED},
    "ALTER TABLE journal DISABLE TRIGGER ALL": "must be owner of table journal",
    "DROP TRIGGER journal_append_only ON journal": "must be owner of relation journal",
    "DROP TABLE journal": "must be owner of table journal",
    "SET session_replication_role = replica":
        'permission denied to set parameter "session_replication_role"',
    "SET ROLE jauap": 'permission denied to set role "jauap"',
    "UPDATE alembic_version SET version_num = '0001'":
        "permission denied for table alembic_version",
    "CREATE TABLE mine (id int)": "permission denied for schema public",
}  # fmt: skip


@pytest.mark.parametrize(
    ("statement", "refusal"),
    [
        pytest.param(statement, said, id=statement, marks=pytest.mark.provokes(f"ERROR:  {said}"))
        for statement, said in FORBIDDEN.items()
    ],
)
def test_the_database_itself_refuses_the_rest(least: Runtime, statement: str, refusal: str) -> None:
    with pytest.raises(psycopg.ProgrammingError, match=refusal), least.ledger.begin() as tx:
        tx.execute(sql(statement))
        tx.execute(sql("DO $$ BEGIN RAISE EXCEPTION 'it was allowed'; END $$"))


@pytest.mark.provokes("ERROR:  the journal is append-only")
def test_the_trigger_refuses_the_owner_too(rt: Runtime) -> None:
    for table in ("journal", "seals", "seal_leaves"):
        with pytest.raises(Exception, match="append-only"), rt.ledger.begin() as tx:
            tx.execute(sql(f"DELETE FROM {table}"))


def test_who_could_alter_the_journal_is_warned(rt: Runtime) -> None:
    verdict = verifying.verify(rt.ledger, rt.vault, rt.seal_key, rt.clock())
    assert "may alter erasures, journal, seal_leaves, seals" in verdict.warnings[0]


def test_an_unfit_role_is_refused_with_the_reason(rt: Runtime) -> None:
    for name, reason in (
        ("jauap", "a superuser"),
        ("nobody_here", "no role nobody_here"),
        ("x; DROP TABLE journal", "expected small letters"),
    ):
        with pytest.raises(rights.UnfitRole, match=reason), rt.ledger.begin() as tx:
            rights.grant(tx, name)


def test_new_tables_come_under_the_role_by_themselves(rt: Runtime, servers: Urls) -> None:
    rights.least(servers.ledger)
    with rt.ledger.begin() as tx:
        tx.execute(sql("CREATE TABLE fresh (id int)"))
        assert not rights.is_granted(tx, rights.APP_ROLE)
    try:
        rights.least(servers.ledger)
        with rt.ledger.begin() as tx:
            assert rights.is_granted(tx, rights.APP_ROLE)
    finally:
        with rt.ledger.begin() as tx:
            tx.execute(sql("DROP TABLE fresh"))
