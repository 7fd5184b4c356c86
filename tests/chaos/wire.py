"""SMPP 3.4 as the storm's message centre speaks it: its own few lines, so that it counts for itself
and shares no reading of the standard with the house."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

RESPONSE = 0x80000000
SUBMIT, DELIVER, UNBIND, ENQUIRE = 0x04, 0x05, 0x06, 0x15
BINDS = (0x01, 0x02, 0x09)
UDHI, RECEIPT = 0x40, 0x04
PAYLOAD, REFERENCE = 0x0424, 0x0204  # message_payload, user_message_reference
UCS2 = 8


@dataclass(frozen=True, slots=True)
class Pdu:
    """One PDU, its body unread."""

    command: int
    status: int
    sequence: int
    body: bytes = b""

    def octets(self) -> bytes:
        size = 16 + len(self.body)
        return struct.pack("!IIII", size, self.command, self.status, self.sequence) + self.body


def pdus(buffer: bytearray) -> Iterator[Pdu]:
    """Takes the complete PDUs out of what has been received."""
    while len(buffer) >= 4:
        (size,) = struct.unpack_from("!I", buffer)
        assert 16 <= size <= 100_000, f"a PDU of {size} octets"
        if len(buffer) < size:
            return
        command, status, sequence = struct.unpack_from("!III", buffer, 4)
        yield Pdu(command, status, sequence, bytes(buffer[16:size]))
        del buffer[:size]


@dataclass(frozen=True, slots=True)
class Submit:
    """What matters of a submit_sm (SMPP 3.4, 4.4.1)."""

    phone: str
    esm_class: int
    octets: bytes
    reference: int | None

    @classmethod
    def read(cls, body: bytes) -> Self:
        at = body.index(0) + 3
        at = body.index(0, at) + 3
        end = body.index(0, at)
        phone, at = body[at:end].decode("ascii"), end + 1
        esm_class, at = body[at], at + 3
        for _ in range(2):  # schedule_delivery_time, validity_period
            at = body.index(0, at) + 1
        size = body[at + 4]
        octets, at = body[at + 5 : at + 5 + size], at + 5 + size
        tlvs: dict[int, bytes] = {}
        while at + 4 <= len(body):
            tag, length = struct.unpack_from("!HH", body, at)
            tlvs[tag] = body[at + 4 : at + 4 + length]
            at += 4 + length
        known = int.from_bytes(tlvs[REFERENCE], "big") if REFERENCE in tlvs else None
        return cls(f"+{phone}", esm_class, tlvs.get(PAYLOAD, octets), known)

    @property
    def place(self) -> tuple[int, int, int]:
        """(reference, total, number) of the user data header; (0, 1, 1) without one."""
        if not self.esm_class & UDHI:
            return 0, 1, 1
        if self.octets[1] == 0:
            return self.octets[3], self.octets[4], self.octets[5]
        return int.from_bytes(self.octets[3:5], "big"), self.octets[5], self.octets[6]

    @property
    def text(self) -> str:
        """Without the header. The storm's house writes UCS-2 only, for its people speak Kazakh."""
        start = self.octets[0] + 1 if self.esm_class & UDHI else 0
        return self.octets[start:].decode("utf-16-be", "replace")


def deliver(phone: str, octets: bytes, esm_class: int, data_coding: int) -> bytes:
    """The body of a deliver_sm from a phone to 1414 (SMPP 3.4, 4.6.1)."""
    source = b"\x01\x01" + phone.lstrip("+").encode() + b"\0"
    fixed = bytes((esm_class, 0, 0)) + b"\0\0" + bytes((0, 0, data_coding, 0))
    return b"\0" + source + b"\x03\x001414\0" + fixed + bytes((len(octets),)) + octets


def receipt(smsc_id: str, stat: str) -> bytes:
    """The words of a receipt (SMPP 3.4, Appendix B)."""
    words = (
        f"id:{smsc_id} sub:001 dlvrd:001 submit date:2603021200 done date:2603021201 "
        f"stat:{stat} err:000 text:"
    )
    return words.encode("ascii")
