"""What a deliver_sm or data_sm is: a receipt or a message, in the words of smpp.messages.

Pure. It never refuses: what cannot be read goes on with its octets and no text, because a
message that is refused for being strange is lost or comes again for ever.
"""

import logging
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from smpp import addresses, receipts, text, ussd
from smpp.binds import Bind
from smpp.events import Delivered
from smpp.messages import Acknowledgement, Inbound, Receipt
from smpp.pdu import SmFields
from smpp.tlv import Tag, reference_of

_log: Final = logging.getLogger(__name__)

_SHORTEST_PHONE: Final = 8  # digits; what is shorter is a short code


@dataclass(frozen=True, slots=True)
class Arrival:
    """By which bind and connection something came, and when."""

    bind: Bind
    connection: int
    at: datetime


def read(delivered: Delivered, arrival: Arrival) -> Inbound | Receipt:
    """The receipt or the message that a PDU holds, with what is needed to acknowledge it."""
    bind = arrival.bind
    ack = Acknowledgement(bind.cid, arrival.connection, delivered.sequence, delivered.command)
    try:
        return _receipt(delivered.fields, arrival, ack) or _message(delivered.fields, arrival, ack)
    except Exception as error:  # a fault of ours must not cost the message nor block the bind
        _log.error("%s: a PDU could not be read: %s", bind.cid, type(error).__name__)
        return _octets(delivered.fields, arrival, ack)


def sender(fields: SmFields) -> tuple[str, bool]:
    """The sender as E.164 with "+" where that is certain, else as received; and whether it is a
    phone, which a name or a short code is not."""
    found = addresses.phone(fields.source, fields.source_ton)
    if found is not None:
        return found, True
    digits = fields.source.removeprefix("+")
    if fields.source_ton == addresses.ALPHANUMERIC or len(digits) < _SHORTEST_PHONE:
        return fields.source, False
    if not (digits.isascii() and digits.isdecimal()):
        return fields.source, False
    certain = fields.source_ton == addresses.INTERNATIONAL
    return (f"+{digits}" if certain else fields.source), True


def _receipt(fields: SmFields, arrival: Arrival, ack: Acknowledgement) -> Receipt | None:
    parsed = receipts.read(fields, arrival.bind)
    if parsed is None:
        return None
    return Receipt(
        cid=arrival.bind.cid,
        network=arrival.bind.network,
        phone=parsed.phone,
        message_ids=parsed.message_ids,
        state=parsed.state,
        error=parsed.error,
        done_at=parsed.done_at,
        received_at=arrival.at,
        acknowledgement=ack,
        user_message_reference=parsed.user_message_reference,
    )


def _message(fields: SmFields, arrival: Arrival, ack: Acknowledgement) -> Inbound:
    parsed = text.read_inbound(fields, arrival.bind)
    phone, from_phone = sender(fields)
    return Inbound(
        cid=arrival.bind.cid,
        network=arrival.bind.network,
        sender=phone,
        destination=fields.dest,
        text=parsed.text,
        raw=parsed.raw,
        data_coding=parsed.data_coding,
        received_at=arrival.at,
        acknowledgement=ack,
        segment=parsed.segment,
        ussd=ussd.read(fields, arrival.bind.ussd),
        user_message_reference=reference_of(fields.tlvs),
        from_phone=from_phone,
    )


def _octets(fields: SmFields, arrival: Arrival, ack: Acknowledgement) -> Inbound:
    phone, from_phone = sender(fields)
    return Inbound(
        cid=arrival.bind.cid,
        network=arrival.bind.network,
        sender=phone,
        destination=fields.dest,
        text=None,
        raw=fields.short_message or fields.tlvs.get(Tag.MESSAGE_PAYLOAD, b""),
        data_coding=fields.data_coding,
        received_at=arrival.at,
        acknowledgement=ack,
        from_phone=from_phone,
    )
