"""Words a screen in Kazakh, Russian or both, from `locales/{kk,ru}/LC_MESSAGES/*.po`.

The one door to babel. It never falls back from one language to the other, never leaves a
placeholder unfilled, and refuses to load at all rather than to load in part.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from babel.dates import format_datetime
from babel.messages.pofile import PoFileError, read_po

from dialogs.engine.model import (
    NO_VALUES,
    SHARED,
    Ask,
    Dialog,
    Phrases,
    Screen,
    Value,
    confirming,
    labelling,
)
from dialogs.every import DIALOGS, PHRASE_SETS

LANGUAGES = ("kk", "ru")
BOTH = "both"
SURFACES = ("sms", "ussd", "mobile")
LOCALES = Path(__file__).parents[2] / "locales"

_PLACEHOLDER = re.compile(r"\{([a-z_]+[0-9]?)\}")
_STRAY_BRACE = re.compile(r"[{}]")
_MSGID = re.compile(r'^msgid "(.+)"$')
_LINE = re.compile(r'|#.*|(?:msgid|msgstr|msgid_plural|msgstr\[\d\]|msgctxt)? ?".*"')
_BUDGET = re.compile(r"\bBudget:(.*)")
_BUDGET_ITEM = re.compile(r"(sms|both|ussd) (\d+)")


class WordingError(ValueError):
    """A wording is missing, unused, unequal in kk and ru, or unreadable; one line a finding, which
    begins with the file and, where there is one, its line."""


@dataclass(frozen=True, slots=True)
class Wording:
    """One entry of a .po file.

    `budget` maps "sms" and "both" to segments and "ussd" to UCS-2 units; it is empty for a word
    that only stands inside another text, and None when the translator declared none.
    """

    text: str
    placeholders: frozenset[str]
    budget: Mapping[str, int] | None
    notes: tuple[str, ...] = ()
    line: int = 0


Book = Mapping[str, Wording]
"""The wordings of one .po file by key."""


@dataclass(frozen=True, slots=True)
class Words:
    """All wordings. `books` maps (language, dialog) to its wordings by key."""

    books: Mapping[tuple[str, str], Book]

    @classmethod
    def load(
        cls,
        path: Path | None = None,
        dialogs: Iterable[Dialog] = DIALOGS,
        phrases: Iterable[Phrases] = PHRASE_SETS,
    ) -> "Words":
        """Reads `path`/{kk,ru}/LC_MESSAGES/*.po (by default the house's `locales`).

        Raises WordingError, one line a finding: file, key, what was found, what was expected.
        """
        root = path or LOCALES
        findings: list[str] = []
        books: dict[tuple[str, str], Book] = {}
        declared = {d.name: _declared(d) for d in dialogs} | {p.name: _said(p) for p in phrases}
        for name in sorted(set(declared) | _names_on_disk(root)):
            pair = {language: _read(root, language, name, findings) for language in LANGUAGES}
            if name in declared:
                for language, book in pair.items():
                    _compare_to_declared(file_of(language, name), book, declared[name], findings)
            _compare_languages(name, pair, findings)
            books.update({(language, name): book for language, book in pair.items()})
        if findings:
            raise WordingError("\n".join(findings))
        return cls(books)

    def text(
        self,
        screen: Screen,
        language: str,
        values: Mapping[str, Value] = NO_VALUES,
        surface: str = "sms",
    ) -> str:
        """The screen in "kk", "ru", or "both": Kazakh, a line break, Russian.

        `values` are laid over the screen's own; values the wording does not name are passed over.
        Raises WordingError when the key is unknown or a value is missing.
        """
        if language == BOTH:
            each = (self.text(screen, one, values, surface) for one in LANGUAGES)
            return "\n".join(dict.fromkeys(each))  # a name is the same in both
        wording = self.wording(screen.dialog, screen.key, language, surface)
        known = {**screen.values, **values}
        missing = wording.placeholders - known.keys()
        if missing:
            raise WordingError(
                f"{file_of(language, screen.dialog)}: {screen.key}: values {sorted(known)},"
                f" expected also {sorted(missing)}"
            )
        return _PLACEHOLDER.sub(lambda found: _in(language, known[found[1]]), wording.text)

    def wording(self, dialog: str, key: str, language: str, surface: str = "sms") -> Wording:
        """The entry for a key; the surface's variant ("ask.ussd") comes first; the
        shared phrases last."""
        for name in (dialog, *SHARED):
            book = self.books.get((language, name), {})
            for candidate in (f"{key}.{surface}", key):
                if candidate in book:
                    return book[candidate]
        raise WordingError(f"{file_of(language, dialog)}: {key}: not found, expected a wording")

    def each(self, dialog: str, key: str) -> Mapping[str, str]:
        """A phrase by language, to be another wording's value: `each("offer", "answer.yes")`."""
        return {language: self.text(Screen(dialog, key), language) for language in LANGUAGES}


def stem(key: str) -> str:
    """The key without its surface: "ask" for "ask.ussd"."""
    bare, _, last = key.rpartition(".")
    return bare if last in SURFACES else key


def day(at: datetime, language: str) -> str:
    """05.03.2026, the day in Asia/Almaty of an aware `at`."""
    return _formatted(at, "dd.MM.yyyy", language)


def clock_time(at: datetime) -> str:
    """09:07, the wall clock in Asia/Almaty at an aware `at`; the same in both languages."""
    return _formatted(at, "HH:mm", LANGUAGES[0])


def moment(at: datetime, language: str) -> str:
    """05.03.2026, 09:07: how a deadline is told."""
    return f"{day(at, language)}, {clock_time(at)}"


def long_day(at: datetime, language: str) -> str:
    """2026 жылғы 5 наурыз / 5 марта 2026 года: the day as official papers write it."""
    pattern = {"kk": "y 'жылғы' d MMMM", "ru": "d MMMM y 'года'"}[language]
    return _formatted(at, pattern, language)


def opening_hours(opens: str, closes: str) -> str:
    """09:00–18:00, from wall-clock strings of the catalogue; the same in both languages."""
    return f"{opens}–{closes}"


def _almaty() -> ZoneInfo:
    # The operating system's own tables may predate 1 March 2024, when the country moved to UTC+5;
    # the packaged ones are pinned by our lock file.
    with (files("tzdata") / "zoneinfo" / "Asia" / "Almaty").open("rb") as table:
        return ZoneInfo.from_file(table, key="Asia/Almaty")


ALMATY = _almaty()


def _formatted(at: datetime, pattern: str, language: str) -> str:
    if at.tzinfo is None:
        raise ValueError(f"found the naive time {at.isoformat()}, expected an aware one")
    return str(format_datetime(at.astimezone(ALMATY), pattern, tzinfo=ALMATY, locale=language))


def _in(language: str, value: Value) -> str:
    return value if isinstance(value, str) else value[language]


def file_of(language: str, name: str) -> str:
    """Where a set of wordings stands, under `locales`."""
    return f"{language}/LC_MESSAGES/{name}.po"


def _names_on_disk(root: Path) -> set[str]:
    return {
        file.stem for language in LANGUAGES for file in (root / language).glob("LC_MESSAGES/*.po")
    }


def _declared(dialog: Dialog) -> dict[str, frozenset[str]]:
    """The placeholders allowed for each key the dialog needs."""
    keys = {notice.key: frozenset(notice.values) for notice in dialog.notices}
    for step in dialog.steps:
        values = frozenset(step.values)
        if not isinstance(step, Ask):
            keys[step.name] = values
            continue
        keys.update({key: values for key in step.screens})
        for choice in step.choices:
            keys[labelling(step.name, choice.id)] = frozenset(choice.values)
            if step.confirms:
                keys[confirming(step.name, choice.id)] = values
    return keys


def _said(phrases: Phrases) -> dict[str, frozenset[str]]:
    return {notice.key: frozenset(notice.values) for notice in phrases.notices}


def _read(root: Path, language: str, name: str, findings: list[str]) -> Book:
    file, short = root / file_of(language, name), file_of(language, name)
    try:
        raw = file.read_text(encoding="utf-8")
        with file.open("rb") as stream:
            catalog = read_po(stream, locale=language, charset="utf-8", abort_invalid=True)
    except FileNotFoundError:
        findings.append(f"{short}: the file is missing, expected one in each of {LANGUAGES}")
        return {}
    except PoFileError as error:
        at = f"{short}:{error.lineno + 1}"
        findings.append(f"{at}: found {error}, expected a readable .po file in UTF-8")
        return {}
    except (UnicodeDecodeError, ValueError) as error:
        findings.append(f"{short}: found {error}, expected a readable .po file in UTF-8")
        return {}
    _check_lines(short, raw, findings)
    places = _places(raw)
    for key, lines in places.items():
        if len(lines) > 1:
            at = f"{short}:{lines[-1]}: {key}"
            findings.append(f"{at}: found {len(lines)} times, expected once")
    if f'"Language: {language}\\n"' not in raw:
        findings.append(f"{short}:1: header: found another Language, expected {language}")
    return {
        str(m.id): _entry(m, places.get(str(m.id), [0])[0])
        for m in catalog
        if _is_usable(m, short, places, findings)
    }


def _places(raw: str) -> dict[str, list[int]]:
    """The lines in which each key is worded, from 1."""
    places: dict[str, list[int]] = {}
    for number, line in enumerate(raw.splitlines(), 1):
        if found := _MSGID.match(line):
            places.setdefault(found[1], []).append(number)
    return places


def _check_lines(file: str, raw: str, findings: list[str]) -> None:
    # Babel reads an unquoted line by cutting off its first and last letters.
    for number, line in enumerate(raw.splitlines(), 1):
        if not _LINE.fullmatch(line.strip()):
            at = f"{file}:{number}: found line {number} {line.strip()!r}"
            findings.append(f"{at}, expected a readable .po file in UTF-8")


def _is_usable(
    message: Any, file: str, places: Mapping[str, list[int]], findings: list[str]
) -> bool:
    """Whether a catalog entry is one plain text; the header's empty id is passed over."""
    if not message.id:
        return False
    if not isinstance(message.id, str) or not isinstance(message.string, str):
        at = f"{file}:{places.get(message.id[0], [0])[0]}: {message.id[0]}"
        findings.append(f"{at}: found a plural entry, expected one plain text")
        return False
    at = f"{file}:{places.get(message.id, [0])[0]}: {message.id}"
    if message.fuzzy:
        findings.append(f"{at}: found a fuzzy entry, expected a finished wording")
    if _STRAY_BRACE.search(_PLACEHOLDER.sub("", message.string)):
        findings.append(f"{at}: found a stray brace, expected {{names}} in pairs")
    if not message.string.strip():
        findings.append(f"{at}: found an empty text, expected a wording")
    return True


def _entry(message: Any, line: int) -> Wording:
    notes = tuple(message.auto_comments)
    return Wording(
        text=message.string,
        placeholders=frozenset(_PLACEHOLDER.findall(message.string)),
        budget=_budget(notes),
        notes=notes,
        line=line,
    )


def _budget(notes: tuple[str, ...]) -> Mapping[str, int] | None:
    """What `#. Budget: sms 2 both 4 ussd 80` declares; {} for `none`; None without such a line."""
    for note in notes:
        found = _BUDGET.search(note)
        if found:
            return {surface: int(most) for surface, most in _BUDGET_ITEM.findall(found[1])}
    return None


def _compare_to_declared(
    file: str, book: Book, declared: Mapping[str, frozenset[str]], findings: list[str]
) -> None:
    if not book:
        return
    for key in sorted(declared.keys() - book.keys()):
        findings.append(f"{file}: {key}: not found, expected a wording")
    for key, wording in book.items():
        if stem(key) not in declared:
            at = f"{file}:{wording.line}: {key}"
            findings.append(f"{at}: found, but no dialog uses it; expected no unused key")
        elif extra := wording.placeholders - declared[stem(key)]:
            findings.append(
                f"{file}:{wording.line}: {key}: found placeholders {sorted(extra)},"
                f" expected none but {sorted(declared[stem(key)])}"
            )


def _compare_languages(name: str, pair: Mapping[str, Book], findings: list[str]) -> None:
    first, second = LANGUAGES
    for here, there in ((first, second), (second, first)):
        lacking = pair[here].keys() - pair[there].keys() if pair[there] else set()
        for key in sorted(lacking):
            wanted = f"expected it as in {file_of(here, name)}:{pair[here][key].line}"
            findings.append(f"{file_of(there, name)}: {key}: not found, {wanted}")
    for key in sorted(pair[first].keys() & pair[second].keys()):
        ours, theirs = pair[first][key].placeholders, pair[second][key].placeholders
        if ours != theirs:
            findings.append(
                f"{file_of(second, name)}:{pair[second][key].line}: {key}:"
                f" found placeholders {sorted(theirs)},"
                f" expected {sorted(ours)} as in {first}"
            )
