"""Code of this package as one file that needs nothing of it: what a function reaches, each definition as it is written.

The definitions are followed from name to name, like the digest of a result's code (core/digest.py), but kept as text,
with docstrings and comments. What configs are checked with, `Annotated[float, Field(…)]`, is left out of annotations.
"""

import ast
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

from smearlab.core.digest import PACKAGE, is_module, module_path
from smearlab.core.errors import UserError


class Definition(NamedTuple):
    """A name at the top of a module of this package."""

    module: str
    name: str


class Source:
    """A module's text, its definitions by name and its imports by the name that they give."""

    def __init__(self, module: str) -> None:
        self.module = module
        self.text = module_path(module).read_text(encoding="utf-8")
        self.lines = self.text.splitlines()
        self.defined: dict[str, ast.stmt] = {}
        self.own: dict[str, Definition] = {}
        self.libraries: dict[str, str] = {}
        self.refused: dict[str, str] = {}
        for statement in _statements(ast.parse(self.text)):
            self._read(statement)

    def _read(self, statement: ast.stmt) -> None:
        match statement:
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                self.defined[name] = statement
            case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
                self.defined[name] = statement
            case ast.Import(names=names):
                self.libraries |= {n.asname or n.name.partition(".")[0]: f"import {_alias(n)}" for n in names}
            case ast.ImportFrom(module=str(module), names=names) if module != "__future__":
                for name_ in names:
                    self._import(module, name_)

    def _import(self, module: str, name: ast.alias) -> None:
        known = name.asname or name.name
        if module.partition(".")[0] != PACKAGE:
            self.libraries[known] = f"from {module} import {_alias(name)}"
        elif is_module(f"{module}.{name.name}") or known != name.name:
            self.refused[known] = f"it uses {module}.{name.name} as {known}"
        else:
            self.own[known] = Definition(module, name.name)

    def code(self, name: str) -> str:
        """Return the text of a definition with its decorators and the comments right above it."""
        node = self.defined[name]
        first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))]) - 1
        while first and self.lines[first - 1].startswith("#"):
            first -= 1
        text = "\n".join(self.lines[first : node.end_lineno])
        return _without_checks(text, node, self.text)


def standalone(starts: list[Definition], imports: tuple[str, ...] = ()) -> str:
    """Return one file's text with the definitions of `starts` and all that they reach, imports first.

    imports: lines that what is added to the text needs.
    UserError where two of them have one name, or a module of this package is used as a whole or inside a function.
    """
    order: dict[Definition, None] = {}
    libraries: dict[str, str] = {}
    for start in starts:
        _follow(start, order, libraries)
    _refuse_equal_names(list(order), libraries)
    lines = "\n".join(_sorted({*libraries.values(), *imports}))
    blocks = [_source(d.module).code(d.name) for d in order]
    return f"from __future__ import annotations\n\n{lines}\n\n\n" + "\n\n\n".join(blocks) + "\n"


def functions(module: str) -> dict[str, ast.FunctionDef]:
    """Return the functions at the top of a module of this package, by name, without importing it."""
    return {name: node for name, node in _source(module).defined.items() if isinstance(node, ast.FunctionDef)}


def _follow(wanted: Definition, order: dict[Definition, None], libraries: dict[str, str]) -> None:
    """Put a definition behind all those that it mentions; a definition met on the way to itself is passed over."""
    waiting: set[Definition] = set()

    def visit(definition: Definition) -> None:
        definition = _defining(definition)
        if definition in order or definition in waiting:
            return
        waiting.add(definition)
        source = _source(definition.module)
        for name in _mentioned(source.defined[definition.name], source):
            if name in source.refused:
                raise _no_single_file(definition.module, source.refused[name])
            if name in source.libraries:
                libraries[name] = source.libraries[name]
            elif name in source.own:
                visit(source.own[name])
            elif name in source.defined and name != definition.name:
                visit(Definition(definition.module, name))
        order[definition] = None

    visit(wanted)


def _defining(definition: Definition) -> Definition:
    """Return where a name is defined, through modules that only pass it on."""
    source = _source(definition.module)
    if definition.name in source.defined:
        return definition
    if definition.name not in source.own:
        raise _no_single_file(definition.module, f"it defines no {definition.name}")
    return _defining(source.own[definition.name])


def _mentioned(node: ast.stmt, source: Source) -> Iterator[str]:
    """Yield the names that a definition mentions, those of its annotations too; what only checks a config apart."""
    checks = {id(n) for check in _checks(node) for n in ast.walk(check) if n is not check.slice}
    kept = {id(n) for check in _checks(node) for n in ast.walk(_plain(check))}
    for inner in ast.walk(node):
        if isinstance(inner, ast.ImportFrom) and str(inner.module).partition(".")[0] == PACKAGE:
            raise _no_single_file(source.module, f"it imports {inner.module} in a function")
        if isinstance(inner, ast.Name) and (id(inner) not in checks or id(inner) in kept):
            yield inner.id


def _refuse_equal_names(found: list[Definition], libraries: dict[str, str]) -> None:
    by_name: dict[str, str] = {}
    for definition in found:
        other = by_name.setdefault(definition.name, definition.module)
        if other != definition.module or definition.name in libraries:
            raise _no_single_file(definition.module, f"{definition.name} is also a name of {other}")


def _no_single_file(module: str, why: str) -> UserError:
    return UserError(f"{module.replace('.', '/')}.py: its code cannot be written as one file: {why}")


def _checks(node: ast.AST) -> list[ast.Subscript]:
    """Return the annotations `Annotated[…]` in a definition."""
    found = (n for n in ast.walk(node) if isinstance(n, ast.Subscript) and isinstance(n.value, ast.Name))
    return [n for n in found if isinstance(n.value, ast.Name) and n.value.id == "Annotated"]


def _plain(check: ast.Subscript) -> ast.expr:
    return check.slice.elts[0] if isinstance(check.slice, ast.Tuple) else check.slice


def _without_checks(text: str, node: ast.stmt, whole: str) -> str:
    for check in _checks(node):
        written, plain = ast.get_source_segment(whole, check), ast.get_source_segment(whole, _plain(check))
        text = text.replace(str(written), str(plain))
    return text


def _statements(tree: ast.Module) -> Iterator[ast.stmt]:
    """Yield the statements at the top of a module, with those that are for the type checker alone."""
    for statement in tree.body:
        if isinstance(statement, ast.If) and ast.unparse(statement.test) == "TYPE_CHECKING":
            yield from statement.body
        else:
            yield statement


def _alias(name: ast.alias) -> str:
    return f"{name.name} as {name.asname}" if name.asname else name.name


def _sorted(imports: set[str]) -> list[str]:
    return sorted(imports, key=lambda line: (line.startswith("from"), line))


@cache
def _source(module: str) -> Source:
    return Source(module)
