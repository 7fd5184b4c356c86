"""Consent to the collection and processing of personal data (155/НҚ, clause 3; 214/НҚ, clause 6).

Data only. Silence is no consent and no refusal either: nobody has answered.
"""

from dialogs.engine.model import Ask, Choice, Dialog, End

GIVEN, REFUSED, SILENT = "data-given", "data-refused", "silent"

CONSENT = Dialog(
    name="consent",
    by_law="155/НҚ, 214/НҚ",
    start="ask",
    steps=(
        Ask(
            "ask",
            choices=(
                Choice("yes", digit="1", goto="given"),
                Choice("no", digit="2", goto="refused"),
            ),
            silence="silent",
        ),
        End("given", outcome=GIVEN),
        End("refused", outcome=REFUSED),
        End("silent", outcome=SILENT),
    ),
)
