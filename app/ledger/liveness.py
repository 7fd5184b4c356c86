"""Which gateways live: each holds an advisory lock as long as its process has a connection, so that
what a killed one had claimed can be taken over at once, without waiting for a time to pass."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from uuid import UUID

from app.ledger.doubts import claimed_by_others
from app.ledger.engine import Ledger, Tx, sql
from app.ledger.failures import FAILURES

_ALIVE = sql("SELECT 1")
_HOLD = sql("SELECT pg_advisory_lock(1414, hashtext(:gateway))")
_TRY = sql("SELECT pg_try_advisory_lock(1414, hashtext(:gateway))")
_LET_GO = sql("SELECT pg_advisory_unlock(1414, hashtext(:gateway))")


@dataclass(slots=True)
class Holder:
    """Keeps the connection on which a gateway's lock lives; None once it was lost."""

    ledger: Ledger
    gateway: UUID
    tx: Tx | None

    def renew(self) -> bool:
        """Takes the lock again if its connection was lost, as in a restart of PostgreSQL; True
        where it had to. Raises what the ledger raises, and is then to be asked again."""
        if self.tx is not None:
            try:
                self.tx.execute(_ALIVE)
            except FAILURES:
                # A connection that failed refuses everything from then on.
                lost, self.tx = self.tx, None
                with suppress(*FAILURES):
                    lost.close()
            else:
                return False
        self.tx = _locked(self.ledger, self.gateway)
        return True

    def release(self) -> None:
        """Ends the gateway's life in the eyes of others."""
        if self.tx is not None:
            self.tx.close()


def hold(ledger: Ledger, gateway: UUID) -> Holder:
    """Takes the gateway's lock for as long as its connection lives."""
    return Holder(ledger, gateway, _locked(ledger, gateway))


def _locked(ledger: Ledger, gateway: UUID) -> Tx:
    tx = ledger.apart()
    try:
        tx.write(_HOLD, {"gateway": str(gateway)})
    except BaseException:
        tx.close()
        raise
    return tx


def dead(ledger: Ledger, gateway: UUID, known: Sequence[UUID] = ()) -> Sequence[UUID]:
    """Gateways that hold claims, or are `known` otherwise, and whose lock is free."""
    with ledger.alone() as tx:
        gone: list[UUID] = []
        for other in sorted({*claimed_by_others(tx, gateway), *known} - {gateway}):
            if tx.execute(_TRY, {"gateway": str(other)}).scalar_one():
                tx.write(_LET_GO, {"gateway": str(other)})
                gone.append(other)
        return gone
