"""Opaque ids that sort by time (UUID version 7, RFC 9562), so that indexes grow at one end."""

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from uuid import UUID

Noise = Callable[[int], int]
"""So many random bits."""

_noise: Noise = secrets.randbits


def new_id(now: datetime) -> UUID:
    """An id for something that came to be at `now` (aware)."""
    millis = int(now.timestamp() * 1000) & 0xFFFFFFFFFFFF
    noise = _noise(74)
    return UUID(
        int=millis << 80 | 0x7 << 76 | (noise >> 62) << 64 | 0b10 << 62 | (noise & (1 << 62) - 1)
    )


def first_id(at: datetime) -> UUID:
    """No id of something that came to be at `at` or later is smaller."""
    return UUID(int=int(at.timestamp() * 1000) << 80)


@contextmanager
def repeatable(noise: Noise) -> Iterator[None]:
    """For as long as it lasts this process takes the noise of its ids from `noise`: a simulation
    whose rows sort alike runs alike. Such ids can be guessed, so only there."""
    global _noise
    before, _noise = _noise, noise
    try:
        yield
    finally:
        _noise = before


def as_id(value: str) -> UUID | None:
    """The id spelled by `value`, or None where it cannot be one of ours."""
    try:
        return UUID(value)
    except ValueError:
        return None
