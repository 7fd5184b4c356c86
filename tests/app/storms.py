"""The long storm, for `make storms`: ten lost connections with 2 000 messages in flight."""

import asyncio

from app.runtime import Runtime
from tests.app.test_reconnects import weathered


def test_ten_lost_connections_with_two_thousand_messages_in_flight(rt: Runtime) -> None:
    asyncio.run(weathered(rt, 2_000, 10))
