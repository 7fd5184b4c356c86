"""What lets a transaction's writes leave in one trip with its commit: the server itself refuses an
update that did not find every row as it was loaded.
"""

from alembic import op

revision = "0010"
down_revision = "0009"

MUST_BE_ALL = """
CREATE FUNCTION must_be_all(changed bigint, expected bigint) RETURNS bigint
LANGUAGE plpgsql AS $$
BEGIN
    IF changed <> expected THEN
        RAISE EXCEPTION 'found % rows as they were loaded, expected %', changed, expected
            USING ERRCODE = 'serialization_failure';
    END IF;
    RETURN changed;
END
$$
"""

STATEMENTS: tuple[str, ...] = (MUST_BE_ALL,)


def upgrade() -> None:
    """All in one transaction."""
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    """A ledger of legal evidence is never taken back; restore a backup instead."""
    raise RuntimeError("a migration of the ledger cannot be undone")
