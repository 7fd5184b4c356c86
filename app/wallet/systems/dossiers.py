"""The dossier of one integration: what binds it, by what it is carried out, what it has exchanged.
214/НҚ, clause 11 refers to the rules of integration of order 123 of 29.03.2018; their form is not
known here, so nothing of it is made up.
"""

from datetime import date, datetime
from html import escape
from typing import Final
from uuid import UUID

from msgspec import Struct

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

Texts = dict[str, tuple[str, str]]
LABELS: Final[Texts] = {
    "title": ("Интеграция құжаттамасы", "Досье интеграции"),
    "code": ("Жүйе", "Система"),
    "kind": ("Түрі", "Вид"),
    "clause": ("Тармақ", "Пункт"),
    "agreement": ("Келісім", "Соглашение"),
    "last_day": ("Соңғы күні", "Последний день"),
    "days_left": ("Қалған күн", "Осталось дней"),
    "standing": ("Күйі", "Состояние"),
    "measures": ("Қолдау шаралары", "Меры поддержки"),
    "protocol": ("Хаттама", "Протокол"),
    "description": ("Сипаттамасы", "Описание"),
    "test_stand": ("Сынақ стенді", "Испытательный стенд"),
    "keys": ("Кілттер", "Ключи"),
    "accounts": ("Есепке алынғаны", "Учтено"),
    "conflicts": ("Сәйкес еместері", "Расхождения"),
    "last_report_at": ("Соңғы мәлімет", "Последние сведения"),
    "entered_at": ("Тіркелген", "Внесена"),
    "journal": ("Журналдың соңғы хэші", "Последний хэш журнала"),
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
    """The dossier as a page to print, in Kazakh or Russian."""
    place = 0 if language == "kk" else 1
    name = found.name_kk if place == 0 else found.name_ru
    rows = "\n".join(
        f"<tr><th>{escape(label[place])}</th><td>{_cell(found, field)}</td></tr>"
        for field, label in LABELS.items()
        if field != "title"
    )
    spoken = ("kk", "ru")[place]
    return (
        f'<!doctype html>\n<html lang="{spoken}"><meta charset="utf-8">'
        f"<title>{escape(name)}</title>\n<h1>{escape(LABELS['title'][place])}: {escape(name)}</h1>"
        f"\n<table>\n{rows}\n</table>\n</html>\n"
    )


def _cell(found: Dossier, field: str) -> str:
    value = getattr(found, field)
    if field == "keys":
        return "<br>".join(escape(f"{k.name}: {', '.join(k.scopes)}") for k in found.keys)
    if isinstance(value, list):
        return escape(", ".join(value)) or "–"
    return "–" if value is None else escape(str(value))


_NOBODY = UUID(int=0)
_SYSTEM = System(
    "charity", _NOBODY, "Қор", "Фонд", "third", "No. 5", ("school-meals",), date(2026, 12, 31),
    None, Chain(_NOBODY), AT, AT,
)  # fmt: skip
EXAMPLE: Final = dossier(_SYSTEM, Traffic(0, 0, None, ()), AT, AT.date())
