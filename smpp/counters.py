"""What a bind has done since its link was made, with the meanings that Jasmin's figures have.

Plain numbers, counted where things happen; the gateway's metrics read them and reset nothing.
"""

from dataclasses import dataclass, field
from datetime import datetime

from smpp import statuses


@dataclass(slots=True, eq=False)
class Counters:
    """One bind's figures. Counts only grow; times are None until it happened once.

    `submit_sm_request_count` are segments that left, `submit_sm_count` those answered ESME_ROK;
    refusals for the pace and others are apart, and `submit_sm_resp` has every status by name.
    `elink_count` are enquire_links we sent.
    """

    connected_count: int = 0
    disconnected_count: int = 0
    bound_count: int = 0
    bind_refused_count: int = 0
    submit_sm_request_count: int = 0
    submit_sm_count: int = 0
    submit_sm_timeout_count: int = 0  # no response came, or the link was lost before it
    throttling_error_count: int = 0  # ESME_RTHROTTLED and ESME_RMSGQFUL
    other_submit_error_count: int = 0
    submit_sm_resp: dict[str, int] = field(default_factory=dict)
    deliver_sm_count: int = 0
    data_sm_count: int = 0  # incoming ones
    query_sm_count: int = 0
    elink_count: int = 0
    elink_received_count: int = 0
    alert_notification_count: int = 0
    generic_nack_count: int = 0  # received
    refused_pdu_count: int = 0  # what we answered with an error: unknown, cut, not allowed now
    last_received_pdu_at: datetime | None = None
    last_sent_pdu_at: datetime | None = None
    last_received_elink_at: datetime | None = None
    last_sent_elink_at: datetime | None = None
    connected_at: datetime | None = None
    disconnected_at: datetime | None = None
    bound_at: datetime | None = None

    def answered(self, status: int | None) -> None:
        """A submit was answered, or will not be."""
        if status == 0:  # nearly all: the quick way
            self.submit_sm_count += 1
            self.submit_sm_resp["ESME_ROK"] = self.submit_sm_count
            return
        if status is None:
            self.submit_sm_timeout_count += 1
            return
        name = statuses.name(status)
        self.submit_sm_resp[name] = self.submit_sm_resp.get(name, 0) + 1
        if status in statuses.SLOW_DOWN:
            self.throttling_error_count += 1
        else:
            self.other_submit_error_count += 1
