"""Citizens' access tokens: what is believed, what is not, and how keys come and go."""

import base64
import hmac
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from joserfc import jws
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey
from joserfc.jws import JWSRegistry
from typer.testing import CliRunner

from app import sandbox_issuer
from app.api import jwks
from app.api.jwks import BURST, FRESH, PAUSE, RETRY, STANDING, Keys, NoKeys, over_http
from app.api.problems import Problem
from app.api.tokens import SKEW, AccessTokens, Issuer, verified
from app.clock import system_clock
from app.commands.assembled import app as jauap

AIDA = "900101300126"
NOW = datetime(2026, 3, 2, 7, tzinfo=UTC)
HOUR = timedelta(hours=1)
Signer = RSAKey | ECKey | OKPKey | OctKey
RSA = RSAKey.generate_key(2048)
EC = ECKey.generate_key("P-256")
OKP = OKPKey.generate_key("Ed25519")
SIGNERS: dict[str, Signer] = {"RS256": RSA, "ES256": EC, "EdDSA": OKP, "Ed25519": OKP}


def registry() -> JWSRegistry:
    """Signs with whatever a test wants, without a warning."""
    made = JWSRegistry(algorithms=["RS256", "ES256", "EdDSA", "Ed25519", "HS256", "PS256"])
    made.algorithms = dict(JWSRegistry.algorithms, EdDSA=JWSRegistry.algorithms["Ed25519"])
    return made


def signed(
    alg: str = "ES256", key: Signer | None = None, kid: str | None = "k1", **changed: Any
) -> str:
    """A token for Aida; `header_x` changes its header, everything else its claims; None removes."""
    header: dict[str, Any] = {"alg": alg, "kid": kid, "typ": "at+jwt"}
    claims: dict[str, Any] = {
        "iss": "https://id.example",
        "aud": "jauap",
        "iin": AIDA,
        "iat": NOW.timestamp(),
        "exp": (NOW + HOUR).timestamp(),
    }
    for name, value in changed.items():
        place = header if name.startswith("header_") else claims
        place[name.removeprefix("header_")] = value
    header = {name: value for name, value in header.items() if value is not None}
    claims = {name: value for name, value in claims.items() if value is not None}
    payload = json.dumps(claims).encode()
    return jws.serialize_compact(header, payload, key or SIGNERS[alg], registry=registry())


def published(*named: tuple[str | None, Signer], **more: object) -> bytes:
    """A JWKS."""
    keys = [
        dict(key.as_dict(private=isinstance(key, OctKey)), **({"kid": kid} if kid else {}), **more)
        for kid, key in named
    ]
    return json.dumps({"keys": keys}).encode()


def issuer(raw: bytes) -> Issuer:
    return Issuer("https://id.example", "jauap", "iin", Keys(lambda: raw))


def read(token: str, raw: bytes | None = None, now: datetime = NOW) -> str | None:
    """Whose the token is, by the keys in `raw` (by default the one that ES256 tokens need)."""
    from_keys = issuer(raw or published(("k1", EC)))
    return verified(token, from_keys, from_keys.keys.at(now, None), now)


@pytest.mark.parametrize("alg", SIGNERS)
def test_a_token_of_each_algorithm_says_whose_it_is(alg: str) -> None:
    assert read(signed(alg), published(("k1", SIGNERS[alg]))) == AIDA


@pytest.mark.parametrize(
    "changed",
    [
        {"iss": "https://another.example"},
        {"iss": None},
        {"aud": "another"},
        {"aud": ["another"]},
        {"aud": []},
        {"aud": None},
        {"exp": None},
        {"exp": True},
        {"exp": "2030-01-01"},
        {"exp": (NOW - SKEW).timestamp()},
        {"nbf": (NOW + SKEW + HOUR).timestamp()},
        {"iat": (NOW + SKEW + HOUR).timestamp()},
        {"iin": None},
        {"iin": 900101300126},
        {"iin": "900101300125"},
        {"iin": [AIDA]},
        {"header_typ": "logout+jwt"},
        {"header_alg": "ES256", "kid": "k2"},
    ],
    ids=str,
)
def test_a_token_with_anything_amiss_is_not_believed(changed: dict[str, Any]) -> None:
    assert read(signed(**changed)) is None


@pytest.mark.parametrize(
    "changed",
    [
        {"aud": ["another", "jauap"]},
        {"exp": (NOW - SKEW + timedelta(seconds=1)).timestamp()},
        {"nbf": (NOW + SKEW).timestamp()},
        {"iat": None},
        {"header_typ": None},
        {"header_typ": "JWT"},
        {"header_x5t": "abc"},
        {"scope": "openid"},
        {"kid": None},
    ],
    ids=str,
)
def test_clocks_may_differ_and_what_we_need_not_know_is_passed_over(
    changed: dict[str, Any],
) -> None:
    assert read(signed(**changed)) == AIDA


def segment(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


@pytest.mark.parametrize("alg", ["none", "None", "NONE", "", "HS256", "RS512", "ES384", "dir"])
def test_a_token_that_nobody_signed_is_not_believed(alg: str) -> None:
    claims, signature = signed().split(".")[1:]
    for rest in ("", signature):
        token = f"{segment({'alg': alg, 'kid': 'k1'})}.{claims}.{rest}"
        assert read(token) is None


@pytest.mark.parametrize("key", [RSA, EC, OKP], ids=lambda k: k.key_type)
def test_a_public_key_is_no_shared_secret(key: Signer) -> None:
    """Whoever reads the JWKS could sign with it, if the token might choose HS256."""
    assert not isinstance(key, OctKey)
    secrets = [key.as_pem(private=False), json.dumps(key.as_dict(private=False)).encode()]
    for secret in secrets:
        header, claims = segment({"alg": "HS256", "kid": "k1"}), signed().split(".")[1]
        mac = hmac.digest(secret, f"{header}.{claims}".encode(), "sha256")
        token = f"{header}.{claims}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}"
        assert read(token, published(("k1", key))) is None


def test_a_symmetric_key_among_the_published_ones_is_none() -> None:
    secret = OctKey.generate_key(256)
    assert [key.kid for key in jwks.read(published(("k1", secret), ("k2", EC)))] == ["k2"]
    assert read(signed("HS256", secret), published(("k1", secret))) is None


def test_an_algorithm_goes_only_with_its_own_kind_of_key() -> None:
    every = published(("rsa", RSA), ("ec", EC), ("okp", OKP))
    for alg, right in (("RS256", "rsa"), ("ES256", "ec"), ("EdDSA", "okp")):
        for kid in ("rsa", "ec", "okp"):
            assert read(signed(alg, kid=kid), every) == (AIDA if kid == right else None)
    assert read(signed("PS256", RSA), published(("k1", RSA))) is None


def test_a_key_kept_for_something_else_is_not_used() -> None:
    assert read(signed(), published(("k1", EC), use="enc")) is None
    assert read(signed(), published(("k1", EC), alg="ES384")) is None
    assert read(signed(), published(("k1", EC), key_ops=["sign"])) is None
    assert read(signed(), published(("k1", EC), use="sig", alg="ES256")) == AIDA


def test_a_weak_or_broken_key_spoils_no_other() -> None:
    weak = dict(RSA.as_dict(private=False), n="AQAB", kid="weak")
    broken = {"kty": "EC", "crv": "P-256", "x": "AAAA", "kid": "broken"}
    other = {"kty": "OKP", "crv": "X25519", "x": "AAAA", "kid": "other"}
    strange: list[object] = [weak, broken, other, {"kty": 5}, {}, None, "key"]
    sound = json.loads(published(("k1", EC)))["keys"]
    assert read(signed(), json.dumps({"keys": strange + sound}).encode()) == AIDA
    assert jwks.read(json.dumps({"keys": strange}).encode()) == ()


def test_a_key_in_the_token_itself_is_a_strangers() -> None:
    stranger = ECKey.generate_key("P-256")
    token = signed(key=stranger, header_jwk=stranger.as_dict(private=False))
    assert read(token) is None


def test_a_changed_token_is_not_believed() -> None:
    header, claims, signature = signed().split(".")
    other = signed(iin="880515400123").split(".")[1]
    assert read(f"{header}.{other}.{signature}") is None
    assert read(f"{header}.{claims}.{signature[:-4]}AAAA") is None
    assert read(f"{header}.{claims}.") is None


@pytest.mark.parametrize("token", ["", ".", "..", "...", "a.b.c", "é.é.é", "e30.e30.e30", "x" * 99])
def test_what_is_no_token_is_not_believed(token: str) -> None:
    assert read(token) is None
    assert AccessTokens({}, lambda kind, value: b"").caller(token, NOW) is None


def test_a_token_longer_than_any_honest_one_is_not_even_read() -> None:
    assert read(signed(padding="x" * 8192)) is None


def test_what_must_be_understood_and_is_not_ends_it() -> None:
    claims = signed().split(".")[1]
    for extension, expected in (({}, AIDA), ({"crit": ["exp"], "exp": 1}, None)):
        content = f"{segment({'alg': 'ES256', 'kid': 'k1'} | extension)}.{claims}"
        signature = JWSRegistry.algorithms["ES256"].sign(content.encode(), EC)
        token = f"{content}.{base64.urlsafe_b64encode(signature).decode().rstrip('=')}"
        assert read(token) == expected


class Published:
    """A JWKS that can change and fail, and counts how often it was fetched."""

    def __init__(self, *keys: tuple[str, Signer]) -> None:
        self.raw, self.fetched, self.is_up = published(*keys), 0, True

    def __call__(self) -> bytes:
        self.fetched += 1
        if not self.is_up:
            raise NoKeys
        return self.raw


def whose(keys: Keys, token: str, now: datetime) -> str | None:
    tokens = AccessTokens(
        {"https://id.example": Issuer("https://id.example", "jauap", "iin", keys)},
        lambda kind, value: b"i",
    )
    caller = tokens.caller(token, now)
    return None if caller is None else caller.iin


def test_keys_are_fetched_once_and_kept_a_while() -> None:
    source = Published(("k1", EC))
    keys = Keys(source)
    assert [whose(keys, signed(), NOW + n * PAUSE) for n in range(5)] == [AIDA] * 5
    assert source.fetched == 1
    assert whose(keys, signed(), NOW + FRESH) == AIDA
    assert source.fetched == 2


def test_a_new_key_is_believed_at_once_and_an_old_one_no_longer_than_it_is_kept() -> None:
    source = Published(("k1", EC))
    keys = Keys(source)
    assert whose(keys, signed(), NOW) == AIDA
    new = ECKey.generate_key("P-256")
    source.raw = published(("k2", new))
    assert whose(keys, signed(), NOW) == AIDA
    assert whose(keys, signed(key=new, kid="k2"), NOW) == AIDA
    assert whose(keys, signed(), NOW) is None


@pytest.mark.parametrize("kid", ["k1", None])
def test_a_key_that_changed_under_its_name_is_believed_at_once(kid: str | None) -> None:
    source = Published(("k1", EC))
    keys = Keys(source)
    assert whose(keys, signed(kid=kid), NOW) == AIDA
    new = ECKey.generate_key("P-256")
    source.raw = published(("k1", new))
    assert whose(keys, signed(key=new, kid=kid), NOW) == AIDA
    assert whose(keys, signed(kid=kid), NOW) is None


def test_an_issuer_that_was_away_is_asked_again_soon() -> None:
    source = Published(("k1", EC))
    source.is_up = False
    keys = Keys(source)
    for _ in range(3):
        with pytest.raises(Problem):
            whose(keys, signed(), NOW)
    assert source.fetched == 1
    source.is_up = True
    assert whose(keys, signed(), NOW + timedelta(seconds=RETRY)) == AIDA


def test_strangers_cannot_make_us_fetch_again_and_again() -> None:
    source = Published(("k1", EC))
    keys = Keys(source)
    for n in range(20):
        soon = NOW + timedelta(seconds=n)
        assert whose(keys, signed(kid=f"unknown{n}"), soon) is None
        assert whose(keys, signed(key=ECKey.generate_key("P-256")), soon) is None
        assert whose(keys, signed(iss="https://another.example"), soon) is None
    assert source.fetched == BURST


def test_known_keys_stand_while_their_issuer_is_away_but_not_for_ever() -> None:
    source = Published(("k1", EC))
    keys = Keys(source)
    assert whose(keys, signed(), NOW) == AIDA
    source.is_up = False
    assert whose(keys, signed(), NOW + STANDING - SKEW) == AIDA
    with pytest.raises(Problem) as refused:
        whose(keys, signed(), NOW + STANDING + SKEW)
    assert (refused.value.kind, refused.value.headers) == ("unavailable", {"Retry-After": "5"})
    source.is_up = True
    later = NOW + STANDING + SKEW + PAUSE
    assert whose(keys, signed(exp=(later + HOUR).timestamp()), later) == AIDA


def test_before_any_key_has_come_nobody_is_called_a_liar() -> None:
    source = Published()
    for raw in (b"", b"[]", b"{}", b'{"keys": {}}', b"\xff"):
        source.raw = raw
        with pytest.raises(Problem):
            whose(Keys(source), signed(), NOW)


@contextmanager
def serving(answers: dict[str, tuple[int, bytes]]) -> Iterator[str]:
    """A web server that answers these paths; its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = answers[self.path]
            self.send_response(status)
            self.send_header("Location", "/keys")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def test_keys_come_over_http_and_only_from_where_they_should() -> None:
    raw = published(("k1", EC))
    answers = {"/keys": (200, raw), "/moved": (302, b""), "/broken": (500, raw)}
    answers["/endless"] = (200, b" " * jwks.MOST_OCTETS + raw)
    with serving(answers) as url:
        assert over_http(f"{url}/keys")() == raw
        for path in ("/moved", "/broken", "/endless"):
            with pytest.raises(NoKeys):
                over_http(url + path)()
    with pytest.raises(NoKeys):
        over_http(f"{url}/keys")()


def test_the_sandbox_signs_with_a_key_that_only_its_account_reads(tmp_path: Path) -> None:
    data = tmp_path / "var"
    token = sandbox_issuer.issue(data, AIDA, NOW)
    own = Issuer(sandbox_issuer.ISSUER, sandbox_issuer.AUDIENCE, "iin", Keys(lambda: b""))
    ring = jwks.read(sandbox_issuer.public_keys(data))
    assert verified(token, own, ring, NOW) == AIDA
    assert verified(token, own, ring, NOW + sandbox_issuer.LIFETIME + SKEW) is None
    assert (data / sandbox_issuer.FILE).stat().st_mode & 0o777 == 0o600
    assert b'"d"' not in sandbox_issuer.public_keys(data)
    assert [path.name for path in data.iterdir()] == [sandbox_issuer.FILE]


def test_a_command_prints_a_token_that_the_sandbox_believes(tmp_path: Path) -> None:
    sandbox = {"JAUAP_ENVIRONMENT": "sandbox", "JAUAP_PATHS_DATA": str(tmp_path / "var")}
    printed = CliRunner().invoke(jauap, ["token", "--iin", AIDA], env=sandbox)
    shown = CliRunner().invoke(jauap, ["token", "--iin", AIDA, "--json"], env=sandbox)
    own = Issuer(sandbox_issuer.ISSUER, sandbox_issuer.AUDIENCE, "iin", Keys(lambda: b""))
    ring = jwks.read(sandbox_issuer.public_keys(tmp_path / "var"))
    for token in (printed.output.strip(), json.loads(shown.output)["token"]):
        assert verified(token, own, ring, system_clock()) == AIDA
    wrong = CliRunner().invoke(jauap, ["token", "--iin", "900101300125"], env=sandbox)
    assert (wrong.exit_code, "900101300125" in wrong.output) == (2, False)


def test_production_signs_no_tokens(tmp_path: Path) -> None:
    production = {
        "JAUAP_ENVIRONMENT": "production",
        "JAUAP_PATHS_DATA": str(tmp_path / "var"),
        "JAUAP_LEDGER_URL": "postgresql://jauap@127.0.0.1/jauap",
        "JAUAP_REDIS_URL": "redis://127.0.0.1/0",
        "JAUAP_MASTER_KEY": base64.b64encode(b"k" * 32).decode(),
    }
    refused = CliRunner().invoke(jauap, ["token", "--iin", AIDA], env=production)
    assert (refused.exit_code, "expected a sandbox" in refused.output) == (2, True)
    assert not (tmp_path / "var").exists()
