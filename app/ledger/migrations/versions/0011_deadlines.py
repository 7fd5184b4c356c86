"""The times of an offer lie beside it: while no column of an index changes, PostgreSQL updates a
row in its place and touches no index (a heap-only tuple). Sent, received and answered, an offer's
row is updated three times; only its end changes an index now.
"""

from alembic import op

revision = "0011"
down_revision = "0010"

DEADLINES = """
CREATE TABLE offer_deadlines (
    offer_id uuid NOT NULL,
    at timestamptz NOT NULL
);
CREATE INDEX offer_deadlines_at ON offer_deadlines (at, offer_id);
INSERT INTO offer_deadlines
    SELECT id, deadline FROM offers WHERE state = 'awaiting' AND deadline IS NOT NULL;
DROP INDEX offers_due;
"""

OPEN = """
ALTER TABLE offers ADD COLUMN is_open boolean NOT NULL
    GENERATED ALWAYS AS (state IN ('made', 'sent', 'awaiting')) STORED;
DROP INDEX offers_one_open;
DROP INDEX offers_unproven;
CREATE UNIQUE INDEX offers_one_open ON offers (recipient_id, service) WHERE is_open;
CREATE INDEX offers_open ON offers (id) WHERE is_open;
"""

STATEMENTS: tuple[str, ...] = (DEADLINES, OPEN)


def upgrade() -> None:
    """All in one transaction."""
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    """A ledger of legal evidence is never taken back; restore a backup instead."""
    raise RuntimeError("a migration of the ledger cannot be undone")
