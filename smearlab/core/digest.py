"""A fingerprint of the code that decides a result, whatever it is called and wherever it stands.

A stage is followed from its function `run`, name by name: a function counts with the functions, classes and constants
that it mentions, and these with theirs, each by its syntax tree. Names of our own modules, functions and constants are
replaced by the order in which they are met, so moving or renaming one changes nothing. What is not code that decides
numbers does not count: comments, docstrings, formatting, annotations, the words of errors and of log lines, and all of
HOSTING. A registry loads its entries by name, which is no mention: a job adds those that it names, so a new method,
noise or network disturbs no other. Of the libraries mentioned, those in NUMERICAL count with their locked version.
"""

import ast
import hashlib
import json
import os
import re
import sys
from collections.abc import Iterable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from smearlab.core import releases
from smearlab.core.syntax import EFFECTS, Library, Module, Symbol

ROOT = Path(__file__).parents[2]
PACKAGE = "smearlab"
KEPT = Path(".smearlab") / "digests.json"
HOSTING = (  # what hosts a job, refuses it or finds its parts: it hands no number and no array to a stage
    "smearlab.host",
    "smearlab.core.digest",
    "smearlab.core.errors",
    "smearlab.core.jobs",
    "smearlab.core.registry",
    "smearlab.core.releases",
    "smearlab.core.syntax",
)
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
WORDS = ("LABEL", "ORDER", "FAMILY", "STACKS")  # constants of an entry that name it, place it or say what may be asked
Form = tuple[Any, ...]


def code_digest(stage: str, entries: Iterable[str] = ()) -> str:
    """Return 12 hexadecimal digits for a stage (a module of smearlab/stages/) and the entries its job names."""
    return _digest(stage, tuple(sorted(set(entries))))


def code_parts(stage: str, entries: Iterable[str] = ()) -> dict[str, str]:
    """Return what a digest is made of: file (or library) -> its own fingerprint or version."""
    return dict(_parts(stage, tuple(sorted(set(entries)))))


@cache
def root_digest(root: str) -> str:
    """Return the digest of a stage or of an entry, `smearlab.kind.name`, alone; library versions do not count."""
    return _short([(name, _canonical(symbol)) for name, symbol in _starts(root)])


@cache
def _digest(stage: str, entries: tuple[str, ...]) -> str:
    key = " ".join((stage, *entries))
    if key not in _kept():
        _kept()[key] = _computed(stage, entries)
    return _kept()[key]


def _computed(stage: str, entries: tuple[str, ...]) -> str:
    roots = [stage_module(stage), *entries]
    released = releases.digest_of(stage, entries, root_digest, locked_versions())
    standing = sorted(releases.standing(root, root_digest(root)) for root in roots)
    return released or _short([standing, sorted(libraries(roots).items())])


def stage_module(stage: str) -> str:
    """Return the module of a stage."""
    return f"{PACKAGE}.stages.{stage}"


def libraries(roots: Iterable[str]) -> dict[str, str]:
    """Return the locked versions of the numerical libraries that the code of some roots mentions."""
    mentioned = {name for root in roots for symbol in _reached(root) for name in _mentions(symbol)}
    versions = locked_versions()
    return {NUMERICAL[name]: versions[NUMERICAL[name]] for name in mentioned & NUMERICAL.keys()}


@cache
def _parts(stage: str, entries: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    roots = [stage_module(stage), *entries]
    by_file: dict[str, list[str]] = {}
    for symbol in sorted({symbol for root in roots for symbol in _reached(root)}):
        path = str(module_path(symbol.module).relative_to(ROOT))
        pieces = [piece if isinstance(piece, str) else f"own {piece.name}" for piece in _text(symbol)]
        by_file.setdefault(path, []).append(_short([symbol.name, pieces]))
    return tuple(sorted({**{path: _short(own) for path, own in by_file.items()}, **libraries(roots)}.items()))


def _starts(root: str) -> list[tuple[str, Symbol]]:
    """Return what a root is followed from: the function `run` of a stage, all that an entry defines for others."""
    if root.startswith(f"{PACKAGE}.stages."):
        return [("run", Symbol(root, "run"))]
    public = [name for name in _module(root).defined if not name.startswith("_") and name not in WORDS]
    return [(name, Symbol(root, name)) for name in sorted(public)]


def _canonical(start: Symbol) -> str:
    """Return a hash of all forms that a symbol reaches, each mention replaced by the place of what it mentions."""
    places, waiting = {start: 0}, [start]
    digest = hashlib.sha256()
    for symbol in waiting:
        for piece in _text(symbol):
            if isinstance(piece, Symbol) and piece not in places:
                places[piece] = len(places)
                waiting.append(piece)
            digest.update((piece if isinstance(piece, str) else f"own {places[piece]}").encode())
        digest.update(b"\n")
    return digest.hexdigest()


@cache
def _reached(root: str) -> frozenset[Symbol]:
    found = {symbol: None for _, symbol in _starts(root)}
    waiting = list(found)
    for symbol in waiting:
        fresh = [part for part in _text(symbol) if isinstance(part, Symbol) and part not in found]
        found |= dict.fromkeys(fresh)
        waiting += dict.fromkeys(fresh)
    return frozenset(found)


@cache
def _text(symbol: Symbol) -> tuple[str | Symbol, ...]:
    """Return a symbol's form as text, in pieces between its mentions of others."""
    pieces: list[str | Symbol] = []
    written: list[str] = []

    def write(form: Any) -> None:
        if isinstance(form, Symbol):
            pieces.extend(("".join(written), form))
            written.clear()
        elif isinstance(form, tuple) and not isinstance(form, Library):
            written.append("(")
            for item in form:
                write(item)
            written.append(")")
        else:
            written.append(f"{form!r},")

    write(_form(symbol))
    return (*pieces, "".join(written))


@cache
def _mentions(symbol: Symbol) -> frozenset[str]:
    """Return the libraries that a symbol's form mentions."""
    found: set[str] = set()
    waiting: list[Any] = [_form(symbol)]
    while waiting:
        form = waiting.pop()
        if isinstance(form, Library):
            found.add(form.name)
        elif isinstance(form, tuple) and not isinstance(form, Symbol):
            waiting += form
    return frozenset(found)


@cache
def _form(symbol: Symbol) -> Form:
    """Return the form of what a symbol stands for, in which its mentions are the symbols that define them."""
    module = _module(symbol.module)
    form = _resolved(module.form(symbol.name))
    effects = module.has_effects and symbol.name != EFFECTS
    return (form, Symbol(symbol.module, EFFECTS)) if effects else (form,)


def _resolved(form: Any) -> Any:
    """Replace each mention of another module by the symbol that defines it there, or by nothing if it is hosting."""
    if isinstance(form, Symbol):
        return _defining(form)
    return tuple(map(_resolved, form)) if isinstance(form, tuple) and not isinstance(form, Library) else form


@cache
def _defining(symbol: Symbol) -> Any:
    """Return the symbol that defines what another one names, through modules that only pass it on."""
    whole = f"{symbol.module}.{symbol.name}"
    if any(whole == host or whole.startswith(f"{host}.") for host in HOSTING):
        return "hosting"
    if is_module(whole):  # a module as a value: all that it defines
        return tuple(_defining(Symbol(whole, name)) for name in sorted(_module(whole).defined))
    passed_on = _module(symbol.module).imported.get(symbol.name)
    return _defining(passed_on) if isinstance(passed_on, Symbol) else passed_on or symbol


@cache
def module_path(module: str) -> Path:
    """Return the file of a module of this package."""
    base = ROOT.joinpath(*module.split("."))
    return base / "__init__.py" if base.is_dir() else base.with_suffix(".py")


@cache
def is_module(name: str) -> bool:
    """Return whether a dotted name is a module of this package."""
    return name.startswith(f"{PACKAGE}.") and module_path(name).is_file()


@cache
def _module(name: str) -> Module:
    path = module_path(name)
    return Module(name, ast.parse(path.read_text(encoding="utf-8"), filename=str(path)), is_module)


@cache
def locked_versions() -> dict[str, str]:
    """Return the exact versions in requirements.lock."""
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    return dict(re.findall(r"^([a-z0-9][a-z0-9-]*)==([^\s;\\]+)", text, re.MULTILINE))


@cache
def _kept() -> dict[str, str]:
    """Return the digests that an earlier process has taken of this very source, to which new ones are added."""
    with suppress(OSError, ValueError, TypeError, KeyError):
        found = json.loads((ROOT / KEPT).read_text(encoding="utf-8"))
        if found["of"] == _everything():
            return {str(key): str(digest) for key, digest in found["digests"].items()}
    return {}


def keep_digests() -> None:
    """Write down the digests taken so far for the next process: reading all of the source takes seconds."""
    with suppress(OSError):
        place = ROOT / KEPT
        place.parent.mkdir(exist_ok=True)
        beside = place.with_name(f"{place.name}.{os.getpid()}.tmp")
        text = json.dumps({"of": _everything(), "digests": _kept()})
        with open(beside, "x", encoding="utf-8") as file:
            file.write(text)
        os.replace(beside, place)


@cache
def _everything() -> str:
    """Return a hash of all that a digest could depend on."""
    read = (ROOT / "requirements.lock", releases.RECORD, releases.RECORD_0_2_0)
    others = [path.read_text("utf-8") for path in read]
    return hashlib.sha256(repr([source_digest(), *others, sys.version_info[:2]]).encode()).hexdigest()


def source_digest() -> str:
    """Return 12 hexadecimal digits over the whole package, for the report."""
    files = sorted((ROOT / PACKAGE).rglob("*.py"))
    return _short([(str(path.relative_to(ROOT)), path.read_text(encoding="utf-8")) for path in files])


def _short(value: Any) -> str:
    return hashlib.sha256(repr(value).encode()).hexdigest()[:12]
