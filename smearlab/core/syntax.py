"""A module's source as forms: nested tuples of what its statements do, with its mentions of other code marked.

A form leaves out what decides no number: positions, docstrings, annotations, the words of errors and of log lines.
What a name stands for is found by Python's rules of scope: a variable that shares its name with a function mentions
nothing.
"""

import ast
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from typing import Any, NamedTuple

EFFECTS = ""  # the name of what a module does besides defining names
LOGGING = ("log", "print")  # a call of these whose value nobody uses only writes a line
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
SCOPES = (*FUNCTIONS, *COMPREHENSIONS, ast.ClassDef)


class Symbol(NamedTuple):
    """A name that a module of ours defines; with the name EFFECTS, what it does besides."""

    module: str
    name: str


class Library(NamedTuple):
    """Something of another package: the package, and the name in it."""

    name: str
    what: str


Meaning = Symbol | Library | None  # of a name: None is a variable
Scope = dict[str, Meaning]


class Module:
    """One module: the names it defines, what it imports, and the form of each."""

    def __init__(self, name: str, tree: ast.Module, is_module: Callable[[str], bool]) -> None:
        self.name, self.is_module = name, is_module
        self.statements = [s for s in tree.body if not _is_text(s) and not _is_for_types(s)]
        self.imported = self._imports(self.statements)

    @cached_property
    def defined(self) -> dict[str, list[ast.stmt]]:
        """The statements that define each name, imports apart."""
        found: dict[str, list[ast.stmt]] = {}
        for statement in self.statements:
            if not isinstance(statement, (ast.Import, ast.ImportFrom)):
                for name in _bound([statement]):
                    found.setdefault(name, []).append(statement)
        return found

    @cached_property
    def has_effects(self) -> bool:
        """Whether the module does something besides importing and defining."""
        return bool(self._effects)

    def form(self, name: str) -> Any:
        """Return the form of all statements that define a name, or of the module's effects."""
        statements = self._effects if name == EFFECTS else self.defined.get(name)
        if statements is None:
            raise KeyError(f"{self.name} defines no {name}")
        globals_: Scope = {defined: Symbol(self.name, defined) for defined in self.defined}
        return tuple(self._form(statement, [globals_ | self.imported], name) for statement in statements)

    @cached_property
    def _effects(self) -> list[ast.stmt]:
        plain = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
        return [s for s in self.statements if not isinstance(s, plain) and not _only_assigns(s)]

    def _imports(self, statements: Iterable[ast.AST]) -> Scope:
        found: Scope = {}
        for node in statements:
            if isinstance(node, ast.Import):
                for alias in node.names:
                    first = alias.name.partition(".")[0]
                    found[alias.asname or first] = Library(first, alias.name if alias.asname else first)
            elif isinstance(node, ast.ImportFrom) and node.module != "__future__":
                for alias in node.names:
                    found[alias.asname or alias.name] = self._imported(str(node.module), alias.name)
        return found

    def _imported(self, module: str, name: str) -> Meaning:
        ours = self.name.partition(".")[0]
        if module.partition(".")[0] == ours:
            return Symbol(module, name)
        return Library(module.partition(".")[0], f"{module}.{name}")

    def _form(self, node: Any, scopes: list[Scope], defining: str = "") -> Any:
        """Return the form of a node, seen from inside these scopes; the name that it defines does not count."""
        if isinstance(node, list):
            return tuple(self._form(item, scopes) for item in node if not _is_silent(item))
        if not isinstance(node, ast.AST):
            return (type(node).__name__, node)
        node = _without_words(node)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            return self._meaning(node.id, scopes) or ("name", node.id)
        if isinstance(node, ast.Attribute) and (mentioned := self._attribute(node, scopes)):
            return mentioned
        if isinstance(node, SCOPES):
            return self._scope(node, scopes, defining)
        fields = [(name, self._form(value, scopes)) for name, value in _fields(node)]
        return (type(node).__name__, *_without_name(node, fields, defining))

    def _scope(self, node: Any, scopes: list[Scope], defining: str) -> Any:
        """Return the form of what opens a scope; decorators and defaults are seen from outside of it."""
        inner = [*scopes, self._own_scope(node)]
        parts: list[Any] = [type(node).__name__]
        if isinstance(node, ast.ClassDef) or (hasattr(node, "name") and node.name != defining):
            parts.append(node.name if node.name != defining else "")
        for name, value in _fields(node):
            if name == "name":
                continue
            outside = name in ("decorator_list", "bases", "keywords")
            parts.append((name, self._form(value, scopes if outside else inner)))
        return tuple(parts)

    def _own_scope(self, node: Any) -> Scope:
        """Return what the names bound in a scope stand for in it: a variable, or what is imported there."""
        if isinstance(node, ast.ClassDef):
            return {}  # methods do not see the names of their class
        own: Scope = {}
        if isinstance(node, FUNCTIONS):
            own |= dict.fromkeys(argument.arg for argument in _arguments(node))
        body = node.body if isinstance(getattr(node, "body", None), list) else [node]
        own |= dict.fromkeys(_bound(body, inside=not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))))
        imports = [n for statement in body for n in _within(statement) if isinstance(n, (ast.Import, ast.ImportFrom))]
        return own | self._imports(imports)

    def _meaning(self, name: str, scopes: list[Scope]) -> Meaning:
        return next((scope[name] for scope in reversed(scopes) if name in scope), None)

    def _attribute(self, node: ast.Attribute, scopes: list[Scope]) -> Meaning:
        """Return what `module.name` stands for, where module is one of ours that was imported."""
        if not isinstance(node.value, ast.Name):
            return None
        owner = self._meaning(node.value.id, scopes)
        if isinstance(owner, Symbol) and self.is_module(f"{owner.module}.{owner.name}"):
            return Symbol(f"{owner.module}.{owner.name}", node.attr)
        return None


def _fields(node: ast.AST) -> Iterator[tuple[str, Any]]:
    """Yield the fields of a node that hold something, annotations apart."""
    for name, value in ast.iter_fields(node):
        if value not in (None, []) and name not in ("annotation", "returns", "type_comment", "ctx"):
            yield name, value


def _without_name(node: ast.AST, fields: list[tuple[str, Any]], defining: str) -> list[tuple[str, Any]]:
    """Leave out the targets of a plain assignment at the top of a module, whose name does not count."""
    if defining and isinstance(node, ast.Assign) and all(isinstance(target, ast.Name) for target in node.targets):
        return [(name, value) for name, value in fields if name != "targets"]
    return fields


def _without_words(node: ast.AST) -> ast.AST:
    """Return a node without what it only says: the message of an error, a docstring, a cast for the type checker."""
    match node:
        case ast.Raise(exc=ast.Call(func=what), cause=cause):
            return ast.Raise(exc=what, cause=cause)
        case ast.Assert(test=test):
            return ast.Assert(test=test, msg=None)
        case ast.AnnAssign(target=target, value=value) if value is not None:
            return ast.Assign(targets=[target], value=value)
        case ast.Call(func=ast.Name(id="cast"), args=[_, value], keywords=[]):
            return value
    return node


def _is_silent(node: Any) -> bool:
    """Return whether a statement decides nothing: a docstring, a line of a log, an import, pass."""
    if isinstance(node, (ast.Import, ast.ImportFrom, ast.Pass)) or _is_text(node):
        return True
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and node.value.value is ...:
        return True
    if not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)):
        return False
    called = node.value.func
    name = called.id if isinstance(called, ast.Name) else called.attr if isinstance(called, ast.Attribute) else ""
    return name in LOGGING


def _is_text(node: Any) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _is_for_types(node: ast.stmt) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def _only_assigns(node: ast.stmt) -> bool:
    """Return whether a statement at the top of a module does nothing but give names to values."""
    if isinstance(node, ast.Assign):
        return all(isinstance(target, (ast.Name, ast.Tuple)) for target in node.targets)
    return isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)


def _arguments(node: Any) -> list[ast.arg]:
    of = node.args
    return [*of.posonlyargs, *of.args, *of.kwonlyargs, *filter(None, (of.vararg, of.kwarg))]


def _bound(statements: Iterable[ast.AST], *, inside: bool = False) -> list[str]:
    """Return the names that statements bind in their own scope, in order; inside: also where one is a scope itself."""
    found: dict[str, None] = {}
    declared: set[str] = set()
    for statement in statements:
        for node in _within(statement, inside=inside):
            match node:
                case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
                    found[name] = None
                case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                    found[name] = None
                case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
                    found[name] = None
                case ast.MatchMapping(rest=str(name)):
                    found[name] = None
                case ast.Global(names=names) | ast.Nonlocal(names=names):
                    declared |= set(names)
    return [name for name in found if name not in declared]


def _within(node: ast.AST, *, inside: bool = False) -> Iterator[ast.AST]:
    """Yield a node and what it holds, without going into scopes below it; inside: the node's own scope is entered."""
    yield node
    if isinstance(node, SCOPES) and not inside:
        return
    for child in ast.iter_child_nodes(node):
        yield from _within(child)
