"""What a phone is told that writes while it is asked nothing: how to be helped; once, then silence.

Data only. The help inside a question stands with that question.
"""

from dialogs.engine.model import HELP, Notice, Phrases

HELP_PHRASES = Phrases(name=HELP, notices=(Notice("help-no-question"),))
