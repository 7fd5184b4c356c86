"""Which of our languages a caller wants to be answered in (RFC 9110, section 12.5.4)."""

from collections.abc import Container

from app.api.texts import DEFAULT, LANGUAGES

OF_RECIPIENTS = ("kk", "ru")


def of(accept_language: str | None) -> str:
    """ "kk", "ru" or "en", for problems; "en" when nothing is said."""
    return wanted(accept_language, LANGUAGES) or DEFAULT


def wanted(accept_language: str | None, among: Container[str] = OF_RECIPIENTS) -> str | None:
    """The one most wanted among these, the first of equals; None where none of them is."""
    best, best_quality = None, 0.0
    for item in (accept_language or "").split(",")[:20]:
        tag, _, parameter = item.strip().partition(";")
        spoken = tag.strip().lower().split("-")[0]
        wish = quality(parameter)
        if spoken in among and wish > best_quality:
            best, best_quality = spoken, wish
    return best


def quality(parameter: str) -> float:
    """The weight of a wish ("q=0.5"); 1 without one, 0 where it cannot be read."""
    name, _, value = parameter.partition("=")
    if name.strip().lower() != "q":
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0
