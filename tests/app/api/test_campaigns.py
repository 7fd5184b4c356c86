"""Files of proposals and campaigns: taken in as spreadsheets save them, offered a few at a time."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import httpx
import pytest

from app.clock import ManualClock
from app.proactive.campaigns import actions, reading
from app.proactive.campaigns.reading import CSV, NDJSON, Row, Unreadable
from app.proactive.campaigns.rules import (
    CAMPAIGN,
    CampaignState,
    Event,
    IllegalStep,
    last_out,
    step,
)
from app.runtime import Runtime
from tests.app.api.conftest import Caller, plain_http, served
from tests.app.world import World

ALMATY = ZoneInfo("Asia/Almaty")


@pytest.fixture
def world(rt: Runtime, clock: ManualClock) -> World:
    return World(rt, clock)


@pytest.fixture
def client(world: World) -> Iterator[httpx.Client]:
    with served(world.rt) as url, plain_http(url) as opened:
        yield opened


def people(world: World, count: int) -> list[str]:
    return [world.register(f"p{n}", "kk", phone=f"+7701{n:07}") for n in range(count)]


def csv_of(iins: list[str], service: str = "birth-benefit") -> str:
    rows = [f"{iin};{service};R-{number}" for number, iin in enumerate(iins)]
    return "\n".join(["iin;service;reference", *rows])


def upload(
    caller: Caller, content: str | bytes, media_type: str = CSV, **more: str
) -> httpx.Response:
    raw = content.encode() if isinstance(content, str) else content
    headers = {"Content-Type": media_type}
    return caller.call("POST", "/v1/uploads", content=raw, headers=headers, params=more)


def campaign(caller: Caller, upload_id: str, **more: object) -> dict[str, object]:
    made = caller.post("/v1/campaigns", {"name": "Births", "upload": upload_id} | more)
    assert made.status_code == 201, made.text
    found: dict[str, object] = made.json()
    return found


def run(world: World) -> None:
    while actions.work(world.rt):
        world.commit()


# --- files --------------------------------------------------------------------------------------


def read(raw: bytes, media_type: str = CSV, size: int = 7) -> list[Row]:
    return list(reading.rows((raw[i : i + size] for i in range(0, len(raw), size)), media_type))


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_spreadsheets_of_all_kinds_are_read(delimiter: str, mark: bytes, end: str) -> None:
    lines = [
        ["IIN", "Reference", "service", "district"],
        ["1", '"A ""1"""', "birth-benefit", f'"two{end}lines"'],
        ["", "", "", ""],
        ["2", "Б-2", "", ""],
    ]
    raw = mark + end.join(delimiter.join(cells) for cells in lines).encode()
    for size in (1, 7, 10_000):
        first, second = read(raw, size=size)
        assert first.values == {
            "iin": "1", "reference": 'A "1"', "service": "birth-benefit",
            "values": {"district": f"two{end}lines"},
        }  # fmt: skip
        assert (second.number, second.values) == (2, {"iin": "2", "reference": "Б-2"})


@pytest.mark.parametrize(
    ("raw", "key"),
    [(b"", "upload.header"), (b"a;b\n1;2", "upload.header"),
     (b"iin;iin;reference", "upload.header"),
     (b"iin;reference\n\xff;1", "upload.utf8"), (b'iin;reference\n"1;2', "upload.quotes"),
     (b"iin;reference\n" + b"x" * 70_000, "upload.row")],
)  # fmt: skip
def test_what_is_no_table_is_refused_in_words(raw: bytes, key: str) -> None:
    with pytest.raises(Unreadable) as refused:
        read(raw)
    assert refused.value.key == key


def test_a_row_with_another_number_of_cells_spoils_no_other() -> None:
    found = read(b"iin,reference\n1,2,3\n4,5\n")
    assert [(r.number, r.fault) for r in found] == [(1, "upload.cells"), (2, None)]


def test_lines_of_json_are_read_one_by_one() -> None:
    raw = '{"iin": "1\u2028"}\n\n[1]\nnonsense\n{"iin": "2"}'.encode()
    found = read(raw, NDJSON)
    assert [r.fault for r in found] == [None, "upload.json", "upload.json", None]
    assert found[0].values == {"iin": "1\u2028"}


def test_a_line_that_says_a_thing_twice_or_in_halves_spoils_no_other(
    world: World, provider: Caller
) -> None:
    iin = people(world, 1)[0]
    good = f'{{"service": "birth-benefit", "iin": "{iin}", "reference": "A"}}'
    odd = [
        good.replace('"A"', r'"\ud800"'),
        good.replace('"A"', '"A", "reference": "B"'),
        good.replace("}", ', "values": {"a": NaN}}'),
    ]
    headers = {"Content-Type": "application/x-ndjson"}
    taken = provider.call(
        "POST", "/v1/uploads", content="\n".join([*odd, good]).encode(), headers=headers
    )
    assert taken.status_code == 201
    errors = provider.get(f"/v1/uploads/{taken.json()['id']}/errors").json()["items"]
    assert [(e["row"], e["detail"]) for e in errors] == [
        (n, "is not a JSON object with each name once") for n in (1, 2, 3)
    ]


def test_wrong_rows_are_reported_with_their_column(world: World, provider: Caller) -> None:
    iin = people(world, 1)[0]
    rows = f"iin;reference\n{iin};A\n123;B\n{iin};\n{iin};C;D\n"
    taken = upload(provider, rows, service="birth-benefit")
    assert taken.status_code == 201
    shown = taken.json()
    assert shown["rows"] == 4
    assert (shown["progress"]["staged"], shown["progress"]["wrong"]) == (1, 3)
    assert taken.headers["Location"] == f"/v1/uploads/{shown['id']}"
    errors = provider.get(f"/v1/uploads/{shown['id']}/errors").json()["items"]
    assert [(e["row"], e["column"]) for e in errors] == [(2, "iin"), (3, "reference"), (4, "")]
    assert iin not in str(errors)
    page = provider.get(f"/v1/uploads/{shown['id']}/errors?limit=1").json()
    rest = provider.get(f"/v1/uploads/{shown['id']}/errors?cursor={page['next']}").json()
    assert page["items"] + rest["items"] == errors


def test_another_kind_of_file_and_an_endless_one_are_refused(
    provider: Caller, stranger: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert upload(provider, "{}", "application/json").status_code == 415
    assert upload(provider, "nonsense").status_code == 422
    monkeypatch.setattr("app.api.reading.FILE_LIMIT", 1000)
    assert upload(provider, "iin;reference\n" + "1;2\n" * 1000).status_code == 413
    monkeypatch.undo()
    own = upload(provider, "iin;reference\n").json()["id"]
    assert stranger.get(f"/v1/uploads/{own}").status_code == 404
    assert stranger.get(f"/v1/uploads/{own}/errors").status_code == 404
    assert stranger.post("/v1/campaigns", {"name": "x", "upload": own}).status_code == 422


# --- campaigns ----------------------------------------------------------------------------------


def test_a_dry_run_says_what_would_come_of_it(world: World, provider: Caller) -> None:
    iins = people(world, 5)
    world.revoke("p1")
    rt = replace(
        world.rt,
        settings=replace(
            world.rt.settings, sending=replace(world.rt.settings.sending, segment_price=18.0)
        ),
    )
    stored = upload(provider, csv_of([*iins, "999999000012"])).json()["id"]
    made = campaign(provider, stored)
    with served(rt) as url, plain_http(url) as client:
        priced = Caller(client, provider.secret, "").post(f"/v1/campaigns/{made['id']}/dry-run")
    seen = priced.json()
    assert seen["reached"] == 4
    assert seen["refused"] == [
        {"gate": "consent_given", "clause": "155:3", "count": 1},
        {"gate": "phone_registered", "clause": "155:3", "count": 1},
    ]
    assert seen["segments"] >= 4 and seen["cost"] == seen["segments"] * 18
    assert seen["last_out_at"].endswith("Z")
    assert provider.get("/v1/offers").json()["items"] == []
    again = provider.post(f"/v1/campaigns/{made['id']}/dry-run").json()
    assert (again["reached"], again["cost"]) == (4, None)


def test_a_campaign_offers_every_row_and_says_what_became_of_it(
    world: World, provider: Caller
) -> None:
    iins = people(world, 4)
    world.revoke("p3")
    made = campaign(provider, upload(provider, csv_of([*iins, iins[0]])).json()["id"])
    path = f"/v1/campaigns/{made['id']}"
    assert (made["state"], actions.work(world.rt)) == ("draft", False)
    assert provider.post(f"{path}/start").json()["state"] == "running"
    run(world)
    done = provider.get(path).json()
    assert (done["state"], done["progress"]["made"], done["progress"]["refused"]) == ("done", 3, 2)
    assert {(r["gate"], r["count"]) for r in done["refused"]} == {
        ("consent_given", 1), ("already_open", 1),
    }  # fmt: skip
    assert done["finished_at"]
    errors = provider.get(f"/v1/uploads/{done['upload']}/errors").json()["items"]
    assert [(e["row"], e["gate"], e.get("clause")) for e in errors] == [
        (4, "consent_given", "155:3"), (5, "already_open", "155:4"),
    ]  # fmt: skip
    kept = world.rows("SELECT count(*) AS n FROM upload_rows WHERE proposal IS NOT NULL")
    assert kept[0].n == 0
    assert provider.post(f"{path}/pause").status_code == 409


def test_a_paused_campaign_makes_no_more_and_a_cancelled_one_takes_back_what_has_not_left(
    world: World, provider: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(actions, "STEP", 2)
    iins = people(world, 6)
    world.go_down()
    made = campaign(provider, upload(provider, csv_of(iins)).json()["id"])
    path = f"/v1/campaigns/{made['id']}"
    provider.post(f"{path}/start")
    assert actions.advance(world.rt) is True
    assert provider.post(f"{path}/pause").json()["state"] == "paused"
    assert actions.work(world.rt) is False
    assert provider.post(f"{path}/resume").json()["state"] == "running"
    assert actions.advance(world.rt) is True
    cancelled = provider.post(f"{path}/cancel").json()
    assert (cancelled["progress"]["made"], cancelled["progress"]["cancelled"]) == (4, 2)
    assert actions.work(world.rt) is False
    states = [o["state"] for o in provider.get("/v1/offers").json()["items"]]
    assert states == ["withdrawn"] * 4
    world.come_back()
    assert world.mts == []


def test_no_more_wait_to_leave_than_could_be_taken_back(
    world: World, provider: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(actions, "STEP", 2)
    monkeypatch.setattr(actions, "AHEAD", 3)
    world.go_down()
    made = campaign(provider, upload(provider, csv_of(people(world, 6))).json()["id"])
    provider.post(f"/v1/campaigns/{made['id']}/start")
    while actions.work(world.rt):
        continue
    assert provider.get(f"/v1/campaigns/{made['id']}").json()["progress"]["made"] == 3
    world.come_back()
    run(world)
    assert provider.get(f"/v1/campaigns/{made['id']}").json()["state"] == "done"


def test_a_scheduled_campaign_begins_at_its_time(world: World, provider: Caller) -> None:
    at = world.clock() + timedelta(hours=1)
    iins = people(world, 1)
    stored = upload(provider, csv_of(iins)).json()["id"]
    made = campaign(provider, stored, starts_at=at.isoformat())
    assert (made["state"], actions.work(world.rt)) == ("scheduled", False)
    path = f"/v1/campaigns/{made['id']}"
    later = (at + timedelta(hours=1)).isoformat()
    assert provider.post(f"{path}/schedule", {"starts_at": later}).status_code == 200
    past = provider.post(f"{path}/schedule", {"starts_at": "2020-01-01T00:00:00Z"})
    assert past.status_code == 422
    world.clock.advance(timedelta(hours=2))
    run(world)
    assert provider.get(path).json()["state"] == "done"
    twice = provider.post("/v1/campaigns", {"name": "x", "upload": stored})
    assert (twice.status_code, twice.json()["type"]) == (409, "/docs#upload_used")


def test_a_campaign_is_its_providers_alone(
    world: World, provider: Caller, stranger: Caller
) -> None:
    made = campaign(provider, upload(provider, csv_of(people(world, 1))).json()["id"])
    path = f"/v1/campaigns/{made['id']}"
    assert stranger.get(path).status_code == 404
    for name in ("start", "pause", "resume", "cancel", "dry-run"):
        assert stranger.post(f"{path}/{name}").status_code == 404
    assert stranger.get("/v1/campaigns").json()["items"] == []
    assert [c["id"] for c in provider.get("/v1/campaigns").json()["items"]] == [made["id"]]


# --- rules --------------------------------------------------------------------------------------


def test_what_the_table_does_not_name_is_refused() -> None:
    for state in CampaignState:
        for event in Event:
            if (state, event) in CAMPAIGN:
                assert step(state, event) is CAMPAIGN[state, event]
            else:
                with pytest.raises(IllegalStep):
                    step(state, event)


@pytest.mark.parametrize(
    ("start", "segments", "expected"),
    [("02 08:00", 3600, "02 10:00"), ("02 10:00", 3600, "02 11:00"), ("02 20:30", 3600, "03 09:30"),
     ("02 21:00", 3600, "03 10:00"), ("02 23:59", 1800, "03 09:30"),
     ("02 09:00", 3600 * 12, "02 21:00"), ("02 09:00", 3600 * 24, "03 21:00"),
     ("02 09:00", 3600 * 24 + 60, "04 09:01"), ("02 12:00", 0, "02 12:00")],
)  # fmt: skip
def test_the_last_message_leaves_within_the_hours(start: str, segments: int, expected: str) -> None:
    def at(spelled: str) -> datetime:
        return datetime.strptime(f"2026-03-{spelled}", "%Y-%m-%d %H:%M").replace(tzinfo=ALMATY)

    assert last_out(at(start), segments, 1, (time(9), time(21))) == at(expected)
    assert last_out(at(start), segments, 1, None) == at(start) + timedelta(seconds=segments)
    assert at(start).astimezone(UTC)
