"""Octets to PDUs and back (SMPP 3.4, clauses 3 to 5), for the ESME and the SMSC side alike.

The only door to smpplib: its tables of statuses are used, its reader is not, because it reads a
cut body, an unknown TLV or a string without its NUL as something else. Nothing here knows states.
"""

import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from msgspec import Struct, field
from smpplib import consts

from smpp.tlv import Tag as Tag
from smpp.tlv import pack_tlvs, read_tlvs
from smpp.tlv import tlv_int as tlv_int
from smpp.tlv import tlv_text as tlv_text

INTERFACE_VERSION: Final = consts.SMPP_VERSION_34
HEADER_LENGTH: Final = 16
MAX_LENGTH: Final = 65_536  # no PDU of ours or theirs is longer; more means the framing is lost
RESPONSE: Final = 0x8000_0000  # the bit that tells a response from its order (5.1.2.1)
MAX_SEQUENCE: Final = 0x7FFF_FFFF  # 5.1.4

_HEADER: Final = struct.Struct(">IIII")


class Command(IntEnum):
    """Command ids of SMPP 3.4 (5.1.2.1)."""

    BIND_RECEIVER = 0x0000_0001
    BIND_TRANSMITTER = 0x0000_0002
    QUERY_SM = 0x0000_0003
    SUBMIT_SM = 0x0000_0004
    DELIVER_SM = 0x0000_0005
    UNBIND = 0x0000_0006
    REPLACE_SM = 0x0000_0007
    CANCEL_SM = 0x0000_0008
    BIND_TRANSCEIVER = 0x0000_0009
    OUTBIND = 0x0000_000B
    ENQUIRE_LINK = 0x0000_0015
    SUBMIT_MULTI = 0x0000_0021
    ALERT_NOTIFICATION = 0x0000_0102
    DATA_SM = 0x0000_0103
    GENERIC_NACK = 0x8000_0000
    BIND_RECEIVER_RESP = 0x8000_0001
    BIND_TRANSMITTER_RESP = 0x8000_0002
    QUERY_SM_RESP = 0x8000_0003
    SUBMIT_SM_RESP = 0x8000_0004
    DELIVER_SM_RESP = 0x8000_0005
    UNBIND_RESP = 0x8000_0006
    REPLACE_SM_RESP = 0x8000_0007
    CANCEL_SM_RESP = 0x8000_0008
    BIND_TRANSCEIVER_RESP = 0x8000_0009
    ENQUIRE_LINK_RESP = 0x8000_0015
    SUBMIT_MULTI_RESP = 0x8000_0021
    DATA_SM_RESP = 0x8000_0103


class Status(IntEnum):
    """Statuses of SMPP 3.4 (5.1.3). A network may send others: a PDU's status stays an int."""

    ESME_ROK = consts.SMPP_ESME_ROK
    ESME_RINVMSGLEN = consts.SMPP_ESME_RINVMSGLEN
    ESME_RINVCMDLEN = consts.SMPP_ESME_RINVCMDLEN
    ESME_RINVCMDID = consts.SMPP_ESME_RINVCMDID
    ESME_RINVBNDSTS = consts.SMPP_ESME_RINVBNDSTS
    ESME_RALYBND = consts.SMPP_ESME_RALYBND
    ESME_RINVPRTFLG = consts.SMPP_ESME_RINVPRTFLG
    ESME_RINVREGDLVFLG = consts.SMPP_ESME_RINVREGDLVFLG
    ESME_RSYSERR = consts.SMPP_ESME_RSYSERR
    ESME_RINVSRCADR = consts.SMPP_ESME_RINVSRCADR
    ESME_RINVDSTADR = consts.SMPP_ESME_RINVDSTADR
    ESME_RINVMSGID = consts.SMPP_ESME_RINVMSGID
    ESME_RBINDFAIL = consts.SMPP_ESME_RBINDFAIL
    ESME_RINVPASWD = consts.SMPP_ESME_RINVPASWD
    ESME_RINVSYSID = consts.SMPP_ESME_RINVSYSID
    ESME_RCANCELFAIL = consts.SMPP_ESME_RCANCELFAIL
    ESME_RREPLACEFAIL = consts.SMPP_ESME_RREPLACEFAIL
    ESME_RMSGQFUL = consts.SMPP_ESME_RMSGQFUL
    ESME_RINVSERTYP = consts.SMPP_ESME_RINVSERTYP
    ESME_RINVNUMDESTS = consts.SMPP_ESME_RINVNUMDESTS
    ESME_RINVDLNAME = consts.SMPP_ESME_RINVDLNAME
    ESME_RINVDESTFLAG = consts.SMPP_ESME_RINVDESTFLAG
    ESME_RINVSUBREP = consts.SMPP_ESME_RINVSUBREP
    ESME_RINVESMCLASS = consts.SMPP_ESME_RINVESMCLASS
    ESME_RCNTSUBDL = consts.SMPP_ESME_RCNTSUBDL
    ESME_RSUBMITFAIL = consts.SMPP_ESME_RSUBMITFAIL
    ESME_RINVSRCTON = consts.SMPP_ESME_RINVSRCTON
    ESME_RINVSRCNPI = consts.SMPP_ESME_RINVSRCNPI
    ESME_RINVDSTTON = consts.SMPP_ESME_RINVDSTTON
    ESME_RINVDSTNPI = consts.SMPP_ESME_RINVDSTNPI
    ESME_RINVSYSTYP = consts.SMPP_ESME_RINVSYSTYP
    ESME_RINVREPFLAG = consts.SMPP_ESME_RINVREPFLAG
    ESME_RINVNUMMSGS = consts.SMPP_ESME_RINVNUMMSGS
    ESME_RTHROTTLED = consts.SMPP_ESME_RTHROTTLED
    ESME_RINVSCHED = consts.SMPP_ESME_RINVSCHED
    ESME_RINVEXPIRY = consts.SMPP_ESME_RINVEXPIRY
    ESME_RINVDFTMSGID = consts.SMPP_ESME_RINVDFTMSGID
    ESME_RX_T_APPN = consts.SMPP_ESME_RX_T_APPN
    ESME_RX_P_APPN = consts.SMPP_ESME_RX_P_APPN
    ESME_RX_R_APPN = consts.SMPP_ESME_RX_R_APPN
    ESME_RQUERYFAIL = consts.SMPP_ESME_RQUERYFAIL
    ESME_RINVOPTPARSTREAM = consts.SMPP_ESME_RINVOPTPARSTREAM
    ESME_ROPTPARNOTALLWD = consts.SMPP_ESME_ROPTPARNOTALLWD
    ESME_RINVPARLEN = consts.SMPP_ESME_RINVPARLEN
    ESME_RMISSINGOPTPARAM = consts.SMPP_ESME_RMISSINGOPTPARAM
    ESME_RINVOPTPARAMVAL = consts.SMPP_ESME_RINVOPTPARAMVAL
    ESME_RDELIVERYFAILURE = consts.SMPP_ESME_RDELIVERYFAILURE
    ESME_RUNKNOWNERR = consts.SMPP_ESME_RUNKNOWNERR


class PeerError(Exception):
    """The peer sent what SMPP 3.4 does not allow; `status` is what to answer it with."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status


class Pdu(Struct, frozen=True):
    """One PDU with its header read and its body raw; `command` and `status` may be unknown ones."""

    command: int
    status: int
    sequence: int
    body: bytes = b""


class SmFields(Struct, frozen=True):
    """The fields of submit_sm (4.4.1), deliver_sm (4.6.1) and data_sm (4.7.1).

    `tlvs` maps a tag to its raw value, the last of equal tags; for data_sm the fields that
    it does not have are empty and 0.
    """

    service_type: str = ""
    source_ton: int = 0
    source_npi: int = 0
    source: str = ""
    dest_ton: int = 0
    dest_npi: int = 0
    dest: str = ""
    esm_class: int = 0
    protocol_id: int = 0
    priority: int = 0
    schedule: str = ""
    validity: str = ""
    registered_delivery: int = 0
    replace: int = 0
    data_coding: int = 0
    default_msg: int = 0
    short_message: bytes = b""
    tlvs: dict[int, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class BindFields:
    """The body of bind_transmitter, bind_receiver and bind_transceiver (4.1)."""

    system_id: str
    password: str
    system_type: str = ""
    interface_version: int = INTERFACE_VERSION
    ton: int = 0
    npi: int = 0
    address_range: str = ""


class Frames:
    """Cuts a stream of octets into PDUs, however it was chunked; holds at most one PDU's octets."""

    __slots__ = ("_held", "_wanted")

    def __init__(self) -> None:
        self._held = bytearray()
        self._wanted = HEADER_LENGTH

    def feed(self, data: bytes) -> list[Pdu]:
        """The PDUs that `data` completes. Raises PeerError (ESME_RINVCMDLEN) with the PDUs before
        it lost when a command_length cannot be true; see `feed_into` to keep them."""
        found: list[Pdu] = []
        self.feed_into(found, data)
        return found

    def feed_into(self, found: list[Pdu], data: bytes) -> None:
        """Like `feed`, but what precedes a PeerError is in `found`; the stream ends there."""
        held = self._held
        if held:
            held += data
            if len(held) < self._wanted:
                return
            data = bytes(held)
            held.clear()
        self._wanted = HEADER_LENGTH
        at, end, unpack = 0, len(data), _HEADER.unpack_from
        while end - at >= HEADER_LENGTH:
            length, command, status, sequence = unpack(data, at)
            if not HEADER_LENGTH <= length <= MAX_LENGTH:
                raise PeerError(
                    Status.ESME_RINVCMDLEN, f"command_length {length}, expected 16 to {MAX_LENGTH}"
                )
            if end - at < length:
                self._wanted = length
                break
            found.append(Pdu(command, status, sequence, data[at + HEADER_LENGTH : at + length]))
            at += length
        held += data[at:]


def read_sm(pdu: Pdu) -> SmFields:
    """The fields of a submit_sm or deliver_sm. Raises PeerError when the body is cut anywhere."""
    body = pdu.body
    try:
        service_end = body.index(0)
        source_at = service_end + 3
        source_end = body.index(0, source_at)
        dest_at = source_end + 3
        dest_end = body.index(0, dest_at)
        schedule_at = dest_end + 4
        schedule_end = body.index(0, schedule_at)
        validity_end = body.index(0, schedule_end + 1)
        text_at = validity_end + 6
        text_end = text_at + body[text_at - 1]
    except (ValueError, IndexError):
        raise _cut() from None
    if text_end > len(body):
        raise PeerError(Status.ESME_RINVMSGLEN, "sm_length runs past the end of the PDU")
    if service_end > 16 or source_end - source_at > 64 or dest_end - dest_at > 64:
        raise PeerError(Status.ESME_RINVPARLEN, "a service_type or address without its end")
    if schedule_end - schedule_at > 16 or validity_end - schedule_end > 17:
        raise PeerError(Status.ESME_RINVPARLEN, "a time without its end")
    return SmFields(
        body[:service_end].decode("latin-1"),
        body[service_end + 1],
        body[service_end + 2],
        body[source_at:source_end].decode("latin-1"),
        body[source_end + 1],
        body[source_end + 2],
        body[dest_at:dest_end].decode("latin-1"),
        body[dest_end + 1],
        body[dest_end + 2],
        body[dest_end + 3],
        body[schedule_at:schedule_end].decode("latin-1"),
        body[schedule_end + 1 : validity_end].decode("latin-1"),
        body[validity_end + 1],
        body[validity_end + 2],
        body[validity_end + 3],
        body[validity_end + 4],
        body[text_at:text_end],
        _tlvs(body, text_end),
    )


def read_data_sm(pdu: Pdu) -> SmFields:
    """The fields of a data_sm. Raises PeerError when the body is cut anywhere."""
    body = pdu.body
    try:
        service_end = body.index(0)
        source_at = service_end + 3
        source_end = body.index(0, source_at)
        dest_at = source_end + 3
        dest_end = body.index(0, dest_at)
        data_coding = body[dest_end + 3]
    except (ValueError, IndexError):
        raise _cut() from None
    if service_end > 16 or source_end - source_at > 64 or dest_end - dest_at > 64:
        raise PeerError(Status.ESME_RINVPARLEN, "a service_type or address without its end")
    return SmFields(
        service_type=body[:service_end].decode("latin-1"),
        source_ton=body[service_end + 1],
        source_npi=body[service_end + 2],
        source=body[source_at:source_end].decode("latin-1"),
        dest_ton=body[source_end + 1],
        dest_npi=body[source_end + 2],
        dest=body[dest_at:dest_end].decode("latin-1"),
        esm_class=body[dest_end + 1],
        registered_delivery=body[dest_end + 2],
        data_coding=data_coding,
        tlvs=_tlvs(body, dest_end + 4),
    )


def read_bind(pdu: Pdu) -> BindFields:
    """The fields of any of the three binds. Raises PeerError when the body is cut anywhere."""
    body = pdu.body
    try:
        system_end = body.index(0)
        password_end = body.index(0, system_end + 1)
        type_end = body.index(0, password_end + 1)
        range_at = type_end + 4
        range_end = body.index(0, range_at)
    except ValueError:
        raise _cut() from None
    return BindFields(
        system_id=body[:system_end].decode("latin-1"),
        password=body[system_end + 1 : password_end].decode("latin-1"),
        system_type=body[password_end + 1 : type_end].decode("latin-1"),
        interface_version=body[type_end + 1],
        ton=body[type_end + 2],
        npi=body[type_end + 3],
        address_range=body[range_at:range_end].decode("latin-1"),
    )


def read_c_string_resp(pdu: Pdu) -> str:
    """The one string of a response: the message_id of submit_sm_resp and data_sm_resp, the
    system_id of a bind's. An absent body, usual beside an error, is ""; a missing NUL is no harm,
    and more than 255 octets are no string."""
    text = pdu.body.partition(b"\0")[0]
    return text.decode("latin-1") if len(text) <= 255 else ""


def describe(status: int) -> str:
    """A status in words, "ESME_RTHROTTLED (0x58): Throttling error ..."."""
    try:
        name = Status(status).name
    except ValueError:
        return f"0x{status:02x}: a status of the network's own"
    return f"{name} (0x{status:02x}): {consts.DESCRIPTIONS[status]}"


def pack(command: int, sequence: int, status: int = 0, body: bytes = b"") -> bytes:
    """One PDU with any body."""
    return _HEADER.pack(HEADER_LENGTH + len(body), command, status, sequence) + body


def pack_sm(command: int, sequence: int, fields: SmFields, status: int = 0) -> bytes:
    """A submit_sm, deliver_sm or, when `command` says so, data_sm. Raises ValueError for strings
    that are not ASCII or hold a NUL, for numbers over an octet and short_message over 254."""
    f = fields
    head = b"%b\0%c%c%b\0%c%c%b\0%c" % (
        _ascii(f.service_type),
        *(f.source_ton, f.source_npi, _ascii(f.source)),
        *(f.dest_ton, f.dest_npi, _ascii(f.dest)),
        f.esm_class,
    )
    if command == Command.DATA_SM:
        body = b"%b%c%c" % (head, f.registered_delivery, f.data_coding)
    else:
        if len(f.short_message) > 254:
            raise ValueError(f"short_message of {len(f.short_message)} octets, at most 254")
        body = b"%b%c%c%b\0%b\0%c%c%c%c%c%b" % (
            *(head, f.protocol_id, f.priority, _ascii(f.schedule), _ascii(f.validity)),
            *(f.registered_delivery, f.replace, f.data_coding, f.default_msg),
            *(len(f.short_message), f.short_message),
        )
    if f.tlvs:
        body += pack_tlvs(f.tlvs)
    return _HEADER.pack(HEADER_LENGTH + len(body), command, status, sequence) + body


def pack_bind(command: int, sequence: int, fields: BindFields) -> bytes:
    """One of the three binds. Raises ValueError for strings that are not ASCII or hold a NUL."""
    body = b"%b\0%b\0%b\0%c%c%c%b\0" % (
        *(_ascii(fields.system_id), _ascii(fields.password), _ascii(fields.system_type)),
        *(fields.interface_version, fields.ton, fields.npi, _ascii(fields.address_range)),
    )
    return pack(command, sequence, 0, body)


def pack_resp(command: int, sequence: int, status: int = 0, message_id: str | None = None) -> bytes:
    """A response; `message_id` (a bind response's system_id too) is its body, None for no body.
    deliver_sm_resp and data_sm_resp always have one: pass ""."""
    body = b"" if message_id is None else _ascii(message_id) + b"\0"
    return _HEADER.pack(HEADER_LENGTH + len(body), command, status, sequence) + body


def _tlvs(body: bytes, at: int) -> dict[int, bytes]:
    if at == len(body):
        return {}
    try:
        return read_tlvs(body, at)
    except ValueError as cut:
        raise PeerError(Status.ESME_RINVOPTPARSTREAM, str(cut)) from None


def _cut() -> PeerError:
    return PeerError(Status.ESME_RINVCMDLEN, "the body is cut in its mandatory fields")


def _ascii(text: str) -> bytes:
    if "\0" in text:
        raise ValueError("a NUL inside a C-octet string")
    return text.encode("ascii")
