"""The app on a bad connection: small answers, no answer twice, nothing said too late forgotten."""

import gzip
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

import httpx
import msgspec
import pytest

from app.api.revalidation import takes_gzip
from app.clock import ManualClock
from app.conversation.inbox import Notice
from app.ledger.ids import new_id
from app.ledger.unit import Unit
from app.proactive.records import Offer
from app.proactive.room import ProactiveRoom
from app.proactive.rules import Refusal, State
from app.recipients import actions as registers
from app.recipients.records import NewConsent
from app.runtime import Runtime
from tests.app.api.citizens import BIRTH, CHILDCARE, asked, citizen
from tests.app.api.conftest import Caller, plain_http, served
from tests.app.world import World

DAY = timedelta(hours=24)
SERVICES = 20


@pytest.fixture
def world(rt: Runtime, clock: ManualClock) -> World:
    return World(rt, clock)


@pytest.fixture
def client(world: World) -> Iterator[httpx.Client]:
    with served(world.rt) as url, plain_http(url) as opened:
        yield opened


@pytest.fixture
def aida(world: World, client: httpx.Client) -> Caller:
    return citizen(world, client, world.register("aida", "kk"))


def answer(caller: Caller, offer_id: UUID, choice: str) -> httpx.Response:
    return caller.post(f"/v1/me/offers/{offer_id}/answer", {"choice": choice})


def kinds(world: World, offer_id: UUID) -> list[str]:
    return [entry.kind for entry in world.journal(offer_id)]


# --- small and rarely sent ----------------------------------------------------------------------


def test_an_inbox_of_twenty_offers_fits_into_eight_kibibytes(world: World, aida: Caller) -> None:
    for number in range(SERVICES):
        offer_id = asked(world)
        if number < SERVICES - 1:
            world.say("2")
            world.clock.advance(timedelta(minutes=1))
    assert offer_id
    request = aida.client.build_request(
        "GET",
        "/v1/me/offers?limit=20",
        headers={"Authorization": f"Bearer {aida.secret}", "Accept-Encoding": "gzip"},
    )
    answered = aida.client.send(request, stream=True)
    raw = b"".join(answered.iter_raw())
    assert answered.headers["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in answered.headers["Vary"]
    assert len(msgspec.json.decode(gzip.decompress(raw))["items"]) == SERVICES
    assert len(raw) <= 8 * 1024


def test_the_tag_of_a_packed_answer_is_its_own_and_either_is_known(
    world: World, aida: Caller
) -> None:
    for _ in range(3):
        asked(world)
        world.say("2")
        world.clock.advance(timedelta(minutes=1))
    plain = aida.get("/v1/me/offers", headers={"Accept-Encoding": "identity"})
    packed = aida.get("/v1/me/offers", headers={"Accept-Encoding": "br;q=1, gzip;q=0.5"})
    assert plain.json() == packed.json()
    tags = plain.headers["ETag"], packed.headers["ETag"]
    assert tags[0] != tags[1]
    for tag in tags:
        for encoding in ("gzip", "identity"):
            headers = {"If-None-Match": tag, "Accept-Encoding": encoding}
            assert aida.get("/v1/me/offers", headers=headers).status_code == 304


@pytest.mark.parametrize(
    ("header", "takes"),
    [(None, False), ("", False), ("gzip", True), ("deflate, GZIP", True), ("gzip;q=0", False),
     ("*", True), ("*;q=0", False), ("gzip;q=0, *", False), ("x-gzip", True), ("br", False),
     ("gzip;q=nonsense", False)],
)  # fmt: skip
def test_only_who_takes_gzip_gets_it(header: str | None, takes: bool) -> None:
    assert takes_gzip(header) is takes


def test_since_shows_only_where_something_happened(world: World, aida: Caller) -> None:
    first = asked(world)
    answer(aida, first, "yes")
    world.clock.advance(timedelta(hours=1))
    moment = world.clock().isoformat()
    assert aida.get("/v1/me/offers", params={"since": moment}).json()["items"] == []
    second = asked(world, CHILDCARE)
    found = aida.get("/v1/me/offers", params={"since": moment}).json()["items"]
    assert [o["id"] for o in found] == [str(second)]
    world.report(first, "rendered")
    found = aida.get("/v1/me/offers", params={"since": moment}).json()["items"]
    assert [o["id"] for o in found] == [str(second), str(first)]
    assert aida.get("/v1/me/offers?since=yesterday").status_code == 422


# --- answers ------------------------------------------------------------------------------------


@pytest.mark.parametrize("swept", [False, True])
def test_an_answer_that_came_too_late_is_in_the_journal_once(
    world: World, aida: Caller, swept: bool
) -> None:
    offer_id = asked(world)
    world.clock.advance(DAY + timedelta(seconds=1))
    if swept:
        world.pass_time(timedelta(minutes=1))
    for choice in ("yes", "yes", "no"):
        assert answer(aida, offer_id, choice).status_code == 409
    late = [kind for kind in kinds(world, offer_id) if kind.startswith("heard-")]
    assert late == ["heard-after-the-end" if swept else "heard-late"]
    assert world.look(offer_id).state is (State.EXPIRED if swept else State.AWAITING)


# --- language -----------------------------------------------------------------------------------


def test_a_new_language_holds_for_what_is_open(world: World, aida: Caller) -> None:
    offer_id = asked(world)
    aida.call("PATCH", "/v1/me", json={"language": "ru"})
    shown = aida.get(f"/v1/me/offers/{offer_id}").json()
    assert shown["language"] == "ru"
    assert [c["label"] for c in shown["screen"]["choices"]] == ["Да", "Нет"]
    assert "language-chosen" in kinds(world, offer_id)
    world.say("Да")
    assert "согласие" in world.mts[-1].message.body.lower()


def test_a_question_that_has_not_left_is_worded_anew(world: World, aida: Caller) -> None:
    world.go_down()
    made = world.offer(BIRTH, "aida")
    assert isinstance(made, Offer)
    aida.call("PATCH", "/v1/me", json={"language": "ru"})
    world.come_back()
    assert "Согласны" in world.mts[-1].message.body
    assert world.look(made.id).language == "ru"


# --- consents -----------------------------------------------------------------------------------


def decide(caller: Caller, *, given: bool) -> httpx.Response:
    return caller.post("/v1/me/consents", {"purpose": "personal-data", "given": given})


def test_a_consent_withdrawn_in_the_app_ends_the_open_offer_and_is_journalled(
    world: World, aida: Caller
) -> None:
    offer_id = asked(world)
    [before] = aida.get("/v1/me/consents").json()["items"]
    assert (before["purpose"], before["reference"], before["ended_at"]) == (
        "personal-data", "C-1", None,
    )  # fmt: skip
    for _ in range(2):
        withdrawn = decide(aida, given=False)
        assert withdrawn.status_code == 200 and withdrawn.json()["items"][0]["ended_at"]
    assert world.look(offer_id).state is State.WITHDRAWN
    assert world.look(offer_id).result == "consent revoked"
    kept = world.rows("SELECT kind FROM journal WHERE kind LIKE 'consent-%' ORDER BY kind")
    assert [r.kind for r in kept] == ["consent-revoked", "consent-withdrawn"]


def test_no_older_word_of_a_register_undoes_a_withdrawal(world: World, aida: Caller) -> None:
    decide(aida, given=False)
    ago = world.clock() - timedelta(days=30)
    for reference in ("C-1", "C-2"):
        row = NewConsent(world.people["aida"], "personal-data", reference, ago, None, None)
        with world.rt.unit() as unit:
            registers.register_consents(world.rt.rooms, unit, [row])
        refused = world.offer(BIRTH, "aida")
        assert isinstance(refused, Refusal) and refused.gate == "consent_given"
    world.clock.advance(timedelta(minutes=1))
    later = NewConsent(world.people["aida"], "personal-data", "C-1", world.clock(), None, None)
    with world.rt.unit() as unit:
        registers.register_consents(world.rt.rooms, unit, [later])
    assert isinstance(world.offer(BIRTH, "aida"), Offer)


def test_a_consent_is_given_in_the_app_once(world: World, aida: Caller) -> None:
    decide(aida, given=False)
    world.clock.advance(timedelta(minutes=1))
    for _ in range(2):
        assert len(decide(aida, given=True).json()["items"]) == 2
    assert isinstance(world.offer(BIRTH, "aida"), Offer)


@pytest.mark.parametrize("body", [{}, {"purpose": "all", "given": True}, {"given": 1}])
def test_a_strange_decision_is_refused(aida: Caller, body: object) -> None:
    assert aida.post("/v1/me/consents", body).status_code == 422


# --- notices ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Letters(ProactiveRoom):
    """A room with notices, which the tests write."""

    kept: list[tuple[UUID, Notice]] = field(default_factory=list)

    def notices(
        self,
        unit: Unit,
        recipient_id: UUID,
        language: str | None,
        *,
        after: UUID | None,
        since: datetime | None,
        limit: int,
    ) -> Sequence[Notice]:
        mine = [n for who, n in self.kept if who == recipient_id]
        shown = [n for n in mine if after is None or n.id < after]
        return sorted(shown, key=lambda n: n.id, reverse=True)[:limit]

    def read(
        self, unit: Unit, recipient_id: UUID, notice_id: UUID, language: str | None
    ) -> Notice | None:
        for who, notice in self.kept:
            if (who, notice.id) == (recipient_id, notice_id):
                return Notice(notice.id, notice.kind, notice.body, notice.created_at, unit.now)
        return None


def test_notices_of_all_rooms_come_in_one_list(world: World, aida: Caller) -> None:
    assert aida.get("/v1/me/notices").json() == {"items": [], "next": None}
    letters = Letters(world.rt)
    world.rt.rooms["letters"] = letters
    person = world.rows("SELECT id FROM recipients")[0].id
    for number in range(3):
        at = world.clock() + timedelta(minutes=number)
        letters.kept.append((person, Notice(new_id(at), "letter", str(number), at, None)))
    first = aida.get("/v1/me/notices?limit=2").json()
    assert [n["body"] for n in first["items"]] == ["2", "1"]
    rest = aida.get(f"/v1/me/notices?limit=2&cursor={first['next']}").json()
    assert ([n["body"] for n in rest["items"]], rest["next"]) == (["0"], None)
    path = f"/v1/me/notices/{first['items'][0]['id']}/read"
    assert aida.post(path).json()["read_at"]
    stranger = citizen(world, aida.client, world.register("bolat", "ru"))
    assert stranger.post(path).status_code == 404
    assert aida.post("/v1/me/notices/strange/read").status_code == 404
