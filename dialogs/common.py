"""What every dialog may say: an end to SMS and a new start, USSD's own words.

Data only. A dialog that words one of these keys itself is preferred over this file.
"""

from dialogs.engine.model import COMMON, Notice, Phrases

PHRASES = Phrases(
    name=COMMON,
    notices=(
        Notice("stopped"),
        Notice("started"),
        Notice("language-switched"),
        Notice("nothing-asked"),
        Notice("wrong-choice"),
        Notice("unavailable"),
        Notice("confirm"),
        Notice("back"),
        Notice("more"),
        Notice("exit"),
    ),
)
