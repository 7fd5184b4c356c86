"""Which offers are open: one of a service to a recipient (155/НҚ, clause 4), as a table of its own.

A condition of an index of offers would be touched as each of them ends, and with it every index
they have; a row here is taken as one is made and given back with its outcome.
"""

from collections.abc import Sequence
from uuid import UUID

from app.ledger.engine import Asked, Tx, sql
from app.proactive.rules import OPEN, State

Place = tuple[UUID, UUID, str]
"""Offer, recipient, service."""

_TAKE = sql(
    """INSERT INTO open_offers (offer_id, recipient_id, service)
    SELECT * FROM unnest(CAST(:offers AS uuid[]), CAST(:recipients AS uuid[]),
        CAST(:services AS text[])) AS t (offer_id, recipient_id, service)
    ORDER BY recipient_id, service
    ON CONFLICT DO NOTHING RETURNING offer_id"""
)
# By index, never joined: a table that is not known yet would be read in whole.
_GIVE_BACK = sql(
    """DELETE FROM open_offers WHERE recipient_id = ANY(CAST(:recipients AS uuid[]))
      AND offer_id = ANY(CAST(:offers AS uuid[]))"""
)
_OF = sql(
    """SELECT offer_id, recipient_id, service FROM open_offers
    WHERE recipient_id = ANY(CAST(:recipients AS uuid[]))"""
)


def take(tx: Tx, places: Sequence[Place]) -> Asked:
    """For offers about to be made; answers with the ids of those that are the only ones."""
    offers, recipients, services = map(list, zip(*places, strict=True))
    values = {"offers": offers, "recipients": recipients, "services": services}
    return tx.ask(_TAKE, values)


def give_back(tx: Tx, places: Sequence[Place]) -> None:
    """These offers are open no longer."""
    if places:
        offers, recipients, _ = zip(*places, strict=True)
        tx.write(_GIVE_BACK, {"offers": list(offers), "recipients": list(recipients)})


def ends(before: State, after: State) -> bool:
    """Whether an offer gave up its place by such a change."""
    return before in OPEN and after not in OPEN


def pairs(tx: Tx, recipients: Sequence[UUID]) -> set[tuple[UUID, str]]:
    """(recipient, service) pairs with an open offer."""
    return {(r.recipient_id, r.service) for r in tx.execute(_OF, {"recipients": list(recipients)})}


def of(tx: Tx, recipients: Sequence[UUID]) -> list[UUID]:
    """The open offers of these recipients."""
    return [r.offer_id for r in tx.execute(_OF, {"recipients": list(recipients)})]
