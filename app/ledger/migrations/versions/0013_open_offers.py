"""Which offers are open stands in a table of its own: the end of one touched every index of offers.
Pages of offers are filled so far that all of one page are sent, received and answered in place.
"""

from alembic import op

revision = "0013"
down_revision = "0012"

STATEMENTS: tuple[str, ...] = (
    # An offer that ends meanwhile, by a process that was left running, would keep its place.
    "LOCK TABLE offers IN ACCESS EXCLUSIVE MODE",
    """CREATE TABLE open_offers (
        recipient_id uuid NOT NULL,
        service text NOT NULL,
        offer_id uuid NOT NULL,
        PRIMARY KEY (recipient_id, service)
    )""",
    """INSERT INTO open_offers (recipient_id, service, offer_id)
    SELECT recipient_id, service, id FROM offers WHERE is_open""",
    "DROP INDEX offers_one_open",
    "ALTER TABLE offers DROP COLUMN is_open",
    "ALTER TABLE offers SET (fillfactor = 45)",
)


def upgrade() -> None:
    """All in one transaction."""
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    """A ledger of legal evidence is never taken back; restore a backup instead."""
    raise RuntimeError("a migration of the ledger cannot be undone")
