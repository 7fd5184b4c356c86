"""The JSON API under load: single offers, inboxes, a batch of 10 000; on the real web process."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import msgspec

from app.bench import calls
from app.bench.calls import Pace
from app.bench.filling import fill, open_door, register
from app.bench.house import House, house
from app.bench.messaging import Progress, ask_everybody, serve
from app.bench.people import SERVICE, Person, people
from app.clock import system_clock
from app.sandbox_issuer import issue

CONNECTIONS = 32
READERS = 200  # citizens whose inboxes are read, again and again


@dataclass(frozen=True, slots=True)
class Figures:
    """`batch_s` is the time of one batch of 10 000 offers. The paces at half are taken at half of
    the rate that the full run reached."""

    work: str
    connections: int
    batch_s: float
    offers: Pace
    offers_at_half: Pace
    inbox: Pace
    inbox_at_half: Pace
    memory_mb: dict[str, float]

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def measure(n: int, progress: Progress) -> Figures:
    """`n` single offers and five times as many readings of inboxes."""
    with house(None) as home:
        serve(home, 2)
        everybody = people(10_000 + 2 * n)
        batch, singles = everybody[:10_000], everybody[10_000:]
        batch_s = 10_000 / fill(home, batch)
        ask_everybody(home.rt)
        register(home, singles)
        progress(1, 5)
        key = open_door(home, "bench-singles")
        offers = _post(home, key, singles[:n], 0.0)
        progress(2, 5)
        offers_at_half = _post(home, key, singles[n:], offers.per_s / 2)
        progress(3, 5)
        inbox = _read(home, batch[:READERS], 5 * n, 0.0)
        progress(4, 5)
        inbox_at_half = _read(home, batch[:READERS], 5 * n, inbox.per_s / 2)
        progress(5, 5)
        return Figures(
            "api", CONNECTIONS, round(batch_s, 2), offers, offers_at_half, inbox, inbox_at_half,
            home.memory_mb(),
        )  # fmt: skip


def _post(home: House, key: str, persons: Sequence[Person], rate: float) -> Pace:
    prepared = [_offer(key, p) for p in persons]
    return calls.call(home.port, prepared, 201, CONNECTIONS, rate)


def _offer(key: str, person: Person) -> bytes:
    body = {"service": SERVICE, "iin": person.iin, "reference": f"s{person.number}"}
    return _octets("POST /v1/offers", key, msgspec.json.encode(body), f"k{person.number}")


def _read(home: House, persons: Sequence[Person], n: int, rate: float) -> Pace:
    data = home.rt.settings.paths.data
    tokens = [issue(data, p.iin, system_clock()) for p in persons]
    prepared = [_octets("GET /v1/me/offers", tokens[i % len(tokens)]) for i in range(n)]
    return calls.call(home.port, prepared, 200, CONNECTIONS, rate)


def _octets(what: str, bearer: str, body: bytes = b"", key: str = "") -> bytes:
    lines = [
        f"{what} HTTP/1.1",
        "Host: 127.0.0.1",
        f"Authorization: Bearer {bearer}",
        "Accept-Language: kk",
        "Accept-Encoding: identity",
    ]
    if body:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
        lines += [f"Idempotency-Key: {key}"]
    return "\r\n".join([*lines, "", ""]).encode() + body
