"""A campaign in virtual time on the real ledger: what it forecasts, and that it keeps the promises
whatever its networks do."""

from collections import Counter
from typing import Any

import pytest

from app.runtime import Runtime
from app.simulate import tally
from app.simulate.figures import figures
from app.simulate.promises import hold
from tests.app.campaigns import at, lived, table

MIXED = {
    "yes": 0.25,
    "no": 0.10,
    "unclear_then_yes": 0.15,
    "unclear": 0.05,
    "silence": 0.10,
    "late": 0.10,
    "stop": 0.05,
    "wrong_person": 0.05,
    "ussd_yes": 0.10,
    "ussd_no": 0.05,
}


def simulated(rt: Runtime, given: dict[str, Any]) -> dict[str, Any]:
    day = lived(rt, given)
    counted = tally.of(hold(day))
    assert [str(b) for b in counted.breaches] == []
    return figures(day.campaign, counted)


def test_everybody_who_says_yes_is_accepted_and_costs_what_was_sent(rt: Runtime) -> None:
    found = simulated(rt, table())
    everybody = found["funnel"]["all"]
    for step in ("offered", "made", "sent", "received", "yes", "accepted"):
        assert everybody[step] == 60
    assert found["gates"] == {}
    by_network = found["segments"]["by_network"]
    assert found["cost"]["total"] == by_network["kcell"] * 10.0 + by_network["tele2"] * 8.0
    assert found["segments"]["questions"] == 60 * 2
    assert found["peaks"]["segments_per_second"]["most"] <= 100


def test_every_behaviour_in_both_languages_ends_as_the_law_says(rt: Runtime) -> None:
    given = table(citizens=150)
    given["citizens"] |= {"kk": 0.4, "ru": 0.4, "unknown": 0.2}
    given["behaviours"] = MIXED
    found = simulated(rt, given)
    everybody = found["funnel"]["all"]
    for step in ("yes", "no", "unclear", "silent", "undelivered"):
        assert everybody[step] > 0
    outcomes = sum(everybody[s] for s in ("accepted", "declined", "expired", "undelivered"))
    assert outcomes == everybody["made"] == 150
    assert set(found["funnel"]["by_language"]) == {"kk", "ru", "unknown"}


def test_networks_may_fail_in_every_way_they_know(rt: Runtime) -> None:
    given = table(citizens=200)
    given["behaviours"] = MIXED
    for network in given["network"]:
        network |= {
            "ported": 0.2,
            "throttled": 0.2,
            "undelivered": 0.1,
            "lost": 0.1,
            "no_receipt": 0.1,
            "late_receipts": 0.2,
            "duplicate_receipts": 0.3,
            "early_receipts": 0.2,
        }
    given["network"][1]["done_dates"] = False
    found = simulated(rt, given)
    assert found["segments"]["refused"] > 0
    assert found["funnel"]["all"]["undelivered"] > 0


def test_an_outage_that_nobody_announced_costs_no_one_the_service(rt: Runtime) -> None:
    given = table(citizens=100)
    given["behaviours"] = {"yes": 0.7, "silence": 0.3}
    # On the way out, and again over the deadlines.
    given["outage"] = [
        {"network": "kcell", "starts_at": at("12:01"), "ends_at": at("13:00")},
        {
            "network": "*",
            "starts_at": at("2026-03-03T11:30:00+05:00"),
            "ends_at": at("2026-03-03T14:00:00+05:00"),
        },
    ]
    simulated(rt, given)


def test_no_offer_leaves_into_an_announced_outage_nor_at_night(rt: Runtime) -> None:
    given = table(citizens=100, starts_at=at("20:58"), hours="09:00-21:00")
    for network in given["network"]:
        network["throughput"] = 1
    given["outage"] = [
        {
            "network": "tele2",
            "starts_at": at("2026-03-03T09:10:00+05:00"),
            "ends_at": at("2026-03-03T11:00:00+05:00"),
            "planned": True,
        }
    ]
    day = lived(rt, given)
    assert hold(day).breaches == []
    by_hour = Counter(
        (n.name, day.times.when(t).strftime("%d %H"))
        for n in day.networks.values()
        for t, _ in n.questions
    )
    assert by_hour["kcell", "02 15"] > 0  # 20:58 in Almaty
    assert by_hour["kcell", "03 04"] > 0  # nine the next morning
    assert by_hour["tele2", "03 06"] > 0  # eleven, when it is back
    assert sum(by_hour.values()) == 100


def test_the_gates_refuse_whom_they_must(rt: Runtime) -> None:
    given = table(citizens=120)
    given["citizens"] |= {"without_phone": 0.1, "without_consent": 0.1, "sms_off": 0.1}
    found = simulated(rt, given)
    assert set(found["gates"]) == {"phone_registered", "consent_given", "phone_reachable"}
    assert sum(found["gates"].values()) == found["funnel"]["all"]["refused"]


def test_offers_an_hour_spread_the_sending_over_the_day(rt: Runtime) -> None:
    found = simulated(rt, table(citizens=40, offers_per_hour=40))
    assert sum(q["sent"] > 0 for q in found["quarters"]) >= 3


@pytest.mark.parametrize("citizens", [1, 2])
def test_a_campaign_may_be_tiny(rt: Runtime, citizens: int) -> None:
    assert simulated(rt, table(citizens=citizens))["funnel"]["all"]["accepted"] == citizens
