"""Draws a dialog or a lifecycle: a table with kk and ru side by side, and Graphviz text.

For people to read and sign; it draws what is declared and decides nothing.
"""

from collections.abc import Iterable, Mapping

from dialogs.engine.model import Dialog, End, Step, labelling
from dialogs.engine.wording import LANGUAGES, Words

_SILENCE = {"kk": "жауап жоқ", "ru": "нет ответа"}


def dialog_table(dialog: Dialog, words: Words) -> str:
    """A Markdown table of a dialog: step, wording in kk, wording in ru, where each answer leads.

    The steps come first, in their declared order, then the other screens of the dialog, then what
    USSD and the app say instead.
    """
    roads = {step.name: _roads(step) for step in dialog.steps}
    keys = [step.name for step in dialog.steps]
    keys += [key for key in words.books[LANGUAGES[0], dialog.name] if key not in keys]
    rows = [
        (key, *(words.wording(dialog.name, key, one).text for one in LANGUAGES), roads.get(key, ""))
        for key in keys
    ]
    return f"# {dialog.name} ({dialog.by_law})\n\n" + _table(("", "kk", "ru", "→"), rows)


def dialog_graph(dialog: Dialog, words: Words) -> str:
    """Graphviz text of a dialog; roads bear the answer in kk and ru, silence is dashed."""
    lines = [_node(step, step.name == dialog.start) for step in dialog.steps]
    for ask in dialog.asks:
        for choice in ask.choices:
            key = labelling(ask.name, choice.id)
            told = " / ".join(words.wording(dialog.name, key, one).text for one in LANGUAGES)
            lines.append(_edge(ask.name, choice.goto, f"{choice.digit}: {told}"))
        quiet = " / ".join(_SILENCE[one] for one in LANGUAGES)
        lines.append(_edge(ask.name, ask.silence, quiet, style="dashed"))
    return _graph(dialog.name, lines)


def lifecycle_table(name: str, table: Mapping[tuple[str, str], str]) -> str:
    """A Markdown table of `(state, event) -> state`: a row a state, a column an event."""
    states, events = _states(table), list(dict.fromkeys(event for _, event in table))
    rows = [
        (str(state), *(str(table.get((state, event), "")) for event in events)) for state in states
    ]
    return f"# {name}\n\n" + _table(("", *(str(event) for event in events)), rows)


def lifecycle_graph(name: str, table: Mapping[tuple[str, str], str]) -> str:
    """Graphviz text of `(state, event) -> state`; a state nothing leaves is framed twice."""
    left = {state for state, _ in table}
    lines = [
        f"  {_quoted(state)} [shape=box{'' if state in left else ', peripheries=2'}];"
        for state in _states(table)
    ]
    lines += [_edge(state, goto, event) for (state, event), goto in table.items()]
    return _graph(name, lines)


def _states(table: Mapping[tuple[str, str], str]) -> list[str]:
    """Every state, in the order the table first names it: those that can be left come first."""
    return list(dict.fromkeys([state for state, _ in table] + list(table.values())))


def _roads(step: Step) -> str:
    if isinstance(step, End):
        return f"■ {step.outcome}"
    answers = [f"{choice.digit} → {choice.goto}" for choice in step.choices]
    return "; ".join((*answers, f"… → {step.silence}"))


def _node(step: Step, is_start: bool) -> str:
    shape = "doubleoctagon" if isinstance(step, End) else "box"
    bold = ", style=bold" if is_start else ""
    return f"  {_quoted(step.name)} [shape={shape}{bold}];"


def _edge(here: str, there: str, label: str, style: str = "solid") -> str:
    return f"  {_quoted(here)} -> {_quoted(there)} [label={_quoted(label)}, style={style}];"


def _graph(name: str, lines: Iterable[str]) -> str:
    return "\n".join((f"digraph {_quoted(name)} {{", "  rankdir=LR;", *lines, "}", ""))


def _quoted(text: str) -> str:
    escaped = str(text).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [_row(head), _row(tuple("---" for _ in head)), *(_row(row) for row in rows)]
    return "\n".join(lines) + "\n"


def _row(cells: tuple[str, ...]) -> str:
    told = (cell.replace("|", "\\|").replace("\n", "<br>") for cell in cells)
    return "| " + " | ".join(told) + " |"
