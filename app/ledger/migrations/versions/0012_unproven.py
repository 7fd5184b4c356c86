"""Until when a question may be proved to have been received is noted beside the deadlines: offers
that wait for such proof were looked for among all that are open.
"""

from alembic import op

revision = "0012"
down_revision = "0011"

STATEMENTS: tuple[str, ...] = (
    """INSERT INTO offer_deadlines
    SELECT id, sent_at + interval '24 hours' FROM offers
    WHERE state = 'sent' AND sent_at IS NOT NULL""",
    "DROP INDEX offers_open",
)


def upgrade() -> None:
    """All in one transaction."""
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    """A ledger of legal evidence is never taken back; restore a backup instead."""
    raise RuntimeError("a migration of the ledger cannot be undone")
