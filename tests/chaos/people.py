"""Who lives in the storm's town, what each answers, and what must become of their offers. Imports
nothing of the house: its message centre counts by this."""

from enum import StrEnum

FIRST = 7_702_600_0000


class Role(StrEnum):
    """What somebody does with a question; the phone's number tells who."""

    YES = "yes"
    NO = "no"
    SILENT = "silent"
    UNCLEAR = "unclear, then yes"
    LONG = "yes in three segments"
    UNREACHABLE = "unreachable"
    YES_RU = "yes in Russian"


ROLES = (
    Role.YES, Role.NO, Role.YES_RU, Role.SILENT, Role.LONG, Role.YES, Role.UNCLEAR, Role.NO,
    Role.YES, Role.UNREACHABLE,
)  # fmt: skip
LONG = "Иә, келісемін. " + "Бұл жәрдемақы бізге өте қажет, рақмет сіздерге. " * 3
REPLIES: dict[Role, tuple[str, ...]] = {
    Role.YES: ("Иә",),
    Role.NO: ("Жоқ",),
    Role.SILENT: (),
    Role.UNCLEAR: ("Ойланамын", "1"),
    Role.LONG: (LONG,),
    Role.UNREACHABLE: (),
    Role.YES_RU: ("да, согласна",),
}
# Whoever is unclear is asked again, and that question may be lost with a gateway and come again
# after their short day is over.
OUTCOMES: dict[Role, tuple[str, ...]] = {
    Role.YES: ("accepted", "rendered"),
    Role.YES_RU: ("accepted", "rendered"),
    Role.LONG: ("accepted", "rendered"),
    Role.NO: ("declined",),
    Role.SILENT: ("expired",),
    Role.UNCLEAR: ("accepted", "rendered", "expired"),
    Role.UNREACHABLE: ("undelivered",),
}


def phone_of(number: int) -> str:
    return f"+{FIRST + number}"


def number_of(phone: str) -> int:
    return int(phone.lstrip("+")) - FIRST


def role_of(phone: str) -> Role:
    return ROLES[number_of(phone) % len(ROLES)]


def iin_of(number: int) -> str:
    """An IIN of nobody: its date does not exist, its control digit holds."""
    for serial in range(number * 20, number * 20 + 20):
        digits = f"999999{serial:05d}"
        for first in (0, 2):
            weights = ((place + first) % 11 + 1 for place in range(11))
            control = sum(int(d) * w for d, w in zip(digits, weights, strict=True)) % 11
            if control < 10:
                return f"{digits}{control}"
    raise AssertionError("not reached")
