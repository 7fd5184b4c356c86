"""Handing events over to providers: signs, posts, and decides when to try again (155/НҚ, clause 6).

It never follows a redirect, never goes to an address that is not public unless the settings
allow it, and never looks inside an event.
"""

import hmac
import ipaddress
import socket
import ssl
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache, partial
from hashlib import sha256
from time import monotonic
from urllib.parse import urlsplit
from uuid import UUID

import httpx
import structlog

from app.ledger import deliveries, handover
from app.ledger.deliveries import Delivery, Destination
from app.runtime import Runtime

# Real time, also where the sandbox's clock runs faster: it is the provider who needs the pause.
WAITS = (
    timedelta(seconds=5),
    timedelta(seconds=30),
    timedelta(minutes=2),
    timedelta(minutes=10),
    timedelta(minutes=30),
    timedelta(hours=1),
)
PATIENCE = timedelta(days=3)
# What was taken is ours for so long, and is kept by renewing it while the provider answers slowly:
# what a killed worker had in hand does not wait for the slowest answer there could have been.
LEASE = timedelta(seconds=6)
RENEW_S = 2.0
AT_ONCE = 8
# After so many seconds the worker turns to the next webhook.
TURN_S = 2.0
MOST_ADDRESSES = 2
MOST_OCTETS = 64 * 1024

_TIMEOUT = httpx.Timeout(5, connect=2)
# All that the world can be reached by lies in here (RFC 4291); translators of our own do not.
_GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")
# Set aside, yet not every Python says so: RFC 9637, 6890, 7526.
_SET_ASIDE = tuple(map(ipaddress.ip_network, ("3fff::/20", "192.0.0.0/24", "192.88.99.0/24")))
_log = structlog.get_logger("webhooks")

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class Blocked(Exception):
    """The address is not one we may post to, or there is none; the message says which."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one POST: a status, or the error that kept it from coming."""

    status: int | None
    error: str | None

    @property
    def is_accepted(self) -> bool:
        """Did the provider take the event? Any 2xx says so."""
        return self.status is not None and 200 <= self.status < 300


# Rules: pure.


def signature(secret: bytes, body: bytes, at: datetime) -> str:
    """The value of `Jauap-Signature`: t=<unix seconds>,v1=<hex HMAC-SHA256(secret, t.body)>."""
    t = int(at.timestamp())
    mac = hmac.new(secret, f"{t}.".encode() + body, sha256)
    return f"t={t},v1={mac.hexdigest()}"


def wait_after(attempts: int) -> timedelta:
    """How long to wait after so many failed attempts (1 or more), in real time."""
    return WAITS[min(attempts, len(WAITS)) - 1]


def is_hopeless(attempts: int, age: timedelta) -> bool:
    """Give up? Three days after the event, but never before every wait has been tried: an outage
    of ours must not eat up a provider's attempts."""
    return age >= PATIENCE and attempts > len(WAITS)


def url_problem(url: str, *, allow_private: bool) -> str | None:
    """Why a webhook cannot go to `url`, in words, or None; asks no name server."""
    try:
        there = urlsplit(url)
        port = there.port
    except ValueError:
        return "is not a URL"
    if there.scheme not in ("http", "https") or not there.hostname or port == 0:
        return "expected http:// or https:// and a host"
    if there.username or there.password or there.fragment:
        return "expected no user name, password or fragment"
    if not allow_private and _is_address(there.hostname) and not is_public(there.hostname):
        return "expected a public address"
    return None


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def is_public(address: str) -> bool:
    """May a stranger's webhook point there? Not into our own networks, however spelled."""
    ip: Address = ipaddress.ip_address(address)
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is not None:
            return is_public(str(ip.ipv4_mapped))
        # An IPv4 address travels inside these, and a relay would unpack it.
        if ip.sixtofour is not None or ip.teredo is not None or ip not in _GLOBAL_UNICAST:
            return False
    return ip.is_global and not ip.is_multicast and not any(ip in net for net in _SET_ASIDE)


# Doing: posts and writes what came of it.


@dataclass(frozen=True, slots=True)
class Door:
    """A webhook's URL with its name resolved and checked once: what was checked is what is
    connected to, so a name cannot change its mind in between."""

    client: httpx.Client
    url: httpx.URL
    addresses: Sequence[str]
    secret: bytes

    def post(self, delivery: Delivery, at: datetime) -> Answer:
        """Posts one event as it is stored; never raises for what the other side does."""
        answer = Answer(None, "no address")
        for address in self.addresses:
            try:
                return self._post(address, delivery, at)
            except (httpx.ConnectError, httpx.ConnectTimeout) as error:
                answer = Answer(None, _words(error))
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                return Answer(None, _words(error))
        return answer

    def _post(self, address: str, delivery: Delivery, at: datetime) -> Answer:
        headers = {
            "Host": self.url.netloc.decode("ascii"),
            "Content-Type": "application/json",
            "User-Agent": "jauap",
            "Jauap-Signature": signature(self.secret, delivery.body, at),
            "Jauap-Event-Id": str(delivery.event_id),
            "Idempotency-Key": str(delivery.event_id),
        }
        with self.client.stream(
            "POST",
            self.url.copy_with(host=address),
            content=delivery.body,
            headers=headers,
            # The certificate is checked against the name, not against the address.
            extensions={"sni_hostname": self.url.raw_host.decode("ascii")},
        ) as response:
            if response.is_success:
                _drain(response)
                return Answer(response.status_code, None)
            return Answer(response.status_code, f"answered {response.status_code}")


def _drain(response: httpx.Response) -> None:
    # Read to its end an answer leaves the connection usable; a long or slow one is not worth it.
    seen, ends = 0, monotonic() + 1
    try:
        for chunk in response.iter_raw():
            seen += len(chunk)
            if seen > MOST_OCTETS or monotonic() > ends:
                return
    except httpx.HTTPError:
        return


def _words(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:200]


def resolve(url: httpx.URL, *, allow_private: bool) -> list[str]:
    """The addresses of a URL's host, all of them checked; raises Blocked."""
    host = url.raw_host.decode("ascii").strip("[]")
    try:
        found = socket.getaddrinfo(host, url.port or 0, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise Blocked("the name has no address") from None
    addresses = list(dict.fromkeys(str(info[4][0]) for info in found))
    if not allow_private and not all(is_public(a) for a in addresses):
        raise Blocked("the address is not public")
    return addresses[:MOST_ADDRESSES]


@cache
def _trust() -> ssl.SSLContext:
    return ssl.create_default_context()


def deliver(
    rt: Runtime,
    webhook_id: UUID,
    is_stopped: Callable[[], bool] = lambda: False,
    trust: ssl.SSLContext | None = None,
) -> int:
    """Carries out what is due at one webhook, for a turn of a few seconds, several at a time but
    in order within a case; returns how many the provider took."""
    with rt.ledger.begin() as tx:
        where = deliveries.destination(tx, rt.vault, webhook_id)
    if where is None:
        return 0
    with (
        httpx.Client(verify=trust or _trust(), timeout=_TIMEOUT, trust_env=False) as client,
        ThreadPoolExecutor(AT_ONCE, "webhook") as pool,
    ):
        attempt = _attempt(rt, where, client)
        return _turn(rt, where, pool, attempt, is_stopped)


def _attempt(
    rt: Runtime, where: Destination, client: httpx.Client
) -> Callable[[Delivery, datetime], Answer]:
    try:
        url = httpx.URL(where.url)
        addresses = resolve(url, allow_private=rt.settings.webhooks.allow_private)
    except (Blocked, httpx.InvalidURL) as error:
        answer = Answer(None, _words(error))
        return lambda delivery, at: answer
    return Door(client, url, addresses, where.secret).post


def _turn(
    rt: Runtime,
    where: Destination,
    pool: ThreadPoolExecutor,
    attempt: Callable[[Delivery, datetime], Answer],
    is_stopped: Callable[[], bool],
) -> int:
    accepted, ends = 0, monotonic() + TURN_S
    while monotonic() < ends and not is_stopped():
        now = rt.clock()
        with rt.ledger.begin() as tx:
            until = now + rt.waiting(LEASE.total_seconds())
            taken = deliveries.take(tx, where.webhook_id, now, until, AT_ONCE)
        one = partial(_carry_out, rt, where.webhook_id, attempt)
        posts = {pool.submit(one, delivery): delivery.event_id for delivery in taken}
        _keep(rt, where.webhook_id, posts, until)
        fresh = sum(post.result() for post in posts)
        accepted += fresh
        # One that takes nothing gets no more of this turn: others wait.
        if not fresh:
            break
    return accepted


def _keep(
    rt: Runtime, webhook_id: UUID, posts: Mapping[Future[bool], UUID], until: datetime
) -> None:
    """Waits for the posts, and renews the lease of those that take long."""
    left = set(posts)
    while left := wait(left, RENEW_S).not_done:
        longer = rt.clock() + rt.waiting(LEASE.total_seconds())
        with rt.ledger.begin() as tx:
            deliveries.renew(tx, webhook_id, [posts[one] for one in left], until, longer)
        until = longer


def _carry_out(
    rt: Runtime,
    webhook_id: UUID,
    attempt: Callable[[Delivery, datetime], Answer],
    delivery: Delivery,
) -> bool:
    answer = attempt(delivery, rt.clock())
    now = rt.clock()
    state, next_at = _verdict(rt, delivery, answer, now)
    with rt.ledger.begin() as tx:
        handover.settle(
            tx,
            delivery.event_id,
            webhook_id,
            state,
            now,
            next_at=next_at,
            status=answer.status,
            error=answer.error,
        )
    if state == "parked":
        _log.warning("delivery parked", event_id=str(delivery.event_id), error=answer.error)
    return answer.is_accepted


def _verdict(
    rt: Runtime, delivery: Delivery, answer: Answer, now: datetime
) -> tuple[str, datetime]:
    attempts = delivery.attempts + 1
    age = timedelta(seconds=rt.real_seconds((now - delivery.first_at).total_seconds()))
    if answer.is_accepted:
        return "done", now
    if is_hopeless(attempts, age):
        return "parked", now
    return "due", now + rt.waiting(wait_after(attempts).total_seconds())
