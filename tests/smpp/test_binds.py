"""binds.toml: what is right loads, and everything that is wrong is said at once."""

from pathlib import Path

import pytest

from smpp.binds import Bind, BindsError, BindUssd, Tls, load

EXAMPLE = Path(__file__).parents[2] / "smpp" / "binds.example.toml"
LEAST = """
[[bind]]
cid = "a"
network = "kcell"
host = "smsc.example"
port = 2775
system_id = "jauap"
password_env = "PASSWORD"
"""
ENV = {"PASSWORD": "secret"}


def read(folder: Path, text: str, env: dict[str, str] = ENV) -> tuple[Bind, ...]:
    path = folder / "binds.toml"
    path.write_text(text, encoding="utf-8")
    return load(path, env)


def problems(folder: Path, text: str, env: dict[str, str] = ENV) -> list[str]:
    with pytest.raises(BindsError) as refused:
        read(folder, text, env)
    assert str(refused.value).count(str(folder / "binds.toml")) == len(refused.value.problems)
    return [str(problem) for problem in refused.value.problems]


def test_the_example_loads_and_shows_every_default() -> None:
    (bind,) = load(EXAMPLE, {"JAUAP_KCELL_1_PASSWORD": "secret"})
    assert bind == Bind(
        cid="kcell-1",
        network="kcell",
        host="127.0.0.1",
        port=2775,
        system_id="jauap",
        password="secret",
        prefixes=("7701", "7702", "7775", "7778"),
    )


def test_the_example_names_every_key() -> None:
    text = EXAMPLE.read_text(encoding="utf-8")
    keys = set(Bind.__dataclass_fields__) - {"password"} | {"password_env", "password_file"}
    assert [key for key in sorted(keys) if f"\n{key} =" not in text.replace("# ", "")] == []


def test_a_bind_never_shows_its_password(tmp_path: Path) -> None:
    assert "secret" not in repr(read(tmp_path, LEAST))


def test_a_password_may_come_from_a_file_beside_the_toml(tmp_path: Path) -> None:
    (tmp_path / "pass").write_text("hush\n")
    text = LEAST.replace('password_env = "PASSWORD"', 'password_file = "pass"')
    assert read(tmp_path, text)[0].password == "hush"


def test_tables_and_lists_are_read(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("")
    pin = "ab" * 32
    text = LEAST + (
        f'tls = {{ ca = "ca.pem", pin_sha256 = "{pin}" }}\n'
        'ussd = { service_code = "*1414#" }\ndata_coding_in = { "0" = "ascii", "0xF1" = "gsm7" }\n'
        'receipt_time_zone = "Asia/Almaty"\nthroughput = 12.5\n'
    )
    (bind,) = read(tmp_path, text)
    assert bind.tls == Tls(ca=tmp_path / "ca.pem", pin_sha256=pin)
    assert bind.ussd == BindUssd("*1414#")
    assert bind.data_coding_in == {"0": "ascii", "241": "gsm7"}
    assert (bind.receipt_time_zone, bind.throughput) == ("Asia/Almaty", 12.5)


def test_a_gateways_own_ways_of_ussd_are_read(tmp_path: Path) -> None:
    ways = (
        'ussd = { service_code = "*1414#", pdu = "data_sm", data_coding = "sms", timeout = 10, '
        'session_tlv = "0x1400", ops = { pssr_response = 130 } }'
    )
    (bind,) = read(tmp_path, LEAST + ways)
    assert bind.ussd == BindUssd("*1414#", "data_sm", "sms", 0x1400, {"pssr_response": 130}, 10)


def test_all_faults_of_all_binds_are_listed_together(tmp_path: Path) -> None:
    found = problems(tmp_path, LEAST + 'windo = 3\nport2 = 1\nlong_message = "udh"\n' + LEAST)
    assert [line.split(": ")[0] for line in found] == [
        "bind[1] (a).windo",
        "bind[1] (a).port2",
        "bind[1] (a).long_message",
        "bind[2] (a).cid",
    ]
    assert "expected window" in found[0]
    assert "'udh', expected one of udh8, udh16, sar, payload" in found[2]
    assert "which bind[1] (a) has too" in found[3]


@pytest.mark.parametrize(
    ("line", "key"),
    [
        ('system_id = "sixteen-letters!"', "system_id"),
        ('system_id = "жауап"', "system_id"),
        ("port = 70000", "port"),
        ("port = true", "port"),
        ('cid = ""', "cid"),
        ("cid = 5", "cid"),
    ],
)
def test_a_value_that_smpp_cannot_carry_is_refused(tmp_path: Path, line: str, key: str) -> None:
    kept = [one for one in LEAST.splitlines() if not one.startswith(line.split(" ")[0])]
    (found,) = problems(tmp_path, "\n".join([*kept, line]))
    assert f".{key}: found " in found


@pytest.mark.parametrize(
    "line",
    [
        'bind = "both"',
        "source_addr_ton = 7",
        "dest_addr_npi = 2",
        "dest_addr_npi = 1.0",
        "source_addr_ton = 5\nsource_addr = 'twelve chars'",
        'tls = "yes"',
        'tls = { ca = "nowhere.pem" }',
        'tls = { pin_sha256 = "abc" }',
        'tls = { certificate = "x" }',
        "window = 0",
        "throughput = -1",
        "enquire_link_interval = 0",
        'response_timeout = "10"',
        "reconnect_delay = 90",
        "validity_period = 1.5",
        "receipts = 1",
        'receipt_time_zone = "Almaty"',
        'message_id = "hex"',
        'data_coding_in = { "0" = "koi8" }',
        'data_coding_in = { "256" = "gsm7" }',
        "data_coding_in = [1]",
        'ussd = { code = "*1#" }',
        "ussd = true",
        'prefixes = ["+7701"]',
        "query = 1",
        'interface_version = "5.0"',
        'interface_version = "3.3"\nlong_message = "sar"',
        'interface_version = "3.3"\nussd = { service_code = "*1414#" }',
        'ussd = { service_code = "1414x" }',
        'ussd = { service_code = "*1414#", pdu = "deliver_sm" }',
        'ussd = { service_code = "*1414#", op = { pssr_response = 17 } }',
        'ussd = { service_code = "*1414#", ops = { pssr = 17 } }',
        'ussd = { service_code = "*1414#", ops = { pssr_response = 256 } }',
        'ussd = { service_code = "*1414#", session_tlv = "1383" }',
        'ussd = { service_code = "*1414#", timeout = 0 }',
    ],
)
def test_a_wrong_optional_value_is_one_problem(tmp_path: Path, line: str) -> None:
    assert len(problems(tmp_path, LEAST + line)) == 1


def test_a_long_password_is_refused_without_being_shown(tmp_path: Path) -> None:
    (found,) = problems(tmp_path, LEAST, {"PASSWORD": "ninechars"})
    assert "9 characters" in found
    assert "ninechars" not in found


@pytest.mark.parametrize(
    ("text", "env", "said"),
    [
        (LEAST, {}, "no PASSWORD in the environment"),
        (LEAST + 'password_file = "x"', ENV, "password_env and password_file"),
        (LEAST.replace('password_env = "PASSWORD"', 'password_file = "x"'), ENV, "No such file"),
        (LEAST.replace('password_env = "PASSWORD"', ""), ENV, "found nothing"),
        (LEAST.replace("PASSWORD", ""), ENV, "in the environment"),
    ],
)
def test_a_missing_password_is_said(
    tmp_path: Path, text: str, env: dict[str, str], said: str
) -> None:
    (found,) = problems(tmp_path, text, env)
    assert said in found


def test_a_password_in_the_file_itself_is_refused(tmp_path: Path) -> None:
    (found,) = problems(tmp_path, LEAST + 'password = "secret"')
    assert "no secrets in this file" in found
    assert "'secret'" not in found


@pytest.mark.parametrize("text", ["", "bind = 1", "[bind]\ncid = 'a'", "[[bind]\n", "bind = [1]"])
def test_a_file_without_binds_is_refused(tmp_path: Path, text: str) -> None:
    assert len(problems(tmp_path, text)) == 1


def test_a_key_outside_the_binds_is_refused(tmp_path: Path) -> None:
    (found,) = problems(tmp_path, "colour = 1\n" + LEAST)
    assert found.startswith("colour: found an unknown key")


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(BindsError, match=r"nowhere\.toml: file"):
        load(tmp_path / "nowhere.toml", {})


def test_nothing_but_the_required_keys_is_required(tmp_path: Path) -> None:
    missing = problems(tmp_path, "[[bind]]\n")
    assert [line.split(".")[1].split(":")[0] for line in missing] == [
        *("cid", "network", "host", "port", "system_id", "password_env")
    ]
