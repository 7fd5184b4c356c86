"""The check of the servers' own logs finds what nobody declared, in servers that really run."""

from pathlib import Path

import psycopg
import pytest

from app.ledger.engine import sql
from app.runtime import Runtime
from tests.server_logs import OF_BEING_KILLED, Watch, check, troubles

OF_A_KILL = """\
07:00:00.000 UTC [7] LOG:  client backend (PID 9) was terminated by signal 9: Killed
07:00:00.001 UTC [8] WARNING:  terminating connection because of crash of another server process
07:00:01.000 UTC [7] FATAL:  the database system is in recovery mode
07:00:02.000 UTC [7] LOG:  database system is ready to accept connections
"""
OF_A_FAULT = "07:00:03.000 UTC [9] PANIC:  could not write to file"
OF_VALKEY = """\
7:M 02 Mar 07:00:00.000 # WARNING Memory overcommit must be enabled! Without it, saves fail
7:M 02 Mar 07:00:00.000 * Ready to accept connections unix
7:M 02 Mar 07:00:01.000 # Error writing to the AOF file: No space left on device
7:M 02 Mar 07:00:02.000 # Valkey is now ready to exit, bye bye...
"""


def divide_by_zero(rt: Runtime) -> None:
    with pytest.raises(psycopg.Error), rt.ledger.begin() as tx:
        tx.execute(sql("SELECT 1 / 0"))


def test_an_error_that_no_test_declares_is_found_once(rt: Runtime, watch: Watch) -> None:
    divide_by_zero(rt)
    with pytest.raises(AssertionError, match="ERROR:  division by zero"):
        watch.check()
    watch.check()


@pytest.mark.provokes("ERROR:  division by zero$")
def test_an_error_that_is_declared_is_expected(rt: Runtime) -> None:
    divide_by_zero(rt)


def test_an_error_that_is_declared_must_come(rt: Runtime, watch: Watch) -> None:
    with pytest.raises(AssertionError, match=r"never said it: .*division by zero"):
        watch.check(["ERROR:  division by zero$"])


def test_what_a_kill_leaves_behind_excuses_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "postgres.log").write_text(OF_A_KILL)
    assert len(troubles(tmp_path)) == 3
    check(troubles(tmp_path), OF_BEING_KILLED)
    (tmp_path / "postgres.log.1").write_text(OF_A_FAULT)
    with pytest.raises(AssertionError, match="PANIC:  could not write"):
        check(troubles(tmp_path), OF_BEING_KILLED)


def test_valkeys_trouble_is_told_from_what_it_always_says(tmp_path: Path) -> None:
    (tmp_path / "valkey.log").write_text(OF_VALKEY)
    [found] = troubles(tmp_path)
    assert "Error writing to the AOF file" in found
