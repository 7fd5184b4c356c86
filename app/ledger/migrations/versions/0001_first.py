"""The first ledger: registers, offers, questions, outbox, segments, journal, hand-over, binds.

Facts that are only ever appended (journal, segments, events) are kept apart from the few rows
that change, so that the hot path appends and touches each offer's row once a batch.
"""

from alembic import op

revision = "0001"
down_revision = None

REGISTERS = """
CREATE TABLE recipients (
    id uuid PRIMARY KEY,
    iin_index bytea NOT NULL UNIQUE,
    iin bytea NOT NULL,
    kind text NOT NULL DEFAULT 'individual',
    phone_index bytea,
    phone bytea,
    phone_kind text,
    language text CHECK (language IN ('kk', 'ru')),
    network text,
    sms boolean NOT NULL DEFAULT true,
    wrong_phone_at timestamptz,
    registered_at timestamptz,
    updated_at timestamptz NOT NULL
);
CREATE INDEX recipients_phone ON recipients (phone_index);

CREATE TABLE consents (
    iin_index bytea NOT NULL,
    purpose text NOT NULL,
    reference text NOT NULL,
    given_at timestamptz NOT NULL,
    valid_until timestamptz,
    revoked_at timestamptz,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (iin_index, purpose, reference)
);

CREATE TABLE subscribers (
    phone_index bytea PRIMARY KEY,
    language text,
    helped_at timestamptz
);
"""

OFFERS = """
CREATE TABLE offers (
    id uuid PRIMARY KEY,
    provider text NOT NULL,
    reference text NOT NULL,
    service text NOT NULL,
    recipient_id uuid NOT NULL,
    phone_index bytea NOT NULL,
    network text,
    language text,
    facts bytea,
    state text NOT NULL,
    version integer NOT NULL,
    head bytea NOT NULL,
    created_at timestamptz NOT NULL,
    sent_at timestamptz,
    received_at timestamptz,
    deadline timestamptz,
    closed_at timestamptz,
    answered_by text,
    result text,
    UNIQUE (provider, reference)
) WITH (fillfactor = 70);
CREATE INDEX offers_due ON offers (deadline) WHERE state = 'awaiting';
CREATE INDEX offers_unproven ON offers (sent_at) WHERE state = 'sent';
CREATE UNIQUE INDEX offers_one_open ON offers (recipient_id, service)
    WHERE state IN ('made', 'sent', 'awaiting');
CREATE INDEX offers_of_phone ON offers (phone_index, id);
CREATE INDEX offers_of_provider ON offers (provider, id);

CREATE TABLE questions (
    case_id uuid PRIMARY KEY,
    seq bigint GENERATED ALWAYS AS IDENTITY,
    phone_index bytea NOT NULL,
    room text NOT NULL,
    dialog text NOT NULL,
    step text NOT NULL,
    asked smallint NOT NULL DEFAULT 0,
    state text NOT NULL CHECK (state IN ('waiting', 'open'))
) WITH (fillfactor = 70);
CREATE UNIQUE INDEX questions_one_open ON questions (phone_index) WHERE state = 'open';
CREATE INDEX questions_waiting ON questions (phone_index, seq) WHERE state = 'waiting';
"""

MESSAGES = """
CREATE TABLE outbox (
    id uuid PRIMARY KEY,
    seq bigint GENERATED ALWAYS AS IDENTITY,
    case_id uuid,
    room text,
    kind text NOT NULL,
    phone_index bytea NOT NULL,
    phone bytea NOT NULL,
    body bytea NOT NULL,
    network text,
    priority smallint NOT NULL,
    state text NOT NULL CHECK (state IN
        ('ready', 'claimed', 'sent', 'delivered', 'failed', 'unknown', 'cancelled')),
    due_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL,
    claimed_by uuid,
    claimed_at timestamptz,
    attempts smallint NOT NULL DEFAULT 0,
    cid text,
    closed_at timestamptz
) WITH (fillfactor = 70);
CREATE INDEX outbox_ready ON outbox (coalesce(network, ''), priority, seq)
    WHERE state = 'ready';
CREATE INDEX outbox_claimed ON outbox (claimed_by) WHERE state IN ('claimed', 'unknown');
CREATE INDEX outbox_of_case ON outbox (case_id) WHERE state = 'ready';

CREATE TABLE segments (
    outbox_id uuid NOT NULL,
    attempt smallint NOT NULL,
    number smallint NOT NULL,
    total smallint NOT NULL,
    cid text NOT NULL,
    network text NOT NULL,
    phone_index bytea NOT NULL,
    smsc_id text NOT NULL,
    status bigint NOT NULL,
    outcome text NOT NULL,
    at timestamptz NOT NULL,
    receipt text,
    receipt_error text,
    receipt_at timestamptz,
    PRIMARY KEY (outbox_id, attempt, number)
) WITH (fillfactor = 70);
CREATE INDEX segments_smsc_id ON segments (smsc_id, phone_index);

CREATE TABLE orphan_receipts (
    smsc_id text NOT NULL,
    phone_index bytea NOT NULL,
    network text NOT NULL,
    state text NOT NULL,
    error text NOT NULL,
    done_at timestamptz,
    received_at timestamptz NOT NULL
);
CREATE INDEX orphan_receipts_id ON orphan_receipts (smsc_id, phone_index);

CREATE TABLE parts (
    network text NOT NULL,
    sender_index bytea NOT NULL,
    destination text NOT NULL,
    reference integer NOT NULL,
    total smallint NOT NULL,
    number smallint NOT NULL,
    octets bytea NOT NULL,
    text bytea,
    data_coding smallint NOT NULL,
    sender bytea NOT NULL,
    cid text NOT NULL,
    received_at timestamptz NOT NULL,
    PRIMARY KEY (network, sender_index, destination, reference, total, number)
);

CREATE TABLE heard (
    id uuid PRIMARY KEY,
    received_at timestamptz NOT NULL,
    network text NOT NULL,
    cid text NOT NULL,
    phone_index bytea NOT NULL,
    sender bytea NOT NULL,
    octets bytea NOT NULL,
    data_coding smallint NOT NULL,
    why text NOT NULL
);

CREATE TABLE mo_keys (
    key bytea PRIMARY KEY,
    connection text NOT NULL,
    received_at timestamptz NOT NULL,
    before text,
    before_at timestamptz
) WITH (fillfactor = 80);
"""

JOURNAL = """
CREATE TABLE journal (
    case_id uuid NOT NULL,
    seq integer NOT NULL,
    at timestamptz NOT NULL,
    kind text NOT NULL,
    body bytea NOT NULL,
    evidence bytea,
    hash bytea NOT NULL,
    PRIMARY KEY (case_id, seq)
);
CREATE FUNCTION journal_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the journal is append-only (155/НҚ, clause 6)';
END $$;
CREATE TRIGGER journal_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON journal
    FOR EACH STATEMENT EXECUTE FUNCTION journal_is_append_only();
"""

HANDOVER = """
CREATE TABLE events (
    id uuid PRIMARY KEY,
    case_id uuid NOT NULL,
    sequence integer NOT NULL,
    provider text NOT NULL,
    type text NOT NULL,
    body bytea NOT NULL,
    created_at timestamptz NOT NULL,
    UNIQUE (case_id, sequence)
);
CREATE TABLE webhooks (
    id uuid PRIMARY KEY,
    provider text NOT NULL,
    url text NOT NULL,
    events text[] NOT NULL,
    secret bytea NOT NULL,
    created_at timestamptz NOT NULL,
    deleted_at timestamptz
);
CREATE INDEX webhooks_of_provider ON webhooks (provider) WHERE deleted_at IS NULL;
CREATE TABLE deliveries (
    event_id uuid NOT NULL,
    webhook_id uuid NOT NULL,
    case_id uuid NOT NULL,
    sequence integer NOT NULL,
    state text NOT NULL CHECK (state IN ('due', 'done', 'parked')),
    attempts smallint NOT NULL DEFAULT 0,
    next_at timestamptz NOT NULL,
    first_at timestamptz NOT NULL,
    last_status integer,
    last_error text,
    closed_at timestamptz,
    PRIMARY KEY (event_id, webhook_id)
);
CREATE INDEX deliveries_due ON deliveries (webhook_id, next_at) WHERE state = 'due';
CREATE INDEX deliveries_of_case ON deliveries (case_id, webhook_id, sequence) WHERE state = 'due';
"""

ADMINISTRATION = """
CREATE TABLE api_keys (
    id uuid PRIMARY KEY,
    name text NOT NULL UNIQUE,
    provider text NOT NULL,
    scopes text[] NOT NULL,
    hash bytea NOT NULL UNIQUE,
    created_at timestamptz NOT NULL,
    revoked_at timestamptz
);
CREATE TABLE idempotency (
    owner text NOT NULL,
    key text NOT NULL,
    fingerprint bytea NOT NULL,
    status smallint NOT NULL,
    body bytea NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (owner, key)
);
CREATE TABLE binds (
    cid text PRIMARY KEY,
    network text NOT NULL,
    gateway uuid NOT NULL,
    state text NOT NULL,
    reason text NOT NULL DEFAULT '',
    since timestamptz NOT NULL,
    heard_through timestamptz,
    has_receipts boolean NOT NULL DEFAULT true,
    hears boolean NOT NULL DEFAULT true,
    wanted text NOT NULL DEFAULT 'running' CHECK (wanted IN ('running', 'suspended'))
);
CREATE TABLE vault_canary (one boolean PRIMARY KEY DEFAULT true CHECK (one), sealed bytea NOT NULL);
CREATE TABLE sandbox_clock (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    real timestamptz NOT NULL,
    virtual timestamptz NOT NULL,
    scale double precision NOT NULL
);
"""


def upgrade() -> None:
    """Each group of tables is one statement list; PostgreSQL runs them in one transaction."""
    for group in (REGISTERS, OFFERS, MESSAGES, JOURNAL, HANDOVER, ADMINISTRATION):
        op.execute(group)


def downgrade() -> None:
    """A ledger of legal evidence is never taken back; restore a backup instead."""
    raise RuntimeError("the first migration of a ledger cannot be undone")
