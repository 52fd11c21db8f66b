"""A fingerprint of the code that a stage really reaches.

Over the syntax trees (comments, docstrings and formatting do not count) of the modules of this package that
an entry point reaches by import, and the locked versions of the libraries that decide numbers. A registry
loads its entries by name, which is no import statement: a cell adds the modules of the entries it names, so
a new method, noise or network disturbs no other cell.
"""

import ast
import hashlib
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
NUMERICAL = {  # import name: name in requirements.lock
    "numpy": "numpy",
    "PIL": "pillow",
    "scipy": "scipy",
    "sklearn": "scikit-learn",
    "statsmodels": "statsmodels",
    "cleanlab": "cleanlab",
    "torch": "torch",
    "torchvision": "torchvision",
}


def code_digest(script: str, entries: Iterable[str] = ()) -> str:
    """Return 12 hexadecimal digits for a script of workflow/scripts and the registry modules its cell names."""
    return _digest(script, tuple(sorted(set(entries))))


def code_parts(script: str, entries: Iterable[str] = ()) -> dict[str, str]:
    """Return what a digest is made of: module (or library) -> its own fingerprint or version."""
    return dict(_parts(script, tuple(sorted(set(entries)))))


@cache
def _digest(script: str, entries: tuple[str, ...]) -> str:
    return hashlib.sha256(repr(_parts(script, entries)).encode()).hexdigest()[:12]


@cache
def _parts(script: str, entries: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    paths = _reached([ROOT / "workflow" / "scripts" / script, *map(module_path, entries)])
    own = {str(path.relative_to(ROOT)): _fingerprint(path) for path in paths}
    libraries = {name for path in paths for name in _imports(path) if name in NUMERICAL}
    versions = locked_versions()
    return tuple(sorted({**own, **{NUMERICAL[name]: versions[NUMERICAL[name]] for name in libraries}}.items()))


def module_path(module: str) -> Path:
    """Return the file of a module of this package."""
    base = ROOT.joinpath(*module.split("."))
    return base / "__init__.py" if base.is_dir() else base.with_suffix(".py")


def _reached(start: list[Path]) -> list[Path]:
    found: set[Path] = set()
    waiting = list(start)
    while waiting:
        path = waiting.pop()
        if path not in found:
            found.add(path)
            waiting += [module_path(name) for name in _imports(path) if name.startswith("smearlab.")]
    return sorted(found)


@cache
def _imports(path: Path) -> frozenset[str]:
    """Return the modules a file imports anywhere in it: smearlab.* in full, others by their first name."""
    names: set[str] = set()
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module)
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    own = {name for name in names if name.startswith("smearlab.") and module_path(name).is_file()}
    return frozenset(own | {name.partition(".")[0] for name in names})


@cache
def _tree(path: Path) -> ast.Module:
    tree = ast.parse(path.read_text(encoding="utf-8"), filename=str(path))
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            node.body = [s for s in node.body if not _is_text(s)] or [ast.Pass()]
    return tree


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


@cache
def _fingerprint(path: Path) -> str:
    return hashlib.sha256(repr(_plain(_tree(path))).encode()).hexdigest()[:12]


def _plain(node: Any) -> Any:
    """Return a tree as nested tuples without positions and empty fields, the same under every Python version."""
    if isinstance(node, ast.AST):
        fields = [(name, _plain(value)) for name, value in ast.iter_fields(node) if value not in (None, [])]
        return (type(node).__name__, *fields)
    if isinstance(node, list):
        return [_plain(item) for item in node]
    return (type(node).__name__, node)


@cache
def locked_versions() -> dict[str, str]:
    """Return the exact versions in requirements.lock."""
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    return dict(re.findall(r"^([a-z0-9][a-z0-9-]*)==([^\s;\\]+)", text, re.MULTILINE))


def source_digest() -> str:
    """Return 12 hexadecimal digits over the whole package, for the report."""
    files = sorted((ROOT / "smearlab").rglob("*.py"))
    return hashlib.sha256(repr([(str(f.relative_to(ROOT)), _fingerprint(f)) for f in files]).encode()).hexdigest()[:12]
