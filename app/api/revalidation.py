"""Answers that their reader may keep and ask about: ETag, If-None-Match and 304 (RFC 9110, section
13), and gzip where it pays. It compares octets and knows nothing of what they say.
"""

import gzip
import hashlib

from starlette.responses import Response

from app.api.language import quality

NOT_MODIFIED = 304
PAYS = 1024  # octets; below, one packet carries it either way
GZIP = "gzip"
# A phone may keep what it has read, and must ask before it shows it again; nobody else keeps it.
_HEADERS = {
    "Cache-Control": "private, no-cache",
    "Vary": "Authorization, Accept-Language, Accept-Encoding",
}


def response(body: bytes, known_tags: str | None, encodings: str | None) -> Response:
    """The body as JSON with its tag, or 304 where the reader has it already. The tag of a packed
    body is another one (section 8.8.3.3), and a reader may ask with either."""
    tag = hashlib.sha256(body).hexdigest()[:32]
    packed = len(body) >= PAYS and takes_gzip(encodings)
    headers = _HEADERS | {"ETag": f'"{tag}-{GZIP}"' if packed else f'"{tag}"'}
    if is_known(tag, known_tags):
        return Response(status_code=NOT_MODIFIED, headers=headers)
    if packed:
        headers["Content-Encoding"] = GZIP
        body = gzip.compress(body, 6, mtime=0)
    return Response(body, headers=headers, media_type="application/json")


def is_known(tag: str, known_tags: str | None) -> bool:
    """Does If-None-Match name the tag? Weak and strong ones compare alike (section 13.1.2)."""
    named = [one.strip().removeprefix("W/") for one in (known_tags or "").split(",")]
    return f'"{tag}"' in named or f'"{tag}-{GZIP}"' in named or named == ["*"]


def takes_gzip(encodings: str | None) -> bool:
    """Does Accept-Encoding allow it (section 12.5.3)? What is not named counts as `*`, if that
    is."""
    wishes: dict[str, float] = {}
    for item in (encodings or "").split(",")[:20]:
        name, _, parameter = item.strip().partition(";")
        wishes[name.strip().lower()] = quality(parameter)
    return wishes.get(GZIP, wishes.get("x-gzip", wishes.get("*", 0.0))) > 0
