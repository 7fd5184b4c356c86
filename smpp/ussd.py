"""USSD over SMPP: the operations of a session and what one screen holds (5.3.2.43 and 5.3.2.44).

Pure; it keeps no sessions. A screen is one PDU: never concatenated, never sent again.
"""

from typing import Final

from smpp import gsm
from smpp.messages import Ussd, UssdOp
from smpp.pdu import SmFields
from smpp.tlv import Tag, tlv_int

MAX_SEPTETS: Final = 182
MAX_UCS2: Final = 80  # code units in the same 160 octets
CBS_GSM7: Final = 0x0F  # cell broadcast codings (3GPP TS 23.038, 5), which USSD is defined with
CBS_UCS2: Final = 0x48
FIRST_VENDOR_OP: Final = 32

_END: Final = 0x01  # octet 2 of its_session_info
_LAST: Final[dict[int, UssdOp]] = {
    UssdOp.PSSD_INDICATION: UssdOp.PSSD_RESPONSE,
    UssdOp.USSN_CONFIRM: UssdOp.USSN_REQUEST,
}


def read(fields: SmFields) -> Ussd | None:
    """The USSD side of a PDU, or None where it has no ussd_service_op. An operation from 32 up is
    a vendor's word for a session that is over, whatever its session octets say."""
    value = fields.tlvs.get(Tag.USSD_SERVICE_OP)
    if not value:
        return None
    op = tlv_int(value)
    session = fields.tlvs.get(Tag.ITS_SESSION_INFO, b"")
    ends = op >= FIRST_VENDOR_OP or (len(session) == 2 and bool(session[1] & _END))
    return Ussd(op, session, ends)


def tlvs(ussd: Ussd) -> dict[int, bytes]:
    """The TLVs of a PDU: the end bit follows `ends` where the session octets have one."""
    made: dict[int, bytes] = {Tag.USSD_SERVICE_OP: bytes((ussd.op,))}
    session = ussd.session
    if len(session) == 2:
        session = bytes((session[0], (session[1] & ~_END) | (_END if ussd.ends else 0)))
    if session:
        made[Tag.ITS_SESSION_INFO] = session
    return made


def answer_op(incoming: Ussd, last: bool) -> Ussd:
    """How to answer: USSR request asks on; the last screen is a PSSR response with the end bit,
    for gateways heed one or the other. Raises ValueError in a session that is over."""
    if incoming.ends:
        raise ValueError(f"USSD operation {incoming.op} ended the session: nothing can be answered")
    if not last:
        return Ussd(UssdOp.USSR_REQUEST, incoming.session)
    op = _LAST.get(incoming.op, UssdOp.PSSR_RESPONSE)
    return Ussd(op, incoming.session, ends=True)


def fits(text: str) -> bool:
    """Whether a text is one screen: 182 septets, or 80 UCS-2 code units."""
    if gsm.is_plain(text):
        return len(text) <= MAX_SEPTETS
    return len(text.encode("utf-16-be")) <= 2 * MAX_UCS2


def encode(text: str) -> tuple[int, bytes]:
    """data_coding and octets of a screen. Raises ValueError for a text that does not fit one."""
    if not fits(text):
        raise ValueError(f"a screen of {len(text)} characters does not fit one USSD message")
    if gsm.is_plain(text):
        return CBS_GSM7, gsm.encode(text)
    return CBS_UCS2, text.encode("utf-16-be")
