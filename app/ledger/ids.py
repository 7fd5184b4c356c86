"""Opaque ids that sort by time (UUID version 7, RFC 9562), so that indexes grow at one end."""

import secrets
from datetime import datetime
from uuid import UUID


def new_id(now: datetime) -> UUID:
    """An id for something that came to be at `now` (aware)."""
    millis = int(now.timestamp() * 1000) & 0xFFFFFFFFFFFF
    noise = secrets.randbits(74)
    return UUID(
        int=millis << 80 | 0x7 << 76 | (noise >> 62) << 64 | 0b10 << 62 | (noise & (1 << 62) - 1)
    )


def as_id(value: str) -> UUID | None:
    """The id spelled by `value`, or None where it cannot be one of ours."""
    try:
        return UUID(value)
    except ValueError:
        return None
