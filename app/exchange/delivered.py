"""Messages whose responses and receipts come in one batch: they are stored once, in whole.

Which message a receipt is about the ledger says (`app.ledger.matching`), once its segment is there;
that takes trips, and writes each segment twice. Where a batch has all responses to the only message
that a phone is sent, taken at its first attempt, and to each of them one receipt, delivered and by
an id that is spelled alike, it is beyond doubt. Where the ledger knows anything else that could be
meant, it refuses the batch (`matching.expect_no_others`); then, and wherever it is otherwise, the
receipts are matched.

Pure.
"""

from collections.abc import Mapping, Sequence
from uuid import UUID

from msgspec import Struct

from app.ledger.matching import Window
from app.ledger.outbox import Message
from smpp.messages import Receipt, ReceiptState, SubmitOutcome, SubmitResult, is_of_reference

Answer = tuple[UUID, SubmitResult]
_Phone = tuple[str, str]  # network, E.164


class Delivered(Struct, frozen=True):
    """A message, the answers to its segments, and the receipt of each in the same order."""

    message: Message
    answers: tuple[SubmitResult, ...]
    receipts: tuple[Receipt, ...]

    @property
    def network(self) -> str:
        return self.answers[0].network

    @property
    def is_news(self) -> bool:
        """Whether another network than was recorded knows the phone."""
        return self.message.network != self.network or bool(self.message.refused)

    @property
    def is_plain(self) -> bool:
        """Whether nothing changes by it but that it is stored: its receipts were acknowledged for
        that reason."""
        return not self.is_news and all([r.about for r in self.receipts])


def find(
    claimed: Mapping[UUID, Message],
    answers: Sequence[Answer],
    receipts: Sequence[Receipt],
    window: Window,
) -> tuple[list[Delivered], list[Receipt]]:
    """What a batch delivers in whole, by message, and its other receipts in their order. `claimed`
    are the messages that the `answers` may be to."""
    came: dict[_Phone, list[Receipt]] = {}
    for receipt in receipts:
        came.setdefault((receipt.network, receipt.phone), []).append(receipt)
    answered: dict[_Phone, list[Answer]] = {}
    for answer in answers if came else ():
        phone = answer[1].network, answer[1].phone
        if phone in came:
            answered.setdefault(phone, []).append(answer)
    found: dict[_Phone, Delivered] = {}
    for phone, of_phone in answered.items():
        one = _delivered(claimed, of_phone, came[phone], window)
        if one is not None:
            found[phone] = one
    others = [r for r in receipts if (r.network, r.phone) not in found]
    return sorted(found.values(), key=lambda one: one.message.id.int), others


def _delivered(
    claimed: Mapping[UUID, Message],
    answered: Sequence[Answer],
    receipts: Sequence[Receipt],
    window: Window,
) -> Delivered | None:
    """Most messages are of one segment: whatever would be made to look at it costs more than the
    look."""
    total = answered[0][1].total
    message = claimed.get(answered[0][0])
    if message is None or message.attempts != 1 or message.doubts:
        return None
    if not len(answered) == len(receipts) == total:
        return None
    paired: list[Receipt] = []
    for message_id, answer in answered:
        about = [r for r in receipts if _is_about(r, answer, window)]
        if message_id != message.id or len(about) != 1 or not _is_taken(answer):
            return None  # a receipt may come twice, or fit two segments
        paired += about
    answers = tuple([answer for _, answer in answered])
    if total > 1 and not _are_apart(answers, paired):
        return None
    return Delivered(message, answers, tuple(paired))


def _is_taken(answer: SubmitResult) -> bool:
    """Whether a network took the segment, in time, by an id that the ledger can hold."""
    return (
        answer.outcome is SubmitOutcome.ACCEPTED
        and bool(answer.smsc_id)
        and answer.smsc_id.isprintable()
        and not answer.is_late
    )


def _are_apart(answers: Sequence[SubmitResult], paired: Sequence[Receipt]) -> bool:
    """Whether each segment has an id and a receipt of its own."""
    ids, numbers = {a.smsc_id for a in answers}, {a.segment for a in answers}
    return len(ids) == len(numbers) == len({id(r) for r in paired}) == len(answers)


def _is_about(receipt: Receipt, answer: SubmitResult, window: Window) -> bool:
    return (
        receipt.state is ReceiptState.DELIVRD
        and answer.smsc_id in receipt.message_ids
        and -window.younger <= receipt.received_at - answer.at <= window.older
        and is_of_reference(receipt, answer)
    )
