"""What a session tells its link: the bind's fate, deliveries, answers, the end.

Pure data, in the words of SMPP; smpp.incoming and the link turn it into those of smpp.messages.
"""

from dataclasses import dataclass

from smpp.pdu import SmFields
from smpp.query import QueryAnswer


@dataclass(frozen=True, slots=True)
class Bound:
    """The SMSC accepted the bind and gave its own system_id, which may be empty, and perhaps the
    version of SMPP that it speaks (sc_interface_version), 0x34 for 3.4."""

    system_id: str
    interface_version: int | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """The SMSC refused the bind; `reason` is in words."""

    status: int
    reason: str


@dataclass(frozen=True, slots=True)
class Delivered:
    """A deliver_sm or data_sm that must be answered by `Session.acknowledge`."""

    command: int
    sequence: int
    fields: SmFields


@dataclass(frozen=True, slots=True)
class Answered:
    """The response to a submit; `status` None when none came in time."""

    token: object
    status: int | None
    message_id: str = ""


@dataclass(frozen=True, slots=True)
class Late:
    """A submit was taken after all, though it had been Answered without a status."""

    token: object
    message_id: str


@dataclass(frozen=True, slots=True)
class Queried:
    """The response to a query_sm; `status` None when none came in time, `told` None when the
    response says nothing that can be read."""

    token: object
    status: int | None
    told: QueryAnswer | None = None


@dataclass(frozen=True, slots=True)
class Unbound:
    """The session ended in order; the connection is to be closed."""

    by_peer: bool


@dataclass(frozen=True, slots=True)
class Failed:
    """The session cannot go on; the connection is to be closed at once."""

    status: int
    reason: str


Event = Bound | Refused | Delivered | Answered | Late | Queried | Unbound | Failed
