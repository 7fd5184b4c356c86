"""A consent to a measure of support is taken back (214/НҚ, clause 6): which of the two, by USSD, or
by plain words in an SMS.

Data only. Withdrawing one consent leaves the other as it is.
"""

from dialogs.engine.model import Ask, Choice, Dialog, End, Notice

DATA, SMS = "data", "sms"


def of(*which: str) -> Dialog:
    """The dialog of the consents that stand: "data", "sms" or both. Their digits never change."""
    every = (
        Choice(DATA, digit="1", goto="data-withdrawn", words=("деректер", "данные")),
        Choice(SMS, digit="2", goto="sms-withdrawn", words=("sms", "смс")),
    )
    choices = tuple(choice for choice in every if choice.id in which)
    ends = tuple(End(c.goto, outcome=f"withdraw-{c.id}") for c in choices)
    return Dialog(
        name="withdrawal",
        by_law="214/НҚ",
        start="ask",
        steps=(
            Ask("ask", choices, silence="kept", unclear_again=0, values=("measure", "status")),
            *ends,
            End("kept", outcome="keep"),
        ),
        notices=(
            Notice("all-withdrawn"),
            Notice("status.given"),
            Notice("status.granted"),
            Notice("status.not-granted"),
        ),
    )


WITHDRAWAL = of(DATA, SMS)

# Whole messages that take every consent back. Nothing shorter or vaguer is taken for it.
WORDS = (
    "келісімімді қайтарып аламын",
    "келісімді қайтарып аламын",
    "келісімімді кері қайтарып аламын",
    "келісімімнен бас тартамын",
    "келісімді қайтару",
    "отзываю согласие",
    "отзываю свое согласие",
    "отзываю своё согласие",
    "отозвать согласие",
    "хочу отозвать согласие",
    "отзыв согласия",
)
