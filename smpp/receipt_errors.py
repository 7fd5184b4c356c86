"""What a receipt's error says of the phone itself, as far as networks agree on it. A table."""

from typing import Final

from smpp.messages import ReceiptState

# Appendix B leaves `err` to each network. Most pass on the error of the mobile core, where 1 is
# unknownSubscriber (3GPP TS 29.002, 17.6.6). Its neighbours say other things: 5 and 6 that the
# phone is away, 9 and 11 that it is barred; those are not taken for a number that has moved.
_UNKNOWN_SUBSCRIBER: Final = frozenset({"1"})
_REFUSED: Final = (ReceiptState.UNDELIV, ReceiptState.REJECTD)


def is_unknown_subscriber(state: str, error: str) -> bool:
    """Whether a receipt says that this network does not know the phone; another one may."""
    return state in _REFUSED and error.lstrip("0") in _UNKNOWN_SUBSCRIBER
