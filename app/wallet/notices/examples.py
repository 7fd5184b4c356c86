"""The id and the moment that the examples of the wallet's API share."""

from datetime import UTC, datetime
from typing import Final

AT: Final = datetime(2026, 1, 31, 9, tzinfo=UTC)
ID: Final = "019c1234-5678-7abc-8def-0123456789ab"
