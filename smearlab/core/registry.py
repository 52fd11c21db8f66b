"""What can be named in a config: every module in a registered folder, read from source without importing it.

An entry is a file with one function. Its keyword-only parameters are the options that a config may set, its
module-level literals are metadata, the first line of its docstring describes it. Reading the syntax tree
instead of importing keeps torch out of the Snakemake process and lets a broken entry fail alone.
"""

import ast
import difflib
import importlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from smearlab.core.errors import UserError

PACKAGE = Path(__file__).parents[1]
ENTRY_FUNCTIONS = {
    "datasets": ("load",),
    "noises": ("observe", "transition"),
    "methods": ("loss", "settings"),
    "networks": ("build",),
    "metrics": ("measure",),
    "estimators": ("estimate",),
    "figures": ("draw",),
    "claims": ("check",),
    "optimisers": ("build",),
    "schedules": ("factor",),
    "augmentations": ("augment",),
}
REQUIRED = object()


@dataclass(frozen=True)
class Option:
    """One option of an entry: its annotation as a syntax tree and source text, and its default (or REQUIRED)."""

    name: str
    annotation: ast.expr | None
    text: str
    default: Any


@dataclass(frozen=True)
class Entry:
    """One registered name: its module, description, options and constants."""

    kind: str
    name: str
    module: str
    path: Path
    summary: str
    functions: tuple[str, ...]
    options: dict[str, Option]
    constants: dict[str, Any]


@cache
def names(kind: str) -> tuple[str, ...]:
    """Return the registered names of a kind, sorted."""
    return tuple(sorted(path.stem for path in (PACKAGE / kind).glob("*.py") if not path.stem.startswith("_")))


@cache
def describe(kind: str, name: str) -> Entry:
    """Return what the source of an entry says about it; UserError for a name that is not registered."""
    if name not in names(kind):
        raise UserError(f"unknown {kind.rstrip('s')} {name!r}{suggestion(name, names(kind))}")
    path = PACKAGE / kind / f"{name}.py"
    tree = ast.parse(path.read_text(encoding="utf-8"), filename=str(path))
    functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    entries = [functions[f] for f in ENTRY_FUNCTIONS[kind] if f in functions]
    if not entries:
        raise UserError(f"{path}: an entry of {kind} defines {' or '.join(ENTRY_FUNCTIONS[kind])}()")
    return Entry(
        kind=kind,
        name=name,
        module=f"smearlab.{kind}.{name}",
        path=path,
        summary=(ast.get_docstring(tree) or "").partition("\n")[0],
        functions=tuple(f.name for f in entries),
        options={option.name: option for f in reversed(entries) for option in _options(f)},
        constants=dict(_constants(tree)),
    )


def load(kind: str, name: str) -> ModuleType:
    """Import a registered entry."""
    return importlib.import_module(describe(kind, name).module)


def filled(kind: str, name: str, options: dict[str, Any]) -> dict[str, Any]:
    """Return options with those that were left out because they are neutral (the entry's constant LATER) put back."""
    return {**describe(kind, name).constants.get("LATER", {}), **options}


def without_neutral(kind: str, name: str, options: dict[str, Any]) -> dict[str, Any]:
    """Return options without those of the entry's constant LATER that are neutral: what 0.1.0 would have called it."""
    later = describe(kind, name).constants.get("LATER", {})
    return {key: value for key, value in options.items() if key not in later or value != later[key]}


def build(kind: str, choice: dict[str, Any], *arguments: Any) -> Any:
    """Return what an entry builds: `choice` holds its name, and its options beside it."""
    options = filled(kind, choice["name"], {key: value for key, value in choice.items() if key != "name"})
    return load(kind, choice["name"]).build(*arguments, **options)


def suggestion(name: str, allowed: tuple[str, ...] | list[str]) -> str:
    """Return the tail of an error message: the nearest allowed name, or all of them."""
    near = difflib.get_close_matches(name, allowed, n=1)
    return f"; did you mean {near[0]!r}?" if near else f"; allowed: {', '.join(allowed)}"


def _options(function: ast.FunctionDef) -> list[Option]:
    arguments = function.args
    return [
        Option(
            name=argument.arg,
            annotation=argument.annotation,
            text=ast.unparse(argument.annotation) if argument.annotation else "",
            default=REQUIRED if default is None else ast.literal_eval(default),
        )
        for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    ]


def _constants(tree: ast.Module) -> list[tuple[str, Any]]:
    found = []
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id.isupper():
            try:
                found.append((node.targets[0].id, ast.literal_eval(node.value)))
            except ValueError:
                continue  # a constant that is computed is not metadata
    return found
