"""What the sweep asks of notices whose SMS left without a receipt: they end, so that their terms of
keeping can begin."""

from alembic import op

revision = "0009"
down_revision = "0008"

UNHEARD = """
CREATE INDEX wallet_notices_unheard ON wallet_notices (sms_sent_at) WHERE sms = 'sent'
"""

STATEMENTS: tuple[str, ...] = (UNHEARD,)


def upgrade() -> None:
    """All in one transaction."""
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    """A ledger of legal evidence is never taken back; restore a backup instead."""
    raise RuntimeError("a migration of the ledger cannot be undone")
