"""Events reach the provider once, signed, in the order of their case, and never a wrong address."""

import datetime as dt
import hmac
import ipaddress
import socket
import ssl
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from uuid import UUID, uuid4

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from app import webhooks
from app.clock import ManualClock
from app.ledger import deliveries, handover
from app.runtime import Runtime
from app.settings import Webhooks
from tests.app import worker_fixtures as on
from tests.app.worker_fixtures import PROVIDER, SECRET, Provider, happen, listen, states
from tests.conftest import NOON


@pytest.fixture
def provider() -> Iterator[Provider]:
    with on.provider() as there:
        yield there


def test_an_event_is_posted_as_it_was_stored_and_signed(rt: Runtime, provider: Provider) -> None:
    hook, case = listen(rt, provider.url + "/events?from=jauap"), uuid4()
    happen(rt, (case, 3))
    assert webhooks.deliver(rt, hook) == 1
    [(headers, body)] = provider.heard
    event = provider.events[0]
    assert (event["case"], event["sequence"], event["type"]) == (str(case), 3, "offer.accepted")
    assert headers["Content-Type"] == "application/json"
    assert headers["Jauap-Event-Id"] == headers["Idempotency-Key"] == event["id"]
    t, v1 = (field.partition("=")[2] for field in headers["Jauap-Signature"].split(","))
    assert t == str(int(NOON.timestamp()))
    assert v1 == hmac.new(SECRET.encode(), t.encode() + b"." + body, sha256).hexdigest()
    assert states(rt) == [("done", 1, 200, None)]


def test_an_event_that_was_taken_is_not_posted_again(rt: Runtime, provider: Provider) -> None:
    hook = listen(rt, provider.url)
    happen(rt, (uuid4(), 1))
    assert webhooks.deliver(rt, hook) == 1
    assert webhooks.deliver(rt, hook) == 0
    assert len(provider.heard) == 1


def test_a_refusal_is_tried_again_by_the_table(
    rt: Runtime, provider: Provider, clock: ManualClock
) -> None:
    hook = listen(rt, provider.url)
    happen(rt, (uuid4(), 1))
    waits = [5, 30, 120, 600, 1800, 3600, 3600]
    provider.answers = [500, 503, 404, 429, 302, 500, 500]
    for number, wait in enumerate(waits, start=1):
        webhooks.deliver(rt, hook)
        clock.advance(timedelta(seconds=wait - 1))
        webhooks.deliver(rt, hook)
        assert len(provider.heard) == number
        clock.advance(timedelta(seconds=1))
    assert states(rt) == [("due", 7, 500, "answered 500")]
    assert webhooks.deliver(rt, hook) == 1
    assert len({event["id"] for event in provider.events}) == 1
    assert states(rt) == [("done", 8, 200, None)]


def test_events_of_a_case_go_out_in_order_and_wait_for_one_another(
    rt: Runtime, provider: Provider, clock: ManualClock
) -> None:
    hook, case, other = listen(rt, provider.url), uuid4(), uuid4()
    provider.answer = lambda headers, body: 500 if str(case).encode() in body else 200
    happen(rt, (case, 2), (case, 5), (case, 9), (other, 1))
    webhooks.deliver(rt, hook)
    assert sorted((e["case"], e["sequence"]) for e in provider.events) == sorted(
        [(str(case), 2), (str(other), 1)]
    )
    provider.answer = lambda headers, body: 200
    clock.advance(timedelta(seconds=5))
    assert webhooks.deliver(rt, hook) == 3
    assert [e["sequence"] for e in provider.events if e["case"] == str(case)] == [2, 2, 5, 9]


def test_after_three_days_a_delivery_is_parked_and_the_next_one_goes(
    rt: Runtime, provider: Provider, clock: ManualClock
) -> None:
    hook, case = listen(rt, provider.url), uuid4()
    happen(rt, (case, 1), (case, 2))
    first = True
    provider.answer = lambda headers, body: 500 if first else 200
    while states(rt)[0][0] == "due":
        webhooks.deliver(rt, hook)
        clock.advance(timedelta(minutes=30))
        assert clock() < NOON + timedelta(days=3, hours=2)
    assert clock() >= NOON + timedelta(days=3)
    assert states(rt)[0][:1] + states(rt)[1][:1] == ("parked", "due")
    first = False
    webhooks.deliver(rt, hook)
    assert states(rt)[1] == ("done", 1, 200, None)


def test_an_outage_of_ours_does_not_use_up_the_attempts(
    rt: Runtime, provider: Provider, clock: ManualClock
) -> None:
    hook = listen(rt, provider.url)
    happen(rt, (uuid4(), 1))
    clock.advance(timedelta(days=5))
    provider.answers = [500]
    webhooks.deliver(rt, hook)
    clock.advance(timedelta(seconds=5))
    assert webhooks.deliver(rt, hook) == 1


def test_a_replay_sends_the_same_bodies_again(
    rt: Runtime, provider: Provider, clock: ManualClock
) -> None:
    hook, case = listen(rt, provider.url), uuid4()
    happen(rt, (case, 1), (case, 2))
    webhooks.deliver(rt, hook)
    clock.advance(timedelta(hours=1))
    with rt.ledger.begin() as tx:
        assert handover.replay(tx, PROVIDER, hook, NOON, rt.clock()) == 2
    webhooks.deliver(rt, hook)
    bodies = [body for _, body in provider.heard]
    assert len(bodies) == 4 and bodies[:2] == bodies[2:]


def test_a_deleted_webhook_is_sent_nothing(rt: Runtime, provider: Provider) -> None:
    hook = listen(rt, provider.url)
    happen(rt, (uuid4(), 1))
    with rt.ledger.begin() as tx:
        handover.drop_webhook(tx, PROVIDER, hook, rt.clock())
    assert webhooks.deliver(rt, hook) == 0
    assert provider.heard == []


def test_two_workers_at_one_webhook_never_send_an_event_twice(
    rt: Runtime, provider: Provider
) -> None:
    hook = listen(rt, provider.url)
    happen(rt, *((uuid4(), 1) for _ in range(60)))
    workers = [threading.Thread(target=webhooks.deliver, args=(rt, hook)) for _ in range(3)]
    for thread in workers:
        thread.start()
    for thread in workers:
        thread.join()
    assert len(provider.heard) == len({e["id"] for e in provider.events}) == 60


def test_what_a_killed_worker_had_taken_is_given_back(
    rt: Runtime, provider: Provider, clock: ManualClock
) -> None:
    hook = listen(rt, provider.url)
    happen(rt, (uuid4(), 1))
    with rt.ledger.begin() as tx:
        assert len(deliveries.take(tx, hook, clock(), clock() + webhooks.LEASE, 8)) == 1
    assert webhooks.deliver(rt, hook) == 0
    clock.advance(webhooks.LEASE)
    assert webhooks.deliver(rt, hook) == 1


def test_what_a_provider_answers_slowly_stays_with_the_worker_that_posted_it(
    rt: Runtime, provider: Provider, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhooks, "RENEW_S", 0.01)
    hook = listen(rt, provider.url)
    happen(rt, (uuid4(), 1))
    idle: list[bool] = []

    def slow(headers: dict[str, str], body: bytes) -> int:
        for _ in range(3):
            clock.advance(webhooks.LEASE - timedelta(seconds=1))
            on.eventually(lambda: not waiting_at(rt, clock() + timedelta(seconds=2)))
            idle.append(not waiting_at(rt, clock()))
        return 200

    provider.answer = slow
    assert webhooks.deliver(rt, hook) == 1
    assert idle == [True] * 3
    assert states(rt) == [("done", 1, 200, None)]


def waiting_at(rt: Runtime, when: dt.datetime) -> list[UUID]:
    with rt.ledger.begin() as tx:
        return deliveries.waiting(tx, when)


def test_waits_are_real_time_where_the_clock_runs_faster(
    rt: Runtime, provider: Provider, clock: ManualClock
) -> None:
    fast = replace(rt, real_seconds=lambda virtual: virtual / 4320)
    hook = listen(fast, provider.url)
    happen(fast, (uuid4(), 1))
    provider.answers = [500]
    webhooks.deliver(fast, hook)
    clock.advance(timedelta(seconds=5 * 4320 - 1))
    assert webhooks.deliver(fast, hook) == 0
    clock.advance(timedelta(seconds=1))
    assert webhooks.deliver(fast, hook) == 1


def test_nobody_at_home_is_an_error_and_not_an_exception(rt: Runtime) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    hook = listen(rt, f"http://127.0.0.1:{port}/")
    happen(rt, (uuid4(), 1))
    assert webhooks.deliver(rt, hook) == 0
    [(state, attempts, status, error)] = states(rt)
    assert (state, attempts, status) == ("due", 1, None)
    assert error is not None and error.startswith("ConnectError")


def test_a_redirect_is_not_followed(rt: Runtime, provider: Provider) -> None:
    hook = listen(rt, provider.url)
    happen(rt, (uuid4(), 1))
    provider.answers = [307]
    webhooks.deliver(rt, hook)
    assert len(provider.heard) == 1
    assert states(rt) == [("due", 1, 307, "answered 307")]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "2130706433", "0x7f.1"])
def test_a_webhook_into_our_own_networks_is_never_connected(
    rt: Runtime, provider: Provider, host: str
) -> None:
    closed = replace(rt, settings=replace(rt.settings, webhooks=Webhooks(allow_private=False)))
    hook = listen(closed, provider.url.replace("127.0.0.1", host))
    happen(closed, (uuid4(), 1))
    webhooks.deliver(closed, hook)
    [(state, _, status, error)] = states(closed)
    assert (state, status) == ("due", None)
    assert error is not None and error.startswith("Blocked")
    assert provider.heard == []


@pytest.mark.parametrize(
    "address",
    ["10.1.2.3", "192.168.0.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1", "::",
     "fe80::1", "fc00::1", "::ffff:10.0.0.1", "2002:a00:1::", "64:ff9b::a00:1", "ff02::1",
     "::127.0.0.1", "fec0::1", "64:ff9b:1::7f00:1", "fe80::1%eth0", "::ffff:0:127.0.0.1",
     "192.0.0.8", "192.88.99.1", "3fff::1", "5f00::1"],
)  # fmt: skip
def test_these_addresses_are_not_public(address: str) -> None:
    assert not webhooks.is_public(address)


@pytest.mark.parametrize("address", ["195.12.113.29", "2a02:6b8::2:242", "::ffff:195.12.113.29"])
def test_these_addresses_are_public(address: str) -> None:
    assert webhooks.is_public(address)


@pytest.mark.parametrize(
    "url",
    ["ftp://egov.kz/", "https://", "https://a:b@egov.kz/", "https://egov.kz/#x", "http://[::1]/",
     "http://10.0.0.1/", "https://egov.kz:99999/", "file:///etc/passwd", "egov.kz"],
)  # fmt: skip
def test_these_urls_are_refused_at_registration(url: str) -> None:
    assert webhooks.url_problem(url, allow_private=False)


def test_a_plain_url_is_fine_and_a_private_one_where_the_settings_allow_it() -> None:
    assert webhooks.url_problem("https://egov.kz/jauap", allow_private=False) is None
    assert webhooks.url_problem("http://127.0.0.1:8080/", allow_private=True) is None


@given(st.integers(min_value=1, max_value=200))
def test_waits_never_shrink(attempts: int) -> None:
    assert webhooks.wait_after(attempts) <= webhooks.wait_after(attempts + 1)
    assert webhooks.wait_after(attempts) <= timedelta(hours=1)


def _certificate(tmp_path: Path, name: str) -> tuple[Path, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    today = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(today - timedelta(days=1))
        .not_valid_after(today + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    (tmp_path / "cert.pem").write_bytes(certificate.public_bytes(pem))
    (tmp_path / "key.pem").write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return tmp_path / "cert.pem", tmp_path / "key.pem"


@pytest.mark.parametrize(("name", "is_taken"), [("localhost", True), ("egov.kz", False)])
def test_the_certificate_is_checked_against_the_name(
    rt: Runtime, provider: Provider, tmp_path: Path, name: str, is_taken: bool
) -> None:
    cert, key = _certificate(tmp_path, name)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    provider.speak_tls(context)
    hook = listen(rt, provider.url.replace("http://127.0.0.1", "https://localhost"))
    happen(rt, (uuid4(), 1))
    trust = ssl.create_default_context(cafile=str(cert))
    assert webhooks.deliver(rt, hook, trust=trust) == int(is_taken)
    if is_taken:
        assert provider.heard[0][0]["Host"].startswith("localhost:")
    else:
        assert "certificate" in str(states(rt)[0][3])


def test_an_ipv6_address_is_written_into_the_url_as_it_must_be() -> None:
    url = httpx.URL("https://egov.kz:8443/a?b=c").copy_with(host="2a02:6b8::2:242")
    assert str(url) == "https://[2a02:6b8::2:242]:8443/a?b=c"
    assert ipaddress.ip_address("2a02:6b8::2:242").is_global


def test_a_webhook_listens_only_for_the_events_it_named(rt: Runtime, provider: Provider) -> None:
    hook = listen(rt, provider.url, "offer.declined")
    happen(rt, (uuid4(), 1), kind="offer.accepted")
    happen(rt, (UUID(int=1), 1), kind="offer.declined")
    assert webhooks.deliver(rt, hook) == 1
    assert provider.events[0]["type"] == "offer.declined"
