"""One simulation from its campaign to its figures."""

from app.simulate import day
from app.simulate.campaign import Campaign
from app.simulate.day import Progress
from app.simulate.figures import Figures, figures
from app.simulate.house import house
from app.simulate.promises import Breach, hold


def simulate(campaign: Campaign, progress: Progress) -> tuple[Figures, list[Breach]]:
    """Lives a campaign through in a house of its own: its figures, and every promise it broke."""
    with house(campaign) as rt:
        lived = day.live(rt, campaign, progress)
        court = hold(lived)
        return figures(court), court.breaches
