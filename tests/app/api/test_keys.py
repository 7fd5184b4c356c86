"""API keys: shown once, kept as a hash, revoked at once."""

import pytest

from app.ledger import keys
from app.ledger.engine import sql
from app.ledger.keys import NameTaken, Scope
from app.runtime import Runtime


def test_a_key_is_shown_once_and_stored_as_a_hash(rt: Runtime) -> None:
    with rt.unit() as unit:
        made, secret = keys.add(unit.tx, "mtszn", [Scope.PROVIDER], unit.now)
        assert secret.startswith("jau_")
        assert keys.authenticate(unit.tx, secret) == made
        row = str(unit.tx.execute(sql("SELECT * FROM api_keys")).one())
    assert secret not in row and secret.removeprefix("jau_") not in row


def test_a_key_speaks_for_its_name_unless_told_otherwise(rt: Runtime) -> None:
    with rt.unit() as unit:
        own, _ = keys.add(unit.tx, "mtszn", [Scope.PROVIDER], unit.now)
        other, _ = keys.add(unit.tx, "mtszn-2", [Scope.PROVIDER], unit.now, "mtszn")
    assert (own.provider, other.provider) == ("mtszn", "mtszn")


def test_a_name_is_never_given_twice(rt: Runtime) -> None:
    with rt.unit() as unit:
        keys.add(unit.tx, "mtszn", [Scope.PROVIDER], unit.now)
        assert keys.revoke(unit.tx, "mtszn", unit.now)
        assert not keys.revoke(unit.tx, "mtszn", unit.now)
        with pytest.raises(NameTaken):
            keys.add(unit.tx, "mtszn", [Scope.PROVIDER], unit.now)


def test_a_key_needs_a_name_and_a_scope(rt: Runtime) -> None:
    with rt.unit() as unit:
        for name, scopes in (("", [Scope.PROVIDER]), ("mtszn", [])):
            with pytest.raises(ValueError, match="needs"):
                keys.add(unit.tx, name, scopes, unit.now)


def test_revoked_keys_are_listed_and_open_nothing(rt: Runtime) -> None:
    with rt.unit() as unit:
        _, secret = keys.add(unit.tx, "mtszn", [Scope.PROVIDER], unit.now)
        keys.revoke(unit.tx, "mtszn", unit.now)
        assert [(k.name, k.revoked_at) for k in keys.every(unit.tx)] == [("mtszn", unit.now)]
        assert keys.authenticate(unit.tx, secret) is None


@pytest.mark.parametrize("secret", ["", "jau_", "jau_" + "ы" * 43, "jau_" + "x" * 44, "x" * 47])
def test_what_is_not_a_key_opens_nothing(rt: Runtime, secret: str) -> None:
    with rt.unit() as unit:
        assert keys.authenticate(unit.tx, secret) is None
