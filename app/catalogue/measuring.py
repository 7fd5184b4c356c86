"""Reads one measure of support out of its table, and the provider that measures and services name.

214/НҚ, clause 2(3): measures are for individuals, so a measure names no kinds of recipients.
"""

from app.catalogue.fields import Table
from app.catalogue.model import SHORT_NAME_MAX, Channels, Measure, Provider


def measure_of(top: Table) -> Measure:
    """The measure of a file measures/*.toml; what is wrong with it is noted in the table."""
    head = top.table("measure")
    measure = Measure(
        code=head.text("code", longest=40),
        name=head.bilingual("name", longest=250),
        short=head.bilingual("short", longest=SHORT_NAME_MAX),
        provider=provider_of(head.table("provider")),
        by_law=head.text("by_law"),
        start=head.day("from"),
        to=head.optional_day("to"),
        verified=head.flag("verified"),
        criteria=head.bilingual("criteria", longest=1000),
        channels=head.choice("channels", Channels),
    )
    if measure.to is not None and measure.to < measure.start:
        head.note("to", measure.to.isoformat(), f"a day not before {measure.start}")
    head.close()
    return measure


def provider_of(table: Table) -> Provider:
    """Who renders it: a code and a name in both languages."""
    provider = Provider(table.text("code", longest=40), table.bilingual("name", longest=250))
    table.close()
    return provider
