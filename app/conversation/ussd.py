"""Each USSD message is one turn: a dial or a key comes, one page goes back on the same bind.

Works on a batch in one transaction. The pages leave after the commit, once; the sessions are
written to Redis then. An answer goes to the room that asked, as one by SMS does.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from uuid import UUID, uuid4

from app.conversation import hearing, paths, records, sessions
from app.conversation.arrivals import Came, evidence, waves
from app.conversation.paths import Answer
from app.conversation.records import Question
from app.conversation.rooms import Listed, Reply
from app.conversation.sessions import Session, View
from app.ledger.unit import Unit
from app.recipients import records as recipients
from app.runtime import Runtime
from dialogs import every
from dialogs.engine import turn
from smpp.messages import Outbound, UssdOp
from smpp.ussd import answer_op

DIALS = (UssdOp.PSSR_INDICATION, UssdOp.PSSD_INDICATION)
KEYS = (UssdOp.USSR_CONFIRM,)
FIRST = "kk"

Held = dict[bytes, Session | None]


@dataclass(slots=True)
class Call:
    """One turn of one handset: what came, what is known of the phone, and the page that follows."""

    rt: Runtime
    unit: Unit
    came: Came
    phone: bytes
    key: bytes
    session: Session | None = None
    language: str | None = None
    question: Question | None = None
    follows: Session | Answer = field(default_factory=lambda: Session(View.MENU))
    looked_at: dict[str, list[Listed]] = field(default_factory=dict)  # by language

    @property
    def pressed(self) -> str:
        return self.came.message.text or ""

    @property
    def number(self) -> int:
        """The session's number (its_session_info, octet 1), which keys and screens share; -1 where
        the network ties its sessions otherwise."""
        ussd = self.came.message.ussd
        return ussd.session[0] if ussd is not None and len(ussd.session) == 2 else -1

    def listed(self, language: str | None) -> list[Listed]:
        """What the phone may look at, asked of the rooms once."""
        _list(self.rt, self.unit, [(self, language)])
        return self.looked_at[language or FIRST]

    def forget_listed(self) -> None:
        """An answer has changed it."""
        self.looked_at.clear()


def take(rt: Runtime, unit: Unit, came: Sequence[Came], held: Held | None = None) -> None:
    """Takes USSD messages of phones in their order; the answers are put into `unit.screens`. `held`
    are the sessions of an earlier part of the same transaction, which Redis does not know yet."""
    known: Held = {} if held is None else held
    if came and not known:  # once a transaction: what is saved is what is known at its end
        unit.after_commit.append(partial(rt.sessions.save, known))
    for wave in waves(came):
        _take_wave(rt, unit, wave, known)


def _list(rt: Runtime, unit: Unit, calls: Sequence[tuple[Call, str | None]]) -> None:
    """Asks the rooms at once what all these phones may look at, each in its language."""
    spoken = {call.phone: language or FIRST for call, language in calls}
    asked = {call.phone: call for call, _ in calls if spoken[call.phone] not in call.looked_at}
    if not asked:
        return
    phones = {phone: spoken[phone] for phone in asked}
    for phone, call in asked.items():
        call.looked_at[spoken[phone]] = []
    for room in rt.rooms.values():
        for phone, found in room.listed(unit, phones).items():
            asked[phone].looked_at[spoken[phone]] += found


def _take_wave(rt: Runtime, unit: Unit, wave: Sequence[Came], held: Held) -> None:
    """At most one message a phone."""
    calls = [_call(rt, unit, one) for one in wave]
    for call in calls:
        if not _is_turn(call):
            _no_turn(call, held)
    calls = [call for call in calls if _is_turn(call)]
    _look_up(rt, unit, calls, held)
    _list(rt, unit, [(c, c.session.language if c.session else c.language) for c in calls])
    for call in calls:
        call.follows = _follows(call)
    _remember_languages(rt, unit, calls)
    _answer(rt, unit, [call for call in calls if isinstance(call.follows, Answer)])
    _list(rt, unit, [(call, call.follows.language) for call in calls])
    for call in calls:
        held[call.key] = _show(call)


def _call(rt: Runtime, unit: Unit, one: Came) -> Call:
    message = one.message
    phone = records.sender_index(unit.vault, message)
    key = sessions.key_of(unit.vault, message.network, message.sender)
    return Call(rt, unit, one, phone, key)


def _is_turn(call: Call) -> bool:
    ussd = call.came.message.ussd
    return ussd is not None and not ussd.ends and ussd.op in (*DIALS, *KEYS)


def _no_turn(call: Call, held: Held) -> None:
    """The network ended the session, which leaves a question open; or it said what nobody asked."""
    ussd = call.came.message.ussd
    if ussd is not None and ussd.ends:
        held[call.key] = None
    else:
        records.keep(call.unit.tx, call.unit.vault, call.came.message, "ussd")


def _look_up(rt: Runtime, unit: Unit, calls: Sequence[Call], held: Held) -> None:
    """What is known of the phones: one exchange with Redis, three with the ledger."""
    if not calls:
        return
    phones = [call.phone for call in calls]
    found = rt.sessions.load([c.key for c in calls if c.key not in held])
    questions = records.open_questions(unit.tx, phones)
    chosen = records.subscribers(unit.tx, phones)
    registered = recipients.language_of_phones(unit.tx, phones)
    for call in calls:
        ussd = call.came.message.ussd
        is_key = ussd is not None and ussd.op in KEYS
        known = (held.get(call.key) or found.get(call.key)) if is_key else None
        call.session = known if known is not None and known.number == call.number else None
        call.question = questions.get(call.phone)
        own = chosen.get(call.phone)
        call.language = (own.language if own else None) or registered.get(call.phone)


def _follows(call: Call) -> Session | Answer:
    """The page that follows, or the answer that was given. A key without a session is a fresh
    dial, and one that may be a redelivery does nothing: the handset gets its page again."""
    at = call.session
    if at is None:
        ussd = call.came.message.ussd
        dialled = call.pressed if ussd is not None and ussd.op in DIALS else ""
        return paths.opened(call.language, call.listed(call.language), dialled)
    if call.came.repeats is not None:
        return at
    return paths.pressed(call.rt.words, at, call.listed(at.language), call.pressed)


def _remember_languages(rt: Runtime, unit: Unit, calls: Sequence[Call]) -> None:
    """A language that was chosen is recorded, and what is open is spoken of in it from now on."""
    chosen = {
        call.phone: call.follows.language
        for call in calls
        if call.session is not None
        and call.session.view is View.LANGUAGE
        and isinstance(call.follows, Session)
        and call.follows.language not in (None, call.session.language)
    }
    spoken = {phone: language for phone, language in chosen.items() if language is not None}
    hearing.choose_languages(rt.rooms, unit, spoken)


def _answer(rt: Runtime, unit: Unit, calls: Sequence[Call]) -> None:
    """Hands the answers to their rooms and finds the page after each."""
    replies = {call.phone: reply for call in calls if (reply := _reply(call)) is not None}
    unseen: set[UUID] = set()
    for name, room in rt.rooms.items():
        mine = [reply for reply in replies.values() if reply.question.room == name]
        if mine:
            unseen |= room.reply(unit, mine)
    still = records.open_questions(unit.tx, list(replies))
    for call in calls:
        call.forget_listed()
    _list(rt, unit, [(call, call.follows.language) for call in calls])
    for call in calls:
        said, reply = call.follows, replies.get(call.phone)
        assert isinstance(said, Answer)
        if reply is None or reply.question.case_id in unseen:
            records.keep(unit.tx, unit.vault, call.came.message, "ussd-too-late")
            call.follows = Session(View.AFTER, said.language, case=said.case_id)
        else:
            call.follows = _after(call, said, reply, still.get(call.phone))


def _reply(call: Call) -> Reply | None:
    """The answer to the question that is open on this phone; None where that is another by now.
    Whether it came in time is for the room to say."""
    said, question, message = call.follows, call.question, call.came.message
    assert isinstance(said, Answer)
    listed = call.listed(said.language)
    place = (said.case_id, said.dialog, said.step)
    ready = [one.question for one in listed if one.standing and one.question is not None]
    question = next((one for one in ready if _place(one) == place), question)
    if question is None or _place(question) != place:
        return None
    dialogs = [one.dialog for one in listed if one.case_id == said.case_id and one.dialog]
    dialog = dialogs[0] if dialogs else every.dialog(question.dialog)
    return Reply(
        question=question,
        turn=turn.choose(dialog, question.step, said.choice),
        text=call.pressed,
        raw=message.raw,
        received_at=message.received_at,
        how="ussd",
        language=said.language,
        evidence={**evidence(message), "choice": said.choice, "shown_in": said.language},
    )


def _place(question: Question) -> tuple[UUID, str, str]:
    return question.case_id, question.dialog, question.step


def _after(call: Call, said: Answer, reply: Reply, still: Question | None) -> Session:
    """The page after an answer: the next question of the same case, or what was answered. A room
    leaves its question open where the answer came too late, and then the case says so itself."""
    listed = call.listed(said.language)
    still_asked = (one for one in listed if one.question is not None and not one.standing)
    if any(one.case_id == said.case_id for one in still_asked):
        return Session(View.CASE, said.language, case=said.case_id)
    at = Session(View.ANSWERED, said.language, case=said.case_id)
    is_taken = still is None or _place(still) != _place(reply.question)
    if is_taken and reply.turn.screen is not None:
        at = paths.to(at, dialog=reply.turn.screen.dialog, step=reply.turn.screen.key)
    return at


def _show(call: Call) -> Session | None:
    """Puts the page among those that leave after the commit; the session that it leaves behind."""
    at, message = call.follows, call.came.message
    assert isinstance(at, Session) and message.ussd is not None
    page = paths.shown(call.rt.words, at, call.listed(at.language))
    call.unit.screens.append(
        (
            message.cid,
            Outbound(
                id=f"ussd:{uuid4()}",
                phone=message.sender,
                text=page.text,
                reference=0,
                validity_s=0,
                wants_receipt=False,
                ussd=answer_op(message.ussd, last=page.session is None),
                user_message_reference=message.user_message_reference,
            ),
        )
    )
    return page.session and paths.to(page.session, number=call.number)
