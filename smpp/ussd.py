"""USSD over SMPP: the operations of a session and what one screen holds (5.3.2.43 and 5.3.2.44).

Pure; it keeps no sessions. A screen is one PDU: never concatenated, never sent again. An answer
is `answer_op` of what came, sent as `Outbound.ussd`.
"""

from collections.abc import Mapping
from typing import Final

from msgspec.structs import replace

from smpp import gsm
from smpp.binds import BindUssd, UssdCoding
from smpp.messages import Ussd, UssdOp
from smpp.pdu import SmFields
from smpp.tlv import Tag, reference_of, tlv_int

MAX_SEPTETS: Final = 182
MAX_UCS2: Final = 80  # code units in the same 160 octets
CBS_GSM7: Final = 0x0F  # cell broadcast codings (3GPP TS 23.038, 5), which USSD is defined with
CBS_UCS2: Final = 0x48
SMS_GSM7: Final = 0x00  # data_coding of short messages (SMPP 3.4, 5.2.19)
SMS_UCS2: Final = 0x08
FIRST_VENDOR_OP: Final = 32

_SMS_CODINGS: Final = (0, 1, 3, 8)  # what a gateway that knows no cell broadcast codings sends
_END: Final = 0x01  # octet 2 of its_session_info
_LAST: Final[dict[int, UssdOp]] = {
    UssdOp.PSSD_INDICATION: UssdOp.PSSD_RESPONSE,
    UssdOp.USSN_CONFIRM: UssdOp.USSN_REQUEST,
}


def read(fields: SmFields, access: BindUssd | None = None) -> Ussd | None:
    """The USSD side of a PDU, or None where it has no ussd_service_op. A number from 32 up that
    the bind does not name is a vendor's word for a session that is over, whatever else it says."""
    value = fields.tlvs.get(Tag.USSD_SERVICE_OP)
    if not value or len(value) > 4:
        return None
    sent = tlv_int(value)
    op = sent if access is None else _meant(sent, access.ops)
    session = fields.tlvs.get(_session_tag(access), b"")
    ends = op >= FIRST_VENDOR_OP or (len(session) == 2 and bool(session[1] & _END))
    return Ussd(op, session, ends, reference_of(fields.tlvs), fields.data_coding)


def tlvs(ussd: Ussd, access: BindUssd | None = None) -> dict[int, bytes]:
    """The TLVs of a PDU: the end bit follows `ends` where the session octets have one."""
    op = ussd.op
    if access is not None and access.ops and op in _NAMES:
        op = access.ops.get(_NAMES[op], op)
    made: dict[int, bytes] = {Tag.USSD_SERVICE_OP: bytes((op,))}
    session = ussd.session
    if len(session) == 2:
        session = bytes((session[0], (session[1] & ~_END) | (_END if ussd.ends else 0)))
    if session:
        made[_session_tag(access)] = session
    return made


def answer_op(incoming: Ussd, last: bool) -> Ussd:
    """How to answer, with all that ties the answer to its session: USSR request asks on; the last
    screen is a PSSR response with the end bit, for gateways heed one or the other. Raises
    ValueError in a session that is over."""
    if incoming.ends:
        raise ValueError(f"USSD operation {incoming.op} ended the session: nothing can be answered")
    op = _LAST.get(incoming.op, UssdOp.PSSR_RESPONSE) if last else UssdOp.USSR_REQUEST
    return replace(incoming, op=op, ends=last)


def fits(text: str) -> bool:
    """Whether a text is one screen: 182 septets, or 80 UCS-2 code units."""
    if gsm.is_plain(text):
        return len(text) <= MAX_SEPTETS
    return len(text.encode("utf-16-be")) <= 2 * MAX_UCS2


def encode(text: str, family: UssdCoding = "cbs", coding: int | None = None) -> tuple[int, bytes]:
    """data_coding and octets of a screen; "auto" follows the `coding` of the PDU it answers.
    Raises ValueError for a text that does not fit one."""
    if not fits(text):
        raise ValueError(f"a screen of {len(text)} characters does not fit one USSD message")
    by_sms = family == "sms" or (family == "auto" and coding in _SMS_CODINGS)
    if gsm.is_plain(text):
        return (SMS_GSM7 if by_sms else CBS_GSM7), gsm.encode(text)
    return (SMS_UCS2 if by_sms else CBS_UCS2), text.encode("utf-16-be")


def _meant(sent: int, ops: Mapping[str, int]) -> int:
    return next((UssdOp[name.upper()] for name, number in ops.items() if number == sent), sent)


def _session_tag(access: BindUssd | None) -> int:
    return Tag.ITS_SESSION_INFO if access is None else access.session_tlv


_NAMES: Final = {int(op): op.name.lower() for op in UssdOp}
