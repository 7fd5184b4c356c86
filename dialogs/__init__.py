"""What we ask people and what we tell them, declared as frozen data.

Nothing here reads a clock or a database, or knows any other room of the house.
"""
