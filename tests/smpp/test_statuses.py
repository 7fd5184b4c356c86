"""What a network's status means."""

from smpp.messages import SubmitOutcome
from smpp.pdu import Status
from smpp.statuses import OUTCOMES, outcome, why_refused


def test_every_status_of_the_standard_has_an_outcome_or_is_retried_later() -> None:
    assert outcome(0) is SubmitOutcome.ACCEPTED
    assert [code for code, what in OUTCOMES.items() if what is SubmitOutcome.ACCEPTED] == [0]
    assert SubmitOutcome.UNKNOWN not in OUTCOMES.values()
    assert outcome(0x0411) is SubmitOutcome.RETRY_LATER
    reasons = {why_refused(code) for code in Status}
    assert len(reasons) == len(Status)
