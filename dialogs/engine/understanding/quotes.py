"""Drops the quoted original from a reply; a reply that is nothing but a quotation keeps nothing."""


def without_quoted(text: str) -> str:
    """Return the lines that the sender wrote: lines that begin with ">" are the old message."""
    if ">" not in text:
        return text
    return "\n".join(line for line in text.split("\n") if not line.lstrip().startswith(">"))
