"""Houses for the tests: made in directories of their own, ended whatever happens."""

from collections.abc import Callable, Iterator

import pytest

from tests.e2e.foreign import ForeignSmsc
from tests.e2e.house import House, open_folder

Build = Callable[..., House]


@pytest.fixture
def build() -> Iterator[Build]:
    """Makes a house (not started) of `toml` and `environ`; all of a test share one directory."""
    made: list[House] = []
    with open_folder() as folder:

        def one(toml: str = "", **environ: str) -> House:
            made.append(House(folder, toml, environ))
            return made[-1]

        yield one
        for house in made:
            house.end()


@pytest.fixture
def smsc() -> Iterator[ForeignSmsc]:
    """A message centre of other hands, which waits for a bind."""
    foreign = ForeignSmsc()
    with foreign.running():
        yield foreign
