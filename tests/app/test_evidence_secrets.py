"""Nothing secret where others can see it: command lines, logs, errors, answers of the API."""

import base64
import os
import secrets
import subprocess
import sys
from pathlib import Path

import pytest

from app.settings import Settings, SettingsError, load

ROOT = Path(__file__).parents[2]
MASTER, SEAL = (base64.b64encode(secrets.token_bytes(32)).decode() for _ in range(2))


def test_what_is_printed_of_settings_holds_no_secret(tmp_path: Path) -> None:
    settings = load(
        None,
        {
            "JAUAP_ENVIRONMENT": "sandbox",
            "JAUAP_PATHS_DATA": str(tmp_path),
            "JAUAP_MASTER_KEY": MASTER,
            "JAUAP_OLD_MASTER_KEYS": MASTER,
            "JAUAP_SEAL_KEY": SEAL,
            "JAUAP_LEDGER_URL": "postgresql://jauap:very-secret@db/jauap",
        },
    )
    shown = f"{settings!r} {settings.as_environ() | {'JAUAP_LEDGER_URL': ''}}"
    for secret in (MASTER, SEAL, "very-secret", settings.master_key.hex()):
        assert secret not in shown
    assert repr(settings.master_key) not in shown and repr(settings.seal_key) not in shown


@pytest.mark.parametrize(
    ("name", "value"),
    [("JAUAP_SEAL_KEY", "secret-but-no-key"), ("JAUAP_OLD_SEAL_KEYS", "secret-but-no-key"),
     ("JAUAP_OLD_MASTER_KEYS_FILE", "/nowhere/keys"), ("JAUAP_SEAL_KEY_FILE", "/nowhere/key"),
     ("JAUAP_SEAL_KEY", base64.b64encode(b"secret").decode())],
)  # fmt: skip
def test_a_wrong_key_is_refused_and_not_shown(name: str, value: str, tmp_path: Path) -> None:
    environ = {"JAUAP_ENVIRONMENT": "sandbox", "JAUAP_PATHS_DATA": str(tmp_path), name: value}
    with pytest.raises(SettingsError) as refused:
        load(None, environ)
    words = str(refused.value)
    assert name in words and "expected" in words
    assert "secret" not in words and base64.b64encode(b"secret").decode() not in words


def test_keys_come_from_files_and_the_sandbox_makes_its_own_once(tmp_path: Path) -> None:
    def begun(**more: str) -> Settings:
        environ = {"JAUAP_ENVIRONMENT": "sandbox", "JAUAP_PATHS_DATA": str(tmp_path / "var")}
        return load(None, environ | more)

    first = begun()
    assert first.seal_key is not None and first.seal_key == begun().seal_key
    assert oct((tmp_path / "var" / "seal.key").stat().st_mode & 0o777) == "0o600"
    key = tmp_path / "key"
    key.write_text(SEAL)
    old = tmp_path / "old"
    old.write_text(f"{MASTER}\n{SEAL}\n")
    given = begun(JAUAP_SEAL_KEY_FILE=str(key), JAUAP_OLD_MASTER_KEYS_FILE=str(old),
                  JAUAP_OLD_SEAL_KEYS=f"{SEAL}, {MASTER}")  # fmt: skip
    raw = {name: base64.b64decode(name) for name in (MASTER, SEAL)}
    assert given.seal_key == raw[SEAL]
    assert list(given.old_master_keys.values()) == [raw[MASTER], raw[SEAL]]
    assert given.old_seal_keys == (raw[SEAL], raw[MASTER])


def test_an_error_of_the_ledger_holds_no_password_and_no_row(tmp_path: Path) -> None:
    environ = {k: v for k, v in os.environ.items() if not k.startswith("JAUAP")} | {
        "PYTHONPATH": str(ROOT),
        "JAUAP_ENVIRONMENT": "sandbox",
        "JAUAP_PATHS_DATA": str(tmp_path),
        "JAUAP_LEDGER_URL": "postgresql://jauap:very-secret@127.0.0.1:1/jauap",
        "JAUAP_REDIS_URL": "redis://:other-secret@127.0.0.1:1/0",
    }
    for words in (["keys", "list"], ["journal", "verify"], ["retention", "run"]):
        told = subprocess.run(
            [sys.executable, "-m", "app.cli", *words],
            env=environ, cwd=tmp_path, capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        assert told.returncode == 2
        assert "cannot be used" in told.stderr
        assert "secret" not in told.stdout + told.stderr


def test_no_command_takes_a_secret_or_a_phone_as_an_argument() -> None:
    """What a command line holds, everybody on the machine can read."""
    import typer

    from app.commands.assembled import app

    def options(command: object) -> set[str]:
        inner = getattr(command, "commands", None)
        if inner is None:
            return {o for p in getattr(command, "params", []) for o in p.opts}
        return {o for one in inner.values() for o in options(one)}

    taken = options(typer.main.get_command(app))
    assert not [o for o in taken if any(w in o for w in ("password", "secret", "master", "seal"))]
