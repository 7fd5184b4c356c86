"""What any dialog says to an answer that came when its question was no longer open.

Data only. A dialog that words one of these keys itself is preferred over this file.
"""

from dialogs.engine.model import LATE, Notice, Phrases

LATE_PHRASES = Phrases(name=LATE, notices=(Notice("late"), Notice("already", values=("answer",))))
"""Too late; and: the first answer stands."""
