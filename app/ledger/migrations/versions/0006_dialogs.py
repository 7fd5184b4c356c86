"""What dialogs beyond the offer keep: the choice of an account that follows a yes."""

from alembic import op

revision = "0006"
down_revision = "0005"

# Asked after an offer was accepted, which it never changes. `received_at` is when the handset had
# the question: an answer that came before it is none.
ACCOUNT_CHOICES = """
CREATE TABLE account_choices (
    offer_id uuid PRIMARY KEY,
    asked_at timestamptz NOT NULL,
    received_at timestamptz,
    deadline timestamptz,
    closed_at timestamptz,
    outcome text CHECK (outcome IN ('listed', 'other', 'none')),
    chosen text
) WITH (fillfactor = 80);
CREATE INDEX account_choices_open ON account_choices (asked_at) WHERE closed_at IS NULL;
"""

STATEMENTS: tuple[str, ...] = (ACCOUNT_CHOICES,)


def upgrade() -> None:
    """All in one transaction."""
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    """A ledger of legal evidence is never taken back; restore a backup instead."""
    raise RuntimeError("a migration of the ledger cannot be undone")
