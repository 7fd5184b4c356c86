"""The social wallet: measures' notices, consents, grants, other systems (214/НҚ)."""

from alembic import op

revision = "0005"
down_revision = "0004"

# A notice is a case. `counted_from` is what its working day runs from: its making, or the decision
# it tells of. `served_at` is when the act was satisfied: the cabinet, or the SMS that left.
NOTICES = """
CREATE TABLE wallet_notices (
    id uuid PRIMARY KEY,
    provider text NOT NULL,
    reference text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('measure-offer', 'personal-data-processing', 'decision')),
    measure text NOT NULL,
    decision text CHECK (decision IN ('granted', 'not-granted')),
    recipient_id uuid NOT NULL,
    phone_index bytea,
    network text,
    language text,
    region text,
    words bytea,
    sms text NOT NULL CHECK (sms IN
        ('none', 'waiting', 'sent', 'delivered', 'failed', 'withheld')),
    version integer NOT NULL,
    head bytea NOT NULL,
    created_at timestamptz NOT NULL,
    counted_from timestamptz NOT NULL,
    deadline timestamptz NOT NULL,
    placed_at timestamptz,
    sms_sent_at timestamptz,
    sms_delivered_at timestamptz,
    served_at timestamptz,
    read_at timestamptz,
    closed_at timestamptz,
    UNIQUE (provider, kind, reference)
) WITH (fillfactor = 80);
CREATE INDEX wallet_notices_of_recipient ON wallet_notices (recipient_id, id);
CREATE INDEX wallet_notices_unserved ON wallet_notices (deadline) WHERE served_at IS NULL;
CREATE INDEX wallet_notices_late ON wallet_notices (id) WHERE served_at > deadline;
"""

# The two consents of clause 6 are one conversation and one case, with an answer of their own each.
# `asked_at`, `received_at` and `deadline` are those of the question that is open now.
CONSENTS = """
CREATE TABLE wallet_consents (
    id uuid PRIMARY KEY,
    notice_id uuid NOT NULL UNIQUE,
    provider text NOT NULL,
    reference text NOT NULL,
    measure text NOT NULL,
    recipient_id uuid NOT NULL,
    phone_index bytea NOT NULL,
    phone bytea NOT NULL,
    network text,
    language text,
    state text NOT NULL,
    version integer NOT NULL,
    head bytea NOT NULL,
    created_at timestamptz NOT NULL,
    asked_at timestamptz,
    received_at timestamptz,
    deadline timestamptz,
    closed_at timestamptz,
    data text CHECK (data IN ('given', 'refused')),
    data_at timestamptz,
    data_withdrawn_at timestamptz,
    sms text CHECK (sms IN ('given', 'refused')),
    sms_at timestamptz,
    sms_withdrawn_at timestamptz
) WITH (fillfactor = 70);
CREATE INDEX wallet_consents_of_recipient ON wallet_consents (recipient_id, id);
CREATE INDEX wallet_consents_of_phone ON wallet_consents (phone_index, id);
CREATE INDEX wallet_consents_due ON wallet_consents (coalesce(deadline, asked_at))
    WHERE closed_at IS NULL;
"""

# A grant is never edited: a correction is a row of its own that names the first one.
GRANTS = """
CREATE TABLE wallet_grants (
    id uuid PRIMARY KEY,
    seq bigint GENERATED ALWAYS AS IDENTITY,
    owner text NOT NULL,
    source text NOT NULL,
    source_id text NOT NULL,
    measure text NOT NULL,
    recipient_id uuid NOT NULL,
    kind text,
    amount bigint,
    granted_at timestamptz NOT NULL,
    is_cancelled boolean NOT NULL DEFAULT false,
    corrects uuid REFERENCES wallet_grants,
    notice_id uuid,
    version integer NOT NULL,
    head bytea NOT NULL,
    created_at timestamptz NOT NULL,
    UNIQUE (owner, source, source_id)
);
CREATE INDEX wallet_grants_of_recipient ON wallet_grants (recipient_id, measure);
CREATE INDEX wallet_grants_corrections ON wallet_grants (corrects) WHERE corrects IS NOT NULL;
CREATE INDEX wallet_grants_of_source ON wallet_grants (owner, source, measure, granted_at);
CREATE FUNCTION wallet_grants_are_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'grants are corrected by new entries only (214/НҚ, clause 5)';
END $$;
CREATE TRIGGER wallet_grants_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON wallet_grants
    FOR EACH STATEMENT EXECUTE FUNCTION wallet_grants_are_append_only();
CREATE TABLE wallet_uses (
    grant_id uuid PRIMARY KEY REFERENCES wallet_grants,
    used_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL
);
"""

# Renderings through other systems (clause 8), what did not agree when they were synchronised
# (clause 9), and the agreements of third systems (clause 10).
SYSTEMS = """
CREATE TABLE wallet_closings (
    id uuid PRIMARY KEY,
    owner text NOT NULL,
    source text NOT NULL,
    source_id text NOT NULL,
    measure text NOT NULL,
    recipient_id uuid NOT NULL,
    notice_id uuid NOT NULL,
    grant_id uuid NOT NULL,
    version integer NOT NULL,
    head bytea NOT NULL,
    created_at timestamptz NOT NULL,
    UNIQUE (owner, source, source_id)
);
CREATE TABLE wallet_conflicts (
    id uuid PRIMARY KEY,
    owner text NOT NULL,
    source text NOT NULL,
    source_id text NOT NULL,
    grant_id uuid NOT NULL,
    fields text[] NOT NULL,
    created_at timestamptz NOT NULL
);
CREATE INDEX wallet_conflicts_of_owner ON wallet_conflicts (owner, id);
CREATE TABLE wallet_systems (
    code text PRIMARY KEY,
    id uuid NOT NULL UNIQUE,
    name_kk text NOT NULL,
    name_ru text NOT NULL,
    class text NOT NULL CHECK (class IN ('state', 'quasi-state', 'third')),
    agreement text,
    measures text[] NOT NULL DEFAULT '{}',
    last_day date,
    ends_at timestamptz,
    version integer NOT NULL,
    head bytea NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CHECK (class <> 'third' OR (agreement IS NOT NULL AND ends_at IS NOT NULL))
);
"""

STATEMENTS: tuple[str, ...] = (NOTICES, CONSENTS, GRANTS, SYSTEMS)


def upgrade() -> None:
    """All in one transaction."""
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    """A ledger of legal evidence is never taken back; restore a backup instead."""
    raise RuntimeError("a migration of the ledger cannot be undone")
