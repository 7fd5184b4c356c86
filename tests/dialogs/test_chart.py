"""What is drawn is what is declared."""

from enum import StrEnum

from dialogs.engine.chart import dialog_graph, dialog_table, lifecycle_graph, lifecycle_table
from dialogs.engine.wording import Words
from dialogs.offer import OFFER

LIFE = {("made", "sent"): "sent", ("sent", "yes"): "accepted", ("sent", "no"): 'decl"ined'}


class State(StrEnum):
    MADE = "made"
    SENT = "sent"


def test_a_dialog_table_shows_both_languages_and_where_answers_lead() -> None:
    table = dialog_table(OFFER, Words.load())
    ask = next(line for line in table.splitlines() if line.startswith("| ask |"))
    assert "Келісесіз бе?" in ask
    assert "Согласны?" in ask
    assert "1 → accepted; 2 → declined; … → expired" in ask
    assert "■ expire" in table


def test_a_dialog_table_holds_every_wording_of_the_dialog() -> None:
    words = Words.load()
    table = dialog_table(OFFER, words)
    assert all(f"| {key} |" in table for key in words.books["kk", "offer"])


def test_a_dialog_graph_has_an_edge_for_every_answer_and_for_silence() -> None:
    graph = dialog_graph(OFFER, Words.load())
    assert graph.startswith('digraph "offer" {')
    assert '"ask" -> "accepted" [label="1: Иә / Да", style=solid];' in graph
    assert '"ask" -> "declined" [label="2: Жоқ / Нет", style=solid];' in graph
    assert '"ask" -> "expired" [label="жауап жоқ / нет ответа", style=dashed];' in graph


def test_a_lifecycle_graph_frames_final_states_twice_and_quotes_names() -> None:
    graph = lifecycle_graph("offer", LIFE)
    assert '"made" [shape=box];' in graph
    assert '"accepted" [shape=box, peripheries=2];' in graph
    assert '"sent" -> "decl\\"ined" [label="no", style=solid];' in graph


def test_a_lifecycle_table_leaves_impossible_pairs_empty() -> None:
    rows = lifecycle_table("offer", LIFE).splitlines()
    assert "|  | sent | yes | no |" in rows
    assert "| made | sent |  |  |" in rows
    assert '| sent |  | accepted | decl"ined |' in rows


def test_states_that_are_enumerations_are_drawn_by_their_values() -> None:
    assert '"made" -> "sent"' in lifecycle_graph("x", {(State.MADE, "go"): State.SENT})
