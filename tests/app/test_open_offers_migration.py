"""A ledger with offers gets the table of open ones: exactly the open, whatever ends meanwhile."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit, urlunsplit
from uuid import UUID, uuid4

import psycopg
import pytest

from app.ledger.engine import Ledger, sql
from app.proactive.rules import OPEN, State
from app.runtime import Runtime
from tests.app.worker_fixtures import eventually

BEFORE = "0012"
OFFER = """INSERT INTO offers (id, provider, reference, service, recipient_id, phone_index, facts,
        state, version, head, created_at)
    VALUES (%(id)s, 'labour', %(id)s::text, 'birth-benefit', gen_random_uuid(), '', '', %(state)s,
        1, '', now())"""
PLACES = "SELECT offer_id FROM open_offers"
WAITS = sql("SELECT EXISTS (SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock')")


@pytest.fixture
def url(rt: Runtime) -> Iterator[str]:
    """A ledger of the version before, with an offer in each state."""
    name = "before_open_offers"
    with psycopg.connect(rt.ledger.url, autocommit=True) as own:
        own.execute(f"CREATE DATABASE {name}".encode())
        url = urlunsplit(urlsplit(rt.ledger.url)._replace(path=f"/{name}"))
        Ledger(url).migrate(BEFORE)
        yield url
        own.execute(f"DROP DATABASE {name}".encode())


def fill(url: str) -> dict[State, UUID]:
    offers = {state: uuid4() for state in State}
    with psycopg.connect(url) as tx:
        for state, offer in offers.items():
            tx.execute(OFFER, {"id": offer, "state": str(state)})
    return offers


def test_what_is_open_has_its_place_and_what_ends_meanwhile_has_none(rt: Runtime, url: str) -> None:
    offers = fill(url)
    with psycopg.connect(url) as old, ThreadPoolExecutor(1) as lane:
        old.execute("UPDATE offers SET state = 'declined' WHERE id = %s", (offers[State.SENT],))
        migrated = lane.submit(Ledger(url).migrate)
        with rt.ledger.alone() as tx:
            eventually(lambda: tx.execute(WAITS).scalar_one())
        old.commit()
        migrated.result(20)
    with psycopg.connect(url) as tx:
        places = {row[0] for row in tx.execute(PLACES)}
    assert places == {offers[state] for state in OPEN - {State.SENT}}
