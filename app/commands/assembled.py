"""Every command, put together."""

from app.commands.table import ALONE, GROUPS, together

app = together([*ALONE, *GROUPS])
