"""All law rooms of the house: opened for a runtime, and asked for what has fallen due in them.

The rooms do not know one another; whoever starts a process opens them all here.
"""

from app.proactive import room as proactive
from app.proactive.actions import sweeping as offers
from app.runtime import Runtime
from app.wallet import room as wallet
from app.wallet.actions import sweeping as measures

OPEN = (proactive.open_room, wallet.open_room)
SWEEPS = (offers.sweep, measures.sweep)


def open_rooms(rt: Runtime) -> None:
    """Enters every law room in the runtime's table; again changes nothing."""
    for open_room in OPEN:
        open_room(rt)


def sweep(rt: Runtime) -> int:
    """Does one batch of what is due in each room; returns how many cases that touched."""
    return sum(one(rt) for one in SWEEPS)
