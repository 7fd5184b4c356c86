"""Verifies a whole ledger, or one case of it: every chain, every seal, and that they, the journal
and the cases' own rows say the same. It reads one snapshot by cursors and changes nothing.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from app.calendar import ALMATY
from app.evidence import sealing, summary
from app.evidence.casefile import shown
from app.ledger import auditing, journal, rights, seals
from app.ledger.chain import Break, Entry
from app.ledger.encryption import Vault
from app.ledger.engine import Ledger, Tx
from app.ledger.seals import Leaf, Seal
from app.ledger.signing import SealKey

MOST_BREAKS = 1_000
AT_ONCE = 1_000  # cases

Progress = Callable[[str, int, int], None]
"""Is told what is being read, how many entries so far, and about how many there are."""


@dataclass(slots=True)
class Verdict:
    """What was looked at and what does not hold; `warnings` are no breaks. Of more than a
    thousand breaks only their number is told."""

    cases: int = 0
    entries: int = 0
    seals: int = 0
    sealed_through: str | None = None
    broken: int = 0
    breaks: list[Break] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def add(self, found: Iterator[Break] | list[Break]) -> None:
        for one in found:
            self.broken += 1
            if len(self.breaks) < MOST_BREAKS:
                self.breaks.append(one)


def verify(
    ledger: Ledger,
    vault: Vault,
    key: SealKey,
    now: datetime,
    case_id: UUID | None = None,
    progress: Progress = lambda what, done, of: None,
    anchored: list[dict[str, object]] | None = None,
) -> Verdict:
    """Everything that can be recomputed, recomputed. `anchored` are seals as somebody kept them
    elsewhere (number, day, hash): who rewrites the ledger and every seal in it cannot rewrite
    those. Every process may go on meanwhile."""
    verdict = Verdict()
    with ledger.begin() as tx:
        auditing.snapshot(tx)
        _chains(tx, vault, case_id, verdict, progress)
        verdict.add(_ends(tx, case_id))
        every = {seal.number: seal for seal in seals.every(tx)}
        verdict.add(_seals(every, key))
        verdict.add(_leaves(tx, every, case_id, progress))
        verdict.add(_late(tx, every, case_id))
        verdict.add(_anchored(every, anchored or []))
        verdict.seals = len(every)
        if every:
            verdict.sealed_through = every[max(every)].day.isoformat()
        verdict.warnings += _warnings(tx, every, now)
    return verdict


def _chains(
    tx: Tx, vault: Vault, case_id: UUID | None, verdict: Verdict, progress: Progress
) -> None:
    about = journal.about_how_many(tx)
    sound: list[list[Entry]] = []
    one = [journal.of_case(tx, case_id)] if case_id else journal.every_case(tx)
    for entries in one:
        breaks = journal.verify(entries, vault)
        if breaks:  # the case's own row may tell which of two columns was altered
            breaks = journal.verify(entries, vault, auditing.head_of(tx, entries[0].case_id))
        verdict.add(breaks)
        if entries and not breaks:
            sound.append(entries)
        verdict.cases += bool(entries)
        verdict.entries += len(entries)
        if verdict.cases % AT_ONCE == 0:
            progress("entries", verdict.entries, about)
        if len(sound) >= AT_ONCE:
            verdict.add(_stated(tx, sound))
            sound.clear()
    verdict.add(_stated(tx, sound))


def _stated(tx: Tx, sound: list[list[Entry]]) -> Iterator[Break]:
    """A row that says something else than the journal of its case."""
    of_case = {entries[0].case_id: entries for entries in sound}
    for table, r in auditing.stated(tx, list(of_case)):
        said = {name: getattr(r, name) for name in auditing.STATED}
        entries = [shown(entry, None) for entry in of_case[r.id]]
        for what in summary.faults(str(r.id), said, entries):
            yield Break(str(r.id), 0, f"its row in {table}, column {what}")


def _ends(tx: Tx, case_id: UUID | None) -> Iterator[Break]:
    """A cut that no seal covers yet is seen in the case's own row."""
    for table, r in auditing.heads(tx, case_id):
        name = str(r.id)
        if r.seq is None:
            what = f"the whole case is gone from the journal; its row in {table} has"
            yield Break(name, 0, f"{what} {r.version} entries")
        elif r.seq != r.version:
            found = f"the journal ends with entry {r.seq}, its row in {table} with {r.version}"
            cut = "entries were cut off" if r.seq < r.version else "entries were added beside it"
            yield Break(name, r.seq, f"{cut}: {found}")
        else:
            yield Break(name, r.seq, f"the last hash is not the one in {table}, column head")


def _seals(every: dict[int, Seal], key: SealKey) -> Iterator[Break]:
    row, known = sealing.Row(), key.known
    for seal in every.values():
        whats = [*row.faults(seal), *sealing.signature_faults(seal, known)]
        yield from (sealing.about(seal, what) for what in whats)


def _leaves(
    tx: Tx, every: dict[int, Seal], case_id: UUID | None, progress: Progress
) -> Iterator[Break]:
    trees = {} if case_id else {n: sealing.Tree.of(seal) for n, seal in every.items()}
    done, missing = 0, set()
    for r in auditing.sealed(tx, case_id):
        leaf = Leaf(r.number, r.place, r.case_id, r.since, r.seq, bytes(r.head))
        seal = every.get(leaf.number)
        if seal is None:
            missing.add(leaf.number)
            continue
        found = None if r.hash is None else bytes(r.hash)
        yield from sealing.leaf_break(leaf.case_id, leaf, found, r.before, seal.day)
        if not case_id:
            yield from (sealing.about(seal, w) for w in trees[leaf.number].add(leaf))
        done += 1
        if done % 50_000 == 0:
            progress("seals", done, 0)
    yield from (Break("", 0, f"seal {n} is gone; its list of cases is there") for n in missing)
    for tree in trees.values():
        yield from (sealing.about(tree.seal, what) for what in tree.faults())


def _late(tx: Tx, every: dict[int, Seal], case_id: UUID | None) -> Iterator[Break]:
    """What is so old that a seal must cover it by now."""
    if not every:
        return
    # The newest seal may have been made while this was being committed; the one after it looks
    # for what is late, so that only what is older than it looks is under no seal for good.
    until = seals.midnight(every[max(every)].day) - seals.LOOK_BACK
    for r in auditing.unsealed(tx, until, case_id):
        what = f"of {r.at:%Y-%m-%d} and under no seal, though days after it are sealed"
        yield Break(str(r.case_id), r.seq, what)


def _anchored(every: dict[int, Seal], anchored: list[dict[str, object]]) -> Iterator[Break]:
    for one in anchored:
        number = one["number"]
        seal = every.get(number) if isinstance(number, int) else None
        if seal is None:
            what = f"seal {number} of {one['day']} is gone; it was kept elsewhere"
            yield Break("", 0, what)
        elif seal.hash.hex() != one["hash"]:
            yield sealing.about(seal, "another one than was kept elsewhere")


def _warnings(tx: Tx, every: dict[int, Seal], now: datetime) -> Iterator[str]:
    may = rights.may_alter(tx)
    if may:
        yield (
            f"this database role may alter {', '.join(may)}: only a trigger stands in the way; "
            "give the running system a role of its own: jauap migrate --app-role NAME"
        )
    yesterday = now.astimezone(ALMATY).date() - timedelta(days=1)
    if every and every[max(every)].day < yesterday - timedelta(days=1):
        yield f"the last seal is of {every[max(every)].day}: does a worker run?"
