"""Reads a body that may not be too large, whether or not it says beforehand how large it is."""

from starlette.requests import ClientDisconnect, Request

from app.api.problems import Problem

LIMIT = 1024 * 1024  # octets


async def read_limited(request: Request) -> bytes:
    """The body. Raises Problem: 413 over the limit, 400 where the caller hung up midway."""
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > LIMIT:
        raise _too_large()
    read = bytearray()
    try:
        async for chunk in request.stream():
            read += chunk
            if len(read) > LIMIT:
                raise _too_large()
    except ClientDisconnect:
        raise Problem("malformed") from None
    return bytes(read)


def _too_large() -> Problem:
    # The rest of the body is not read, so the connection cannot be used again.
    return Problem("too_large", headers={"Connection": "close"}, limit=LIMIT)
