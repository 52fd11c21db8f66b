"""Which package may use which: each only those before it, so that the whole can be read from the ground up."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "smearlab"
LAYERS = (
    {"core"},
    {"store"},
    {"host"},
    {
        "augmentations",
        "claims",
        "datasets",
        "estimators",
        "methods",
        "metrics",
        "networks",
        "noises",
        "optimisers",
        "schedules",
    },
    {"training"},
    {"evaluation"},
    {"grid", "statistics"},
    {"figures", "reference", "export"},
    {"report"},
    {"stages", "watch"},
    {"cli"},
    {"__main__"},
)
LEVEL = {name: level for level, names in enumerate(LAYERS) for name in names}
HEAVY = {"torch", "torchvision", "pandas", "matplotlib", "seaborn", "statsmodels", "sklearn"}


def modules() -> list[Path]:
    return sorted(path for path in PACKAGE.rglob("*.py") if path.parent != PACKAGE or path.stem == "__main__")


def package_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(path: Path, *, everywhere: bool = True) -> set[str]:
    """Return the modules that a file imports, those for the type checker alone apart."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    checks = [n for n in ast.walk(tree) if isinstance(n, ast.If) and ast.unparse(n.test) == "TYPE_CHECKING"]
    apart = {id(inner) for node in checks for inner in ast.walk(node)}
    nodes = list(ast.walk(tree)) if everywhere else tree.body
    found: set[str] = set()
    for node in (node for node in nodes if id(node) not in apart):
        if isinstance(node, ast.ImportFrom):
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return found


@pytest.mark.parametrize("path", modules(), ids=[str(path.relative_to(PACKAGE)) for path in modules()])
def test_a_module_uses_only_packages_below_its_own(path: Path) -> None:
    used = {name.split(".")[1] for name in imports(path) if name.startswith("smearlab.")}
    above = {name for name in used - {package_of(path)} if LEVEL[name] >= LEVEL[package_of(path)]}
    assert not above


def test_every_package_has_its_layer_and_nothing_lies_flat() -> None:
    folders = {path.name for path in PACKAGE.iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert folders | {"__main__"} == LEVEL.keys()
    assert {path.name for path in PACKAGE.glob("*.py")} == {"__init__.py", "__main__.py"}


def used_by(path: Path) -> set[str]:
    """Return what may be modules among the imports at the top of a file."""
    return {name for used in imports(path, everywhere=False) for name in (used, used.rpartition(".")[0])}


def test_no_two_modules_use_each_other() -> None:
    names = {".".join(("smearlab", *path.relative_to(PACKAGE).with_suffix("").parts)): path for path in modules()}
    uses = {
        name: {other for used in imports(path, everywhere=False) for other in (used, used.rpartition(".")[0])}
        & names.keys()
        for name, path in names.items()
    }
    done: set[str] = set()

    def visit(name: str, above: tuple[str, ...]) -> None:
        assert name not in above, " -> ".join((*above, name))
        if name not in done:
            for other in sorted(uses[name]):
                visit(other, (*above, name))
            done.add(name)

    for name in sorted(names):
        visit(name, ())


@pytest.mark.parametrize("package", ["core", "store", "host", "grid"])
def test_what_a_plan_needs_loads_no_heavy_library(package: str) -> None:
    exempt = {"core/smearing.py", "store/tables.py", "store/measure.py"}  # used by stages, not by the plan
    for path in (PACKAGE / package).rglob("*.py"):
        if str(path.relative_to(PACKAGE)) not in exempt:
            assert not {name.partition(".")[0] for name in imports(path, everywhere=False)} & HEAVY, path
