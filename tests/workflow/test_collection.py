"""The tests are the same ones in every process: otherwise two workers collect different lists, and no run begins."""

import ast
import difflib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from projects import ROOT

COPIED = ("smearlab", "tests")  # what finds its place from its own path; the rest is linked
FOREIGN = ("PYTEST", "COV", "SMEARLAB")


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    """The checkout at another place."""
    folder = tmp_path / "another place"
    folder.mkdir()
    for entry in ROOT.iterdir():
        if entry.name in COPIED:
            shutil.copytree(entry, folder / entry.name, ignore=shutil.ignore_patterns("__pycache__"))
        elif not entry.name.startswith("."):
            (folder / entry.name).symlink_to(entry)
    return folder


def collected(root: Path, working: Path, aside: Path, **settings: str) -> list[str]:
    """Collect a checkout's tests in a process with settings of its own; return the id and parameters of each."""
    aside.mkdir()
    environment = {key: value for key, value in os.environ.items() if not key.startswith(FOREIGN)}
    environment |= {"SMEARLAB_LIST": str(aside / "list"), "TMPDIR": str(aside), **settings}
    environment |= {"PYTHONPATH": str(ROOT / "tests" / "workflow"), "PYTHONDONTWRITEBYTECODE": "1"}
    plugins = ["-p", "listing", "-p", "no:xdist", "-p", "no:cacheprovider"]
    command = [sys.executable, "-m", "pytest", "--collect-only", "-c", str(root / "pyproject.toml"), *plugins]
    done = subprocess.run([*command, str(root / "tests")], cwd=working, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    return (aside / "list").read_text(encoding="utf-8").splitlines()


def test_clock_place_and_hash_seed_decide_no_test(elsewhere: Path, tmp_path: Path) -> None:
    here = collected(ROOT, ROOT, tmp_path / "first", PYTHONHASHSEED="1", SMEARLAB_CLOCK_AHEAD="0")
    there = collected(elsewhere, tmp_path, tmp_path / "second", PYTHONHASHSEED="2", SMEARLAB_CLOCK_AHEAD="86461")
    assert len(here) > 1000
    difference = "\n".join(difflib.unified_diff(here, there, lineterm="", n=0))
    assert not difference, difference


def test_no_test_draws_from_a_generator_that_its_module_shares() -> None:
    """What it drew would depend on which tests ran before it in its process."""
    sources = {path: ast.parse(path.read_text(encoding="utf-8")) for path in (ROOT / "tests").rglob("*.py")}
    assert {str(path.relative_to(ROOT)): names for path, tree in sources.items() if (names := shared_draws(tree))} == {}


def shared_draws(tree: ast.Module) -> list[str]:
    """Return the generators of a module that its functions use."""
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.Lambda)]
    used = {node.id for function in functions for node in ast.walk(function) if isinstance(node, ast.Name)}
    return sorted(used & generators_of(tree))


def test_a_generator_that_tests_share_is_seen() -> None:
    made = "import numpy as np\nRNG = np.random.default_rng(0)\nZ = RNG.normal(size=3)\n"
    assert shared_draws(ast.parse(made)) == []
    drawn = "import numpy as np\nZ = np.random.default_rng(0).normal(size=3)\ndef test_it():\n    assert Z.mean() < 9\n"
    assert shared_draws(ast.parse(drawn)) == []
    assert shared_draws(ast.parse(f"{made}def test_it():\n    assert RNG.normal() < Z\n")) == ["RNG"]


def generators_of(tree: ast.Module) -> set[str]:
    """Return the names to which a module binds a random generator."""
    return {
        target.id
        for statement in tree.body
        if isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Call)
        if re.fullmatch(r"(\w+\.)*(default_rng|Random|RandomState|Generator)", ast.unparse(statement.value.func))
        for target in statement.targets
        if isinstance(target, ast.Name)
    }
