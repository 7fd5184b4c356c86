"""The states of an ESME session (SMPP 3.4, 2.2) as a table: what is not in it cannot happen."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class State(StrEnum):
    """Where the session stands (2.2), with the two waits between the standard's states."""

    OPEN = "open"
    BINDING = "binding"
    BOUND_TX = "bound_tx"
    BOUND_RX = "bound_rx"
    BOUND_TRX = "bound_trx"
    UNBINDING = "unbinding"
    UNBOUND = "unbound"
    CLOSED = "closed"


class Step(StrEnum):
    """What moves the session from one state to another."""

    BIND = "bind"
    ACCEPTED_TX = "transmitter"
    ACCEPTED_RX = "receiver"
    ACCEPTED_TRX = "transceiver"
    REFUSED = "refused"
    UNBIND = "unbind"
    UNBOUND = "unbound"
    CLOSE = "close"


BOUND: Final = (State.BOUND_TX, State.BOUND_RX, State.BOUND_TRX)

TRANSITIONS: Final[Mapping[tuple[State, Step], State]] = {
    (State.OPEN, Step.BIND): State.BINDING,
    (State.BINDING, Step.ACCEPTED_TX): State.BOUND_TX,
    (State.BINDING, Step.ACCEPTED_RX): State.BOUND_RX,
    (State.BINDING, Step.ACCEPTED_TRX): State.BOUND_TRX,
    (State.BINDING, Step.REFUSED): State.OPEN,
    **{(state, Step.UNBIND): State.UNBINDING for state in BOUND},
    **{(state, Step.UNBOUND): State.UNBOUND for state in (*BOUND, State.UNBINDING)},
    (State.BINDING, Step.UNBOUND): State.UNBOUND,
    **{(state, Step.CLOSE): State.CLOSED for state in State if state is not State.CLOSED},
}
