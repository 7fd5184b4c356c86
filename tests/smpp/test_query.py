"""query_sm: asked only where it is answered, and believed only as far as it can be read."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smpp import query
from smpp.events import Queried
from smpp.messages import QueryResult, ReceiptState, SubmitOutcome
from smpp.pdu import Command, Frames, Pdu, PeerError, Status, pack, pack_resp
from smpp.query import QueryAnswer, QueryFields, pack_query_resp, read_query, read_query_resp
from tests.smpp.scripted import Line, Smsc, line, quick, silence, text
from tests.smpp.test_session import bound, sent

DELIVERED = QueryAnswer("77", "261121171500020+", 2, 0)
ASKS = quick(query=True)


def test_the_body_is_read_as_it_was_packed() -> None:
    fields = QueryFields("77", 3, 0, "1414")
    (pdu,) = Frames().feed(query.pack_query(5, fields))
    assert (pdu.command, pdu.sequence, read_query(pdu)) == (Command.QUERY_SM, 5, fields)
    (answer,) = Frames().feed(pack_query_resp(5, 0, DELIVERED))
    assert read_query_resp(answer) == DELIVERED


@given(st.binary(max_size=60))
def test_any_body_is_read_or_refused(body: bytes) -> None:
    read_query_resp(Pdu(Command.QUERY_SM_RESP, 0, 1, body))
    try:
        read_query(Pdu(Command.QUERY_SM, 0, 1, body))
    except PeerError as error:
        assert error.status == Status.ESME_RINVCMDLEN


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("261121171500020+", datetime(2026, 11, 21, 12, 15, tzinfo=UTC)),
        ("261121071500020-", datetime(2026, 11, 21, 12, 15, tzinfo=UTC)),
        ("261321171500020+", None),
        ("000001000000000R", None),
        ("2611211715", None),
        ("", None),
    ],
)
def test_a_final_date_counts_with_its_offset_only(said: str, meant: datetime | None) -> None:
    assert query.absolute(said) == meant


def test_a_query_is_matched_by_its_sequence_and_has_a_timer() -> None:
    session = bound()
    first = session.query(QueryFields("1"), "a", 0)
    second = session.query(QueryFields("2"), "b", 1)
    assert not session.can_query
    assert [pdu.command for pdu in sent(session)] == [Command.QUERY_SM] * 2
    assert session.receive_data(pack_query_resp(second, 0, DELIVERED), 2) == [
        Queried("b", 0, DELIVERED)
    ]
    assert session.next_tick_at == 10
    assert session.tick(10) == [Queried("a", None)]
    assert session.receive_data(pack_query_resp(first, 0, DELIVERED), 11) == []


def test_a_nack_or_the_end_answers_a_query_too() -> None:
    session = bound()
    refused = session.query(QueryFields("1"), "a", 0)
    session.query(QueryFields("2"), "b", 0)
    nack = pack(Command.GENERIC_NACK, refused, Status.ESME_RINVCMDID)
    assert session.receive_data(nack, 0) == [Queried("a", Status.ESME_RINVCMDID)]
    assert session.close() == [Queried("b", None)]


def results(on: Line) -> list[QueryResult]:
    return [one for one in on.said if isinstance(one, QueryResult)]


def told(smsc: Smsc, pdu: Pdu) -> None:
    smsc.write(pack_query_resp(pdu.sequence, 0, DELIVERED))


@pytest.mark.anyio
async def test_a_link_says_what_the_network_knows_of_a_message() -> None:
    async with line(ASKS, query_sm=told) as on:
        on.link.query("77", token=("m-1", 1))
        await on.until(lambda: results(on))
        asked = read_query(on.smsc.of(Command.QUERY_SM)[0])
        assert asked == QueryFields("77", 3, 0, "1414")
        (result,) = results(on)
        assert (result.smsc_id, result.token, result.status) == ("77", ("m-1", 1), 0)
        assert result.state is ReceiptState.DELIVRD
        assert result.done_at == datetime(2026, 11, 21, 12, 15, tzinfo=UTC)
        assert on.link.counters.query_sm_count == 1


@pytest.mark.anyio
async def test_a_query_without_an_answer_or_without_a_body_says_so() -> None:
    async with line(ASKS, query_sm=silence) as on:
        on.link.query("77", "77010000101", token=1)
        await on.until(lambda: results(on))
        assert (results(on)[0].status, results(on)[0].state) == (None, None)
        assert on.link.is_bound
        on.smsc.answers[Command.QUERY_SM] = lambda smsc, pdu: smsc.write(
            pack_resp(Command.QUERY_SM_RESP, pdu.sequence, Status.ESME_RQUERYFAIL)
        )
        on.link.query("77", token=2)
        await on.until(lambda: len(results(on)) == 2)
        assert (results(on)[1].status, results(on)[1].state) == (Status.ESME_RQUERYFAIL, None)
        on.smsc.drop()
        await on.until(lambda: not on.link.is_bound)
        on.link.query("77", token=3)
        assert (results(on)[2].token, results(on)[2].status) == (3, None)


@pytest.mark.anyio
async def test_more_queries_than_the_window_wait_and_submits_go_on() -> None:
    async with line(quick(query=True, window=2, response_timeout=5), query_sm=silence) as on:
        for n in range(5):
            on.link.query(f"{n}", token=n)
        on.link.submit(text(1))
        await on.until(lambda: on.results)
        assert on.results[0].outcome is SubmitOutcome.ACCEPTED
        asked = on.smsc.of(Command.QUERY_SM)
        assert len(asked) == 2
        on.smsc.answers = {Command.QUERY_SM: told}
        for pdu in asked:
            told(on.smsc, pdu)
        await on.until(lambda: len(results(on)) == 5)


@pytest.mark.anyio
async def test_nothing_is_asked_where_the_bind_does_not_allow_it() -> None:
    async with line() as on:
        with pytest.raises(ValueError, match="query = true"):
            on.link.query("77")
    async with line(ASKS) as on:
        with pytest.raises(ValueError, match="id and source"):
            on.link.query("")
