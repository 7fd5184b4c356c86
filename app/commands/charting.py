"""`jauap chart`: dialogs, menus and an offer's lifecycle as tables, Graphviz and SVG. No server."""

from pathlib import Path
from typing import Annotated, Any, Final

import typer

from app.commands.output import JsonFlag, show, stop
from app.proactive import rules
from dialogs.engine import chart as charts
from dialogs.engine.chart import Menu
from dialogs.engine.drawing import svg
from dialogs.engine.model import Ask, Dialog
from dialogs.engine.wording import Words
from dialogs.every import DIALOGS, dialog
from dialogs.language import CHOICES, LANGUAGE
from dialogs.menu import ENTRIES, MENU

LIFECYCLE = "lifecycle"
MENUS: Final = {
    menu.name: menu
    for menu in (
        Menu(MENU, "main", ENTRIES, ("goodbye", "exit")),
        Menu(LANGUAGE, "ask", CHOICES, ("menu", "back")),
    )
}
EVERY: Final = (*(one.name for one in DIALOGS), *MENUS, LIFECYCLE)
TABLE: Final = {(str(state), str(event)): str(to) for (state, event), to in rules.LIFECYCLE.items()}
# What people call the states and events of an offer; the words of the API stand beside them.
NAMES: Final = {
    word: {"kk": kk, "ru": ru}
    for word, kk, ru in (
        ("made", "жасалды", "создан"),
        ("sent", "жіберілді", "отправлен"),
        ("awaiting", "жауап күтілуде", "ожидает ответа"),
        ("accepted", "келісім берілді", "согласие получено"),
        ("declined", "алушы бас тартты", "получатель отказался"),
        ("expired", "мерзімі өтті", "срок истёк"),
        ("undelivered", "жеткізілмеді", "не доставлен"),
        ("withdrawn", "қайтарып алынды", "отозван"),
        ("rendered", "қызмет көрсетілді", "услуга оказана"),
        ("refused", "қызмет беруші бас тартты", "услугодатель отказал"),
        ("submitted", "желіге берілді", "передан сети"),
        ("returned", "жіберілмей қайтты", "не ушёл, возвращён"),
        ("received", "телефонға жетті", "получен телефоном"),
        ("yes", "иә", "да"),
        ("no", "жоқ", "нет"),
        ("stopped", "SMS керек емес", "не присылать SMS"),
        ("wrong_person", "басқа адам", "другой человек"),
        ("lapsed", "жауап күту мерзімі бітті", "срок ожидания вышел"),
        ("not_delivered", "жеткізілмеді", "не доставлен"),
        ("consent_revoked", "келісім қайтарып алынды", "согласие отозвано"),
        ("gate_failed", "шарт орындалмады", "условие не выполнено"),
    )
}


def chart(
    name: Annotated[
        str | None,
        typer.Argument(help="A dialog, a menu, or `lifecycle`; all without one."),
    ] = None,
    graphviz: Annotated[bool, typer.Option(help="Print Graphviz text instead of tables.")] = False,
    svg_file: Annotated[
        Path | None, typer.Option("--svg", help="Draw one chart into this file.")
    ] = None,
    into: Annotated[
        Path | None, typer.Option(help="Write table, Graphviz and SVG of each into a directory.")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Dialogs and lifecycles as tables (kk | ru), Graphviz or SVG. Example: jauap chart offer

    The pictures of docs/dialogs: jauap chart --into docs/dialogs"""
    names = [name] if name is not None else [*EVERY]
    if name is not None and name not in EVERY:
        raise stop(f"chart: found {name!r}, expected one of {', '.join(EVERY)}")
    words = Words.load()
    try:
        if svg_file is not None:
            if name is None:
                raise stop("--svg: found no name, expected the one chart to draw")
            svg_file.write_text(drawn(name, words), encoding="utf-8")
        elif into is not None:
            write(into, words, names)
        else:
            _print(names, words, graphviz=graphviz, as_json=as_json)
    except OSError as error:
        where = svg_file or into
        raise stop(f"{where}: {error.strerror}, expected a place to write to") from None


def _print(names: list[str], words: Words, *, graphviz: bool, as_json: bool) -> None:
    told = "\n".join((graph if graphviz else table)(one, words) for one in names)
    show([described(one, words) for one in names] if as_json else [], told, as_json=as_json)


def table(name: str, words: Words) -> str:
    """The chart as Markdown."""
    if name == LIFECYCLE:
        return charts.lifecycle_table("offer", TABLE, NAMES)
    if name in MENUS:
        return charts.menu_table(MENUS[name], words)
    return charts.dialog_table(dialog(name), words)


def graph(name: str, words: Words) -> str:
    """The chart as Graphviz text."""
    if name == LIFECYCLE:
        return charts.lifecycle_graph("offer", TABLE, NAMES)
    if name in MENUS:
        return charts.menu_graph(MENUS[name], words)
    return charts.dialog_graph(dialog(name), words)


def drawn(name: str, words: Words) -> str:
    """The chart as SVG."""
    if name == LIFECYCLE:
        return svg(charts.lifecycle_drawn("offer", TABLE, NAMES))
    if name in MENUS:
        return svg(charts.menu_drawn(MENUS[name], words))
    return svg(charts.dialog_drawn(dialog(name), words))


def described(name: str, words: Words) -> dict[str, Any]:
    """The chart as data: what is declared, with every wording in both languages."""
    if name == LIFECYCLE:
        moves = [{"state": s, "event": e, "to": to} for (s, e), to in TABLE.items()]
        return {"name": name, "names": NAMES, "moves": moves}
    wordings = {
        key: {"kk": book.text, "ru": words.books["ru", name][key].text}
        for key, book in words.books["kk", name].items()
    }
    if name in MENUS:
        entries = [{"id": e.id, "digit": e.digit, "goto": e.goto} for e in MENUS[name].entries]
        return {"name": name, "entries": entries, "wordings": wordings}
    one = dialog(name)
    return {
        "name": name,
        "by_law": one.by_law,
        "start": one.start,
        "steps": _steps(one),
        "wordings": wordings,
    }


def _steps(one: Dialog) -> list[dict[str, Any]]:
    return [
        {
            "name": step.name,
            "choices": [
                {"id": c.id, "digit": c.digit, "goto": c.goto, "outcome": c.outcome}
                for c in step.choices
            ],
            "silence": step.silence,
            "unclear_again": step.unclear_again,
        }
        if isinstance(step, Ask)
        else {"name": step.name, "outcome": step.outcome}
        for step in one.steps
    ]


def write(into: Path, words: Words, names: list[str] | None = None) -> list[Path]:
    """Writes every chart into a directory: .md, .dot and .svg; returns what was written."""
    into.mkdir(parents=True, exist_ok=True)
    written = []
    for name in names or EVERY:
        for suffix, text in (("md", table), ("dot", graph), ("svg", drawn)):
            path = into / f"{name}.{suffix}"
            path.write_text(text(name, words), encoding="utf-8")
            written.append(path)
    return written
