"""The acts as dated, referenced data: by-laws, services, branches, moved days off. A date or a
name that changes gets a new entry; nothing here is overwritten, and no rule is decided here.
"""
