"""Reads a body that may not be too large, whether or not it says beforehand how large it is."""

from collections.abc import Iterator

import anyio.from_thread
from starlette.requests import ClientDisconnect, Request

from app.api.problems import Problem

LIMIT = 1024 * 1024  # octets
FILE_LIMIT = 64 * LIMIT


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


def read_file(request: Request) -> Iterator[bytes]:
    """The body piece by piece, asked for by a thread of the server while it is carried out: never
    more than a piece is in memory. Raises Problem as `read_limited` does."""
    stream = request.stream()

    async def piece() -> bytes | None:
        return await anext(stream, None)

    octets = 0
    while True:
        try:
            chunk = anyio.from_thread.run(piece)
        except ClientDisconnect:
            raise Problem("malformed") from None
        if chunk is None:
            return
        octets += len(chunk)
        if octets > FILE_LIMIT:
            raise _too_large(FILE_LIMIT)
        yield chunk


def _too_large(limit: int = LIMIT) -> Problem:
    # The rest of the body is not read, so the connection cannot be used again.
    return Problem("too_large", headers={"Connection": "close"}, limit=limit)
