"""Addresses of PDUs to phone numbers: networks write the same handset in half a dozen ways.

Pure. What is not a phone number (a short code, a name) is left as it came.
"""

from typing import Final

INTERNATIONAL: Final = 1  # TON (5.2.5)
ALPHANUMERIC: Final = 5


def phone(address: str, ton: int) -> str | None:
    """E.164 with "+", or None where the address is no phone: a name, a short code.

    National spellings are Kazakhstan's: 8 701 …, 701 …; the TON is believed only where it
    matters, for networks send 3 (network specific) or 0 with international digits.
    """
    digits = address.strip().removeprefix("+").removeprefix("00")
    if ton == ALPHANUMERIC or not (digits.isascii() and digits.isdigit()):
        return None
    if len(digits) == 10 and digits.startswith("7"):
        return "+7" + digits
    if not 11 <= len(digits) <= 15:
        return None
    if len(digits) == 11 and digits.startswith("8") and ton != INTERNATIONAL:
        return "+7" + digits[1:]
    return "+" + digits
