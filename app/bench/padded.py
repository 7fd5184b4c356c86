"""The web process with questions of a chosen length, because what a network carries is counted in
segments: run as `python -m app.bench.padded SEGMENTS`."""

import sys
from collections.abc import Mapping
from dataclasses import replace

from app.commands.places import opened
from app.main import serve
from app.rooms import open_rooms
from app.runtime import Runtime
from app.supervisor import die_with_parent
from dialogs.engine.render import SEGMENT_UNITS, SINGLE_UNITS
from dialogs.engine.wording import LANGUAGES, Wording, Words

DIALOG, KEY = "offer", "ask"
SHORT = {"kk": "Келісесіз бе? Иә – 1, жоқ – 2. 1414", "ru": "Согласны? Да – 1, нет – 2. 1414"}


def padded(words: Words, segments: int) -> Words:
    """The same words, but the offer's question fills `segments` segments exactly."""
    length = SINGLE_UNITS if segments == 1 else SEGMENT_UNITS * segments
    books = dict(words.books)
    for language in LANGUAGES:
        book: Mapping[str, Wording] = books[language, DIALOG]
        text = SHORT[language].ljust(length, ".")
        question = replace(book[KEY], text=text, placeholders=frozenset())
        books[language, DIALOG] = {**book, KEY: question}
    return Words(books)


def with_questions_of(rt: Runtime, segments: int) -> Runtime:
    """A runtime whose rooms ask in so many segments."""
    other = replace(rt, words=padded(rt.words, segments), rooms={})
    open_rooms(other)
    return other


def main() -> None:
    """Serves until SIGTERM."""
    die_with_parent()
    with opened(None, "web") as rt:
        server = rt.settings.server
        serve(with_questions_of(rt, int(sys.argv[1])), server.host, server.port)


if __name__ == "__main__":
    main()
