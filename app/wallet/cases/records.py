"""Whose a case of the wallet is."""

from uuid import UUID

from app.ledger.engine import Tx, sql

_IS_CASE = sql(
    """SELECT EXISTS (
        SELECT FROM wallet_notices WHERE id = :id
            AND (CAST(:provider AS text) IS NULL OR provider = :provider)
        UNION ALL SELECT FROM wallet_consents WHERE id = :id
            AND (CAST(:provider AS text) IS NULL OR provider = :provider)
        UNION ALL SELECT FROM wallet_grants WHERE id = :id
            AND (CAST(:provider AS text) IS NULL OR owner = :provider)
        UNION ALL SELECT FROM wallet_closings WHERE id = :id
            AND (CAST(:provider AS text) IS NULL OR owner = :provider))"""
)


def is_case_of(tx: Tx, case_id: UUID, provider: str | None) -> bool:
    """Whether there is such a case of the wallet, of that provider (None: of anyone)."""
    return bool(tx.execute(_IS_CASE, {"id": case_id, "provider": provider}).scalar_one())
