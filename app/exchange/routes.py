"""Which network may be tried for a phone: numbers are ported, so none of them is certain."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from smpp.binds import Bind


@dataclass(frozen=True, slots=True)
class Route:
    """One bind that may send."""

    cid: str
    network: str
    prefixes: tuple[str, ...] = ()
    has_receipts: bool = True


@dataclass(frozen=True, slots=True)
class Routes:
    """The sending binds of all gateways, in the order of binds.toml."""

    routes: tuple[Route, ...] = ()

    @classmethod
    def of(cls, binds: Iterable[Bind]) -> "Routes":
        """Those of binds.toml; a receiver sends nothing."""
        return cls(
            tuple(
                Route(b.cid, b.network, b.prefixes, b.receipts)
                for b in binds
                if b.bind != "receiver"
            )
        )

    def elsewhere(self, phone: str, refused: Sequence[str], *, is_question: bool) -> str | None:
        """The next network for a phone (E.164) that those in `refused` do not know: by its prefix,
        else in the file's order; None: all were asked. A question goes only where receipts come
        from."""
        digits = phone.lstrip("+")
        left = [
            r
            for r in self.routes
            if r.network not in refused and (r.has_receipts or not is_question)
        ]
        by_prefix = [r for r in left if any(digits.startswith(p) for p in r.prefixes)]
        return next((r.network for r in (*by_prefix, *left)), None)

    def are_exhausted(self, network: str, cids: Iterable[str]) -> bool:
        """Whether every sending bind of the network is among `cids`."""
        return {r.cid for r in self.routes if r.network == network} <= set(cids)
