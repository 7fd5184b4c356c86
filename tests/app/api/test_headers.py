"""Every answer tells browsers to run, frame and guess nothing."""

import httpx
import pytest

from app.api.envelope import SECURITY


@pytest.mark.parametrize(
    "path", ["/healthz", "/v1/offers", "/nowhere", "/openapi.json", "/docs", "/metrics"]
)
def test_every_answer_carries_the_security_headers(client: httpx.Client, path: str) -> None:
    answer = client.get(path)
    assert {name for name, _ in SECURITY} <= _titled(answer)
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy
    assert "server" not in answer.headers


def _titled(answer: httpx.Response) -> set[str]:
    """Header names as we write them, for names know no case."""
    return {name for name, _ in SECURITY if name in answer.headers}
