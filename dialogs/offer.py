"""The offer of a proactive service: one question and all that may follow it (155/НҚ, 3 and 4).

Data only. `service` is the short name of the service, at most 40 characters, by language.
"""

from dialogs.engine.model import Ask, Choice, Dialog, End, Notice

OFFER = Dialog(
    name="offer",
    by_law="155/НҚ",
    start="ask",
    steps=(
        Ask(
            "ask",
            choices=(
                Choice("yes", digit="1", goto="accepted"),
                Choice("no", digit="2", goto="declined"),
            ),
            silence="expired",
            values=("service",),
        ),
        End("accepted", outcome="accept", values=("service",)),
        End("declined", outcome="decline", values=("service",)),
        End("expired", outcome="expire", values=("service", "branch", "address", "hours")),
    ),
    notices=(
        Notice("undelivered", values=("service",)),
        Notice("withdrawn", values=("service",)),
        Notice("revoked", values=("service",)),
        Notice("late"),
        Notice("already", values=("answer",)),
        Notice("answer.yes"),
        Notice("answer.no"),
        Notice("rendered", values=("service",)),
        Notice("refused", values=("service",)),
    ),
)
