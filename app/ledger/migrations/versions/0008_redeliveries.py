"""What tells a redelivery from the same words typed twice: the copies of an MO that a network may
not know to be acknowledged, and up to when it has read what a connection acknowledged."""

from alembic import op

revision = "0008"
down_revision = "0007"

KEYS = """
ALTER TABLE mo_keys DROP COLUMN connection, DROP COLUMN before, DROP COLUMN before_at,
    ADD COLUMN copies jsonb NOT NULL DEFAULT '[]'
"""

READS = """
CREATE TABLE mo_reads (
    connection text PRIMARY KEY,
    through timestamptz NOT NULL
)
"""

STATEMENTS: tuple[str, ...] = (KEYS, READS)


def upgrade() -> None:
    """All in one transaction."""
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    """A ledger of legal evidence is never taken back; restore a backup instead."""
    raise RuntimeError("a migration of the ledger cannot be undone")
