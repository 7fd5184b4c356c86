"""Receipts on which nothing depends are acknowledged before they are in the ledger.

A message centre leaves only so many deliveries unacknowledged, receipts and people's replies in one
row. The receipt of an answer to somebody's own words opens no reply window and stands in no
journal; while it waited for a commit the next reply waited behind it. Once the trail has it, an
heir finds it there as it finds the response, so the network is answered, and it is stored with the
response by the next commit that anything else needs.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from msgspec.structs import replace

from app.gateway.inbox import Inbox
from app.gateway.trail import Trail
from smpp.messages import Acknowledgement, Heard, Receipt, ReceiptState, SubmitResult

IDS = 10_000  # of a network, at least so many are known that it gave last


@dataclass(slots=True)
class Given:
    """The ids that a network gave last."""

    _now: set[str] = field(default_factory=set)
    _before: set[str] = field(default_factory=set)

    def __contains__(self, smsc_id: str) -> bool:
        return smsc_id in self._now or smsc_id in self._before

    def add(self, smsc_id: str) -> None:
        """It gave this one."""
        if len(self._now) >= IDS:
            self._now, self._before = set(), self._now
        self._now.add(smsc_id)


@dataclass(slots=True)
class Acknowledging:
    """`awaits_receipt` says of a response whether anything depends on the receipt of its message,
    `acknowledge` answers networks, `heard` takes receipts that no trail has taken. Belongs to the
    loop's thread."""

    inbox: Inbox
    trail: Trail
    awaits_receipt: Callable[[SubmitResult], bool]
    acknowledge: Callable[[list[Acknowledgement]], None]
    heard: Callable[[Heard], None]
    _received: list[tuple[SubmitResult, Receipt]] = field(default_factory=list)
    _ids: dict[str, Given] = field(default_factory=dict)
    _repeating: set[str] = field(default_factory=set)  # networks that gave one id twice

    def note(self, response: SubmitResult) -> None:
        """A response came. Where a network gives an id to more than one segment, a receipt may
        mean any of them, also one that waits in the ledger alone."""
        if not response.smsc_id:  # it took nothing
            return
        given = self._ids.setdefault(response.network, Given())
        if response.smsc_id in given:
            self._repeating.add(response.network)
        given.add(response.smsc_id)

    def takes(self, receipt: Receipt) -> bool:
        """Whether this receipt is taken here; the others go into a commit of their own."""
        if not self._is_plain(receipt):
            return False
        response = self.inbox.response_to(receipt)
        if response is None or response.smsc_id != receipt.message_ids[0]:
            return False  # by its likeliest spelling it is another's
        if self.awaits_receipt(response):
            return False
        self.trail.write_soon(response, receipt)
        if not self._received:
            asyncio.get_running_loop().call_soon(self._acknowledge)
        self._received.append((response, receipt))
        return True

    def _is_plain(self, receipt: Receipt) -> bool:
        """Delivered, of a network whose ids tell messages apart, and sure to be storable."""
        return (
            receipt.state is ReceiptState.DELIVRD
            and self.trail.is_kept
            and receipt.network not in self._repeating
            and all(text.isprintable() for text in (*receipt.message_ids, receipt.error))
        )

    def _acknowledge(self) -> None:
        received, self._received = self._received, []
        self.trail.flush()
        if not self.trail.is_kept:
            for _, receipt in received:
                self.heard(receipt)
            return
        self.acknowledge([r.acknowledgement for _, r in received if r.acknowledgement is not None])
        for response, receipt in received:
            about = response.message_id
            self.inbox.keep_received(replace(receipt, acknowledgement=None, about=about))
