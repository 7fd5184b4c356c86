"""What the networks' side of the ledger learned to keep: which networks refused a message and which
one a phone answers on, counters a phone, receipts without ids, binds' counters."""

from alembic import op

revision = "0002"
down_revision = "0001"

STATEMENTS: tuple[str, ...] = (
    # What a gateway counts of its binds, for /metrics.
    "ALTER TABLE binds ADD counters jsonb NOT NULL DEFAULT '{}'",
    # `network` is the one that answered on this phone; `reference` counts its long messages and
    # `segments` all their segments. Rows are changed often and in place.
    "ALTER TABLE subscribers ADD network text, "
    "ADD reference integer NOT NULL DEFAULT 0, ADD segments integer NOT NULL DEFAULT 0",
    "ALTER TABLE subscribers SET (fillfactor = 70)",
    # `refused`: networks that do not know the phone. `doubts`: how often nobody knew whether the
    # message left. `reference` and `umr` (user_message_reference of the first segment) stay the
    # same over all attempts, so that a handset knows a repeated segment.
    "ALTER TABLE outbox ADD refused text[] NOT NULL DEFAULT '{}', "
    "ADD doubts smallint NOT NULL DEFAULT 0, ADD reference integer, ADD umr smallint",
    "ALTER TABLE segments ADD umr smallint, ADD asked smallint NOT NULL DEFAULT 0, "
    "ADD asked_at timestamptz",
    # By phone first: one index finds a receipt's segment by its id and, where ids mean nothing, by
    # its user_message_reference among the few segments of the phone.
    "CREATE INDEX segments_of_phone ON segments (phone_index, smsc_id)",
    "DROP INDEX segments_smsc_id",
    # A receipt keeps all spellings of its id in one row: they are one receipt.
    "ALTER TABLE orphan_receipts ADD ids text[], ADD umr smallint, "
    "ADD cid text NOT NULL DEFAULT ''",
    "UPDATE orphan_receipts SET ids = ARRAY[smsc_id]",
    "ALTER TABLE orphan_receipts ALTER ids SET NOT NULL, DROP COLUMN smsc_id",
    "CREATE INDEX orphan_receipts_of_phone ON orphan_receipts (phone_index)",
    "CREATE INDEX orphan_receipts_age ON orphan_receipts (received_at)",
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
