"""A purse for every test of the wallet."""

import pytest

from app.clock import ManualClock
from app.runtime import Runtime
from tests.app.wallet.purse import Purse


@pytest.fixture
def purse(rt: Runtime, clock: ManualClock) -> Purse:
    """A world with Aida, who speaks Kazakh, on the phone."""
    made = Purse(rt, clock)
    made.register("Аида", "kk")
    return made
