"""Who may do what in the ledger: the running system may add to the journal and its seals, and
nothing else. Migrations run as the tables' owner, everything else as another role.
"""

import re
from urllib.parse import urlsplit, urlunsplit

from app.ledger.engine import Tx, sql

APP_ROLE = "jauap_app"
"""The role of the running system where nobody names another one."""

APPENDED = ("journal", "seals", "seal_leaves", "erasures")
"""Tables that are only appended to."""

READ_ONLY = ("alembic_version",)
_NAME = re.compile(r"[a-z_][a-z0-9_]{0,62}")

_EXISTS = sql("SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = :name)")
_IS_OWNER = sql(
    """SELECT r.rolsuper, c.relowner = r.oid OR pg_has_role(r.oid, c.relowner, 'MEMBER') AS owns
    FROM pg_roles r, pg_class c WHERE r.rolname = :name AND c.oid = 'journal'::regclass"""
)
_MAY = sql(
    """SELECT t.name FROM unnest(CAST(:tables AS text[])) AS t (name)
    WHERE has_table_privilege(current_user, t.name, 'UPDATE, DELETE, TRUNCATE')
       OR EXISTS (SELECT FROM pg_roles WHERE rolname = current_user AND rolsuper)
    ORDER BY t.name"""
)


class UnfitRole(Exception):
    """The role cannot be the running system's; the message says why."""


def grant(tx: Tx, role: str, *, make: bool = False) -> None:
    """Gives `role` what the running system needs and takes the rest from it; running it again
    changes nothing. With `make`, a missing role is made, to log in without a password of its own.

    Raises UnfitRole for a role that is missing, a superuser, or the tables' owner."""
    if _NAME.fullmatch(role) is None:
        raise UnfitRole(f"found {role!r}, expected small letters, digits and _, at most 63")
    if not tx.execute(_EXISTS, {"name": role}).scalar_one():
        if not make:
            raise UnfitRole(f"found no role {role}, expected one: CREATE ROLE {role} LOGIN")
        tx.exec_driver_sql(f"CREATE ROLE {role} LOGIN")
    facts = tx.execute(_IS_OWNER, {"name": role}).one()
    if facts.rolsuper or facts.owns:
        what = "a superuser" if facts.rolsuper else "the owner of the tables"
        raise UnfitRole(f"found that {role} is {what}, expected a role that owns nothing")
    for statement in _statements(role):
        tx.exec_driver_sql(statement)


def _statements(role: str) -> tuple[str, ...]:
    appended = ", ".join(APPENDED)
    read = ", ".join(READ_ONLY)
    return (
        f"GRANT USAGE ON SCHEMA public TO {role}",
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}",
        f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {role}",
        f"REVOKE ALL ON {appended}, {read} FROM {role}",
        f"REVOKE UPDATE, DELETE, TRUNCATE ON {appended} FROM PUBLIC",
        f"GRANT SELECT, INSERT ON {appended} TO {role}",
        f"GRANT SELECT ON {read} TO {role}",
    )


def exists(tx: Tx, role: str) -> bool:
    """Is there such a role?"""
    return bool(tx.execute(_EXISTS, {"name": role}).scalar_one())


def may_alter(tx: Tx) -> list[str]:
    """The tables of evidence that whoever asks may alter, and should not."""
    return list(tx.execute(_MAY, {"tables": list(APPENDED)}).scalars())


def as_role(url: str, role: str) -> str:
    """The same ledger for another role, without a password."""
    there = urlsplit(url)
    host = there.netloc.rpartition("@")[2]
    return urlunsplit(there._replace(netloc=f"{role}@{host}"))
