"""Commands that explain: what a reply means, how a deadline was reckoned, what every wording costs.
They need no server."""

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from app.calendar import Calendar
from app.catalogue.loader import load as load_catalogue
from app.catalogue.model import SHORT_NAME_MAX, Bilingual, Catalogue
from app.commands.output import FINDINGS, JsonFlag, show, stop
from app.proactive import rules
from app.proactive.rules.accounts import LABEL_MAX
from dialogs import account
from dialogs.engine.lint import Finding, lint
from dialogs.engine.listed import listed
from dialogs.engine.model import Value
from dialogs.engine.render import units
from dialogs.engine.understanding import explain as explain_reply
from dialogs.engine.understanding import understand
from dialogs.engine.understanding.score import score as score_replies
from dialogs.engine.wording import Words

replies = typer.Typer(help="What people's replies mean.", no_args_is_help=True)
wording = typer.Typer(help="The wordings and their budgets.", no_args_is_help=True)
deadline = typer.Typer(help="How legal dates are reckoned.", no_args_is_help=True)


def catalogue() -> Catalogue:
    """The catalogue that lies beside the code."""
    return load_catalogue(Path(__file__).parents[1] / "catalogue")


@replies.command("explain")
def replies_explain(text: str, as_json: JsonFlag = False) -> None:
    """What was understood, and by which rule. Example: jauap replies explain "иә рахмет" """
    said = understand(text)
    data = {"label": said.label, "rule": said.rule, "language": said.language}
    show(data, explain_reply(text), as_json=as_json)


@replies.command("score")
def replies_score(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...")], as_json: JsonFlag = False
) -> None:
    """Scores files of labelled replies. Example: jauap replies score replies.tsv --json

    Lines are text<TAB>label<TAB>language<TAB>note under a header line. Exit 1 if any false yes
    or false no."""
    lines: list[str] = []
    for file in files:
        try:
            text = file.read_text(encoding="utf-8")
            score_replies(text)
        except OSError as error:
            raise stop(f"{file}: {error.strerror}, expected a readable file") from None
        except ValueError as error:
            raise stop(f"{file}: {error}") from None
        lines += text.rstrip("\n").split("\n")[1 if lines else 0 :]
    result = score_replies("\n".join(lines) + "\n")
    show(result, _scores(result), as_json=as_json)
    if result["false_yes"] or result["false_no"]:
        raise typer.Exit(FINDINGS)


def _scores(result: dict[str, Any]) -> str:
    """A line a language, the whole of it last."""
    lines = [f"{'':8}{'total':>7}{'false yes':>11}{'false no':>10}{'recall yes':>12}{'no':>7}"]
    for name, of in (*result["by_language"].items(), ("all", result)):
        recalls = (of["recall_yes"], of["recall_no"])
        yes, no = ("-" if r is None else f"{r:.3f}" for r in recalls)
        lines.append(
            f"{name:8}{of['total']:>7}{of['false_yes']:>11}{of['false_no']:>10}{yes:>12}{no:>7}"
        )
    return "\n".join(lines)


@wording.command("lint")
def wording_lint(as_json: JsonFlag = False) -> None:
    """Every wording against its budget, with the longest real values. Example: jauap wording lint

    In both languages and on every surface: SMS, USSD, the app. Exit 1 on a finding."""
    words = Words.load()
    found = lint(words, longest_values(catalogue(), words))
    lines = [
        f"{f.where}: {f.key} [{f.language}, {f.surface}] {f.rule}: " + _measured(f) for f in found
    ]
    show(found, "\n".join(lines) or "every wording is within its budget", as_json=as_json)
    if found:
        raise typer.Exit(FINDINGS)


def _measured(f: Finding) -> str:
    if f.surface == "text":
        return f"found {f.offending!r}"
    told = f" in {f.segments} segments" if f.segments else ""
    return f"found {f.units} units{told}, expected at most {f.budget}: {f.offending!r}"


def longest_values(known: Catalogue, words: Words) -> dict[str, Value]:
    """The longest value each placeholder can really have, per language; where providers name it,
    the longest that may be named."""

    def longest(texts: Iterable[Bilingual]) -> dict[str, str]:
        told = list(texts)
        return {
            "kk": max((one.kk for one in told), key=units),
            "ru": max((one.ru for one in told), key=units),
        }

    label = "Ш" * LABEL_MAX
    named = {account.slot(n): label for n in range(1, account.MOST_ACCOUNTS + 1)}
    return {
        "service": longest(s.short for s in known.services.values()),
        "measure": "Ш" * SHORT_NAME_MAX,
        "provider": longest(m.provider.name for m in known.measures.values()),
        "criteria": longest(m.criteria for m in known.measures.values()),
        "branch": longest(b.name for b in known.branches),
        "address": longest(b.address for b in known.branches),
        "hours": "31.12 09:00–18:00",
        "deadline": "31.12.2026, 23:59",
        "answer": longest(_each(words, "offer", f"answer.{one}") for one in ("yes", "no")),
        "status": longest(
            _each(words, "withdrawal", f"status.{one}")
            for one in ("given", "granted", "not-granted")
        ),
        "account": label,
        **listed(words, account.ACCOUNT, account.ACCOUNT.start, named),
    }


def _each(words: Words, dialog: str, key: str) -> Bilingual:
    each = words.each(dialog, key)
    return Bilingual(each["kk"], each["ru"])


@deadline.command("explain")
def deadline_explain(
    at: Annotated[datetime, typer.Argument(help="Receipt or start, e.g. 2026-03-20T18:30+05:00")],
    working_days: Annotated[
        int | None, typer.Option(help="Reckon so many working days instead of the reply window.")
    ] = None,
    service: Annotated[
        str | None, typer.Option(help="The service whose reply window counts.")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """How a legal date was reckoned. Without a zone the time is UTC.

    Example: jauap deadline explain 2026-03-20T13:30:00 --working-days 1"""
    at = at if at.tzinfo is not None else at.replace(tzinfo=UTC)
    known = catalogue()
    if working_days is not None:
        calendar = Calendar(known.swaps)
        lines = calendar.explain_working_days(at, working_days)
        end = calendar.deadline_of_working_days(at, working_days)
    else:
        found = known.find_service(service) if service else None
        if service and found is None:
            raise stop(f"service: found {service!r}, expected one of {', '.join(known.services)}")
        window = found.window_on(at.date()) if found else rules.WINDOW
        lines, end = rules.explain(at, window), rules.deadline_of(at, window)
    show({"deadline": end, "reckoning": lines}, "\n".join(lines), as_json=as_json)
