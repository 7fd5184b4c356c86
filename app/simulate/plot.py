"""A campaign's quarters of an hour as a picture, spoken in both languages, Kazakh first."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from app.calendar import in_almaty
from app.simulate import raster
from app.simulate.drawing import SIZE, Anchor, Label, Line, Picture, svg
from app.simulate.tally import SERIES

WIDTH, HEIGHT = 1000, 480
LEFT, RIGHT, TOP, BOTTOM = 70, 25, 110, 50
# Told apart by everybody (Okabe and Ito), and by their dashes in print.
STYLES: Final = {
    "sent": ("#0072b2", ()),
    "received": ("#009e73", (8.0, 4.0)),
    "answered": ("#d55e00", (3.0, 3.0)),
    "expired": ("#555555", (10.0, 3.0, 2.0, 3.0)),
}
NAMES: Final = {
    "sent": "жіберілді / отправлено",
    "received": "жеткізілді / доставлено",
    "answered": "жауап / ответ",
    "expired": "мерзімі өтті / истекло",
}
KK: Final = "{citizens} азамат, әр 15 минуттағы сұрау салу саны, Алматы уақыты"
RU: Final = "{citizens} граждан, запросов за каждые 15 минут, время Алматы"
GRID, INK = "#dddddd", "#222222"
LINES = 5
MOST_LABELS = 12
LONGEST = 80  # letters of a campaign's name that there is room for
SUFFIXES: Final = (".svg", ".png")


def octets(figures: Mapping[str, Any], suffix: str) -> bytes:
    """The picture as a file of that kind."""
    picture = drawn(figures)
    return raster.png(picture) if suffix == ".png" else svg(picture).encode()


def drawn(figures: Mapping[str, Any]) -> Picture:
    """The whole picture; the hours are those of Almaty."""
    quarters = figures["quarters"]
    top = _round_up(max((q[n] for q in quarters for n in SERIES), default=0))
    name = str(figures["campaign"])
    name = name if len(name) <= LONGEST else f"{name[: LONGEST - 1]}…"
    title = f"{name} · seed {figures['seed']}"
    citizens = f"{figures['citizens']:,}".replace(",", "\u00a0")
    said = (title, KK.format(citizens=citizens), RU.format(citizens=citizens))
    shapes = (
        *(Label((LEFT, 22 + 20 * n), words) for n, words in enumerate(said)),
        *_legend(),
        *_across(top),
        *_hours(quarters),
        *(_series(quarters, series, top) for series in SERIES),
    )
    return Picture(WIDTH, HEIGHT, title, INK, shapes)


def _legend() -> Iterator[Line | Label]:
    wide = (WIDTH - LEFT - RIGHT) / len(SERIES)
    for place, name in enumerate(SERIES):
        x = LEFT + place * wide
        colour, dashes = STYLES[name]
        yield Line(((x, 84), (x + 30, 84)), colour, 2, dashes)
        yield Label((x + 36, 88), NAMES[name])


def _across(top: int) -> Iterator[Line | Label]:
    for n in range(LINES + 1):
        value = top * n // LINES
        y = _y(value, top)
        yield Line(((LEFT, y), (WIDTH - RIGHT, y)), GRID)
        yield Label((LEFT - 8, y + SIZE / 3), str(value), Anchor.END)


def _hours(quarters: Sequence[Mapping[str, Any]]) -> Iterator[Line | Label]:
    """Labels at whole hours, as many as there is room for, with the date where a day begins."""
    starts = [in_almaty(datetime.fromisoformat(q["from"])) for q in quarters]
    whole = [(n, at) for n, at in enumerate(starts) if at.minute == 0]
    step = max(1, -(-len(whole) // MOST_LABELS))
    day, bottom = None, HEIGHT - BOTTOM
    for n, at in whole[::step]:
        x = _x(n, len(quarters))
        yield Line(((x, bottom), (x, bottom + 5)), INK)
        yield Label((x, bottom + 19), f"{at:%H:%M}", Anchor.MIDDLE)
        if at.date() != day:
            day = at.date()
            yield Label((x, bottom + 36), f"{at:%d.%m}", Anchor.MIDDLE)


def _series(quarters: Sequence[Mapping[str, Any]], name: str, top: int) -> Line:
    points = tuple((_x(n, len(quarters)), _y(q[name], top)) for n, q in enumerate(quarters))
    colour, dashes = STYLES[name]
    return Line(points, colour, 2, dashes)


def _x(place: int, whole: int) -> float:
    return round(LEFT + (WIDTH - LEFT - RIGHT) * place / max(1, whole - 1), 1)


def _y(value: int, top: int) -> float:
    return round(HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * value / top, 1)


def _round_up(value: int) -> int:
    """A number that LINES divides and that is easy to read, not below `value`."""
    size = LINES
    while True:
        for times in (1, 2, 4):
            if size * times >= value:
                return size * times
        size *= 10
