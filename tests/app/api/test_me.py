"""The citizen's side: the inbox in their language, the answer, their settings."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from threading import Barrier, Thread
from uuid import UUID

import httpx
import pytest

from app import sandbox_issuer
from app.clock import ManualClock, system_clock
from app.proactive.records import Offer
from app.proactive.rules import State
from app.runtime import Runtime
from app.settings import Oidc
from tests.app.api.citizens import BIRTH, CHILDCARE, KK, RU, asked, citizen
from tests.app.api.conftest import Caller, plain_http, served
from tests.app.api.test_tokens import RSA, published, serving, signed
from tests.app.world import World

DAY = timedelta(hours=24)


@pytest.fixture
def world(rt: Runtime, clock: ManualClock) -> World:
    """A phone, its network and its provider."""
    return World(rt, clock)


@pytest.fixture
def client(world: World) -> Iterator[httpx.Client]:
    with served(world.rt) as url, plain_http(url) as opened:
        yield opened


@pytest.fixture
def aida(world: World, client: httpx.Client) -> Caller:
    return citizen(world, client, world.register("aida", "kk"))


def answer(caller: Caller, offer_id: UUID, choice: str, **more: object) -> httpx.Response:
    return caller.post(f"/v1/me/offers/{offer_id}/answer", {"choice": choice}, **more)


# --- the inbox --------------------------------------------------------------------------------


def test_the_inbox_shows_the_question_with_its_choices(world: World, aida: Caller) -> None:
    offer_id = asked(world)
    [shown] = aida.get("/v1/me/offers").json()["items"]
    assert (shown["id"], shown["state"], shown["service"]) == (str(offer_id), "awaiting", BIRTH)
    assert [c["id"] for c in shown["screen"]["choices"]] == ["yes", "no"]
    assert shown["deadline"] and shown["answered_by"] is None
    assert aida.get(f"/v1/me/offers/{offer_id}").json() == shown


def test_screens_come_in_the_language_asked_for_else_in_the_recorded_one(
    world: World, aida: Caller
) -> None:
    path = f"/v1/me/offers/{asked(world)}"
    labels = {
        spoken: [c["label"] for c in aida.get(path, headers=headers).json()["screen"]["choices"]]
        for spoken, headers in (("ru", RU), ("kk", KK), ("en", {"Accept-Language": "en"}))
    }
    assert labels["ru"] == ["Да", "Нет"]
    assert labels["en"] == labels["kk"] != labels["ru"]


def test_who_has_chosen_no_language_reads_both(world: World, client: httpx.Client) -> None:
    someone = citizen(world, client, world.register("someone", None))
    asked(world, name="someone")
    [shown] = someone.get("/v1/me/offers").json()["items"]
    halves = [
        someone.get("/v1/me/offers", headers=headers).json()["items"][0]["screen"]["body"]
        for headers in (KK, RU)
    ]
    assert shown["screen"]["body"] == "\n".join(halves)


def test_what_has_not_been_asked_yet_is_not_shown_and_not_answered(
    world: World, aida: Caller
) -> None:
    asked(world)
    waiting = world.offer(CHILDCARE, "aida")
    assert isinstance(waiting, Offer)
    assert [o["service"] for o in aida.get("/v1/me/offers").json()["items"]] == [BIRTH]
    assert aida.get(f"/v1/me/offers/{waiting.id}").status_code == 404
    assert answer(aida, waiting.id, "yes").status_code == 404


def test_another_persons_offer_does_not_exist(
    world: World, aida: Caller, client: httpx.Client
) -> None:
    offer_id = asked(world)
    for iin in (world.register("bolat", "ru"), "900101300126"):
        other = citizen(world, client, iin)
        assert other.get("/v1/me/offers").json() == {"items": [], "next": None}
        assert other.get(f"/v1/me/offers/{offer_id}").status_code == 404
        assert answer(other, offer_id, "yes").status_code == 404
    assert world.look(offer_id).state is State.AWAITING
    assert aida.get("/v1/me/offers/strange").status_code == 404


def test_the_inbox_comes_newest_first_page_by_page(world: World, aida: Caller) -> None:
    first = asked(world)
    answer(aida, first, "no")
    world.clock.advance(timedelta(minutes=1))
    second = asked(world, CHILDCARE)
    page = aida.get("/v1/me/offers?limit=1").json()
    assert [o["id"] for o in page["items"]] == [str(second)]
    rest = aida.get(f"/v1/me/offers?limit=1&cursor={page['next']}").json()
    assert ([o["id"] for o in rest["items"]], rest["next"]) == ([str(first)], None)
    assert aida.get("/v1/me/offers?cursor=x").status_code == 422


def test_an_unchanged_inbox_is_not_sent_again(world: World, aida: Caller) -> None:
    offer_id = asked(world)
    for path in ("/v1/me/offers", f"/v1/me/offers/{offer_id}", "/v1/me"):
        first = aida.get(path)
        tag = first.headers["ETag"]
        for known in (tag, f'W/{tag}, "x"', "*"):
            again = aida.get(path, headers={"If-None-Match": known})
            assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", tag)
        assert "no-store" not in first.headers["Cache-Control"]
        assert "Accept-Language" in first.headers["Vary"]
    path = f"/v1/me/offers/{offer_id}"
    tag = aida.get(path).headers["ETag"]
    assert aida.get(path, headers={"If-None-Match": tag} | RU).status_code == 200
    answer(aida, offer_id, "yes")
    assert aida.get(path, headers={"If-None-Match": tag}).status_code == 200


# --- the answer -------------------------------------------------------------------------------


@pytest.mark.parametrize(("choice", "state"), [("yes", "accepted"), ("no", "declined")])
def test_an_answer_in_the_app_ends_the_offer(
    world: World, aida: Caller, choice: str, state: str
) -> None:
    offer_id = asked(world)
    answered = answer(aida, offer_id, choice, headers=RU)
    assert answered.status_code == 200
    shown = answered.json()
    assert (shown["state"], shown["answered_by"]) == (state, "app")
    assert shown["screen"]["choices"] == [] and "?" not in shown["screen"]["body"]
    assert world.events(offer_id) == [f"offer.{state}"]
    assert world.outbox(offer_id) == ["offer.ask"]
    facts = [e.body for e in world.journal(offer_id) if e.kind == choice]
    assert len(facts) == 1 and b'"app"' in facts[0]


def test_the_same_answer_again_gets_the_same_offer(world: World, aida: Caller) -> None:
    offer_id = asked(world)
    first = answer(aida, offer_id, "yes")
    world.clock.advance(DAY * 2)
    again = answer(aida, offer_id, "yes")
    assert (again.status_code, again.json()) == (200, first.json())
    kept = answer(aida, offer_id, "yes", headers={"Idempotency-Key": "k"})
    assert kept.json() == first.json()
    assert world.events(offer_id) == ["offer.accepted"]


def test_another_answer_is_refused_and_names_the_first(world: World, aida: Caller) -> None:
    offer_id = asked(world)
    answer(aida, offer_id, "no")
    for headers, named in ((RU, "отказ"), ({}, "no")):
        refused = answer(aida, offer_id, "yes", headers=headers)
        assert (refused.status_code, refused.json()["type"]) == (409, "/docs#answered")
        assert named in refused.json()["detail"]
    assert world.look(offer_id).state is State.DECLINED


def test_an_answer_by_sms_stands_in_the_app_too(world: World, aida: Caller) -> None:
    offer_id = asked(world)
    world.say("1")
    assert answer(aida, offer_id, "yes").json()["answered_by"] == "sms"
    assert answer(aida, offer_id, "no").status_code == 409


def test_after_an_answer_in_the_app_the_sms_conversation_is_over(
    world: World, aida: Caller
) -> None:
    offer_id = asked(world)
    answer(aida, offer_id, "yes")
    world.say("2")
    assert world.mts[-1].message.kind == "offer.already"
    assert world.look(offer_id).state is State.ACCEPTED


def test_an_answer_makes_room_for_the_next_question(world: World, aida: Caller) -> None:
    offer_id = asked(world)
    world.clock.advance(timedelta(minutes=1))
    world.offer(CHILDCARE, "aida")
    answer(aida, offer_id, "yes")
    world.commit()
    services = [o["service"] for o in aida.get("/v1/me/offers").json()["items"]]
    assert services == [CHILDCARE, BIRTH]


def test_an_answer_before_the_receipt_counts(world: World, aida: Caller) -> None:
    made = world.offer(BIRTH, "aida")
    assert isinstance(made, Offer)
    assert answer(aida, made.id, "yes").json()["state"] == "accepted"


@pytest.mark.parametrize("swept", [False, True])
def test_an_answer_after_the_window_is_too_late(world: World, aida: Caller, swept: bool) -> None:
    offer_id = asked(world)
    world.clock.advance(DAY + timedelta(seconds=1))
    if swept:
        world.pass_time(timedelta(minutes=1))
        assert world.look(offer_id).state is State.EXPIRED
    refused = answer(aida, offer_id, "yes")
    assert (refused.status_code, refused.json()["type"]) == (409, "/docs#too_late")
    assert (refused.json()["gate"], refused.json()["clause"]) == ("reply_window", "155:4")
    assert aida.get(f"/v1/me/offers/{offer_id}").json()["screen"]["choices"] == []


def test_an_answer_at_the_very_deadline_is_in_time(world: World, aida: Caller) -> None:
    offer_id = asked(world)
    world.clock.advance(DAY)
    assert answer(aida, offer_id, "yes").json()["state"] == "accepted"


def test_how_an_offer_ended_is_worded(world: World, aida: Caller) -> None:
    offer_id = asked(world)
    path = f"/v1/me/offers/{offer_id}"
    answer(aida, offer_id, "yes")
    world.report(offer_id, "rendered")
    assert "услуга оказана" in aida.get(path, headers=RU).json()["screen"]["body"]
    withdrawn = asked(world, CHILDCARE)
    world.withdraw(withdrawn)
    shown = aida.get(f"/v1/me/offers/{withdrawn}", headers=RU).json()
    assert "отозвал" in shown["screen"]["body"]
    refused = answer(aida, withdrawn, "yes")
    assert (refused.status_code, refused.json()["type"]) == (409, "/docs#state")


@pytest.mark.parametrize("choice", ["maybe", "", "1", "accept"])
def test_only_a_choice_of_the_screen_is_an_answer(world: World, aida: Caller, choice: str) -> None:
    offer_id = asked(world)
    refused = answer(aida, offer_id, choice)
    assert refused.status_code == 422
    assert [e["field"] for e in refused.json()["errors"]] == ["choice"]
    assert world.look(offer_id).state is State.AWAITING


def test_of_two_answers_at_once_one_counts(world: World, aida: Caller) -> None:
    offer_id = asked(world)
    together, found = Barrier(8), []

    def press(choice: str) -> None:
        together.wait()
        found.append((choice, answer(aida, offer_id, choice).status_code))

    threads = [Thread(target=press, args=(("yes", "no")[n % 2],)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    winner = "yes" if world.look(offer_id).state is State.ACCEPTED else "no"
    assert sorted(found) == sorted((c, 200 if c == winner else 409) for c in ("yes", "no") * 4)
    assert len(world.events(offer_id)) == 1


# --- settings ---------------------------------------------------------------------------------


def test_a_citizen_reads_and_changes_their_settings(world: World, aida: Caller) -> None:
    before = aida.get("/v1/me").json()
    assert (before["language"], before["sms"]) == ("kk", True)
    assert world.phone not in aida.get("/v1/me").text
    changed = aida.call("PATCH", "/v1/me", json={"language": "ru"})
    assert changed.json() == before | {"language": "ru"}
    off = aida.call("PATCH", "/v1/me", json={"sms": False})
    assert off.json() == before | {"language": "ru", "sms": False} == aida.get("/v1/me").json()


def test_the_next_question_comes_in_the_language_chosen(world: World, aida: Caller) -> None:
    aida.call("PATCH", "/v1/me", json={"language": "ru"})
    made = world.offer(BIRTH, "aida")
    assert isinstance(made, Offer) and made.language == "ru"


def test_who_turned_sms_off_is_made_no_offer_by_sms(world: World, aida: Caller) -> None:
    aida.call("PATCH", "/v1/me", json={"sms": False})
    refused = world.offer(BIRTH, "aida")
    assert not isinstance(refused, Offer) and "phone_reachable" in str(refused)
    aida.call("PATCH", "/v1/me", json={"sms": True})
    assert isinstance(world.offer(BIRTH, "aida"), Offer)


@pytest.mark.parametrize("body", [{"language": "en"}, {"sms": "no"}, {"iin": "1"}])
def test_a_strange_wish_is_refused(aida: Caller, body: dict[str, object]) -> None:
    assert aida.call("PATCH", "/v1/me", json=body).status_code == 422


def test_whom_the_register_does_not_know_has_no_settings(
    world: World, client: httpx.Client
) -> None:
    assert citizen(world, client, "900101300126").get("/v1/me").status_code == 404


# --- who may -----------------------------------------------------------------------------------


def test_citizens_and_systems_have_doors_of_their_own(
    world: World, aida: Caller, provider: Caller
) -> None:
    assert provider.get("/v1/me").status_code == 403
    assert aida.get("/v1/offers").status_code == 403


def test_a_token_that_has_ended_opens_nothing(world: World, client: httpx.Client) -> None:
    iin = world.register("aida", "kk")
    long_ago = system_clock() - 2 * sandbox_issuer.LIFETIME
    token = sandbox_issuer.issue(world.rt.settings.paths.data, iin, long_ago)
    refused = Caller(client, token, "").get("/v1/me")
    assert refused.status_code == 401
    assert refused.headers["WWW-Authenticate"].startswith("Bearer")
    assert iin not in refused.text


def test_a_configured_issuers_token_opens_the_door_once_its_keys_can_be_had(world: World) -> None:
    iin, now = world.register("aida", "kk"), system_clock()
    answers = {"/keys": (503, b"")}
    with serving(answers) as issuer:
        oidc = Oidc(issuer, "jauap", f"{issuer}/keys", "person_iin")
        configured = replace(world.rt, settings=replace(world.rt.settings, oidc=oidc))
        ends = (now + DAY).timestamp()
        token = signed("RS256", iss=issuer, person_iin=iin, iat=now.timestamp(), exp=ends)
        for answer_of_issuer, expected in (((503, b""), 503), ((200, published(("k1", RSA))), 200)):
            answers["/keys"] = answer_of_issuer
            with served(configured) as url, plain_http(url) as client:
                answered = Caller(client, token, "").get("/v1/me")
                assert answered.status_code == expected
                assert ("Retry-After" in answered.headers) == (expected == 503)
