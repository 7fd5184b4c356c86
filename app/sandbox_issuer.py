"""The sandbox's own issuer of citizens' access tokens, so that nobody needs an identity provider to
try the app's side. Production never reads its key.
"""

import os
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
from joserfc import jws
from joserfc.jwk import OKPKey

ISSUER = "jauap-sandbox"
AUDIENCE = "jauap"
IIN_CLAIM = "iin"
LIFETIME = timedelta(hours=12)
FILE = "issuer.jwk"
_ALGORITHM = "Ed25519"  # RFC 9864


def issue(data: Path, iin: str, now: datetime, lifetime: timedelta = LIFETIME) -> str:
    """A signed access token for a person; `now` is real time, whatever the sandbox's clock says.
    Makes the key under `data` where there is none. Raises OSError."""
    key = _key(data)
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        IIN_CLAIM: iin,
        "iat": int(now.timestamp()),
        "exp": int((now + lifetime).timestamp()),
    }
    header = {"alg": _ALGORITHM, "kid": key.thumbprint(), "typ": "at+jwt"}
    return jws.serialize_compact(header, msgspec.json.encode(claims), key, algorithms=[_ALGORITHM])


def public_keys(data: Path) -> bytes:
    """The public key as a JWKS (RFC 7517, section 5). Raises OSError."""
    key = _key(data)
    shown = key.as_dict(private=False) | {"kid": key.thumbprint(), "use": "sig"}
    return msgspec.json.encode({"keys": [shown]})


def _key(data: Path) -> OKPKey:
    path = data / FILE
    if not path.exists():
        _make(path)
    return OKPKey.import_key(msgspec.json.decode(path.read_bytes(), type=dict[str, Any]))


def _make(path: Path) -> None:
    """Two processes at once must end with one key: the first link wins, nobody sees half a file."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            made = OKPKey.generate_key("Ed25519")
            file.write(msgspec.json.encode(made.as_dict(private=True)))
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)
    except FileExistsError:
        return
    finally:
        draft.unlink(missing_ok=True)
