"""What a gateway counts of each bind, as plain numbers for /metrics."""

from dataclasses import fields
from datetime import datetime

from app.exchange import Exchange
from app.gateway.links import Links
from app.ledger.binds import Counters
from smpp.counters import Counters as LinkCounters


def counted(links: Links, exchange: Exchange, own: dict[str, Counters]) -> dict[str, Counters]:
    """By cid: the link's figures, receipts without a message (`orphan_receipts_count`) or with two
    (`ambiguous_receipts_count`), and what is in `own`. Times are seconds since 1970."""
    return {
        link.bind.cid: {
            **_plain(link.counters),
            "is_bound": int(link.is_bound),
            "in_queue": max(0, 2 * link.bind.window - link.free) if link.is_bound else 0,
            "orphan_receipts_count": exchange.memory.orphans[link.bind.cid],
            "ambiguous_receipts_count": exchange.memory.ambiguous[link.bind.cid],
            **own.get(link.bind.cid, {}),
        }
        for link in links.all()
    }


def _plain(counters: LinkCounters) -> Counters:
    """A table of counts becomes one number an entry, named table.entry."""
    plain: Counters = {}
    for one in fields(counters):
        value = getattr(counters, one.name)
        if isinstance(value, datetime):
            plain[one.name] = value.timestamp()
        elif isinstance(value, dict):
            plain |= {f"{one.name}.{key}": count for key, count in value.items()}
        elif value is not None:
            plain[one.name] = value
    return plain
