"""Same key and same body: the first answer. It stands between a POST and what it does, inside the
transaction that does it, so that an answer is kept exactly when its deed is.
"""

import re
from collections.abc import Callable

import msgspec

from app.api.problems import Problem, invalid
from app.ledger import idempotency as records
from app.ledger.encryption import Vault
from app.ledger.idempotency import Answer, Claim
from app.ledger.unit import Unit
from app.runtime import Runtime

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
_KEY = re.compile(r"[!-~]{1,255}")
_canonical = msgspec.json.Encoder(order="sorted")


def read_key(header: str | None) -> str | None:
    """The key of a POST; None without one. Raises Problem (422)."""
    if header is None:
        return None
    if _KEY.fullmatch(header) is None:
        raise invalid(HEADER, "idempotency_key")
    return header


def fingerprint(vault: Vault, method: str, path: str, body: object) -> bytes:
    """What stands for a call: keyed, because a plain hash of an IIN could be guessed back. The
    order of the fields and the white space of the JSON do not count."""
    said = f"{method} {path}\n".encode() + _canonical.encode(body)
    return vault.index("idempotency", said.decode())


def once(
    rt: Runtime, claim: Claim, refused: Callable[[Problem], Answer], do: Callable[[Unit], Answer]
) -> tuple[Answer, bool]:
    """Does `do` in a transaction unless `claim` was answered before; True: it was.

    A problem is an answer too: what it left behind is rolled back, then it is kept by itself."""
    try:
        with rt.unit() as unit:
            first = _claim(unit, claim)
            if first is not None:
                return first, True
            answer = do(unit)
            records.store(unit.tx, claim, answer)
            return answer, False
    except Problem as problem:
        if is_passing(problem):
            raise
        return _keep(rt, claim, refused(problem)), False


def is_passing(problem: Problem) -> bool:
    """True for what is no answer to keep: the same call may well do better a little later."""
    return problem.status >= 500 or problem.status == 429 or problem.kind.startswith("idempotency")


def _claim(unit: Unit, claim: Claim) -> Answer | None:
    try:
        return records.claim(unit.tx, claim, unit.now)
    except records.Reused:
        raise Problem("idempotency_reused") from None
    except records.Running:
        raise Problem("idempotency_running", headers={"Retry-After": "1"}) from None


def _keep(rt: Runtime, claim: Claim, answer: Answer) -> Answer:
    """Keeps a problem as the first answer, unless a twin of the call was quicker with another."""
    with rt.unit() as unit:
        first = _claim(unit, claim)
        if first is not None:
            return first
        records.store(unit.tx, claim, answer)
    return answer
