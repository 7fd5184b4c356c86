"""The figures as a picture (SVG): bars of the stages for each group and for all together."""

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Final

from app.wallet.effects.figures import Effects, Line


@dataclass(frozen=True, slots=True)
class Words:
    """What a picture says, in one language; `hours` follows a median, `more` a number of groups
    that have no place."""

    title: str
    stages: tuple[str, str, str, str, str]
    everybody: str
    unknown: str
    hidden: str
    hours: str
    more: str
    note: str


WORDS: Final = {
    "kk": Words(
        "Қолдау шараларының тиімділігі",
        ("Хабарланды", "Алды", "Келісті", "Берілді", "Пайдаланды"),
        "Барлығы", "Белгісіз", "жасырылған", "сағ. медиана", "топ кестеде",
        "Бестен аз адам және оларды көрсетіп қоятын сандар жасырылған.",
    ),
    "ru": Words(
        "Эффективность мер поддержки",
        ("Уведомлены", "Получили", "Согласились", "Предоставлено", "Использовано"),
        "Всего", "Неизвестно", "скрыто", "ч, медиана", "групп в таблице",
        "Группы менее пяти человек и числа, по которым их можно вычислить, скрыты.",
    ),
    "en": Words(
        "How measures of support work",
        ("Reached", "Received", "Consented", "Granted", "Used"),
        "All", "Unknown", "hidden", "h, median", "groups in the table",
        "Groups of fewer than five, and numbers that would tell of them, are hidden.",
    ),
}  # fmt: skip
COLOURS: Final = ("#0b5c7a", "#2a7f9e", "#5ba3bd", "#8cc3d6", "#bfe0ea")
MOST_GROUPS: Final = 60
LONGEST: Final = 85  # letters of a group's name that fit into the width
WIDTH: Final = 760
TOP: Final = 62
LEFT: Final = 140
BARS: Final = 340
BAR: Final = 18
GROUP: Final = 6 * BAR + 12


def as_svg(found: Effects, language: str, names: Mapping[str, str]) -> bytes:
    """The picture in Kazakh, Russian or English. `names` are what groups are called; what is
    hidden has no bar and says so."""
    words = WORDS.get(language, WORDS["ru"])
    groups = [(names.get(one.group, one.group) or words.unknown, one) for one in found.lines]
    left_out = len(groups[MOST_GROUPS:])
    groups = [*groups[:MOST_GROUPS], (words.everybody, found.total)]
    most = max((c for _, one in groups for c in one.counts if c is not None), default=0) or 1
    height = TOP + len(groups) * GROUP + (24 if left_out else 0)
    drawn = [
        _bars(name, one, TOP + place * GROUP, most, words)
        for place, (name, one) in enumerate(groups)
    ]
    if left_out:
        drawn.append(_text(10, height - 12, f"… + {left_out} {words.more}"))
    head = _text(10, 24, words.title, 'font-size="17"')
    head += _text(10, 44, words.note, 'font-size="11" fill="#555"')
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" '
        f'viewBox="0 0 {WIDTH} {height}" lang="{language if language in WORDS else "ru"}" '
        f'font-family="DejaVu Sans, Arial, sans-serif" font-size="13" role="img" '
        f'aria-label="{escape(words.title)}"><rect width="100%" height="100%" fill="#fff"/>'
        f"{head}{''.join(drawn)}</svg>"
    )
    return svg.encode()


def _bars(name: str, one: Line, top: int, most: int, words: Words) -> str:
    short = name if len(name) <= LONGEST else f"{name[: LONGEST - 1]}…"
    parts = [_text(10, top + 12, short, 'font-weight="bold"')]
    medians = (None, *one.hours)
    for place, count in enumerate(one.counts):
        y = top + (place + 1) * BAR
        width = 0 if count is None else round(BARS * count / most)
        said = words.hidden if count is None else f"{count}"
        if (hours := medians[place]) is not None:
            said += f" · {hours:g} {words.hours}"
        parts.append(_text(10, y + 12, words.stages[place]))
        parts.append(
            f'<rect x="{LEFT}" y="{y}" width="{width}" height="{BAR - 3}" fill="{COLOURS[place]}"/>'
        )
        parts.append(_text(LEFT + width + 6, y + 12, said))
    return "".join(parts)


def _text(x: int, y: int, said: str, look: str = "") -> str:
    return f'<text x="{x}" y="{y}"{" " if look else ""}{look}>{escape(said)}</text>'
