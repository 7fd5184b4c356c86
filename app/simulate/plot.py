"""A campaign's quarters of an hour as an SVG picture, by our own few lines of drawing."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from xml.sax.saxutils import escape

from app.calendar import in_almaty
from app.simulate.tally import SERIES

WIDTH, HEIGHT = 1000, 420
LEFT, RIGHT, TOP, BOTTOM = 70, 20, 60, 50
# Told apart by everybody (Okabe and Ito), and by their dashes in print.
STYLES: Final = {
    "sent": ("#0072b2", ""),
    "received": ("#009e73", "6 3"),
    "answered": ("#d55e00", "2 3"),
    "expired": ("#555555", "10 3 2 3"),
}
GRID, INK = "#dddddd", "#222222"
LINES = 5
MOST_LABELS = 12
HOUR = timedelta(hours=1)


def svg(figures: Mapping[str, Any]) -> str:
    """The whole picture; the hours are those of Almaty."""
    quarters = figures["quarters"]
    top = _round_up(max((q[n] for q in quarters for n in SERIES), default=0))
    title = escape(f"{figures['campaign']}: {figures['citizens']} citizens, seed {figures['seed']}")
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img"'
        f' font-family="sans-serif" font-size="12" fill="{INK}">',
        f"<title>{title}</title>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
        f'<text x="{LEFT}" y="22" font-size="15">{title}</text>',
        *_legend(),
        *_across(top),
        *_hours(quarters),
        *(_series(quarters, name, top) for name in SERIES),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _legend() -> Iterator[str]:
    for place, name in enumerate(SERIES):
        x = LEFT + place * 130
        yield f'<path d="M{x} 40h30" {_stroke(name)}/><text x="{x + 36}" y="44">{name}</text>'
    yield f'<text x="{WIDTH - RIGHT}" y="44" text-anchor="end">offers in 15 minutes</text>'


def _stroke(name: str) -> str:
    colour, dashes = STYLES[name]
    dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
    return f'fill="none" stroke="{colour}" stroke-width="2"{dashed}'


def _across(top: int) -> Iterator[str]:
    for n in range(LINES + 1):
        value = top * n // LINES
        y = _y(value, top)
        yield f'<path d="M{LEFT} {y}H{WIDTH - RIGHT}" stroke="{GRID}"/>'
        yield f'<text x="{LEFT - 8}" y="{y + 4:g}" text-anchor="end">{value}</text>'


def _hours(quarters: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Labels at whole hours, as many as there is room for, with the date where a day begins."""
    starts = [in_almaty(datetime.fromisoformat(q["from"])) for q in quarters]
    whole = [(n, at) for n, at in enumerate(starts) if at.minute == 0]
    step = max(1, -(-len(whole) // MOST_LABELS))
    day = None
    for n, at in whole[::step]:
        x = _x(n, len(quarters))
        yield f'<path d="M{x} {HEIGHT - BOTTOM}v5" stroke="{INK}"/>'
        yield f'<text x="{x}" y="{HEIGHT - BOTTOM + 19}" text-anchor="middle">{at:%H:%M}</text>'
        if at.date() != day:
            day = at.date()
            y = HEIGHT - BOTTOM + 35
            yield f'<text x="{x}" y="{y}" text-anchor="middle">{at:%d.%m}</text>'


def _series(quarters: Sequence[Mapping[str, Any]], name: str, top: int) -> str:
    points = " ".join(f"{_x(n, len(quarters))},{_y(q[name], top)}" for n, q in enumerate(quarters))
    return f'<polyline points="{points}" {_stroke(name)}/>'


def _x(place: int, whole: int) -> str:
    return f"{LEFT + (WIDTH - LEFT - RIGHT) * place / max(1, whole - 1):.1f}"


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
