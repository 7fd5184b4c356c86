"""What a network's status means for the message or the bind it answers (SMPP 3.4, 5.1.3).

A table and its words; who retries what, when and how often is for the outbox to decide.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from smpp.messages import SubmitOutcome
from smpp.pdu import Status, describe

# These two are about the bind's pace, not about the message: the link pauses and probes.
SLOW_DOWN: Final = frozenset({Status.ESME_RTHROTTLED, Status.ESME_RMSGQFUL})

OUTCOMES: Final[Mapping[int, SubmitOutcome]] = MappingProxyType(
    {
        Status.ESME_ROK: SubmitOutcome.ACCEPTED,
        Status.ESME_RTHROTTLED: SubmitOutcome.RETRY_NOW,
        Status.ESME_RMSGQFUL: SubmitOutcome.RETRY_NOW,
        # the network's trouble, which passes
        Status.ESME_RSYSERR: SubmitOutcome.RETRY_LATER,
        Status.ESME_RSUBMITFAIL: SubmitOutcome.RETRY_LATER,
        Status.ESME_RX_T_APPN: SubmitOutcome.RETRY_LATER,
        Status.ESME_RDELIVERYFAILURE: SubmitOutcome.RETRY_LATER,
        Status.ESME_RUNKNOWNERR: SubmitOutcome.RETRY_LATER,
        # this bind may not, or is set up wrongly; another one may
        Status.ESME_RINVBNDSTS: SubmitOutcome.OTHER_BIND,
        Status.ESME_RINVSRCADR: SubmitOutcome.OTHER_BIND,
        Status.ESME_RINVSRCTON: SubmitOutcome.OTHER_BIND,
        Status.ESME_RINVSRCNPI: SubmitOutcome.OTHER_BIND,
        Status.ESME_RINVDSTTON: SubmitOutcome.OTHER_BIND,
        Status.ESME_RINVDSTNPI: SubmitOutcome.OTHER_BIND,
        Status.ESME_RINVSYSTYP: SubmitOutcome.OTHER_BIND,
        Status.ESME_RINVSYSID: SubmitOutcome.OTHER_BIND,
        Status.ESME_RINVSERTYP: SubmitOutcome.OTHER_BIND,
        Status.ESME_RBINDFAIL: SubmitOutcome.OTHER_BIND,
        Status.ESME_RINVPASWD: SubmitOutcome.OTHER_BIND,
        # not this network's subscriber, or nobody's
        Status.ESME_RINVDSTADR: SubmitOutcome.UNKNOWN_SUBSCRIBER,
        # the PDU itself: sent again it would fail again
        Status.ESME_RINVMSGLEN: SubmitOutcome.PERMANENT,
        Status.ESME_RINVCMDLEN: SubmitOutcome.PERMANENT,
        Status.ESME_RINVCMDID: SubmitOutcome.PERMANENT,
        Status.ESME_RINVPRTFLG: SubmitOutcome.PERMANENT,
        Status.ESME_RINVREGDLVFLG: SubmitOutcome.PERMANENT,
        Status.ESME_RINVESMCLASS: SubmitOutcome.PERMANENT,
        Status.ESME_RINVREPFLAG: SubmitOutcome.PERMANENT,
        Status.ESME_RINVSCHED: SubmitOutcome.PERMANENT,
        Status.ESME_RINVEXPIRY: SubmitOutcome.PERMANENT,
        Status.ESME_RINVDFTMSGID: SubmitOutcome.PERMANENT,
        Status.ESME_RX_P_APPN: SubmitOutcome.PERMANENT,
        Status.ESME_RX_R_APPN: SubmitOutcome.PERMANENT,
        Status.ESME_RINVOPTPARSTREAM: SubmitOutcome.PERMANENT,
        Status.ESME_ROPTPARNOTALLWD: SubmitOutcome.PERMANENT,
        Status.ESME_RINVPARLEN: SubmitOutcome.PERMANENT,
        Status.ESME_RMISSINGOPTPARAM: SubmitOutcome.PERMANENT,
        Status.ESME_RINVOPTPARAMVAL: SubmitOutcome.PERMANENT,
    }
)

_BIND_WORDS: Final[Mapping[int, str]] = MappingProxyType(
    {
        Status.ESME_RALYBND: "the network says that we are bound already: an old connection of "
        "ours still stands there, or another program uses this system_id",
        Status.ESME_RINVPASWD: "the network does not accept the password: compare password_env "
        "or password_file with its sheet, case included",
        Status.ESME_RINVSYSID: "the network does not know this system_id",
        Status.ESME_RINVSYSTYP: "the network expects another system_type",
        Status.ESME_RBINDFAIL: "the network refuses the bind: system_id, password, our address "
        "or the number of binds; its side must say which",
        Status.ESME_RINVBNDSTS: "the network does not allow this kind of bind: try another value "
        "of bind",
        Status.ESME_RINVCMDID: "the network does not know this kind of bind: try another value "
        "of bind",
        Status.ESME_RTHROTTLED: "the network says that we bind too often",
        Status.ESME_RSYSERR: "the network has an error of its own",
    }
)


def outcome(status: int) -> SubmitOutcome:
    """What a submit_sm_resp's status means. A status that is not in the table, such as a vendor's
    own (0x400 to 0x4ff), says that the message was not taken, not that it never will be."""
    return OUTCOMES.get(status, SubmitOutcome.RETRY_LATER)


def why_refused(status: int) -> str:
    """Why a bind was refused, in words for the engineer, with the status's name."""
    words = _BIND_WORDS.get(status)
    if words is None:
        return f"the network refuses the bind: {describe(status)}"
    return f"{words} ({Status(status).name}, 0x{status:02x})"


def name(status: int) -> str:
    """A status's name for figures: few, whatever a network makes up."""
    known = _NAMES.get(status)
    if known is not None:
        return known
    return f"0x{status:03x}" if 0x400 <= status <= 0x4FF else "unknown"


_NAMES: Final = {int(status): status.name for status in Status}
