"""People who do not exist, for measuring: IINs whose dates are no dates, phones from one block."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count, islice

from app.recipients.rules import check_iin

FIRST_PHONE = 77_010_000_000
MOST = 1_000_000
SERVICE = "birth-benefit"


@dataclass(frozen=True, slots=True)
class Person:
    """One of them; `number` runs from 0 and their phone is FIRST_PHONE + number."""

    number: int
    iin: str

    @property
    def phone(self) -> str:
        return f"+{FIRST_PHONE + self.number}"


def people(how_many: int) -> list[Person]:
    """The first so many people, always the same ones. Raises ValueError beyond MOST."""
    if not 1 <= how_many <= MOST:
        raise ValueError(f"found {how_many} people, expected 1 to {MOST}")
    return [Person(number, iin) for number, iin in enumerate(islice(_iins(), how_many))]


def _iins() -> Iterator[str]:
    for number in count():
        for digit in "0123456789":  # a few numbers have no control digit at all
            iin = f"9999{number:07d}{digit}"
            if check_iin(iin) is None:
                yield iin
                break
