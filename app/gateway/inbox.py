"""Which of the things that were heard are committed first: people before machines."""

from collections.abc import Sequence

from smpp.messages import Heard, Inbound


def replies_first(inbox: Sequence[Heard], most: int) -> tuple[list[Heard], list[Heard]]:
    """Up to `most` for the next commit, and what is left; each in its order of arrival. Where not
    all fit, what people wrote goes before receipts and responses: a reply proves receipt by itself
    and may overtake both."""
    if len(inbox) <= most:
        return list(inbox), []
    replies = [item for item in inbox if isinstance(item, Inbound)]
    others = [item for item in inbox if not isinstance(item, Inbound)]
    free = most - len(replies[:most])
    return [*replies[:most], *others[:free]], [*replies[most:], *others[free:]]
