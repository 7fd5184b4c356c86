"""What was heard: MOs that belong to no case, sealed, and the keys that tell a redelivery."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.ledger.encryption import Vault
from app.ledger.engine import Tx, sql
from app.ledger.ids import new_id
from smpp.messages import Inbound

_HEARD = sql(
    """INSERT INTO heard (id, received_at, network, cid, phone_index, sender, octets,
        data_coding, why)
    VALUES (:id, :received_at, :network, :cid, :phone_index, :sender, :octets, :data_coding,
        :why)"""
)


def mo_key(vault: Vault, message: Inbound) -> bytes:
    """What makes a redelivered MO the same MO: network, both addresses, octets, the handset's
    reference and the segment's place, of USSD its place in the session. Keyed, or a dump would
    tell who wrote "1"."""
    unit = message.ussd
    parts = (
        message.network,
        message.sender,
        message.destination,
        message.raw.hex(),
        str(message.user_message_reference),
        str(message.segment) if unit is None else f"{unit.op} {unit.session.hex()}",
    )
    return vault.index("mo", octets_of("\0".join(parts)).hex())


def octets_of(text: str) -> bytes:
    """Whatever was heard can be kept, half characters too."""
    return text.encode(errors="surrogatepass")


def text_of(octets: bytes) -> str:
    return octets.decode(errors="surrogatepass")


def sender_index(vault: Vault, message: Inbound) -> bytes:
    """The index of who sent it: a phone's, or that of whatever else stood there."""
    return vault.index("phone", message.sender.encode(errors="backslashreplace").decode())


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept of an MO, not yet sealed."""

    received_at: datetime
    network: str
    cid: str
    phone_index: bytes
    sender: bytes
    octets: bytes
    data_coding: int


def keep(tx: Tx, vault: Vault, message: Inbound, why: str) -> UUID:
    """Stores an MO that belongs to no case, sealed, with the reason in one word."""
    return keep_as(
        tx,
        vault,
        Kept(
            message.received_at,
            message.network,
            message.cid,
            sender_index(vault, message),
            octets_of(message.sender),
            message.raw,
            message.data_coding,
        ),
        why,
    )


def keep_as(tx: Tx, vault: Vault, kept: Kept, why: str) -> UUID:
    """Seals and stores what is kept, with the reason in one word."""
    row_id = new_id(kept.received_at)
    tx.write(
        _HEARD,
        {
            "id": row_id,
            "received_at": kept.received_at,
            "network": kept.network,
            "cid": kept.cid,
            "phone_index": kept.phone_index,
            "sender": vault.seal(kept.sender, row_id.bytes),
            "octets": vault.seal(kept.octets, row_id.bytes),
            "data_coding": kept.data_coding,
            "why": why,
        },
    )
    return row_id
