"""The mirror of the state registers: recipients and the consents they gave, sealed at rest."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from msgspec import Struct

from app.ledger.encryption import Vault
from app.ledger.engine import Asked, Row, Tx, sql
from app.ledger.ids import new_id


@dataclass(frozen=True, slots=True)
class NewRecipient:
    """A recipient as the mobile citizens base gives them; the phone is E.164."""

    iin: str
    phone: str
    phone_kind: str
    language: str | None
    network: str | None
    registered_at: datetime


@dataclass(frozen=True, slots=True)
class NewConsent:
    """A consent as the access-control service gives it; `revoked_at` ends it."""

    iin: str
    purpose: str
    reference: str
    given_at: datetime
    valid_until: datetime | None
    revoked_at: datetime | None


class Recipient(Struct, frozen=True):
    """A recipient with what the gates ask about them, and the consent that counts now."""

    id: UUID
    kind: str
    phone_index: bytes | None
    phone: str | None
    phone_kind: str | None
    language: str | None
    network: str | None
    sms: bool
    wrong_phone_at: datetime | None
    registered_at: datetime | None
    consent_reference: str | None
    consent_given_at: datetime | None
    consent_until: datetime | None
    consent_revoked_at: datetime | None


_UPSERT = sql(
    """INSERT INTO recipients (id, iin_index, iin, phone_index, phone, phone_kind, language,
        network, registered_at, updated_at)
    SELECT id, iin_index, iin, phone_index, phone, phone_kind, language, network, registered_at,
        :now
    FROM unnest(CAST(:id AS uuid[]), CAST(:iin_index AS bytea[]), CAST(:iin AS bytea[]),
        CAST(:phone_index AS bytea[]), CAST(:phone AS bytea[]), CAST(:phone_kind AS text[]),
        CAST(:language AS text[]), CAST(:network AS text[]),
        CAST(:registered_at AS timestamptz[]))
        AS t (id, iin_index, iin, phone_index, phone, phone_kind, language, network,
              registered_at)
    ON CONFLICT (iin_index) DO UPDATE SET
        phone_index = excluded.phone_index, phone = excluded.phone,
        phone_kind = excluded.phone_kind,
        language = coalesce(excluded.language, recipients.language),
        network = coalesce(excluded.network, recipients.network),
        wrong_phone_at = CASE WHEN recipients.phone_index IS DISTINCT FROM excluded.phone_index
            OR excluded.registered_at > recipients.wrong_phone_at
            THEN NULL ELSE recipients.wrong_phone_at END,
        registered_at = excluded.registered_at, updated_at = excluded.updated_at"""
)
# A person whom no register has named yet has a cabinet all the same, and no phone.
_ENSURE = sql(
    """INSERT INTO recipients (id, iin_index, iin, updated_at)
    SELECT id, iin_index, iin, :now
    FROM unnest(CAST(:id AS uuid[]), CAST(:iin_index AS bytea[]), CAST(:iin AS bytea[]))
        AS t (id, iin_index, iin)
    ORDER BY iin_index ON CONFLICT (iin_index) DO NOTHING"""
)
_GIVEN = sql(
    """INSERT INTO consents (iin_index, purpose, reference, given_at, updated_at)
    SELECT r.iin_index, t.purpose, t.reference, t.given_at, :now
    FROM unnest(CAST(:recipients AS uuid[]), CAST(:purposes AS text[]),
        CAST(:references AS text[]), CAST(:given_at AS timestamptz[]))
        AS t (recipient_id, purpose, reference, given_at)
    JOIN recipients r ON r.id = t.recipient_id
    ON CONFLICT (iin_index, purpose, reference) DO NOTHING"""
)
_ENDED = sql(
    """SELECT t.reference, t.purpose FROM unnest(CAST(:recipients AS uuid[]),
        CAST(:purposes AS text[]), CAST(:references AS text[]))
        AS t (recipient_id, purpose, reference)
    JOIN recipients r ON r.id = t.recipient_id
    JOIN consents c ON c.iin_index = r.iin_index AND c.purpose = t.purpose
        AND c.reference = t.reference
    WHERE least(c.revoked_at, c.withdrawn_at) <= :now"""
)
_WITHDRAW_OF = sql(
    """UPDATE consents c SET withdrawn_at = :now, updated_at = :now
    FROM unnest(CAST(:recipients AS uuid[]), CAST(:purposes AS text[]),
        CAST(:references AS text[])) AS t (recipient_id, purpose, reference)
    JOIN recipients r ON r.id = t.recipient_id
    WHERE c.iin_index = r.iin_index AND c.purpose = t.purpose AND c.reference = t.reference
      AND c.withdrawn_at IS NULL"""
)
_CONSENT = sql(
    """INSERT INTO consents (iin_index, purpose, reference, given_at, valid_until, revoked_at,
        withdrawn_at, updated_at)
    SELECT iin_index, purpose, reference, given_at, valid_until, revoked_at,
        (SELECT max(w.withdrawn_at) FROM consents w
         WHERE w.iin_index = t.iin_index AND w.purpose = t.purpose
           AND w.withdrawn_at >= t.given_at), :now
    FROM unnest(CAST(:iin_index AS bytea[]), CAST(:purpose AS text[]),
        CAST(:reference AS text[]), CAST(:given_at AS timestamptz[]),
        CAST(:valid_until AS timestamptz[]), CAST(:revoked_at AS timestamptz[]))
        AS t (iin_index, purpose, reference, given_at, valid_until, revoked_at)
    ON CONFLICT (iin_index, purpose, reference) DO UPDATE SET given_at = excluded.given_at,
        valid_until = excluded.valid_until, revoked_at = excluded.revoked_at,
        withdrawn_at = CASE WHEN excluded.given_at > consents.withdrawn_at
            THEN NULL ELSE consents.withdrawn_at END,
        updated_at = excluded.updated_at"""
)
_CONSENTS = sql(
    """SELECT purpose, reference, given_at, valid_until,
        least(revoked_at, withdrawn_at) AS ended_at
    FROM consents WHERE iin_index = :iin_index ORDER BY given_at DESC, purpose, reference"""
)
_WITHDRAW = sql(
    """UPDATE consents SET withdrawn_at = :now, updated_at = :now
    WHERE iin_index = :iin_index AND purpose = :purpose AND given_at <= :now
      AND withdrawn_at IS NULL AND (revoked_at IS NULL OR revoked_at > :now)
      AND (valid_until IS NULL OR valid_until > :now)
    RETURNING reference"""
)
# To be asked of the recipients r that a condition names. Of several consents for a purpose the one
# that lasts longest counts; a revoked one counts last.
FACTS = """SELECT r.id, r.kind, r.phone_index, r.phone, r.phone_kind, r.language, r.network, r.sms,
        r.wrong_phone_at, r.registered_at, c.reference, c.given_at, c.valid_until,
        least(c.revoked_at, c.withdrawn_at), r.iin_index
    FROM recipients r LEFT JOIN LATERAL (
        SELECT * FROM consents WHERE iin_index = r.iin_index AND purpose = 'personal-data'
        ORDER BY least(revoked_at, withdrawn_at) DESC NULLS FIRST,
            valid_until DESC NULLS FIRST LIMIT 1) c ON true
    """
_BY_IIN = sql(FACTS + "WHERE r.iin_index = ANY(CAST(:keys AS bytea[]))")
_BY_ID = sql(FACTS + "WHERE r.id = ANY(CAST(:keys AS uuid[]))")
_SMS = sql("UPDATE recipients SET sms = :sms, updated_at = :now WHERE id = :id")
_LANGUAGE = sql("UPDATE recipients SET language = :language, updated_at = :now WHERE id = :id")
_LANGUAGES = sql(
    """UPDATE recipients r SET language = t.language
    FROM unnest(CAST(:ids AS uuid[]), CAST(:languages AS text[])) AS t (id, language)
    WHERE r.id = t.id AND r.language IS DISTINCT FROM t.language"""
)
_STOP_PHONES = sql(
    """UPDATE recipients SET sms = false, updated_at = :now
    WHERE phone_index = ANY(CAST(:phones AS bytea[])) AND sms RETURNING phone_index"""
)
_START_PHONES = sql(
    """UPDATE recipients SET sms = true, updated_at = :now
    WHERE phone_index = ANY(CAST(:phones AS bytea[])) AND NOT sms RETURNING phone_index"""
)
_STOPPED = sql(
    """SELECT phone_index FROM recipients WHERE phone_index = ANY(CAST(:phones AS bytea[]))
    GROUP BY phone_index HAVING NOT bool_or(sms)"""
)
_LANGUAGES_OF_PHONES = sql(
    """UPDATE recipients r SET language = t.language
    FROM unnest(CAST(:phones AS bytea[]), CAST(:languages AS text[])) AS t (phone_index, language)
    WHERE r.phone_index = t.phone_index RETURNING r.id, r.language"""
)
_LANGUAGE_OF_PHONES = sql(
    """SELECT phone_index, min(language) AS language FROM recipients
    WHERE phone_index = ANY(CAST(:phones AS bytea[])) AND wrong_phone_at IS NULL
    GROUP BY phone_index HAVING count(DISTINCT language) = 1"""
)
_WRONG = sql("UPDATE recipients SET wrong_phone_at = :now WHERE id = ANY(CAST(:ids AS uuid[]))")
_ON_PHONES = sql(
    """SELECT id, phone_index FROM recipients
    WHERE phone_index = ANY(CAST(:phones AS bytea[])) AND wrong_phone_at IS NULL"""
)


def save(tx: Tx, vault: Vault, rows: Sequence[NewRecipient], now: datetime) -> None:
    """Upserts recipients by IIN; of two rows with one IIN the later counts."""
    latest = {r.iin: r for r in rows}
    if not latest:
        return
    found = list(latest.values())
    iin_indexes = [vault.index("iin", r.iin) for r in found]
    tx.write(
        _UPSERT,
        {
            "id": [new_id(now) for _ in found],
            "iin_index": iin_indexes,
            "iin": [vault.seal(r.iin.encode(), i) for r, i in zip(found, iin_indexes, strict=True)],
            "phone_index": [vault.index("phone", r.phone) for r in found],
            "phone": [
                vault.seal(r.phone.encode(), i) for r, i in zip(found, iin_indexes, strict=True)
            ],
            "phone_kind": [r.phone_kind for r in found],
            "language": [r.language for r in found],
            "network": [r.network for r in found],
            "registered_at": [r.registered_at for r in found],
            "now": now,
        },
    )


def ensure(tx: Tx, vault: Vault, iins: Sequence[str], now: datetime) -> None:
    """Makes a row for each person whom no register has named; known ones stay as they are."""
    if not iins:
        return
    keys = {vault.index("iin", iin): iin for iin in iins}
    values = {
        "id": [new_id(now) for _ in keys],
        "iin_index": list(keys),
        "iin": [vault.seal(iin.encode(), key) for key, iin in keys.items()],
        "now": now,
    }
    tx.write(_ENSURE, values)


Given = tuple[UUID, str, str]
"""A consent by its giver's id, purpose and reference."""


def note_given(tx: Tx, given: Sequence[tuple[UUID, str, str, datetime]], now: datetime) -> None:
    """Enters consents given in a conversation: recipient, purpose, reference, when."""
    if given:
        values = dict(
            zip(("recipients", "purposes", "references", "given_at"), _columns(given), strict=True)
        )
        tx.write(_GIVEN, {**values, "now": now})


def ended(tx: Tx, consents: Sequence[Given], now: datetime) -> set[tuple[str, str]]:
    """Which of these have ended by now, by their giver or a register: (reference, purpose)."""
    if not consents:
        return set()
    rows = tx.execute(_ENDED, {**_of(consents), "now": now})
    return {(r.reference, r.purpose) for r in rows}


def withdraw(tx: Tx, consents: Sequence[Given], now: datetime) -> None:
    """Ends these consents by their givers' own wish."""
    if consents:
        tx.write(_WITHDRAW_OF, {**_of(consents), "now": now})


def _of(consents: Sequence[Given]) -> dict[str, list[object]]:
    return dict(zip(("recipients", "purposes", "references"), _columns(consents), strict=True))


def _columns(rows: Sequence[tuple[object, ...]]) -> list[list[object]]:
    return [list(column) for column in zip(*rows, strict=True)]


def save_consents(tx: Tx, vault: Vault, rows: Sequence[NewConsent], now: datetime) -> None:
    """Upserts consents by IIN, purpose and reference."""
    latest = {(r.iin, r.purpose, r.reference): r for r in rows}
    if not latest:
        return
    found = list(latest.values())
    tx.write(
        _CONSENT,
        {
            "iin_index": [vault.index("iin", r.iin) for r in found],
            "purpose": [r.purpose for r in found],
            "reference": [r.reference for r in found],
            "given_at": [r.given_at for r in found],
            "valid_until": [r.valid_until for r in found],
            "revoked_at": [r.revoked_at for r in found],
            "now": now,
        },
    )


@dataclass(frozen=True, slots=True)
class Consent:
    """A consent as its giver sees it; `ended_at` by them or by the register."""

    purpose: str
    reference: str
    given_at: datetime
    valid_until: datetime | None
    ended_at: datetime | None


def consents_of(tx: Tx, vault: Vault, iin: str) -> list[Consent]:
    """All consents of a person, latest first."""
    rows = tx.execute(_CONSENTS, {"iin_index": vault.index("iin", iin)})
    return [Consent(r.purpose, r.reference, r.given_at, r.valid_until, r.ended_at) for r in rows]


def withdraw_consents(tx: Tx, vault: Vault, iin: str, purpose: str, now: datetime) -> list[str]:
    """Ends every valid consent for a purpose by the person's own wish, which no older word of a
    register undoes; the references."""
    values = {"iin_index": vault.index("iin", iin), "purpose": purpose, "now": now}
    return list(tx.execute(_WITHDRAW, values).scalars())


def by_iin(tx: Tx, vault: Vault, iins: Sequence[str]) -> dict[str, Recipient]:
    """Recipients by IIN; those not in the register are left out."""
    indexes = {vault.index("iin", iin): iin for iin in iins}
    rows = tx.execute(_BY_IIN, {"keys": list(indexes)})
    return {indexes[bytes(r.iin_index)]: _recipient(vault, r) for r in rows}


def by_id(tx: Tx, vault: Vault, ids: Sequence[UUID]) -> dict[UUID, Recipient]:
    """Recipients by their own id."""
    return found(vault, tx.ask(_BY_ID, {"keys": list(ids)}))


def found(vault: Vault, asked: Asked) -> dict[UUID, Recipient]:
    """The recipients that were asked for by `FACTS`."""
    return {r.id: _recipient(vault, r) for r in asked.rows()}


def _recipient(vault: Vault, r: Row) -> Recipient:
    one, kind, index, sealed, *facts, iin_index = r
    phone = None if sealed is None else vault.open(bytes(sealed), bytes(iin_index)).decode()
    return Recipient(one, kind, None if index is None else bytes(index), phone, *facts)


def set_sms(tx: Tx, recipient_id: UUID, sms: bool, now: datetime) -> None:
    """Turns offers by SMS on or off for a person."""
    tx.write(_SMS, {"id": recipient_id, "sms": sms, "now": now})


def set_language(tx: Tx, recipient_id: UUID, language: str, now: datetime) -> None:
    """Records the language a person chose (52, clause 16)."""
    tx.write(_LANGUAGE, {"id": recipient_id, "language": language, "now": now})


def set_languages(tx: Tx, choices: dict[UUID, str]) -> None:
    """Records the languages in which people answered."""
    if choices:
        tx.write(_LANGUAGES, {"ids": list(choices), "languages": list(choices.values())})


def stop_phones(tx: Tx, phones: Sequence[bytes], now: datetime) -> set[bytes]:
    """Turns offers by SMS off for everyone on these phones; the phones where that was news."""
    if not phones:
        return set()
    found = tx.execute(_STOP_PHONES, {"phones": list(phones), "now": now})
    return {bytes(phone) for phone in found.scalars()}


def stopped_phones(tx: Tx, phones: Sequence[bytes]) -> set[bytes]:
    """Those of the phones on which nobody wants offers by SMS."""
    found = tx.execute(_STOPPED, {"phones": list(phones)}) if phones else None
    return {bytes(phone) for phone in found.scalars()} if found is not None else set()


def start_phones(tx: Tx, phones: Sequence[bytes], now: datetime) -> set[bytes]:
    """Turns offers by SMS on again for everyone on these phones; the phones where that was news."""
    if not phones:
        return set()
    found = tx.execute(_START_PHONES, {"phones": list(phones), "now": now})
    return {bytes(phone) for phone in found.scalars()}


def set_languages_of_phones(tx: Tx, choices: Mapping[bytes, str]) -> list[tuple[UUID, str]]:
    """Records the language in which everyone on a phone is to be written to; who, and in which."""
    if not choices:
        return []
    values = {"phones": list(choices), "languages": list(choices.values())}
    return [(r.id, r.language) for r in tx.execute(_LANGUAGES_OF_PHONES, values)]


def language_of_phones(tx: Tx, phones: Sequence[bytes]) -> dict[bytes, str]:
    """The language of a phone's people, where the register knows one and they share it."""
    found = tx.execute(_LANGUAGE_OF_PHONES, {"phones": list(phones)})
    return {bytes(r.phone_index): r.language for r in found}


def on_phones(tx: Tx, phones: Sequence[bytes]) -> dict[UUID, bytes]:
    """Who has these phones now, by the registers, each with theirs."""
    if not phones:
        return {}
    found = tx.execute(_ON_PHONES, {"phones": list(phones)})
    return {r.id: bytes(r.phone_index) for r in found}


def mark_wrong_phone(tx: Tx, recipient_ids: Sequence[UUID], now: datetime) -> None:
    """A stranger answered: the phone is to be verified again before it is written to."""
    if recipient_ids:
        tx.write(_WRONG, {"ids": list(recipient_ids), "now": now})
