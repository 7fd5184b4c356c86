"""A message to submit, as the fields of its submit_sm or data_sm: segments, references, validity.

Pure. What a bind declares about its network's ways is applied here and nowhere else.
"""

from functools import lru_cache
from typing import Final

from smpp import text, ussd
from smpp.binds import Bind
from smpp.messages import Outbound, Ussd, segment_reference
from smpp.pdu import Command, SmFields
from smpp.tlv import Tag

_REFERENCE: Final = Tag.USER_MESSAGE_REFERENCE
_REFERENCES: Final = [number.to_bytes(2, "big") for number in range(256)]
_APART: Final = 8  # references between the messages of one recipient


def cut(bind: Bind, out: Outbound) -> list[SmFields]:
    """The fields of a message's segments, in order; USSD is one screen in one PDU. Raises
    ValueError for a text that is too long."""
    if out.ussd is not None:
        return [_screen(bind, out, out.ussd)]
    base = out.user_message_reference
    if base is None:
        base = out.reference * _APART
    has_tlvs = bind.interface_version != "3.3"
    receipt = int(out.wants_receipt and bind.receipts)
    validity = relative(out.validity_s, bind.validity_period)
    return [
        SmFields(
            source_ton=bind.source_addr_ton,
            source_npi=bind.source_addr_npi,
            source=bind.source_addr,
            dest_ton=bind.dest_addr_ton,
            dest_npi=bind.dest_addr_npi,
            dest=out.phone.removeprefix("+"),
            esm_class=piece.esm_class,
            validity=validity,
            registered_delivery=receipt,
            data_coding=piece.data_coding,
            short_message=piece.short_message,
            tlvs={
                _REFERENCE: _REFERENCES[segment_reference(base, number)],
                **piece.tlvs,
            }
            if has_tlvs
            else {},
        )
        for number, piece in enumerate(text.segments(out.text, out.reference, bind.long_message), 1)
    ]


def command(bind: Bind, out: Outbound) -> Command:
    """The PDU that a message goes out in: data_sm only for a USSD gateway that wants it."""
    if out.ussd is not None and bind.ussd is not None and bind.ussd.pdu == "data_sm":
        return Command.DATA_SM
    return Command.SUBMIT_SM


@lru_cache(maxsize=256)
def relative(validity_s: int, most_s: int) -> str:
    """A relative validity_period (7.1.1.2), "000001000000000R" for a day; `most_s` where
    `validity_s` is 0 or more than that."""
    seconds = min(validity_s, most_s) if validity_s > 0 else most_s
    days, seconds = divmod(seconds, 86_400)
    months, days = divmod(days, 30)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"00{months:02}{days:02}{hours:02}{minutes:02}{seconds:02}000R"


def _screen(bind: Bind, out: Outbound, screen: Ussd) -> SmFields:
    """Without a receipt, for a session waits for none, and with the session's own marks."""
    access = bind.ussd
    family = access.data_coding if access is not None else "auto"
    coding, octets = ussd.encode(out.text, family, screen.data_coding)
    tlvs = ussd.tlvs(screen, access)
    references = (out.user_message_reference, screen.user_message_reference, out.reference or None)
    reference = next((one for one in references if one is not None), None)
    if reference is not None:
        tlvs[Tag.USER_MESSAGE_REFERENCE] = (reference & 0xFFFF).to_bytes(2, "big")
    by_data_sm = command(bind, out) is Command.DATA_SM
    if by_data_sm:
        tlvs[Tag.MESSAGE_PAYLOAD] = octets
    return SmFields(
        source_ton=bind.source_addr_ton,
        source_npi=bind.source_addr_npi,
        source=access.service_code if access is not None else bind.source_addr,
        dest_ton=bind.dest_addr_ton,
        dest_npi=bind.dest_addr_npi,
        dest=out.phone.removeprefix("+"),
        data_coding=coding,
        short_message=b"" if by_data_sm else octets,
        tlvs=tlvs,
    )
