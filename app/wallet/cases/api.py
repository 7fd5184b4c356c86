"""The evidence of the wallet's cases: notices, consents, grants and closings, each with its chain
and seals, so that whoever is entitled to it can check it by themselves."""

from datetime import datetime
from typing import Any

from msgspec import Struct

from app.api.problems import not_found
from app.api.routing import Call, Endpoint, Nothing
from app.evidence import casefile
from app.ledger.ids import as_id
from app.ledger.keys import Scope
from app.wallet.cases import records
from app.wallet.notices.examples import AT, ID


class WalletWords(Struct, frozen=True):
    """What a person wrote, in hex: `digest` in the body is SHA-256(salt + octets)."""

    salt: str
    octets: str


class WalletEntry(Struct, frozen=True):
    """One entry: hash = SHA-256(hash before it + body); `facts` are taken from the body."""

    seq: int
    at: datetime
    kind: str
    facts: dict[str, Any]
    body: str
    hash: str
    said: WalletWords | None


class WalletCase(Struct, frozen=True):
    """A case and all that happened to it; the chain begins with 32 zero octets and ends in
    `head`. `sealed_by` are the numbers of the daily seals that cover it."""

    id: str
    entries: list[WalletEntry]
    head: str
    sealed_by: list[int]


def read_wallet_case(call: Call[None, Nothing]) -> WalletCase:
    unit, case_id, sees_all = call.unit, as_id(call.path["id"]), call.caller.may(Scope.AUDITOR)
    provider = None if sees_all else call.caller.provider
    if case_id is None or not records.is_case_of(unit.tx, case_id, provider):
        raise not_found()
    found = casefile.case_file(unit.tx, unit.vault, case_id, unit.now, with_said=sees_all)
    if found is None:
        raise not_found()
    return WalletCase(
        found.case,
        [_entry(one) for one in found.entries],
        found.head,
        [seal.number for seal in found.seals],
    )


def _entry(one: casefile.CaseEntry) -> WalletEntry:
    said = None if one.said is None else WalletWords(one.said.salt, one.said.octets)
    return WalletEntry(one.seq, one.at, one.kind, one.facts, one.body, one.hash, said)


_ENTRY = WalletEntry(1, AT, "made", {}, "{…}", "5e…", None)

ENDPOINTS = (
    Endpoint(
        method="GET",
        path="/v1/wallet/cases/{id}",
        scopes=(Scope.PROVIDER, Scope.AUDITOR),
        summary="Read the whole case of a notice, of consents, of a grant or its closing",
        handler=read_wallet_case,
        answer=WalletCase,
        errors=("not_found",),
        answer_example=WalletCase(ID, [_ENTRY], "5e…", []),
        description="Only an auditor is shown what people wrote.",
    ),
)
