"""Campaigns, uploads, reviews and whatever else the API keeps."""

from alembic import op

revision = "0004"
down_revision = "0003"

# What a citizen's app is told, in the order in which it was committed: `xid` is the transaction
# that wrote it, and a reader waits until none older is running.
FEED = """
CREATE TABLE feed (
    xid bigint NOT NULL DEFAULT (pg_current_xact_id()::text::bigint),
    seq bigint GENERATED ALWAYS AS IDENTITY,
    recipient_id uuid NOT NULL,
    kind text NOT NULL,
    body bytea NOT NULL,
    PRIMARY KEY (xid, seq)
);
CREATE INDEX feed_of_recipient ON feed (recipient_id, xid, seq);
CREATE INDEX offers_of_recipient ON offers (recipient_id, id);
"""

# A consent that its giver withdrew in the app; the register's own word stays in `revoked_at`.
CONSENTS = "ALTER TABLE consents ADD COLUMN withdrawn_at timestamptz"

# A test key's offers reach the simulator alone, a team key's only these phones.
KEYS = """
ALTER TABLE api_keys ADD COLUMN kind text NOT NULL DEFAULT 'live'
        CHECK (kind IN ('live', 'test', 'team')),
    ADD COLUMN phones bytea[] NOT NULL DEFAULT '{}'
"""

# Cases whose recipient could not be understood: for somebody to look at while the case is open.
REVIEWS = """
CREATE TABLE reviews (
    case_id uuid PRIMARY KEY,
    at timestamptz NOT NULL,
    seen_at timestamptz,
    seen_by text
)
"""

STATEMENTS: tuple[str, ...] = (FEED, CONSENTS, KEYS, REVIEWS)


def upgrade() -> None:
    """All in one transaction."""
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    """A ledger of legal evidence is never taken back; restore a backup instead."""
    raise RuntimeError("a migration of the ledger cannot be undone")
