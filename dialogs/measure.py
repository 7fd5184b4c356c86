"""A measure of support: two consents, each asked by itself, to the processing of personal data and
to receiving the measure by SMS (214/НҚ, clause 6). To refuse one says nothing about the other.

Data only. `measure` is the short name of the measure, at most 40 characters, by language.
`provider` and `criteria` stand only in the cabinet, where there is room.
"""

from dialogs import consent
from dialogs.engine.model import Ask, Choice, Dialog, End, Notice

DATA_GIVEN, DATA_REFUSED = consent.GIVEN, consent.REFUSED
SMS_GIVEN, SMS_REFUSED, SILENT = "sms-given", "sms-refused", "silent"

MEASURE = Dialog(
    name="measure",
    by_law="214/НҚ",
    start="ask",
    steps=(
        Ask(
            "ask",
            choices=(
                Choice("yes", digit="1", goto="receive", outcome=DATA_GIVEN),
                Choice("no", digit="2", goto="receive", outcome=DATA_REFUSED),
            ),
            silence="silent",
            values=("measure",),
        ),
        Ask(
            "receive",
            choices=(
                Choice("yes", digit="1", goto="by-sms"),
                Choice("no", digit="2", goto="cabinet-only"),
            ),
            silence="silent",
            values=("measure",),
        ),
        End("by-sms", outcome=SMS_GIVEN),
        End("cabinet-only", outcome=SMS_REFUSED),
        End("silent", outcome=SILENT, values=("measure",)),
    ),
    notices=(
        Notice("notice", values=("measure", "provider", "criteria")),
        Notice("data-notice", values=("measure", "provider")),
        Notice("notice-by-sms", values=("measure",)),
        Notice("data-notice-by-sms", values=("measure",)),
        Notice("granted", values=("measure", "provider")),
        Notice("not-granted", values=("measure", "provider")),
        Notice("answer.given"),
        Notice("answer.refused"),
    ),
)
