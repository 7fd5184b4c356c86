"""The USSD menu: what a phone can ask for by itself, and the words around it.

Data only. Visits and documents are not here yet. Every page ends with 0, back or exit.
"""

from dialogs.engine.model import Choice, Notice, Phrases

MENU = Phrases(
    name="menu",
    notices=(
        Notice("main.offers"),
        Notice("main.measures"),
        Notice("main.language"),
        Notice("main.help"),
        Notice("offers"),
        Notice("offers.none"),
        Notice("measures"),
        Notice("measures.none"),
        Notice("help"),
        Notice("goodbye"),
    ),
)

ENTRIES = (
    Choice("offers", digit="1", goto="offers"),
    Choice("measures", digit="2", goto="measures"),
    Choice("language", digit="3", goto="language"),
    Choice("help", digit="4", goto="help"),
)
"""The main page, in order; `main.<id>` is the label of an entry."""
