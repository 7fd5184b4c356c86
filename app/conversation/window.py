"""The reply window of 155/НҚ, clause 4: when an offer was received, until when it may be answered,
whether a reply was in time. Clock hours in UTC, day and night: it must not know working days.
"""

from datetime import UTC, datetime, timedelta
from typing import Final

from app.calendar import shown

WINDOW: Final = timedelta(hours=24)
VALIDITY: Final = timedelta(hours=24)
"""How long a network keeps an SMS for a handset: no receipt till then, none comes."""
MINUTE: Final = timedelta(minutes=1)


def received_at_of(
    receipt_done_at: datetime | None, submitted_at: datetime, arrived_at: datetime
) -> datetime:
    """When the handset received the last segment: the receipt's done date where the bind declares
    its zone and it lies between submission and the receipt's arrival, else that arrival.

    Done dates mostly have no seconds ("10:30" is any moment of that minute): a whole minute is
    rounded up, never past the arrival, so that doubt lengthens the recipient's time.
    """
    if receipt_done_at is None:
        return arrived_at
    whole_minute = receipt_done_at.second == 0 and receipt_done_at.microsecond == 0
    latest = receipt_done_at + MINUTE if whole_minute else receipt_done_at
    if submitted_at <= latest and receipt_done_at <= arrived_at:
        return min(latest, arrived_at)
    return arrived_at


def deadline_of(received_at: datetime, window: timedelta = WINDOW) -> datetime:
    """The last moment for an answer, in UTC. `received_at` must be aware."""
    if received_at.tzinfo is None:
        raise ValueError(f"found a time without a zone, {received_at}, expected an aware one")
    return received_at.astimezone(UTC) + window


def in_time(replied_at: datetime, deadline: datetime | None, *, stuck: bool = False) -> bool:
    """True where a reply counts. Exactly at the deadline is in time. No deadline: the receipt has
    not come yet and the reply itself proves it. `stuck`: the network was down at the deadline, so
    the reply may have waited there, and an outage must not cost anyone the service."""
    return deadline is None or replied_at <= deadline or stuck


def explain(received_at: datetime, window: timedelta = WINDOW) -> tuple[str, ...]:
    """The reckoning in lines, for `jauap deadline explain`."""
    hours = window / timedelta(hours=1)
    return (
        f"received: {shown(received_at)}, the last segment on the handset",
        f"window: {hours:g} clock hours, counted in UTC, nights and holidays included"
        " (155/НҚ, clause 4)",
        f"ends: {shown(deadline_of(received_at, window))}; a reply at that very moment is in time",
    )
