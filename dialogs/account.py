"""The question after a yes where the service pays into an account: which of those we know of.

Data only. The provider names the accounts, one to eight, by their last four digits; the dialog of
so many is `of(count)`. Its answer never changes the yes that came before it (155/НҚ, clause 4).
"""

from dialogs.engine.model import Ask, Choice, Dialog, End, Notice

MOST_ACCOUNTS = 8
OTHER = "other"
VALUES = ("accounts", "service")


def slot(number: int) -> str:
    """The id of the account's choice, and the placeholder of its label: "account1" …"""
    return f"account{number}"


def of(count: int) -> Dialog:
    """The dialog for so many accounts; the digit after the last means another one."""
    slots = tuple(slot(n) for n in range(1, count + 1))
    listed = tuple(Choice(s, str(n), "chosen", values=(s,)) for n, s in enumerate(slots, start=1))
    other = Choice(
        OTHER,
        str(count + 1),
        "other",
        words=("басқа", "басқа шот", "басқасы", "другой", "другой счёт", "другая", "другое"),
    )
    return Dialog(
        name="account",
        by_law="155/НҚ",
        start="ask",
        steps=(
            Ask(
                "ask",
                choices=(*listed, other),
                silence="none",
                values=VALUES,
                listed="accounts",
                confirms=False,
            ),
            End("chosen", outcome="choose", values=("account",)),
            End("other", outcome="choose-other", values=("service",)),
            End("none", outcome="lapse", values=("service",)),
        ),
        notices=(Notice("late"),),
    )


ACCOUNT = of(MOST_ACCOUNTS)
