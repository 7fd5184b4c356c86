"""What every dialog may say: help when nothing is asked, an end to SMS, USSD's own words.

Data only. A dialog that words one of these keys itself is preferred over this file.
"""

from dialogs.engine.model import COMMON, Notice, Phrases

PHRASES = Phrases(
    name=COMMON,
    notices=(
        Notice("stopped"),
        Notice("help-no-question"),
        Notice("language-switched"),
        Notice("nothing-asked"),
        Notice("wrong-choice"),
        Notice("unavailable"),
        Notice("confirm"),
        Notice("back"),
    ),
)
