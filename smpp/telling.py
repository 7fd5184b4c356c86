"""How a link tells what became of submits, queries and the bind itself, in the words of messages.

It only says; the link decides.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from msgspec.structs import replace

from smpp.binds import Bind
from smpp.events import Bound, Late, Queried
from smpp.messages import (
    BindEvent,
    BindState,
    Heard,
    QueryResult,
    SubmitOutcome,
    SubmitResult,
)
from smpp.outgoing import Job
from smpp.query import QueryFields
from smpp.tlv import reference_of

# A screen's moment is gone when it could not be sent: nobody is to send it again.
_AGAIN: Final = (
    *(SubmitOutcome.RETRY_NOW, SubmitOutcome.RETRY_LATER, SubmitOutcome.OTHER_BIND),
    SubmitOutcome.UNKNOWN_SUBSCRIBER,
)


@dataclass(frozen=True, slots=True)
class Query:
    """A query_sm on its way, and what its caller wants back with the answer."""

    fields: QueryFields
    token: object


class Teller:
    """Tells one bind's news to `heard`, each with the moment that `clock` gives."""

    def __init__(
        self, bind: Bind, heard: Callable[[Heard], None], clock: Callable[[], datetime]
    ) -> None:
        self._cid = bind.cid
        self._network = bind.network
        self._heard = heard
        self._clock = clock

    def result(
        self,
        job: Job,
        outcome: SubmitOutcome,
        status: int = 0,
        smsc_id: str = "",
        *,
        at: datetime | None = None,
        broke_link: bool = False,
        was_sent: bool = True,
    ) -> None:
        """What became of a segment; `at`: when that was heard, else now."""
        if job.out.ussd is not None and outcome in _AGAIN:
            outcome = SubmitOutcome.PERMANENT
        self._heard(
            SubmitResult(
                *(self._cid, self._network, job.out.id, job.number, job.total, status, smsc_id),
                *(outcome, at or self._clock(), job.out.phone),
                reference_of(job.fields.tlvs) if was_sent else None,
                broke_link,
            )
        )

    def late(self, event: Late) -> None:
        """A segment was taken after all; a screen's moment is gone."""
        job = event.token
        assert isinstance(job, Job)
        if job.out.ussd is None:
            doubt = self.doubt(job, self._clock())
            taken = replace(doubt, smsc_id=event.message_id, is_late=True)
            self._heard(replace(taken, outcome=SubmitOutcome.ACCEPTED))

    def doubt(self, job: Job, at: datetime) -> SubmitResult:
        """What is to be thought of a segment that leaves at `at`, until its answer comes."""
        return SubmitResult(
            *(self._cid, self._network, job.out.id, job.number, job.total, 0, ""),
            *(SubmitOutcome.UNKNOWN, at, job.out.phone),
            reference_of(job.fields.tlvs),
        )

    def query(self, event: Queried) -> None:
        """What the SMSC says of a message, or that it says nothing."""
        asked, told = event.token, event.told
        assert isinstance(asked, Query)
        self._heard(
            QueryResult(
                cid=self._cid,
                network=self._network,
                smsc_id=asked.fields.message_id,
                token=asked.token,
                state=told.receipt_state if told is not None else None,
                error=f"{told.error:03}" if told is not None and told.error else "",
                done_at=told.done_at if told is not None else None,
                at=self._clock(),
                status=event.status,
            )
        )

    def state(self, event: BindEvent, reason: str = "", status: int = 0) -> None:
        """A change of the bind."""
        self._heard(BindState(self._cid, self._network, event, self._clock(), reason, status))


def who(event: Bound) -> str:
    """What the network said of itself."""
    words = f"the network's system_id is {event.system_id!r}"
    if event.interface_version is None:
        return words
    return f"{words}, its version of SMPP 0x{event.interface_version:02x}"
