"""The link over TLS: whom it trusts with its password."""

import asyncio
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from smpp.binds import Tls
from smpp.dial import DialError, dial
from smpp.messages import (
    BindEvent,
)
from tests.smpp.scripted import Smsc, opened, quick, text

pytestmark = pytest.mark.anyio


@dataclass(frozen=True)
class Certificate:
    """A self-signed certificate for 127.0.0.1, and its pin."""

    file: Path
    pin: str

    def server(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.file)
        return context


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "smsc")])
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2099, 1, 1, tzinfo=UTC))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    plain = serialization.NoEncryption()
    private = key.private_bytes(Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    file = tmp_path_factory.mktemp("tls") / "smsc.pem"
    file.write_bytes(private + made.public_bytes(Encoding.PEM))
    return Certificate(file, made.fingerprint(hashes.SHA256()).hex())


async def test_a_bind_over_tls_trusts_the_pin_or_the_authority(certificate: Certificate) -> None:
    for tls in (Tls(pin_sha256=certificate.pin.upper()), Tls(ca=certificate.file)):
        bind = quick(tls=tls, response_timeout=2)
        async with opened(Smsc(), bind, certificate.server()) as on:
            await on.until(lambda: on.link.is_bound)
            on.link.submit(text(1))
            await on.until(lambda: on.results)


@pytest.mark.parametrize(
    ("tls", "words"),
    [
        (Tls(pin_sha256="0" * 64), "not the one of pin_sha256"),
        (Tls(), "CERTIFICATE_VERIFY_FAILED"),
    ],
)
async def test_another_certificate_never_sees_the_password(
    certificate: Certificate, tls: Tls, words: str
) -> None:
    bind = quick(tls=tls, response_timeout=2)
    async with opened(Smsc(), bind, certificate.server()) as on:
        await on.until(lambda: BindEvent.LOST in on.events)
        lost = next(one for one in on.states if one.event is BindEvent.LOST)
        assert words in lost.reason
        assert on.smsc.heard == []


async def test_a_server_that_speaks_no_tls_is_said() -> None:
    async with opened(Smsc(), quick(tls=Tls())) as on:
        await on.until(lambda: BindEvent.LOST in on.events)
        assert not on.link.is_bound


async def test_a_server_that_hangs_up_while_tls_begins_is_said_in_words() -> None:
    async def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    async with server:
        bind = quick(tls=Tls(), port=server.sockets[0].getsockname()[1])
        with pytest.raises(DialError, match=r"TLS|reset"):
            await dial(bind, asyncio.Protocol)


async def test_a_host_that_cannot_be_a_name_is_said() -> None:
    with pytest.raises(DialError, match="cannot be the name of a machine"):
        await dial(quick(host="a..b"), asyncio.Protocol)
