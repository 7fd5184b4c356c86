"""The simulator's way out: receipts and replies in a queue, until an ESME has taken each.

They go to the newest connection that may have them, and again when one did not take them.
"""

from collections import deque
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Final

from smpp.faults import Counts, Faults, Flow, Kind
from smpp.pdu import Command, Status
from smpp.smsc import Delivery, Line

RETRY_S: Final = 0.2  # doubles up to RETRY_MAX_S
RETRY_MAX_S: Final = 5.0

_REFUSALS: Final = (Status.ESME_RX_P_APPN, Status.ESME_RX_R_APPN)


class Deliveries:
    """The queue and the connections. `faults` may be changed at any time; `later` calls something
    after loop seconds, `seconds` turns a person's seconds into the loop's."""

    def __init__(
        self,
        counts: Counts,
        faults: Faults,
        clock: Callable[[], datetime],
        seconds: Callable[[float], float],
        later: Callable[[float, Callable[[], None]], None],
    ) -> None:
        self.faults = faults
        self.lines: list[Line] = []
        self.queue: deque[Delivery] = deque()
        self.counts = counts
        self._clock = clock
        self._seconds = seconds
        self._later = later
        self._flows: dict[Kind, Flow] = {}

    def add(self, deliveries: list[Delivery]) -> None:
        """Sends each, or does to it what the faults say."""
        for delivery in deliveries:
            if delivery.kind == "receipt" and self.faults.receipts_by_data_sm:
                delivery.command = Command.DATA_SM
            self.carry(delivery.kind, partial(self._enqueue, [delivery]))

    def carry(self, kind: Kind, send: Callable[[], None]) -> None:
        """Sends something of a kind through that kind's troubles."""
        trouble = self.faults.of(kind)
        flow = self.flow(kind)
        delay_s = self._seconds(trouble.delay_s) if trouble.delay_s else 0.0
        self.counts.lost += not flow.carry(trouble, delay_s, send)

    def flow(self, kind: Kind) -> Flow:
        """What has become of the PDUs of one kind so far."""
        if kind not in self._flows:
            self._flows[kind] = Flow(self._later)
        return self._flows[kind]

    def reached(self, kind: Kind, line: Line, octets: bytes) -> bool:
        """Writes a PDU, or what the faults leave of it. False when it was cut."""
        trouble, flow = self.faults.of(kind), self.flow(kind)
        flow.sent += 1
        if flow.sent == trouble.cut_after:
            line.write(octets[: len(octets) // 2])
            line.close()
            return False
        line.write(octets)
        if flow.sent == trouble.unbind_after:
            line.unbind()
        if flow.sent == trouble.silent_after:
            line.fall_silent()
        return True

    def answered(self, delivery: Delivery, status: int) -> None:
        """A deliver_sm_resp: only ESME_ROK takes the message off our hands."""
        if status == Status.ESME_ROK:
            delivery.delivered_at = self._clock()
            self.counts.mo_delivered += delivery.kind == "mo"
            self.counts.receipts_delivered += delivery.kind == "receipt"
        elif status in _REFUSALS or delivery.kind == "ussd":
            delivery.refused_with = status
            self.counts.refused += 1
            if delivery.kind == "ussd":
                delivery.handset.ussd_session = None
        else:
            pause = min(RETRY_S * 2 ** min(delivery.attempts - 1, 10), RETRY_MAX_S)
            self.counts.redelivered += 1
            self._later(pause, partial(self._enqueue, [delivery]))
        self.pump()

    def lost(self, line: Line, unanswered: list[Delivery]) -> None:
        """A connection is gone: what it had not acknowledged goes first on the next one."""
        self.lines.remove(line)
        for delivery in unanswered:
            if delivery.kind == "ussd":
                delivery.handset.ussd_session = None
        again = [delivery for delivery in unanswered if delivery.kind != "ussd"]
        self.counts.redelivered += len(again)
        self.queue.extendleft(reversed(again))
        self.pump()

    def pump(self) -> None:
        """Sends what may go."""
        while self.queue:
            line = self._line_for(self.queue[0])
            if line is None:
                return
            delivery = self.queue.popleft()
            octets = line.expect(delivery)
            self.reached(delivery.kind, line, octets)

    def _enqueue(self, deliveries: list[Delivery]) -> None:
        self.queue.extend(deliveries)
        self.pump()

    def _line_for(self, delivery: Delivery) -> Line | None:
        free = (line for line in reversed(self.lines) if line.may_deliver)
        if self.faults.receipts_elsewhere and delivery.kind == "receipt":
            return min(free, key=lambda line: line is delivery.origin, default=None)
        return next(free, None)
