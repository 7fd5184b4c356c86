"""How often a key may call: a bucket of tokens in Redis, shared by all web processes. Without Redis
everything is let through: a limit protects the others, and is no rule of law.
"""

from collections import Counter
from collections.abc import Sequence
from math import ceil

from app.api.auth import Caller
from app.api.problems import Problem
from app.runtime import Runtime


def too_many(seconds: float) -> Problem:
    """429, worth another try after so many seconds."""
    return Problem("too_many", headers={"Retry-After": str(max(1, ceil(seconds)))})


def admit(rt: Runtime, callers: Sequence[Caller]) -> None:
    """Raises Problem (429) unless all of them may call now."""
    for refused in judge(rt, callers):
        if refused is not None:
            raise refused


def judge(rt: Runtime, callers: Sequence[Caller]) -> list[Problem | None]:
    """For each of these callers, in order, why they may not call now. Citizens have no bucket of
    their own: their answers are idempotent, and an offer is asked once."""
    limits = rt.settings.limits
    wanted = Counter(caller.key_id for caller in callers if caller.key_id)
    if not limits.key_per_second or not wanted:
        return [None] * len(callers)
    left = {
        key: rt.take(f"key:{key}", count, limits.key_per_second, limits.key_burst)
        for key, count in wanted.items()
    }
    judged: list[Problem | None] = []
    for caller in callers:
        granted, wait = left.get(caller.key_id, (1, 0.0))
        if caller.key_id:
            left[caller.key_id] = granted - 1, wait
        judged.append(None if granted > 0 else too_many(wait))
    return judged
