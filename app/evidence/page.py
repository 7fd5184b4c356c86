"""The case file as one HTML page that needs nothing else: readable in Kazakh, Russian or both,
with the case file itself inside, so that the page can be verified as well.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from html import escape
from typing import Any

import msgspec

from app.calendar import in_almaty
from app.catalogue.model import Bilingual
from app.evidence import texts
from app.evidence.casefile import CaseEntry, CaseFile, CaseSeal

BOTH = ("kk", "ru")
UCS2 = 8
# Said in a column of its own, or only of use to a machine.
_HIDDEN = ("said",)

_STYLE = """
body{font:15px/1.45 system-ui,sans-serif;margin:2em auto;max-width:70em;padding:0 1em;color:#111}
h1{font-size:1.5em}h2{font-size:1.15em;margin-top:2em}
table{border-collapse:collapse;width:100%}
th,td{border:1px solid #bbb;padding:.35em .5em;text-align:left;vertical-align:top}
th{background:#f1f1f1;font-weight:600}
code{font:12px/1.3 ui-monospace,monospace;word-break:break-all}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.2em 1em;margin:0}
dt{color:#555}dd{margin:0}
.said{font-weight:600;white-space:pre-wrap}
@media print{body{margin:0;max-width:none}tr{break-inside:avoid}}
"""


def html(file: CaseFile, languages: Sequence[str] = BOTH) -> str:
    """The page, in these languages, the first one first."""
    page = Page(languages)
    title = page.say(texts.TITLE)
    # Nothing in the JSON may end the script element it stands in.
    data = msgspec.json.encode(file).decode().replace("&", "\\u0026").replace("<", "\\u003c")
    parts = [
        f'<!DOCTYPE html>\n<html lang="{languages[0]}"><head><meta charset="utf-8">',
        '<meta http-equiv="Content-Security-Policy" '
        "content=\"default-src 'none'; style-src 'unsafe-inline'\">",
        f"<title>{title} {escape(file.case)}</title><style>{_STYLE}</style></head><body>",
        f"<h1>{title}</h1><p>{page.say(texts.CLAUSES)}</p>",
        page.about(file),
        page.history(file.entries),
        page.seals(file.seals),
        f"<h2>{page.say(texts.CHECKING)}</h2>",
        *(f"<p>{escape(texts.CHECK_WORDS.of(language))}</p>" for language in languages),
        f'<script type="application/json" id="case">{data}</script>',
        "</body></html>\n",
    ]
    return "".join(parts)


class Page:
    """Words a case file in some languages."""

    def __init__(self, languages: Sequence[str]) -> None:
        self.languages = languages

    def say(self, text: Bilingual) -> str:
        """A text in the page's languages, once where they agree; escaped."""
        return escape(" / ".join(dict.fromkeys(text.of(one) for one in self.languages)))

    def about(self, file: CaseFile) -> str:
        """What the case is about, as the ledger had it when the file was made."""
        offer = {"id": file.case, **(file.offer or {}), "exported_at": file.exported_at}
        rows = [
            f"<dt>{self.say(texts.OFFER[name])}</dt><dd>{_value(value)}</dd>"
            for name, value in offer.items()
            if name in texts.OFFER and value is not None
        ]
        return f"<h2>{self.say(texts.ABOUT)}</h2><dl>{''.join(rows)}</dl>"

    def history(self, entries: Iterable[CaseEntry]) -> str:
        """The entries, one a row."""
        rows = "".join(self._entry(entry) for entry in entries)
        return f"<h2>{self.say(texts.HISTORY)}</h2>" + self._table(
            ("seq", "at", "what", "said", "facts", "hash"), rows
        )

    def _entry(self, entry: CaseEntry) -> str:
        kind = texts.KINDS.get(entry.kind)
        what = self.say(kind) if kind else escape(entry.kind)
        facts = "".join(
            f"<dt>{escape(name)}</dt><dd>{_value(value)}</dd>"
            for name, value in entry.facts.items()
            if name not in _HIDDEN
        )
        cells = (
            str(entry.seq),
            _value(entry.at),
            what,
            f'<span class="said">{escape(said(entry))}</span>',
            f"<dl>{facts}</dl>",
            f"<code>{escape(entry.hash)}</code>",
        )
        return _row(cells)

    def seals(self, seals: Sequence[CaseSeal]) -> str:
        """The seals that cover the case, one a row."""
        head = f"<h2>{self.say(texts.SEALS)}</h2>"
        if not seals:
            return f"{head}<p>{self.say(texts.NO_SEALS)}</p>"
        rows = "".join(_row(_seal(seal)) for seal in seals)
        return head + self._table(("number", "day", "covers", "key", "hash"), rows)

    def _table(self, names: Sequence[str], rows: str) -> str:
        head = "".join(f"<th>{self.say(texts.COLUMNS[name])}</th>" for name in names)
        return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def _seal(seal: CaseSeal) -> tuple[str, ...]:
    facts: dict[str, Any] = msgspec.json.decode(seal.body)
    return (
        str(seal.number),
        escape(seal.day),
        f"{seal.since + 1}–{seal.seq}",
        f"<code>{escape(str(facts.get('public_key')))}</code>",
        f"<code>{escape(seal.hash)}</code>",
    )


def _row(cells: Iterable[str]) -> str:
    return f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"


def said(entry: CaseEntry) -> str:
    """What was said, in letters where they can be read: by the PDU's data coding where there is
    one, as UTF-8 where not, and in hex where neither will do."""
    if entry.said is None:
        return ""
    octets = bytes.fromhex(entry.said.octets)
    coding = entry.facts.get("data_coding")
    name = "utf-16-be" if coding == UCS2 else "utf-8" if coding is None else "ascii"
    try:
        return octets.decode(name)
    except UnicodeDecodeError:
        return entry.said.octets


def _value(value: object) -> str:
    """A value for people: times as they are on a clock in Almaty."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value) if "T" in value else value
        except ValueError:
            return escape(str(value))
    if isinstance(value, datetime) and value.tzinfo is not None:
        return f"{in_almaty(value):%d.%m.%Y %H:%M:%S}"
    if isinstance(value, list):
        return escape(", ".join(str(one) for one in value))
    return escape(str(value))
