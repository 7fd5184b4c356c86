"""Draws a dialog, a menu or a lifecycle: a table with kk and ru side by side, and Graphviz text.

For people to read and sign; it draws what is declared and decides nothing.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from dialogs.engine.drawing import Edge, Graph, Node
from dialogs.engine.model import COMMON, Choice, Dialog, End, Phrases, Screen, Step, labelling
from dialogs.engine.wording import LANGUAGES, Words

Names = Mapping[str, Mapping[str, str]]
"""What a state or an event is called, by language."""

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
    graph = dialog_drawn(dialog, words)
    lines = [_node(step, step.name == dialog.start) for step in dialog.steps]
    lines += [
        _edge(e.source, e.target, e.label, "dashed" if e.is_dashed else "solid")
        for e in graph.edges
    ]
    return _graph(dialog.name, lines)


def dialog_drawn(dialog: Dialog, words: Words) -> Graph:
    """The same to be drawn: a box a step, with its outcome where it is an end."""
    nodes = tuple(
        Node(
            step.name,
            (step.name, f"■ {step.outcome}") if isinstance(step, End) else (step.name,),
            is_end=isinstance(step, End),
            is_start=step.name == dialog.start,
        )
        for step in dialog.steps
    )
    edges: list[Edge] = []
    for ask in dialog.asks:
        for choice in ask.choices:
            key = labelling(ask.name, choice.id)
            each = (words.wording(dialog.name, key, one).text for one in LANGUAGES)
            told = f"{choice.digit}: {' / '.join(dict.fromkeys(each))}"
            outcome = f" ■ {choice.outcome}" if choice.outcome else ""
            edges.append(Edge(ask.name, choice.goto, told + outcome))
        quiet = " / ".join(_SILENCE[one] for one in LANGUAGES)
        edges.append(Edge(ask.name, ask.silence, quiet, is_dashed=True))
    return Graph(dialog.name, nodes, tuple(edges))


@dataclass(frozen=True, slots=True)
class Menu:
    """A page of USSD that a phone can ask for by itself: the entries of `at`, in order, and where 0
    leads from it: the name of a page, and the shared word behind the key."""

    phrases: Phrases
    at: str
    entries: tuple[Choice, ...]
    zero: tuple[str, str]

    @property
    def name(self) -> str:
        return self.phrases.name


def menu_table(menu: Menu, words: Words) -> str:
    """A Markdown table of a menu: every wording in kk and ru, and where each key leads."""
    roads = {labelling(menu.at, e.id): f"{e.digit} → {e.goto}" for e in menu.entries}
    rows = [
        (n.key, *(words.wording(menu.name, n.key, one).text for one in LANGUAGES),
         roads.get(n.key, ""))
        for n in menu.phrases.notices
    ]  # fmt: skip
    goto, word = menu.zero
    told = (words.text(Screen(COMMON, word), one) for one in LANGUAGES)
    rows.append((word, *told, f"0 → {goto}"))
    return f"# {menu.name} (USSD)\n\n" + _table(("", "kk", "ru", "→"), rows)


def menu_graph(menu: Menu, words: Words) -> str:
    """Graphviz text of a menu; its keys bear their words in kk and ru."""
    graph = menu_drawn(menu, words)
    lines = [
        f"  {_quoted(n.id)} [shape=box{', style=bold' if n.is_start else ''}];" for n in graph.nodes
    ]
    lines += [_edge(e.source, e.target, e.label) for e in graph.edges]
    return _graph(menu.name, lines)


def menu_drawn(menu: Menu, words: Words) -> Graph:
    """The same to be drawn: a box a page."""
    goto, word = menu.zero
    keys = [(e.digit, e.goto, menu.name, labelling(menu.at, e.id)) for e in menu.entries]
    edges = []
    for digit, target, name, key in (*keys, ("0", goto, COMMON, word)):
        each = (words.text(Screen(name, key), one) for one in LANGUAGES)
        edges.append(Edge(menu.at, target, f"{digit}: {' / '.join(dict.fromkeys(each))}"))
    pages = dict.fromkeys(edge.target for edge in edges)
    nodes = [Node(menu.at, (menu.at,), is_start=True)]
    nodes += [Node(page, (page,), is_end=page == "goodbye") for page in pages]
    return Graph(menu.name, tuple(nodes), tuple(edges))


def lifecycle_table(
    name: str, table: Mapping[tuple[str, str], str], names: Names | None = None
) -> str:
    """A Markdown table of `(state, event) -> state`: a row a state, a column an event. With `names`
    also what each state and event is called in kk and ru."""
    states, events = _states(table), _events(table)
    rows = [
        (str(state), *(str(table.get((state, event), "")) for event in events)) for state in states
    ]
    text = f"# {name}\n\n" + _table(("", *(str(event) for event in events)), rows)
    for known in (states, events) if names else ():
        told = (
            (str(one), *(_named(names, one, language) for language in LANGUAGES)) for one in known
        )
        text += "\n" + _table(("", *LANGUAGES), told)
    return text


def lifecycle_graph(
    name: str, table: Mapping[tuple[str, str], str], names: Names | None = None
) -> str:
    """Graphviz text of `(state, event) -> state`; a state nothing leaves is framed twice."""
    left = {state for state, _ in table}
    lines = [
        f"  {_quoted(state)} [shape=box{'' if state in left else ', peripheries=2'}"
        f"{_label(names, state)}];"
        for state in _states(table)
    ]
    lines += [_edge(state, goto, event) for (state, event), goto in table.items()]
    return _graph(name, lines)


def lifecycle_drawn(
    name: str, table: Mapping[tuple[str, str], str], names: Names | None = None
) -> Graph:
    """The same to be drawn; states bear their names in kk and ru."""
    left = {state for state, _ in table}
    states = _states(table)
    nodes = tuple(
        Node(
            str(state),
            (str(state), *(_named(names, state, one) for one in LANGUAGES if names)),
            is_end=state not in left,
            is_start=state == states[0],
        )
        for state in states
    )
    edges = (Edge(str(state), str(goto), str(event)) for (state, event), goto in table.items())
    return Graph(name, nodes, tuple(edges))


def _events(table: Mapping[tuple[str, str], str]) -> list[str]:
    return list(dict.fromkeys(event for _, event in table))


def _named(names: Names | None, word: str, language: str) -> str:
    return names[str(word)][language] if names else ""


def _label(names: Names | None, state: str) -> str:
    if names is None:
        return ""
    lines = (str(state), *(_named(names, state, one) for one in LANGUAGES))
    return ", label=" + _quoted("\n".join(lines))


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
