"""What a session tells its link: the bind's fate, deliveries, answers, the end.

Pure data, in the words of SMPP; smpp.incoming and the link turn it into those of smpp.messages.
"""

from msgspec import Struct

from smpp.pdu import SmFields
from smpp.query import QueryAnswer


class Bound(Struct, frozen=True):
    """The SMSC accepted the bind and gave its own system_id, which may be empty, and perhaps the
    version of SMPP that it speaks (sc_interface_version), 0x34 for 3.4."""

    system_id: str
    interface_version: int | None = None


class Refused(Struct, frozen=True):
    """The SMSC refused the bind; `reason` is in words."""

    status: int
    reason: str


class Delivered(Struct, frozen=True):
    """A deliver_sm or data_sm that must be answered by `Session.acknowledge`."""

    command: int
    sequence: int
    fields: SmFields


class Answered(Struct, frozen=True):
    """The response to a submit; `status` None when none came in time."""

    token: object
    status: int | None
    message_id: str = ""


class Late(Struct, frozen=True):
    """A submit was taken after all, though it had been Answered without a status."""

    token: object
    message_id: str


class Queried(Struct, frozen=True):
    """The response to a query_sm; `status` None when none came in time, `told` None when the
    response says nothing that can be read."""

    token: object
    status: int | None
    told: QueryAnswer | None = None


class Unbound(Struct, frozen=True):
    """The session ended in order; the connection is to be closed."""

    by_peer: bool


class Failed(Struct, frozen=True):
    """The session cannot go on; the connection is to be closed at once."""

    status: int
    reason: str


Event = Bound | Refused | Delivered | Answered | Late | Queried | Unbound | Failed
