"""What holds for every module of the package, read from its source."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[2] / "src" / "parlour"
MODULES = sorted(SOURCE.rglob("*.py"))
MAX_LINES = 450
VAGUE = {"utils", "util", "helpers", "helper", "common", "misc", "base"}


def name_of(module: Path) -> str:
    return module.relative_to(SOURCE).as_posix()


def imports(tree: ast.AST) -> Iterator[str]:
    """Every module that a source imports, and every name that it takes from one, dotted."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def reads_environment(source: str) -> bool:
    """Whether a source names `os.environ` or `os.getenv`, however it came by them."""
    tree = ast.parse(source)
    names = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    return bool({"environ", "environb", "getenv"} & names | {"os.environ", "os.getenv"} & set(imports(tree)))


def names_an_adapter(source: str) -> bool:
    """Whether a source imports from a service's adapters."""
    return any(".adapters." in f"{name}." and name.startswith("parlour.") for name in imports(ast.parse(source)))


def test_only_the_settings_read_the_environment() -> None:
    assert [name_of(each) for each in MODULES if reads_environment(each.read_text())] == ["config.py"]


def test_only_the_composition_root_names_an_adapter() -> None:
    """Adapters may lean on each other."""
    naming = {name_of(each) for each in MODULES if names_an_adapter(each.read_text())}
    assert {name.partition("/")[0] for name in naming if "adapters/" not in name} == {"app"}


@pytest.mark.parametrize("module", MODULES, ids=name_of)
def test_module_is_of_a_size_to_be_read(module: Path) -> None:
    assert len(module.read_text().splitlines()) <= MAX_LINES


@pytest.mark.parametrize("module", MODULES, ids=name_of)
def test_module_says_what_it_is(module: Path) -> None:
    """In its name and in the first line of its docstring."""
    assert module.stem not in VAGUE
    assert not VAGUE & set(module.relative_to(SOURCE).parts)
    source = module.read_text()
    docstring = ast.get_docstring(ast.parse(source))
    assert docstring, "a module has a docstring"
    assert docstring.splitlines()[0].endswith((".", ":"))


@pytest.mark.parametrize("module", MODULES, ids=name_of)
def test_module_promises_nothing(module: Path) -> None:
    for word in ("TO" + "DO", "FIX" + "ME", "XX" + "X", "NotImplementedError"):
        assert word not in module.read_text()


@pytest.mark.parametrize(
    "planted",
    [
        "import os\nos.environ['A']",
        "from os import environ\nenviron['A']",
        "import os\nos.getenv('A')",
        "import os as system\nsystem.environ.get('A')",
    ],
)
def test_reading_the_environment_is_found(planted: str) -> None:
    assert reads_environment(planted)


@pytest.mark.parametrize(
    "planted",
    [
        "from parlour.chat.adapters.memory import MemoryBroker",
        "import parlour.auth.adapters.argon2",
        "from parlour.chat import adapters",
        "def late():\n    from parlour.auth.adapters.sql import SqlAccountStore",
    ],
)
def test_naming_an_adapter_is_found(planted: str) -> None:
    assert names_an_adapter(planted)
