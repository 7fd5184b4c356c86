"""The dossier of one integration: what binds it, by what it is carried out, what it has exchanged.
214/НҚ, clause 11 refers to the rules of integration of order 123 of 29.03.2018; their form is not
known here, so nothing of it is made up.
"""

from datetime import date, datetime
from html import escape
from typing import Final
from uuid import UUID

from msgspec import Struct

from app.calendar import ALMATY
from app.ledger.journal import Chain
from app.wallet.actions.exchanging import days_left
from app.wallet.notices.examples import AT
from app.wallet.rules import agreements
from app.wallet.systems.records import System, Traffic


class DossierKey(Struct, frozen=True):
    """A key of a system, without its secret."""

    name: str
    scopes: list[str]
    created_at: datetime
    revoked_at: datetime | None


class Dossier(Struct, frozen=True):
    """All that is known of an integration. `journal` is the last hash of the system's own chain,
    which has `changes` entries."""

    code: str
    name_kk: str
    name_ru: str
    kind: str
    clause: str
    agreement: str | None
    last_day: date | None
    days_left: int | None
    standing: str
    measures: list[str]
    protocol: str
    description: str
    test_stand: str
    keys: list[DossierKey]
    accounts: int
    conflicts: int
    last_report_at: datetime | None
    entered_at: datetime
    changes: int
    journal: str


PROTOCOL: Final = "HTTPS, JSON (RFC 8259), problems by RFC 9457, keys as Bearer tokens (RFC 6750)"
STAND: Final = "jauap up --sandbox; keys of kind test reach nobody but its handsets"

LANGUAGES: Final = ("kk", "ru", "en")
Texts = dict[str, tuple[str, str, str]]
TITLE: Final = ("Интеграция құжаттамасы", "Досье интеграции", "Dossier of an integration")
LABELS: Final[Texts] = {
    "code": ("Жүйе", "Система", "System"),
    "kind": ("Түрі", "Вид", "Kind"),
    "clause": ("Тармақ", "Пункт", "Clause"),
    "agreement": ("Келісім", "Соглашение", "Agreement"),
    "last_day": ("Соңғы күні", "Последний день", "Last day"),
    "days_left": ("Қалған күн", "Осталось дней", "Days left"),
    "standing": ("Күйі", "Состояние", "Standing"),
    "measures": ("Қолдау шаралары", "Меры поддержки", "Measures of support"),
    "protocol": ("Хаттама", "Протокол", "Protocol"),
    "description": ("Сипаттамасы", "Описание", "Description"),
    "test_stand": ("Сынақ стенді", "Испытательный стенд", "Test stand"),
    "keys": ("Кілттер", "Ключи", "Keys"),
    "accounts": ("Есепке алынғаны", "Учтено", "Accounts"),
    "conflicts": ("Сәйкес еместері", "Расхождения", "Conflicts"),
    "last_report_at": ("Соңғы мәлімет", "Последние сведения", "Last report"),
    "entered_at": ("Тіркелген", "Внесена", "Entered"),
    "changes": ("Журналдағы жазбалар", "Записей в журнале", "Entries of its journal"),
    "journal": ("Журналдың соңғы хэші", "Последний хэш журнала", "Last hash of its journal"),
}
VALUES: Final[Texts] = {
    "state": ("мемлекеттік орган", "государственный орган", "state body"),
    "quasi-state": ("квазимемлекеттік сектор", "квазигосударственный сектор", "quasi-state sector"),
    "third": ("өзге жүйе", "иная система", "third system"),
    "open": ("қолданыста", "действует", "in force"),
    "ending": ("аяқталуға жақын", "истекает", "about to end"),
    "ended": ("аяқталды", "истекло", "ended"),
    "all": ("барлығы", "все", "all"),
    "revoked": ("кері қайтарылған", "отозван", "revoked"),
}


def dossier(system: System, traffic: Traffic, now: datetime, today: date) -> Dossier:
    """The dossier as of now."""
    return Dossier(
        code=system.code,
        name_kk=system.name_kk,
        name_ru=system.name_ru,
        kind=system.kind,
        clause="214:10" if system.kind == agreements.Class.THIRD else "214:9",
        agreement=system.agreement,
        last_day=system.last_day,
        days_left=days_left(system, today),
        standing=agreements.standing(system.ends_at, now),
        measures=list(system.measures),
        protocol=PROTOCOL,
        description="/openapi.json",
        test_stand=STAND,
        keys=[DossierKey(name, list(scopes), at, gone) for name, scopes, at, gone in traffic.keys],
        accounts=traffic.accounts,
        conflicts=traffic.conflicts,
        last_report_at=traffic.last_at,
        entered_at=system.created_at,
        changes=system.chain.version,
        journal=system.chain.head.hex(),
    )


def page(found: Dossier, language: str) -> str:
    """The dossier as a page to print, in Kazakh, Russian or English."""
    place = LANGUAGES.index(language) if language in LANGUAGES else 1
    name = escape(found.name_kk if place == 0 else found.name_ru)
    rows = "\n".join(
        f"<tr><th>{escape(label[place])}</th><td>{_cell(found, field, place)}</td></tr>"
        for field, label in LABELS.items()
    )
    return (
        f'<!doctype html>\n<html lang="{LANGUAGES[place]}"><head><meta charset="utf-8">'
        f"<title>{TITLE[place]}: {name}</title></head>\n<body>"
        f"<h1>{TITLE[place]}: {name}</h1>\n"
        f'<table border="1" cellpadding="6">\n{rows}\n</table></body>\n</html>\n'
    )


def _cell(found: Dossier, field: str, place: int) -> str:
    value = getattr(found, field)
    if field == "keys":
        return "<br>".join(_key(key, place) for key in found.keys) or "–"
    if field == "measures":
        every = VALUES["all"][place] if found.kind != agreements.Class.THIRD else "–"
        return escape(", ".join(value)) or every
    if field in ("kind", "standing"):
        return VALUES[value][place]
    if isinstance(value, datetime):
        return value.astimezone(ALMATY).isoformat(" ", "minutes")
    return "–" if value is None else escape(str(value))


def _key(key: DossierKey, place: int) -> str:
    gone = "" if key.revoked_at is None else f" ({VALUES['revoked'][place]})"
    return f"{escape(key.name)}: {', '.join(key.scopes)}{gone}"


_NOBODY = UUID(int=0)
_SYSTEM = System(
    "charity", _NOBODY, "Қор", "Фонд", "third", "No. 5", ("school-meals",), date(2026, 12, 31),
    None, Chain(_NOBODY), AT, AT,
)  # fmt: skip
EXAMPLE: Final = dossier(_SYSTEM, Traffic(0, 0, None, ()), AT, AT.date())
