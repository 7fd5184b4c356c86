"""A house for one simulation: real servers in a folder that is gone afterwards."""

import base64
import hashlib
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app import embedded
from app.commands.places import migrate
from app.runtime import Runtime, open_runtime
from app.settings import load
from app.simulate import records
from app.simulate.campaign import Campaign


@contextmanager
def house(campaign: Campaign) -> Iterator[Runtime]:
    """A runtime on a fresh ledger. Its key comes of the seed, for what is found by a keyed index
    is sorted by it."""
    folder = Path(tempfile.mkdtemp(prefix="jauap-simulate-"))
    folder.chmod(0o755)  # PostgreSQL may run as another account
    key = hashlib.sha256(f"{campaign.seed}:vault".encode()).digest()
    environ = {"JAUAP_MASTER_KEY": base64.b64encode(key).decode()}
    flags = {
        "environment": "sandbox",
        "sandbox.simulator": False,
        "paths.data": str(folder / "var"),
        "paths.binds": str(folder / "binds.toml"),
    }
    nothing = folder / "jauap.toml"
    nothing.touch()
    try:
        settings = load(nothing, environ, flags)
        with embedded.Servers("jauap simulate") as servers:
            urls = servers.start(settings)
            migrate(urls.ledger)
            rt = open_runtime(settings, urls.ledger, urls.redis)
            records.make_fast(rt.ledger)
            try:
                yield rt
            finally:
                rt.ledger.dispose()
                rt.redis.close()
    finally:
        postgres = folder / "var" / "postgres"
        if postgres.is_symlink():  # its account could not reach our folder
            shutil.rmtree(postgres.resolve(), ignore_errors=True)
        shutil.rmtree(folder, ignore_errors=True)
