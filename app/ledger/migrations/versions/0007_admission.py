"""Planned outages of networks: what is known of them before they come, and what was called off."""

from alembic import op

revision = "0007"
down_revision = "0006"

# A row that was called off stays: it says why offers waited.
OUTAGES = """
CREATE TABLE outages (
    id uuid PRIMARY KEY,
    network text NOT NULL,
    starts_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL CHECK (ends_at > starts_at),
    reason text NOT NULL,
    added_at timestamptz NOT NULL,
    removed_at timestamptz
);
CREATE INDEX outages_ahead ON outages (ends_at) WHERE removed_at IS NULL;
"""

STATEMENTS: tuple[str, ...] = (OUTAGES,)


def upgrade() -> None:
    """All in one transaction."""
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    """A ledger of legal evidence is never taken back; restore a backup instead."""
    raise RuntimeError("a migration of the ledger cannot be undone")
