"""Who may do what in the ledger: the running system may add to the journal and its seals, and
nothing else. Migrations run as the tables' owner, everything else as another role.
"""

import re
from urllib.parse import urlsplit, urlunsplit

from app.ledger.engine import Ledger, LedgerDown, Tx, sql

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

_LOCK = sql("SELECT pg_advisory_xact_lock(155, 9)")
_LACKS = sql(
    """SELECT EXISTS (SELECT FROM pg_class c
        WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace
        AND NOT has_table_privilege(CAST(:name AS text), c.oid, 'SELECT'))
      OR has_table_privilege(CAST(:name AS text), 'journal', 'UPDATE, DELETE, TRUNCATE')"""
)


class UnfitRole(Exception):
    """The role cannot be the running system's; the message says why."""


def grant(tx: Tx, role: str, *, make: bool = False) -> None:
    """Gives `role` what the running system needs and takes the rest from it; running it again
    changes nothing. With `make`, a missing role is made, to log in without a password of its own.

    Raises UnfitRole for a role that is missing, a superuser, or the tables' owner."""
    tx.write(_LOCK)
    if _NAME.fullmatch(role) is None:
        raise UnfitRole(f"found {role!r}, expected small letters, digits and _, at most 63")
    if not tx.execute(_EXISTS, {"name": role}).scalar_one():
        if not make:
            raise UnfitRole(f"found no role {role}, expected one: CREATE ROLE {role} LOGIN")
        tx.write(sql(f"CREATE ROLE {role} LOGIN"))
    facts = tx.execute(_IS_OWNER, {"name": role}).one()
    if facts.rolsuper or facts.owns:
        what = "a superuser" if facts.rolsuper else "the owner of the tables"
        raise UnfitRole(f"found that {role} is {what}, expected a role that owns nothing")
    for statement in _statements(role):
        tx.write(sql(statement))


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


def is_granted(tx: Tx, role: str) -> bool:
    """Has the role everything that it needs, on the tables there are now?"""
    if not tx.execute(_EXISTS, {"name": role}).scalar_one():
        return False
    return not tx.execute(_LACKS, {"name": role}).scalar_one()


def may_alter(tx: Tx) -> list[str]:
    """The tables of evidence that whoever asks may alter, and should not."""
    return list(tx.execute(_MAY, {"tables": list(APPENDED)}).scalars())


def prepare(url: str, role: str | None, *, make: bool) -> str | None:
    """Gives the running system's role its rights after a migration; returns its name. Without a
    name: the usual one, where it exists or may be made (`make`). Raises UnfitRole."""
    owner = Ledger(url)
    try:
        with owner.begin() as tx:
            is_there = bool(tx.execute(_EXISTS, {"name": role or APP_ROLE}).scalar_one())
            if role is None and not make and not is_there:
                return None
            grant(tx, role or APP_ROLE, make=make)
    finally:
        owner.dispose()
    return role or APP_ROLE


def least(url: str) -> str:
    """The URL for the running system on a ledger of which `url` is the owner's: its role is made,
    and given its rights on tables that are new. Where there are no tables yet: `url` itself."""
    owner = Ledger(url)
    try:
        owner.check()
        with owner.begin() as tx:
            if not is_granted(tx, APP_ROLE):
                grant(tx, APP_ROLE, make=True)
    except LedgerDown:
        return url  # whoever opens it next says so
    finally:
        owner.dispose()
    return as_role(url, APP_ROLE)


def as_role(url: str, role: str) -> str:
    """The same ledger for another role, without a password."""
    there = urlsplit(url)
    host = there.netloc.rpartition("@")[2]
    return urlunsplit(there._replace(netloc=f"{role}@{host}"))
