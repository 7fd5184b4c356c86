"""What the tests of smpp share."""

import pytest


@pytest.fixture
def anyio_backend() -> str:
    """The links are written for asyncio."""
    return "asyncio"
