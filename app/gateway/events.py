"""One log line a message event, its content hidden: SMS-MT, SMS-MO, DLR, USSD.

A busy gateway writes thousands a second, so a batch's lines are made and written at once, and none
is made where nobody reads them. They name messages and never people.
"""

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from uuid import UUID

from app import logs
from smpp.messages import Heard, Inbound, Receipt, SubmitResult

# What looks like a phone in an id that a network made.
_PHONE = re.compile(r"(?<!\d)[78]\d{10}(?!\d)")

Line = Mapping[str, object]


def tell(items: Sequence[Heard], receipts_of: Sequence[UUID | None]) -> None:
    """Writes the lines of a batch that has been committed; `receipts_of` are the messages that
    its receipts are about, in their order, None where there is none."""
    if not logs.tells_messages():
        return
    of = iter(receipts_of)
    with suppress(Exception):  # what is committed must not be refused for want of a line
        logs.tell_messages(
            [
                _line(item, next(of, None) if isinstance(item, Receipt) else None)
                for item in items
                if isinstance(item, SubmitResult | Inbound | Receipt)
            ]
        )


def _line(item: SubmitResult | Inbound | Receipt, message_id: UUID | None) -> Line:
    match item:
        case SubmitResult():
            is_ussd = item.message_id.startswith("ussd:")
            return {
                "timestamp": item.at,
                "event": "USSD" if is_ussd else "SMS-MT",
                "cid": item.cid,
                "id": item.message_id,
                "smsc_id": _shown(item.smsc_id),
                "status": item.status,
                "segment": item.segment,
                "segments": item.total,
                "outcome": item.outcome,
            }
        case Inbound():
            segment = item.segment
            return {
                "timestamp": item.received_at,
                "event": "SMS-MO" if item.ussd is None else "USSD",
                "cid": item.cid,
                "octets": len(item.raw),
                "data_coding": item.data_coding,
                "segment": segment.number if segment else 1,
                "segments": segment.total if segment else 1,
                "outcome": "committed",
            }
        case Receipt():
            return {
                "timestamp": item.received_at,
                "event": "DLR",
                "cid": item.cid,
                "id": message_id,
                "smsc_id": _shown(item.message_ids[0] if item.message_ids else ""),
                "status": item.state,
                "error": item.error,
                "outcome": "matched" if message_id else "orphan",
            }


def _shown(smsc_id: str) -> str:
    return _PHONE.sub(logs.MASK, smsc_id)
