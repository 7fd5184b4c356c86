"""How the recipient rates what they were given, from 1 to 5, asked once (order 83, clause 13).

Data only. No reply is no rating.
"""

from dialogs.engine.model import Ask, Choice, Dialog, End

MARKS = ("1", "2", "3", "4", "5")

RATING = Dialog(
    name="rating",
    by_law="83",
    start="ask",
    steps=(
        Ask(
            "ask",
            choices=(
                Choice("1", digit="1", goto="rated", words=("өте нашар", "очень плохо")),
                Choice("2", digit="2", goto="rated", words=("нашар", "плохо")),
                Choice("3", digit="3", goto="rated", words=("орташа", "средне", "нормально")),
                Choice("4", digit="4", goto="rated", words=("жақсы", "хорошо")),
                Choice("5", digit="5", goto="rated", words=("өте жақсы", "отлично")),
            ),
            silence="unrated",
            unclear_again=1,
            confirms=False,
        ),
        End("rated", outcome="rate"),
        End("unrated", outcome="lapse"),
    ),
)
