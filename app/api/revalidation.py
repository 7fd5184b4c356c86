"""Answers that their reader may keep and ask about: ETag, If-None-Match and 304 (RFC 9110, section
13). It compares octets and knows nothing of what they say.
"""

import hashlib

from starlette.responses import Response

NOT_MODIFIED = 304
# A phone may keep what it has read, and must ask before it shows it again; nobody else keeps it.
_HEADERS = {"Cache-Control": "private, no-cache", "Vary": "Authorization, Accept-Language"}


def response(body: bytes, known_tags: str | None) -> Response:
    """The body as JSON with its tag, or 304 where the reader has it already."""
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = _HEADERS | {"ETag": tag}
    if is_known(tag, known_tags):
        return Response(status_code=NOT_MODIFIED, headers=headers)
    return Response(body, headers=headers, media_type="application/json")


def is_known(tag: str, known_tags: str | None) -> bool:
    """Does If-None-Match name the tag? Weak and strong ones compare alike (section 13.1.2)."""
    named = [one.strip().removeprefix("W/") for one in (known_tags or "").split(",")]
    return tag in named or named == ["*"]
