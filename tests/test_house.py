"""The doors of the house: who may import whom, and how long anything may be (DESIGN.md, "Doors").

It reads the source and runs nothing of it.
"""

import ast
import re
import sys
from collections.abc import Iterator
from fnmatch import fnmatch
from functools import cache
from pathlib import Path

import pytest

HOUSE = Path(__file__).parents[1]
ROOMS = ("app", "dialogs", "smpp")
LAW_ROOMS = ("proactive", "wallet", "contact_centre", "state_corporation")
LONGEST_FILE, LONGEST_FUNCTION = 400, 50
RECORDS = ("app/ledger/*", "app/*/records.py", "app/*/records/*")
DOORS = {
    "smpplib": ("smpp/pdu.py",),
    "psycopg": RECORDS,
    "greenlet": ("app/lanes.py",),
    "alembic": ("app/ledger/*",),
    "sqlalchemy": ("app/ledger/engine.py",),  # of migrations alone
    "redis": ("app/conversation/sessions.py", "app/runtime.py", "worker.py"),
    "babel": ("dialogs/engine/wording.py",),
    "starlette": ("app/api/*", "app/*/api.py", "app/main.py"),
    "phonenumbers": ("app/recipients/rules.py",),
    "rq": ("app/runtime.py", "worker.py"),
    "cryptography": ("app/ledger/*", "smpp/link.py", "smpp/tls.py"),
}
SHARED_PACKAGES = ("app", "app.catalogue", "app.conversation")
# What rules may lean on, besides the standard library's pure parts. Only recipients read phones.
RULES_MAY = ("app.calendar", "app.catalogue.model", "app.conversation.window", "smpp.messages")
IMPURE = frozenset(
    "asyncio http io logging multiprocessing os pathlib random secrets select shutil signal socket "
    "sqlite3 ssl subprocess tempfile threading time urllib uuid".split()
)
PURE = (
    "dialogs/*.py",
    "smpp/messages.py",
    "smpp/pdu.py",
    "smpp/session.py",
    "smpp/timers.py",
    "smpp/text.py",
    "smpp/receipts.py",
    "smpp/ussd.py",
    "app/*/rules.py",
    "app/*/rules/*.py",
    "app/conversation/window.py",
)
PURE_MAY = {"dialogs/engine/wording.py": {"pathlib", "os"}, "dialogs/engine/chart.py": {"pathlib"}}


def sources(*roots: str) -> list[Path]:
    """Every Python file of these rooms, and the worker."""
    files = [path for root in roots or ROOMS for path in (HOUSE / root).rglob("*.py")]
    return sorted([*files, HOUSE / "worker.py"] if not roots else files)


def name_of(path: Path) -> str:
    return path.relative_to(HOUSE).as_posix()


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"), str(path))


@cache
def imports_of(path: Path) -> frozenset[str]:
    """Full names: `from app import clock` is app.clock, `from app.clock import Clock` as well as
    app.clock.Clock, so that a door is found whichever way it is opened."""
    package = list(path.relative_to(HOUSE).with_suffix("").parts[:-1])
    found: set[str] = set()
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*above, *([node.module] if node.module else [])])
            found |= {module} | {f"{module}.{alias.name}" for alias in node.names}
    return frozenset(found)


def opens(path: Path, module: str) -> bool:
    """Does the file import `module` or something inside it?"""
    return any(name == module or name.startswith(module + ".") for name in imports_of(path))


def matches(path: Path, patterns: tuple[str, ...]) -> bool:
    return any(fnmatch(name_of(path), pattern) for pattern in patterns)


def through(module: str, files: list[Path]) -> list[str]:
    return [f"{name_of(path)} imports {module}" for path in files if opens(path, module)]


def test_dialogs_import_nothing_of_the_house() -> None:
    files = sources("dialogs")
    assert through("app", files) + through("smpp", files) + through("worker", files) == []


def test_smpp_imports_nothing_of_the_house() -> None:
    files = sources("smpp")
    assert through("app", files) + through("dialogs", files) + through("worker", files) == []


def test_nobody_imports_the_worker() -> None:
    assert through("worker", sources()) == []


@pytest.mark.parametrize("room", LAW_ROOMS)
def test_law_rooms_do_not_import_one_another(room: str) -> None:
    others = [other for other in LAW_ROOMS if other != room]
    files = sources(f"app/{room}")
    assert [line for other in others for line in through(f"app.{other}", files)] == []


@pytest.mark.parametrize("shared", ["ledger", "recipients", "catalogue"])
def test_what_the_law_rooms_share_knows_no_law_room(shared: str) -> None:
    files = sources(f"app/{shared}")
    assert [line for room in LAW_ROOMS for line in through(f"app.{room}", files)] == []


def test_law_rooms_know_only_the_words_of_smpp() -> None:
    files = [path for room in LAW_ROOMS for path in sources(f"app/{room}")]
    foreign = {
        f"{name_of(path)} imports {name}"
        for path in files
        for name in imports_of(path)
        if name.startswith("smpp.") and not name.startswith("smpp.messages")
    }
    assert foreign == set()


def rules() -> list[Path]:
    return [path for path in sources("app") if matches(path, ("app/*/rules.py", "app/*/rules/*"))]


def test_rules_import_only_the_calendar_and_the_model_of_the_catalogue() -> None:
    """And the words of smpp, and the other modules of the same rules."""
    foreign = set()
    for path in rules():
        room = ".".join(path.relative_to(HOUSE).parts[:2]) + ".rules"
        for name in imports_of(path):
            if name.split(".")[0] in sys.stdlib_module_names or name in SHARED_PACKAGES:
                continue
            if name.split(".")[0] == "phonenumbers" and matches(path, DOORS["phonenumbers"]):
                continue
            if not name.startswith((*RULES_MAY, room)):
                foreign.add(f"{name_of(path)} imports {name}")
    assert foreign == set()


def test_what_is_pure_touches_no_file_no_socket_and_no_clock() -> None:
    """`dialogs/*` reaches into engine too, where wording may read its own .po files."""
    found = [
        f"{name_of(path)} imports {name}"
        for path in sources()
        if matches(path, PURE)
        for name in sorted(imports_of(path))
        if name.split(".")[0] in IMPURE - PURE_MAY.get(name_of(path), set())
    ]
    assert found == []


def calls(path: Path) -> Iterator[str]:
    """Names like datetime.now of what the file calls."""
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            yield ast.unparse(node.func)


def test_time_is_an_argument() -> None:
    """Only the clock asks the machine for it, its maker, and smpp, which cannot know the clock."""
    asked = re.compile(r"\b(datetime|date)\.(now|utcnow|today)$|^time\.time$")
    may = ("app/clock.py", "app/runtime.py", "smpp/*")
    found = [
        f"{name_of(path)} calls {call}"
        for path in sources()
        if not matches(path, may)
        for call in calls(path)
        if asked.search(call)
    ]
    assert found == []


def test_sql_is_given_its_now() -> None:
    found = [
        name_of(path)
        for path in sources()
        if re.search(r"\bNOW\(\)|CURRENT_TIMESTAMP|func\.now\(", path.read_text(), re.IGNORECASE)
    ]
    assert found == []


@pytest.mark.parametrize("library", DOORS)
def test_one_door_a_library(library: str) -> None:
    files = [path for path in sources() if not matches(path, DOORS[library])]
    assert through(library, files) == []


def test_only_main_imports_the_api_modules() -> None:
    api = re.compile(r"^app\.(\w+\.)?api(\.|$)")
    found = [
        f"{name_of(path)} imports {name}"
        for path in sources()
        if not matches(path, ("app/main.py", "app/api/*", "app/*/api.py"))
        for name in sorted(imports_of(path))
        if api.match(name)
    ]
    assert found == []


def test_no_file_is_longer_than_four_hundred_lines() -> None:
    lengths = {name_of(p): len(p.read_text().splitlines()) for p in [*sources(), *sources("tests")]}
    assert {name: n for name, n in lengths.items() if n > LONGEST_FILE} == {}


def test_no_function_is_longer_than_fifty_lines() -> None:
    found = {}
    for path in [*sources(), *sources("tests")]:
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or 0) - node.lineno + 1
                if length > LONGEST_FUNCTION:
                    found[f"{name_of(path)}: {node.name}"] = length
    assert found == {}


def test_every_module_says_what_it_is_for() -> None:
    silent = [
        name_of(path)
        for path in sources()
        if path.read_text().strip() and not ast.get_docstring(tree_of(path))
    ]
    assert silent == []


def test_nothing_is_called_utils() -> None:
    words = ("utils", "util", "helpers", "misc")
    files = [*sources(), *sources("tests")]
    assert [name_of(path) for path in files if path.stem in words] == []


def test_nothing_is_left_for_later_and_no_check_is_switched_off() -> None:
    marks = ("TO" + "DO", "FIX" + "ME", "X" + "XX", "no " + "cover", "mark." + "skip", "x" + "fail")
    found = [
        f"{name_of(path)}: {mark}"
        for path in [*sources(), *sources("tests")]
        for mark in marks
        if re.search(rf"\b{re.escape(mark)}", path.read_text())
    ]
    assert found == []


def test_tests_are_sentences() -> None:
    short = [
        f"{name_of(path)}: {node.name}"
        for path in sources("tests")
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name.startswith("test_")
        and node.name.count("_") < 3
    ]
    assert short == []
