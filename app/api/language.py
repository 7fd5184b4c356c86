"""Which of our languages a caller wants its problems explained in (RFC 9110, section 12.5.4)."""

from app.api.texts import DEFAULT, LANGUAGES


def of(accept_language: str | None) -> str:
    """ "kk", "ru" or "en": the one most wanted, the first of equals; "en" when nothing is said."""
    best, best_quality = DEFAULT, 0.0
    for item in (accept_language or "").split(",")[:20]:
        tag, _, parameter = item.strip().partition(";")
        spoken = tag.strip().lower().split("-")[0]
        quality = _quality(parameter)
        if spoken in LANGUAGES and quality > best_quality:
            best, best_quality = spoken, quality
    return best


def _quality(parameter: str) -> float:
    name, _, value = parameter.partition("=")
    if name.strip().lower() != "q":
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0
