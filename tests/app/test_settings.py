"""The configuration: what wins over what, and that everything wrong is said at once."""

import base64
import os
import stat
from collections.abc import Mapping
from datetime import time
from pathlib import Path

import pytest

from app.settings import Environment, SendingHours, Settings, SettingsError, load

KEY = base64.b64encode(bytes(range(32))).decode()
PRODUCTION = {"JAUAP_ENVIRONMENT": "production", "JAUAP_MASTER_KEY": KEY}


@pytest.fixture(autouse=True)
def _in_an_empty_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def refused(
    environ: Mapping[str, str] | None = None,
    flags: Mapping[str, object] | None = None,
    *,
    force_sandbox: bool = False,
) -> dict[str, str]:
    """{key: what the finding says} of a start that is refused."""
    with pytest.raises(SettingsError) as refusal:
        load(None, environ or {}, flags, force_sandbox=force_sandbox)
    return {finding.key: str(finding) for finding in refusal.value.findings}


def sandbox(environ: Mapping[str, str] | None = None) -> Settings:
    return load(None, environ or {}, force_sandbox=True)


def test_flags_win_over_the_environment_and_the_environment_over_the_file() -> None:
    Path("jauap.toml").write_text(
        'environment = "sandbox"\n[server]\nhost = "10.0.0.1"\nport = 1\n[redis]\nurl = "redis://a"'
    )
    environ = {"JAUAP_SERVER_PORT": "2", "JAUAP_REDIS_URL": "redis://b"}
    settings = load(None, environ, {"server.port": 3, "server.host": None})
    assert settings.server.host == "10.0.0.1"
    assert settings.redis.url == "redis://b"
    assert settings.server.port == 3


def test_the_sandbox_sends_always_and_production_by_day() -> None:
    assert sandbox().sending.hours is None
    assert sandbox().sending.drain_grace == 2
    production = load(None, PRODUCTION)
    assert production.sending.hours == SendingHours(time(9), time(21))
    assert production.sending.drain_grace == 60
    assert not production.sandbox.simulator
    assert not production.webhooks.allow_private


def test_everything_wrong_is_reported_at_once() -> None:
    Path("jauap.toml").write_text(
        'environment = "sandbox"\ncolour = "red"\n'
        '[server]\nport = "http"\nprot = 1\n[sending]\nhours = "21:00-09:00"\n'
        "[sandbox]\ntime_scale = 0\nsimulator = 2\n[oidc]\naudience = 7\n"
    )
    found = refused({"JAUAP_LEDGER_URL": "mysql://h/d", "JAUAP_REDIS_ULR": "redis://h"})
    assert set(found) == {
        "colour",
        "server.port",
        "server.prot",
        "sending.hours",
        "sandbox.time_scale",
        "sandbox.simulator",
        "oidc.audience",
        "ledger.url",
        "JAUAP_REDIS_ULR",
    }
    assert "found 'http', expected a port" in found["server.port"]
    assert "jauap.toml" in found["server.port"]


def test_a_finding_never_shows_a_password() -> None:
    text = str(refused({"JAUAP_LEDGER_URL": "mysql://u:hunter2@h/d"}, force_sandbox=True))
    assert "hunter2" not in text


def test_a_key_of_the_wrong_length_is_refused_without_being_shown() -> None:
    found = refused({"JAUAP_ENVIRONMENT": "production", "JAUAP_MASTER_KEY": "c2VjcmV0"})
    assert "6 octets" in found["JAUAP_MASTER_KEY"]
    assert "c2VjcmV0" not in found["JAUAP_MASTER_KEY"]


def test_the_sandbox_is_refused_in_production() -> None:
    assert "sandbox.time_scale" in refused({**PRODUCTION, "JAUAP_SANDBOX_TIME_SCALE": "10"})


def test_the_sandbox_flag_never_runs_a_production_configuration() -> None:
    assert "environment" in refused(PRODUCTION, force_sandbox=True)


def test_production_without_a_master_key_does_not_start() -> None:
    assert "JAUAP_MASTER_KEY" in refused({"JAUAP_ENVIRONMENT": "production"})


def test_the_environment_is_not_guessed() -> None:
    assert "environment" in refused()


def test_a_sandbox_once_begun_is_found_again_without_a_flag() -> None:
    key = sandbox().master_key
    again = load(None, {})
    assert again.environment is Environment.SANDBOX
    assert again.master_key == key


def test_the_key_of_the_sandbox_is_for_its_owner_only() -> None:
    settings = sandbox()
    mode = (settings.paths.data / "master.key").stat().st_mode
    assert stat.S_IMODE(mode) == 0o600
    assert len(settings.master_key) == 32


def test_a_wrong_configuration_makes_no_key() -> None:
    refused({"JAUAP_SERVER_PORT": "70000"}, force_sandbox=True)
    assert not Path("var/master.key").exists()


def test_a_master_key_may_come_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(KEY + "\n")
    environ = {
        "JAUAP_ENVIRONMENT": "production",
        "JAUAP_MASTER_KEY_FILE": str(tmp_path / "key"),
        "JAUAP_OLD_MASTER_KEYS": f"{KEY},{KEY}",
    }
    settings = load(None, environ)
    assert settings.master_key == bytes(range(32))
    assert list(settings.old_master_keys) == [0, 1]


def test_secrets_stay_out_of_the_printed_settings() -> None:
    environ = {**PRODUCTION, "JAUAP_LEDGER_URL": "postgresql://u:hunter2@h/d"}
    printed = repr(load(None, environ))
    assert "hunter2" not in printed
    assert repr(bytes(range(32))) not in printed


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("postgres://h/d", "postgresql://h/d"),
        ("postgresql://h/d", "postgresql://h/d"),
        ("postgresql+psycopg://h/d", "postgresql://h/d"),
        ("postgresql://u@h:1,i:2/d", "postgresql://u@h:1,i:2/d"),
        ("postgresql://h:5/d?user=u@v", "postgresql://h:5/d?user=u@v"),
        ("postgresql://u:a%40b@h/d", "postgresql://u:a%40b@h/d"),
        (
            "postgresql://u:50%c /:?#Ә@h/d?host=/r",
            "postgresql://u:50%25c%20%2F%3A%3F%23%D3%98@h/d?host=/r",
        ),
    ],
)
def test_a_ledger_url_is_spelled_as_postgresql_reads_it(written: str, read: str) -> None:
    assert sandbox({"JAUAP_LEDGER_URL": written}).ledger.url == read


def test_paths_in_the_file_count_from_the_file(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    config = tmp_path / "etc" / "jauap.toml"
    config.write_text('environment = "sandbox"\n[paths]\ndata = "here"')
    assert load(config, {}).paths.data == tmp_path / "etc" / "here"
    assert load(config, {"JAUAP_PATHS_DATA": "there"}).paths.data == tmp_path / "there"


def test_a_data_path_that_is_a_file_is_reported() -> None:
    Path("var").write_text("")
    assert "paths.data" in refused(force_sandbox=True)


def test_bind_passwords_in_the_environment_are_not_ours_to_judge() -> None:
    environ = {"JAUAP_KCELL_1_PASSWORD": "x", "JAUAP_PATHS_PASSWORD": "x", "HOME": "/"}
    assert sandbox(environ).is_sandbox


def test_a_half_configured_oidc_names_what_is_missing() -> None:
    found = refused({"JAUAP_OIDC_ISSUER": "https://id.example"}, force_sandbox=True)
    assert set(found) == {"oidc.audience", "oidc.jwks_url"}


def test_a_file_that_is_not_there_or_not_toml_is_one_clear_finding(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="No such file"):
        load(tmp_path / "none.toml", {})
    Path("jauap.toml").write_text("environment = sandbox")
    assert "TOML" in refused()["--config"]


def test_a_child_reads_the_same_settings_from_its_environment() -> None:
    flags: dict[str, object] = {"sending.hours": "08:00-20:00", "sandbox.time_scale": 4320}
    settings = load(None, {}, flags, force_sandbox=True)
    assert load(None, {**os.environ, **settings.as_environ()}) == settings


@pytest.mark.parametrize("hours", ["9-21", "09:00-25:00", "09:00", "", "09:00-09:00", "never"])
def test_hours_that_are_no_hours_are_refused(hours: str) -> None:
    assert "sending.hours" in refused({"JAUAP_SENDING_HOURS": hours}, force_sandbox=True)
