"""Cuts what is to be shown into USSD pages: a text, numbered lines below it, 9 more, 0 back.

Pure. It never shortens anything: what does not fit goes on with 9, and the choices of a question
stand together on its last page, so that whoever answers has been shown all of it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

USSD_UNITS = 80
MOST_ITEMS = 8
"""Digits for the lines of one page: 9 is more and 0 is back."""


class PageTooLong(ValueError):
    """A USSD page that one screen (80 UCS-2 units) cannot hold."""


@dataclass(frozen=True, slots=True)
class Item:
    """A line one can choose. `id` is what its key stands for; without a `digit` of its own it is
    numbered from 1 on its page."""

    id: str
    label: str
    digit: str = ""


@dataclass(frozen=True, slots=True)
class Foot:
    """The words of the last lines: `more` behind 9, `back` behind 0. `ends`: the last page is the
    last of the session, where no key can be pressed, so it has no 0."""

    more: str
    back: str
    ends: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """One screen, at most 80 UCS-2 units; `keys` are its digits with the ids behind them."""

    text: str
    keys: Mapping[str, str] = field(default_factory=dict)
    has_more: bool = False


def units(text: str) -> int:
    """The length of a text in UCS-2 (UTF-16) code units, as SMS and USSD count it."""
    return len(text.encode("utf-16-be")) // 2


def paged(body: str, items: Sequence[Item], foot: Foot, *, together: bool = False) -> list[Page]:
    """The pages of `body` and `items`, at least one. `together` keeps all items on one page where
    one page can hold them. Raises PageTooLong for a line that no page can hold."""
    made: list[Page] = []
    body, rest = body.strip(), list(items)
    while True:
        last = _page(body, rest, foot, has_more=False)
        if _fits(last) and len(rest) <= MOST_ITEMS:
            return [*made, last]
        shown, body = _cut(body, USSD_UNITS - units(_page("", [], foot, has_more=True).text) - 1)
        # A short page of text and another with all the items is better than items torn apart.
        alone = together and _fits(_page("", rest, foot, has_more=False))
        count = 0 if body or (shown and alone) else _most(shown, rest, foot)
        if not shown and not count:
            raise PageTooLong(f"found a line of {units(rest[0].label)} units, expected less")
        made.append(_page(shown, rest[:count], foot, has_more=True))
        rest = rest[count:]


def _most(body: str, items: Sequence[Item], foot: Foot) -> int:
    """How many items fit below the text on a page that is not the last."""
    count = 0
    while count < min(len(items), MOST_ITEMS):
        if not _fits(_page(body, items[: count + 1], foot, has_more=True)):
            break
        count += 1
    return count


def _page(body: str, items: Sequence[Item], foot: Foot, *, has_more: bool) -> Page:
    numbered = [(item.digit or str(n), item) for n, item in enumerate(items, 1)]
    lines = [body] if body else []
    lines += [f"{digit}. {item.label}" for digit, item in numbered]
    if has_more:
        lines.append(f"9. {foot.more}")
    if has_more or not foot.ends:
        lines.append(f"0. {foot.back}")
    return Page("\n".join(lines), {digit: item.id for digit, item in numbered}, has_more)


def _fits(page: Page) -> bool:
    return units(page.text) <= USSD_UNITS


def _cut(text: str, most: int) -> tuple[str, str]:
    """The longest beginning of `text` within `most` units, whole words where there are any, and
    what is left of it. The space between them is the page's end."""
    if units(text) <= most:
        return text, ""
    fitting = text.encode("utf-16-be")[: 2 * most].decode("utf-16-be", "ignore")
    at = max(fitting.rfind(" "), fitting.rfind("\n"))
    if text[len(fitting)] in " \n":
        at = len(fitting)
    if at <= 0:
        return fitting, text[len(fitting) :]
    return text[:at].rstrip(), text[at:].lstrip()
