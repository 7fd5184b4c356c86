"""Fills a house: registers and offers over its own API, as a provider would."""

import time
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

import httpx

from app.bench.house import BenchError, House
from app.bench.people import SERVICE, Person
from app.ledger import keys

MEASURE = "school-meals"
LATER = (429, 503)  # to be repeated, as a provider would
AT_ONCE = 5_000  # a body of so many recipients stays under 1 MiB


def fill(house: House, persons: Sequence[Person]) -> float:
    """Registers everybody, consents included, and offers each one service; returns how many
    offers a second `POST /v1/offer-batches` took. The web process must be serving."""
    secret = open_door(house, "bench")
    _register_all(house, secret, persons)
    return post_offers(house, secret, persons)


def post_offers(house: House, secret: str, persons: Sequence[Person]) -> float:
    """Hands in one offer each, 10 000 a batch; how many a second were taken."""
    with _http(house, secret) as http:
        return _offer(http, persons)


def post_notices(house: House, secret: str, persons: Sequence[Person]) -> None:
    """Hands in a notice of a measure each, as one batch; all of them must be made."""
    notices = [{"measure": MEASURE, "iin": p.iin, "reference": f"n{p.number}"} for p in persons]
    with _http(house, secret) as http:
        _post(http, "/v1/notice-batches", {"notices": notices}, len(persons))


def register(house: House, persons: Sequence[Person]) -> None:
    """Registers people and their consents, and offers them nothing."""
    _register_all(house, open_door(house, "bench-registry"), persons)


def open_door(house: House, name: str) -> str:
    """A key of that name for everything a provider does; its secret."""
    with house.rt.unit() as unit:
        scopes = [keys.Scope.REGISTRY, keys.Scope.PROVIDER]
        _, secret = keys.add(unit.tx, name, scopes, unit.now)
    return secret


def _register_all(house: House, secret: str, persons: Sequence[Person]) -> None:
    yesterday = house.rt.clock() - timedelta(days=1)
    with _http(house, secret) as http:
        for some in batched(persons, AT_ONCE):
            _register(http, some, yesterday)


def _http(house: House, secret: str) -> httpx.Client:
    return httpx.Client(
        base_url=f"http://127.0.0.1:{house.port}",
        headers={"Authorization": f"Bearer {secret}"},
        timeout=120,
    )


def _register(http: httpx.Client, persons: Sequence[Person], since: datetime) -> None:
    at = since.isoformat()
    recipients = [
        {"iin": p.iin, "phone": p.phone, "language": "kk", "network": "bench", "registered_at": at}
        for p in persons
    ]
    consents = [
        {"iin": p.iin, "purpose": "personal-data", "reference": f"c{p.number}", "given_at": at}
        for p in persons
    ]
    _post(http, "/v1/registry/recipients", {"recipients": recipients}, len(persons))
    _post(http, "/v1/registry/consents", {"consents": consents}, len(persons))


def _offer(http: httpx.Client, persons: Sequence[Person]) -> float:
    seconds = 0.0
    for some in batched(persons, 10_000):
        offers = [{"service": SERVICE, "iin": p.iin, "reference": f"r{p.number}"} for p in some]
        seconds += _post(http, "/v1/offer-batches", {"offers": offers}, len(some))
    return len(persons) / seconds


def batched(persons: Sequence[Person], size: int) -> Iterator[Sequence[Person]]:
    """The same people, `size` at a time."""
    for start in range(0, len(persons), size):
        yield persons[start : start + size]


def _post(http: httpx.Client, path: str, body: dict[str, Any], expected: int) -> float:
    answer = http.post(path, json=body)
    while answer.status_code in LATER:
        time.sleep(float(answer.headers["Retry-After"]))
        answer = http.post(path, json=body)
    accepted = answer.json().get("accepted") if answer.is_success else None
    if accepted != expected:
        raise BenchError(f"POST {path}: found {answer.status_code}, {accepted} of {expected} taken")
    return answer.elapsed.total_seconds()
