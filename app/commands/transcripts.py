"""What a handset saw and wrote, printed as a conversation."""

from collections.abc import Sequence
from datetime import datetime

from rich.console import Console

from app.calendar import in_almaty
from app.recipients.rules import mask_phone
from smpp.handsets import Handset

USSD = "*1414#"


def show_talk(
    console: Console, title: str, handset: Handset, pressed: Sequence[tuple[datetime, str]] = ()
) -> None:
    """Prints the messages, the screens and the keys `pressed` of a handset, in their order."""
    lines = sorted(
        [(m.at, "1414", m.text) for m in handset.messages]
        + [(m.at, "     ", m.text) for m in handset.written]
        + [(m.at, USSD, m.text) for m in handset.screens]
        + [(at, "     ", f"[{key}]") for at, key in pressed],
        key=lambda line: line[0],
    )
    console.print(f"[bold]{title}[/bold]  {mask_phone(handset.phone)}")
    for at, who, text in lines:
        arrow = "→" if who.strip() else "←"
        told = (text or "").replace("\n", " / ") if who == USSD else text
        console.print(
            f"  {in_almaty(at):%d.%m %H:%M}  {who:>6} {arrow} {told}",
            highlight=False,
            markup=False,
        )
