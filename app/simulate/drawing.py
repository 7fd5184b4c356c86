"""A picture as plain shapes, and the same as SVG: what is drawn is said once, whatever it is drawn
on."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from xml.sax.saxutils import escape

Point = tuple[float, float]


class Anchor(StrEnum):
    """Which end of a text its point is."""

    START = "start"
    MIDDLE = "middle"
    END = "end"


@dataclass(frozen=True, slots=True)
class Line:
    """A line through `points`, `#rrggbb`; `dashes` are lengths of ink and gap in turn."""

    points: tuple[Point, ...]
    colour: str
    width: float = 1.0
    dashes: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Label:
    """A text on its base line, of the one size that a picture has."""

    at: Point
    text: str
    anchor: Anchor = Anchor.START


@dataclass(frozen=True, slots=True)
class Picture:
    """So wide and high, white, from the top left corner; later shapes lie upon earlier ones."""

    width: int
    height: int
    title: str
    ink: str
    shapes: tuple[Line | Label, ...]


SIZE = 13  # of all texts


def svg(picture: Picture) -> str:
    """The whole picture as an SVG document."""
    width, height = picture.width, picture.height
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img"'
        f' font-family="DejaVu Sans, Verdana, sans-serif" font-size="{SIZE}"'
        f' fill="{picture.ink}">',
        f"<title>{escape(picture.title)}</title>",
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
        *_shapes(picture),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _shapes(picture: Picture) -> Iterator[str]:
    for shape in picture.shapes:
        if isinstance(shape, Label):
            x, y = shape.at
            anchor = "" if shape.anchor is Anchor.START else f' text-anchor="{shape.anchor}"'
            yield f'<text x="{x:g}" y="{y:g}"{anchor}>{escape(shape.text)}</text>'
            continue
        points = " ".join(f"{x:g},{y:g}" for x, y in shape.points)
        dashes = " ".join(f"{length:g}" for length in shape.dashes)
        dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
        yield (
            f'<polyline points="{points}" fill="none" stroke="{shape.colour}"'
            f' stroke-width="{shape.width:g}"{dashed}/>'
        )
