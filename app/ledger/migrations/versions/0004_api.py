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

# A file of proposals, row by row, and the campaign that makes offers of them, a few at a time. Who
# the key may reach is kept with the campaign: the key may be revoked meanwhile.
CAMPAIGNS = """
CREATE TABLE uploads (
    id uuid PRIMARY KEY,
    provider text NOT NULL,
    rows integer NOT NULL,
    wrong integer NOT NULL,
    created_at timestamptz NOT NULL
);
CREATE TABLE upload_rows (
    upload_id uuid NOT NULL,
    number integer NOT NULL,
    proposal bytea,
    state text NOT NULL CHECK (state IN ('staged', 'wrong', 'made', 'refused', 'cancelled')),
    faults bytea,
    gate text,
    clause text,
    offer_id uuid,
    PRIMARY KEY (upload_id, number)
) WITH (fillfactor = 70);
CREATE INDEX upload_rows_staged ON upload_rows (upload_id, number) WHERE state = 'staged';
CREATE TABLE campaigns (
    id uuid PRIMARY KEY,
    provider text NOT NULL,
    name text NOT NULL,
    upload_id uuid NOT NULL UNIQUE,
    state text NOT NULL CHECK (state IN
        ('draft', 'scheduled', 'running', 'paused', 'done', 'cancelled')),
    starts_at timestamptz,
    kind text NOT NULL,
    phones bytea[] NOT NULL,
    created_at timestamptz NOT NULL,
    finished_at timestamptz
);
CREATE INDEX campaigns_live ON campaigns (id) WHERE state IN ('scheduled', 'running');
"""

# Up to where each state register has been read; written with the rows that were read.
REGISTERS = """
CREATE TABLE register_cursors (
    register text PRIMARY KEY,
    cursor text,
    read_at timestamptz NOT NULL,
    accepted bigint NOT NULL,
    rejected bigint NOT NULL
)
"""

# What a provider asks of one webhook, newest first.
LOG = "CREATE INDEX deliveries_of_webhook ON deliveries (webhook_id, event_id)"

STATEMENTS: tuple[str, ...] = (FEED, CONSENTS, KEYS, REVIEWS, CAMPAIGNS, REGISTERS, LOG)


def upgrade() -> None:
    """All in one transaction."""
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    """A ledger of legal evidence is never taken back; restore a backup instead."""
    raise RuntimeError("a migration of the ledger cannot be undone")
