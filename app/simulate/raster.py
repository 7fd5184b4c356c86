"""A picture as PNG (RFC 2083), two dots to a unit, by our own few lines of drawing.

The letters (Latin, Cyrillic, Kazakh) lie in glyphs.bin, drawn once from DejaVu Sans 2.37 at 26
dots, so that no font has to be installed and the same figures make the same octets everywhere.
"""

import math
import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Final

from app.simulate.drawing import Anchor, Label, Line, Picture, Point

GLYPHS = Path(__file__).with_name("glyphs.bin")
DOTS: Final = 2  # to a unit
UNKNOWN: Final = "\ufffd"
_HEAD = struct.Struct(">HbbBBB")

Colour = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Glyph:
    """How much of each dot a letter covers, 0 to 255, row by row, from `left` and `top` of the
    base line; `advance` is to the next letter."""

    left: int
    top: int
    width: int
    height: int
    advance: int
    covers: bytes


@cache
def glyphs() -> dict[str, Glyph]:
    """Every letter there is."""
    octets, at = zlib.decompress(GLYPHS.read_bytes()), 0
    found: dict[str, Glyph] = {}
    while at < len(octets):
        code, left, top, width, height, advance = _HEAD.unpack_from(octets, at)
        at += _HEAD.size
        covers = octets[at : at + width * height]
        found[chr(code)] = Glyph(left, top, width, height, advance, covers)
        at += len(covers)
    return found


def png(picture: Picture) -> bytes:
    """The whole picture as a PNG file."""
    canvas = Canvas(picture.width * DOTS, picture.height * DOTS)
    ink = _colour(picture.ink)
    for shape in picture.shapes:
        if isinstance(shape, Label):
            canvas.write(shape, ink)
        else:
            canvas.draw(shape)
    return canvas.packed()


class Canvas:
    """White paper of so many dots."""

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        self.dots = bytearray(b"\xff" * (width * height * 3))

    def blend(self, x: int, y: int, colour: Colour, cover: float) -> None:
        """Puts ink over a dot, 0 to 1 of it; outside of the paper nothing."""
        if not (0 <= x < self.width and 0 <= y < self.height) or cover <= 0:
            return
        at = (y * self.width + x) * 3
        for n, one in enumerate(colour):
            self.dots[at + n] += round((one - self.dots[at + n]) * min(1.0, cover))

    def write(self, label: Label, ink: Colour) -> None:
        """Sets a text; a letter that there is not is a box."""
        known = glyphs()
        letters = [known.get(letter, known[UNKNOWN]) for letter in label.text]
        length = sum(one.advance for one in letters)
        share = {Anchor.START: 0.0, Anchor.MIDDLE: 0.5, Anchor.END: 1.0}[label.anchor]
        x, y = round(label.at[0] * DOTS - length * share), round(label.at[1] * DOTS)
        for one in letters:
            for n, cover in enumerate(one.covers):
                if cover:
                    row, column = divmod(n, one.width)
                    self.blend(x + one.left + column, y + one.top + row, ink, cover / 255)
            x += one.advance

    def draw(self, line: Line) -> None:
        """Draws a line. Of dots that two pieces touch the one that covers more counts."""
        covered: dict[tuple[int, int], float] = {}
        points = [(x * DOTS, y * DOTS) for x, y in line.points]
        half = line.width * DOTS / 2
        for start, end in _dashed(points, [d * DOTS for d in line.dashes]):
            for dot, cover in _touched(start, end, half):
                covered[dot] = max(cover, covered.get(dot, 0.0))
        colour = _colour(line.colour)
        for (x, y), cover in covered.items():
            self.blend(x, y, colour, cover)

    def packed(self) -> bytes:
        """The paper as a PNG: eight bits a colour, no filter."""
        head = struct.pack(">IIBBBBB", self.width, self.height, 8, 2, 0, 0, 0)
        row = self.width * 3
        rows = (self.dots[at : at + row] for at in range(0, len(self.dots), row))
        data = zlib.compress(b"".join(b"\0" + one for one in rows), 9)
        chunks = ((b"IHDR", head), (b"IDAT", data), (b"IEND", b""))
        return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, some) for kind, some in chunks)


def _chunk(kind: bytes, data: bytes) -> bytes:
    check = zlib.crc32(kind + data)
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", check)


def _colour(text: str) -> Colour:
    value = int(text.removeprefix("#"), 16)
    return value >> 16, value >> 8 & 0xFF, value & 0xFF


def _touched(start: Point, end: Point, half: float) -> Iterator[tuple[tuple[int, int], float]]:
    """The dots that a piece covers, and how much: one at a time along its longer side."""
    (x0, y0), (x1, y1) = start, end
    is_steep = abs(y1 - y0) > abs(x1 - x0)
    if is_steep:
        x0, y0, x1, y1 = y0, x0, y1, x1
    if x0 > x1:
        x0, y0, x1, y1 = x1, y1, x0, y0
    slope = (y1 - y0) / (x1 - x0) if x1 > x0 else 0.0
    reach = half * math.hypot(1.0, slope)  # across, where it is slanted
    for along in range(math.floor(x0), math.ceil(x1)):
        middle = y0 + (min(max(along + 0.5, x0), x1) - x0) * slope
        whole = min(along + 1.0, x1) - max(float(along), x0)
        for across in range(math.floor(middle - reach), math.ceil(middle + reach)):
            share = min(across + 1.0, middle + reach) - max(float(across), middle - reach)
            yield ((across, along) if is_steep else (along, across)), share * whole


def _dashed(points: Sequence[Point], dashes: Sequence[float]) -> Iterator[tuple[Point, Point]]:
    """The pieces of a line that get ink."""
    if not dashes:
        yield from pairwise(points)
        return
    place, left = 0, dashes[0]
    for (x0, y0), (x1, y1) in pairwise(points):
        length, done = math.hypot(x1 - x0, y1 - y0), 0.0
        while done < length:
            step = min(left, length - done)
            if place % 2 == 0:
                a, b = done / length, (done + step) / length
                dx, dy = x1 - x0, y1 - y0
                yield (x0 + dx * a, y0 + dy * a), (x0 + dx * b, y0 + dy * b)
            done, left = done + step, left - step
            if left <= 0:
                place = (place + 1) % len(dashes)
                left = dashes[place]
