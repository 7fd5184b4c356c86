"""What the networks' side of the ledger learned to keep."""

from alembic import op

revision = "0002"
down_revision = "0001"

STATEMENTS: tuple[str, ...] = (
    # The acceptance mode asks how its own messages to one phone stand.
    "CREATE INDEX outbox_echo ON outbox (phone_index) WHERE room = 'echo'",
    # What waits for a provider's attention is counted for the alarms; nearly all rows are done.
    "CREATE INDEX deliveries_parked ON deliveries (webhook_id) WHERE state = 'parked'",
)


def upgrade() -> None:
    """All in one transaction."""
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    """A ledger of legal evidence is never taken back; restore a backup instead."""
    raise RuntimeError("a migration of the ledger cannot be undone")
