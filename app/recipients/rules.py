"""What can be said of an IIN and of a phone from their digits alone, and how to show them masked.
It must not derive birth date, sex or network from them: since 2013 an IIN need not match the
person, and numbers are ported.
"""

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import phonenumbers
from phonenumbers import PhoneNumberType

IIN_LENGTH: Final = 12
FULL_LENGTH: Final = 11  # 8 or 7, then ten digits
SHORT_CODE_MAX: Final = 5
FIRST_WEIGHTS: Final = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11)
SECOND_WEIGHTS: Final = (3, 4, 5, 6, 7, 8, 9, 10, 11, 1, 2)

HOME: Final = "KZ"
SEPARATORS: Final = re.compile(r"[\s().\-\u2010-\u2015\u2212/]+")
SHORT_CODE: Final = re.compile(r"[0-9]{3,5}")
# "+8 707 …": the domestic 8 written with a plus. Country codes 870-879 are no phones of people.
PLUS_BEFORE_8: Final = re.compile(r"\+(87[0-9]{9})")
KAZAKH_RANGE: Final = re.compile(r"7[67][0-9]{9}")
LANDLINE_AREA: Final = re.compile(r"77[12][0-9]{8}")
LONG_DIGITS: Final = re.compile(r"\d{10,}")  # in digits of any script
ACCOUNT: Final = re.compile(r"\bKZ[0-9]{2}[0-9A-Z]{16}\b", re.IGNORECASE)


class PhoneKind(StrEnum):
    """What a number is for us: an offer can go only to a mobile one."""

    MOBILE = "mobile"
    LANDLINE = "landline"  # of Kazakhstan, but no SMS: fixed, VoIP, toll-free
    FOREIGN = "foreign"
    SHORT_CODE = "short-code"
    INVALID = "invalid"


@dataclass(frozen=True, slots=True)
class Phone:
    """A phone as read. `e164` is "" for short codes and invalid numbers. `problem` is the wording
    key of the reason it cannot be offered anything, `warning` of a doubt that stops nobody."""

    e164: str
    kind: PhoneKind
    problem: str | None = None
    warning: str | None = None

    @property
    def is_reachable(self) -> bool:
        """True where an SMS can be sent to it."""
        return self.kind is PhoneKind.MOBILE


def check_iin(iin: str) -> str | None:
    """The wording key of what is wrong with an IIN, or None. Only the length and the control digit
    are judged (Government resolution 565 of 11.06.2003); 000000000000 therefore passes."""
    if not (iin.isascii() and iin.isdigit()):
        return "iin.digits"
    if len(iin) != IIN_LENGTH:
        return "iin.length"
    if _control_digit(iin) != int(iin[-1]):
        return "iin.control-digit"
    return None


def normalise_phone(raw: str) -> Phone:
    """Reads a phone as people and registers write it in Kazakhstan: 8…, 7…, +7…, ten digits, any
    separators, full-width digits, `tel:`. Never raises; what cannot be read is INVALID."""
    text = _plain(raw)
    if not re.fullmatch(r"\+?[0-9]+", text):
        return Phone("", PhoneKind.INVALID, problem="phone.not-a-number")
    if SHORT_CODE.fullmatch(text):
        return Phone("", PhoneKind.SHORT_CODE, problem="phone.short-code")
    if slip := PLUS_BEFORE_8.fullmatch(text):
        text = slip[1]
    try:
        number = phonenumbers.parse(text, HOME)
    except phonenumbers.NumberParseException:
        return Phone("", PhoneKind.INVALID, problem="phone.not-a-number")
    return _judge(number, with_country=len(text.lstrip("+")) == FULL_LENGTH)


def mask_phone(e164: str) -> str:
    """A phone for screens: `+7 707 *** ** 67`; of any other number only its last two digits."""
    if re.fullmatch(r"\+7[0-9]{10}", e164):
        return f"+7 {e164[2:5]} *** ** {e164[-2:]}"
    return "***" + e164[-2:] if len(e164) > SHORT_CODE_MAX else "***"


def mask_iin(iin: str) -> str:
    """An IIN for screens: `********1234`. The first six digits are usually the birth date."""
    return "*" * 8 + iin[-4:] if len(iin) == IIN_LENGTH else "*" * IIN_LENGTH


def mask_text(text: str) -> str:
    """Free text for screens: accounts and every run of ten digits or more, whether or not a
    control digit fits, keep their last two characters."""
    hidden = ACCOUNT.sub(_stars, text)
    return LONG_DIGITS.sub(_stars, hidden)


def _control_digit(iin: str) -> int | None:
    """The twelfth digit its first eleven call for; None where no such number is issued."""
    digits = [int(d) for d in iin[:11]]
    for weights in (FIRST_WEIGHTS, SECOND_WEIGHTS):
        control = sum(d * w for d, w in zip(digits, weights, strict=True)) % 11
        if control < 10:
            return control
    return None


def _plain(raw: str) -> str:
    """ASCII digits with an optional plus; other characters stay, to be refused."""
    text = unicodedata.normalize("NFKC", raw)
    text = "".join(c for c in text if unicodedata.category(c) != "Cf")
    return SEPARATORS.sub("", text.strip().lower().removeprefix("tel:"))


def _judge(number: phonenumbers.PhoneNumber, *, with_country: bool) -> Phone:
    e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    if number.country_code != 7:
        return _abroad(number, e164)
    if not phonenumbers.is_valid_number(number):
        return _outside_the_plan(e164, with_country=with_country)
    kind = phonenumbers.number_type(number)
    if kind == PhoneNumberType.TOLL_FREE:  # 800 is shared with Russia: its region says nothing
        return Phone(e164, PhoneKind.LANDLINE, problem="phone.landline")
    if phonenumbers.region_code_for_number(number) != HOME:
        return Phone(e164, PhoneKind.FOREIGN, problem="phone.foreign")
    if kind != PhoneNumberType.MOBILE:
        return Phone(e164, PhoneKind.LANDLINE, problem="phone.landline")
    return Phone(e164, PhoneKind.MOBILE)


def _abroad(number: phonenumbers.PhoneNumber, e164: str) -> Phone:
    if phonenumbers.is_valid_number(number):
        return Phone(e164, PhoneKind.FOREIGN, problem="phone.foreign")
    return Phone("", PhoneKind.INVALID, problem="phone.not-a-number")


def _outside_the_plan(e164: str, *, with_country: bool) -> Phone:
    """Kazakh numbers the library does not know, such as 703, 704, 709, 750. The mobile citizens
    base may well have them: a warning, not a stop. Ten digits alone are rather a number with one
    digit lost, and would reach a stranger."""
    digits = e164.removeprefix("+")
    if LANDLINE_AREA.fullmatch(digits):
        return Phone(e164, PhoneKind.LANDLINE, problem="phone.landline")
    if with_country and KAZAKH_RANGE.fullmatch(digits):
        return Phone(e164, PhoneKind.MOBILE, warning="phone.unknown-prefix")
    return Phone("", PhoneKind.INVALID, problem="phone.not-a-number")


def _stars(found: re.Match[str]) -> str:
    return "*" * (len(found[0]) - 2) + found[0][-2:]
