"""Seals over the journal, rights on it, retention."""

from alembic import op

revision = "0003"
down_revision = "0002"

STATEMENTS: tuple[str, ...] = (
    # What people said lies beside the journal: it may be sealed anew and erased by the policy of
    # retention, while no row of the journal ever changes.
    """CREATE TABLE journal_evidence (
        case_id uuid NOT NULL,
        seq integer NOT NULL,
        sealed bytea NOT NULL,
        PRIMARY KEY (case_id, seq)
    )""",
    """INSERT INTO journal_evidence (case_id, seq, sealed)
        SELECT case_id, seq, evidence FROM journal WHERE evidence IS NOT NULL""",
    "ALTER TABLE journal DROP COLUMN evidence",
    # A day's entries lie side by side: a BRIN index finds them and costs an insert nothing.
    "CREATE INDEX journal_at ON journal USING brin (at) WITH (pages_per_range = 32)",
    """CREATE TABLE seals (
        number integer PRIMARY KEY,
        day date NOT NULL UNIQUE,
        body bytea NOT NULL,
        hash bytea NOT NULL,
        signature bytea NOT NULL,
        blocks bytea NOT NULL
    )""",
    """CREATE TABLE seal_leaves (
        number integer NOT NULL,
        place integer NOT NULL,
        case_id uuid NOT NULL,
        since integer NOT NULL,
        seq integer NOT NULL,
        head bytea NOT NULL,
        PRIMARY KEY (number, place)
    )""",
    "CREATE INDEX seal_leaves_of_case ON seal_leaves (case_id, seq)",
    """CREATE TRIGGER seals_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON seals
        FOR EACH STATEMENT EXECUTE FUNCTION journal_is_append_only()""",
    """CREATE TRIGGER seal_leaves_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON seal_leaves
        FOR EACH STATEMENT EXECUTE FUNCTION journal_is_append_only()""",
    """CREATE TABLE vault_keys (
        id smallint PRIMARY KEY,
        canary bytea NOT NULL,
        index_key bytea NOT NULL,
        sealing_since timestamptz
    )""",
    """CREATE TABLE erasures (
        id uuid PRIMARY KEY,
        at timestamptz NOT NULL,
        day date NOT NULL,
        what text NOT NULL,
        days integer NOT NULL,
        rule date NOT NULL,
        erased bigint NOT NULL
    )""",
    "CREATE INDEX erasures_of_day ON erasures (day)",
)


def upgrade() -> None:
    """All in one transaction."""
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    """A ledger of legal evidence is never taken back; restore a backup instead."""
    raise RuntimeError("a migration of the ledger cannot be undone")
