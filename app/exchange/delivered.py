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
from smpp.messages import Receipt, ReceiptState, SubmitOutcome, SubmitResult

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
        came.setdefault(_phone(receipt), []).append(receipt)
    answered: dict[_Phone, list[Answer]] = {}
    for answer in answers if came else ():
        phone = _phone(answer[1])
        if phone in came:
            answered.setdefault(phone, []).append(answer)
    found: dict[_Phone, Delivered] = {}
    for phone, of_phone in answered.items():
        one = _delivered(claimed, of_phone, came[phone], window)
        if one is not None:
            found[phone] = one
    others = [r for r in receipts if _phone(r) not in found]
    return sorted(found.values(), key=lambda one: one.message.id), others


def _phone(item: SubmitResult | Receipt) -> _Phone:
    return item.network, item.phone


def _delivered(
    claimed: Mapping[UUID, Message],
    answered: Sequence[Answer],
    receipts: Sequence[Receipt],
    window: Window,
) -> Delivered | None:
    message = claimed.get(answered[0][0])
    if message is None or any(message_id != message.id for message_id, _ in answered):
        return None
    answers = tuple(answer for _, answer in answered)
    if not _is_whole(message, answers) or len(receipts) != len(answers):
        return None
    about = [[r for r in receipts if _is_about(r, a, window)] for a in answers]
    if any(len(each) != 1 for each in about):  # a receipt may come twice, or fit two segments
        return None
    paired = tuple(receipt for [receipt] in about)
    is_one_to_one = len({id(receipt) for receipt in paired}) == len(paired)
    return Delivered(message, answers, paired) if is_one_to_one else None


def _is_whole(message: Message, answers: Sequence[SubmitResult]) -> bool:
    """Whether a network took every segment, at the first attempt, each by an id of its own."""
    total = answers[0].total
    ids, numbers = {a.smsc_id for a in answers}, {a.segment for a in answers}
    return (
        message.attempts == 1
        and not message.doubts
        and len(answers) == len(ids) == len(numbers) == total
        and all(a.outcome is SubmitOutcome.ACCEPTED for a in answers)
        and all(a.smsc_id and a.smsc_id.isprintable() for a in answers)
        and not any(a.is_late for a in answers)
    )


def _is_about(receipt: Receipt, answer: SubmitResult, window: Window) -> bool:
    ours, theirs = answer.user_message_reference, receipt.user_message_reference
    return (
        receipt.state is ReceiptState.DELIVRD
        and answer.smsc_id in receipt.message_ids
        and -window.younger <= receipt.received_at - answer.at <= window.older
        and (ours is None or theirs is None or (ours ^ theirs) & 0xFF == 0)
    )
