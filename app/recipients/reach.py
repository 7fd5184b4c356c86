"""Whom something made with a key may reach: a test key nobody but the simulator's handsets, a team
key its own phones. Pure."""

from typing import Final

from app.ledger.keys import Kind, Reach

SIMULATOR: Final = "simulator"
"""The network of the simulator's bind: what a test key makes leaves by no other."""
HANDSETS: Final = "+7700000"  # and four digits: nobody's phones but the simulator's
NOT_IN_TEAM: Final = "gate.phone_reachable.not-in-team"
NOT_SIMULATED: Final = "gate.phone_reachable.not-simulated"


def beyond(
    reach: Reach, phone_index: bytes | None, phone: str | None, *, is_sandbox: bool
) -> str | None:
    """The wording key of why a phone (None: there is none) lies beyond what the key may reach. All
    of a sandbox is there to be tried out; elsewhere a test key reaches nobody's phone."""
    if reach.kind is Kind.TEAM and phone_index not in reach.phones:
        return NOT_IN_TEAM
    is_handset = is_sandbox or (phone is not None and phone.startswith(HANDSETS))
    return NOT_SIMULATED if reach.kind is Kind.TEST and not is_handset else None


def network_of(reach: Reach, network: str | None) -> str | None:
    """The network by which messages leave for somebody whose own is `network`."""
    return SIMULATOR if reach.kind is Kind.TEST else network
