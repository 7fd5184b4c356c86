"""The deliver_sm of the simulator: what handsets send, and receipts as Appendix B words them.

Pure. Nothing here is used towards a real network.
"""

from datetime import datetime
from typing import Final

from msgspec.structs import replace

from smpp import ussd
from smpp.handsets import Handset
from smpp.messages import ReceiptState, Ussd
from smpp.pdu import SmFields
from smpp.text import Segment
from smpp.tlv import Tag

_RECEIPT: Final = 0x04  # esm_class
_STATES: Final = {state: bytes((number,)) for number, state in enumerate(ReceiptState, 1)}


def message(handset: Handset, short_code: str, segment: Segment) -> SmFields:
    """One segment of an MO message; its user_message_reference is the handset's TP-MR."""
    reference = handset.next_reference().to_bytes(2, "big")
    return replace(
        _from(handset, short_code),
        esm_class=segment.esm_class,
        data_coding=segment.data_coding,
        short_message=segment.short_message,
        tlvs={Tag.USER_MESSAGE_REFERENCE: reference},
    )


def receipt(handset: Handset, sent: SmFields, id: str, at: datetime) -> SmFields:
    """The receipt for a submitted segment, by its handset's behaviour; dates in UTC, to the
    minute, as most networks have them."""
    state = handset.behaviour.state
    arrived = state is ReceiptState.DELIVRD
    words = (
        f"id:{id} sub:001 dlvrd:{arrived:03} submit date:{at:%y%m%d%H%M} "
        f"done date:{at:%y%m%d%H%M} stat:{state} err:{not arrived:03} text:"
    )
    tlvs: dict[int, bytes] = {
        Tag.RECEIPTED_MESSAGE_ID: id.encode() + b"\0",
        Tag.MESSAGE_STATE: _STATES[state],
    }
    if Tag.USER_MESSAGE_REFERENCE in sent.tlvs:
        tlvs[Tag.USER_MESSAGE_REFERENCE] = sent.tlvs[Tag.USER_MESSAGE_REFERENCE]
    return replace(
        _from(handset, sent.source, sent.source_ton),
        esm_class=_RECEIPT,
        short_message=words.encode(),
        tlvs=tlvs,
    )


def ussd_unit(handset: Handset, short_code: str, op: int, written: str) -> SmFields:
    """One unit of the handset's open USSD session. The session is named in its_session_info and,
    for gateways of the other kind, in user_message_reference."""
    coding, octets = ussd.encode(written)
    session = handset.next_unit()
    reference = {Tag.USER_MESSAGE_REFERENCE: bytes((0, session[0]))}
    return replace(
        _from(handset, short_code),
        service_type="USSD",
        data_coding=coding,
        short_message=octets,
        tlvs=ussd.tlvs(Ussd(op, session)) | reference,
    )


def _from(handset: Handset, short_code: str, dest_ton: int = 3) -> SmFields:
    return SmFields(
        source_ton=1,
        source_npi=1,
        source=handset.phone.removeprefix("+"),
        dest_ton=dest_ton,
        dest=short_code,
    )
