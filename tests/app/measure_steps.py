"""The wallet's lines of tests/journeys: notices, the two consents, decisions, the cabinet."""

from datetime import timedelta

from app.catalogue.model import Refusal
from app.ledger.journal import verify
from app.recipients import actions as registers
from app.recipients import records as recipients
from app.wallet.consents.records import Consent
from app.wallet.notices.records import Kind, Notice
from app.wallet.rules import terms
from app.wallet.rules.gates import INDIVIDUAL
from tests.app.journey_steps import Play, says, shown

NOTHING = "–"


def notice_of(play: Play, measure: str | None, *kinds: Kind) -> Notice:
    """The latest notice of that measure (None: of any), as it stands."""
    found = [
        n for n in play.notices
        if measure in (None, n.measure) and (not kinds or n.kind in kinds)
    ]  # fmt: skip
    assert found, f"no notice of {measure}"
    return play.purse.notice(found[-1].id)


def consent_of(play: Play, measure: str | None) -> Consent:
    found = [c for c in play.consents if measure in (None, c.measure)]
    assert found, f"no consents asked about {measure}"
    return found[-1]


def draw(play: Play, name: str, measure: str, **more: object) -> None:
    made = play.purse.notify(measure, name, **more)  # type: ignore[arg-type]
    assert isinstance(made, Notice), made
    play.notices.append(made)


@says(r"provider tells (?P<name>\w+) of (?P<measure>[\w-]+)(?P<asks>, and asks)?")
def tells(play: Play, name: str, measure: str, asks: str | None) -> None:
    draw(play, name, measure, asks=asks is not None)


@says(r"provider tells (?P<name>\w+) that data are processed for (?P<measure>[\w-]+)")
def tells_of_data(play: Play, name: str, measure: str) -> None:
    draw(play, name, measure, kind=Kind.DATA)


@says(
    r"provider may not tell (?P<name>\w+)(?:, a (?P<capacity>[\w-]+),)? of (?P<measure>[\w-]+): "
    r"(?P<gate>\w+) (?P<clause>[\d:]+)"
)
def may_not_tell(
    play: Play, name: str, capacity: str | None, measure: str, gate: str, clause: str
) -> None:
    made = play.purse.notify(measure, name, capacity=capacity or INDIVIDUAL)
    assert isinstance(made, Refusal)
    assert (made.gate, made.clause) == (gate, clause)


@says(
    r"provider decides on (?P<measure>[\w-]+) for (?P<name>\w+): (?P<decision>granted|not-granted)"
    r"(?:, because (?P<words>.+))?"
)
def decides(play: Play, measure: str, name: str, decision: str, words: str | None) -> None:
    at = play.world.clock()
    more = {"decision": decision, "decided_at": at, "words": words}
    draw(play, name, measure, kind=Kind.DECISION, **more)


@says(r"cabinet of (?P<name>\w+)(?: in (?P<language>kk|ru))?: (?P<body>.+)")
def stands_in_the_cabinet(play: Play, name: str, language: str | None, body: str) -> None:
    found = play.purse.cabinet(name, language)
    if body == NOTHING:
        assert found == []
        return
    assert found, "nothing stands in the cabinet"
    assert found[0] == body, found[0]


@says(r"(?P<name>\w+) reads it in the app")
def reads(play: Play, name: str) -> None:
    notice = play.notices[-1]
    with play.world.rt.unit() as unit:
        room = play.world.rt.rooms["wallet"]
        assert room.read(unit, play.purse.id_of(name), notice.id, None) is not None  # type: ignore[attr-defined]


@says(r"(?P<name>\w+) answers (?P<choice>yes|no) to (?P<which>data|sms) in the app")
def taps(play: Play, name: str, choice: str, which: str) -> None:
    play.purse.tap(name, consent_of(play, None).id, choice, which)


@says(r"(?P<name>\w+) withdraws (?P<which>data|sms) in the app")
def withdraws(play: Play, name: str, which: str) -> None:
    rt, iin = play.world.rt, play.world.people[name]
    purpose = f"measure-{which}:{consent_of(play, None).measure}"
    with rt.unit() as unit:
        person = recipients.by_iin(unit.tx, unit.vault, [iin])[iin]
        registers.withdraw_consent(rt.rooms, unit, person, iin, purpose)
    play.world.commit()


@says(r"provider is told: (?P<event>[a-z]+\.[a-z-]+)(?: of (?P<measure>[\w-]+))?")
def provider_hears_of_a_measure(play: Play, event: str, measure: str | None) -> None:
    told = (event, measure or play.notices[-1].measure)
    assert told in play.untold(), play.untold()
    play.events_told.append(told)


@says(
    r"consents(?: to (?P<measure>[\w-]+))?: data (?P<data>[a-z–]+), sms (?P<sms>[a-z–]+)"
    r"(?:, (?P<state>[a-z]+))?(?:, until (?P<until>\d\d\.\d\d\.\d{4} \d\d:\d\d))?"
)
def consents_stand(
    play: Play, measure: str | None, data: str, sms: str, state: str | None, until: str | None
) -> None:
    """What was answered; of what was given and taken back, "withdrawn"."""
    one = consent_of(play, measure)
    said = {
        "data": "withdrawn" if one.data_withdrawn_at else one.data or NOTHING,
        "sms": "withdrawn" if one.sms_withdrawn_at else one.sms or NOTHING,
    }
    assert (said["data"], said["sms"]) == (data, sms), (said, one.state)
    assert state is None or one.state == state, one.state
    if until is not None:
        assert one.deadline is not None
        assert shown(one.deadline) == until, shown(one.deadline)


@says(r"register of (?P<name>\w+): (?P<holds>.+)")
def register_says(play: Play, name: str, holds: str) -> None:
    """The consents to measures that hold in the register, by purpose; "–": none."""
    found = [purpose for purpose, is_held in play.purse.register_says(name) if is_held]
    assert (", ".join(found) or NOTHING) == holds


@says(
    r"notice(?: of (?P<measure>[\w-]+))? is by SMS (?P<sms>[a-z]+)"
    r"(?:, due (?P<due>\d\d\.\d\d\.\d{4} \d\d:\d\d))?(?P<kept>, in time)?"
)
def notice_stands(
    play: Play, measure: str | None, sms: str, due: str | None, kept: str | None
) -> None:
    notice = notice_of(play, measure)
    assert notice.sms == sms, notice.sms
    if due is not None:
        assert shown(notice.deadline - timedelta(minutes=1)) == due, shown(notice.deadline)
    if kept is not None:
        assert notice.served_at is not None
        assert not terms.is_overdue(notice.deadline, notice.served_at, play.world.clock())


@says(r"journal of the (?P<what>notice|consents)(?: of (?P<measure>[\w-]+))?: (?P<kinds>.+)")
def journal_of_a_measure(play: Play, what: str, measure: str | None, kinds: str) -> None:
    case = notice_of(play, measure).id if what == "notice" else consent_of(play, measure).id
    assert ", ".join(play.purse.kinds(case)) == kinds, play.purse.kinds(case)


def assert_whole(play: Play) -> None:
    """The chains of all notices and askings hold."""
    for one in play.measured:
        assert verify(play.world.journal(one.id), play.world.rt.vault) == []
