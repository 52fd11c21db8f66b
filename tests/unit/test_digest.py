"""The digest changes exactly when code that is really reached changes."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from smearlab.core import digest
from smearlab.core.digest import NUMERICAL, code_digest, code_parts, locked_versions, source_digest

LOCK = "numpy==2.0.0 \\\n    --hash=sha256:00\ntorch==2.1.0 ; python_version < '3'\npandas==1.0.0 \\\n"
FILES = {
    "workflow/scripts/train.py": "from smearlab.loop import train\n\ntrain()\n",
    "workflow/scripts/draw.py": "import pandas\n",
    "smearlab/__init__.py": "",
    "smearlab/loop.py": "import torch\nfrom smearlab import tools\n\n\ndef train():\n    return tools.step()\n",
    "smearlab/tools.py": "def step():\n    from smearlab.inner import deep\n\n    return deep\n",
    "smearlab/inner/__init__.py": "",
    "smearlab/inner/deep.py": "VALUE = 1\n",
    "smearlab/unreached.py": "VALUE = 1\n",
    "smearlab/methods/plain.py": "def loss(logits, labels):\n    return logits\n",
    "smearlab/methods/other.py": "import numpy as np\n\n\ndef loss(logits, labels):\n    return np.abs(logits)\n",
    "requirements.lock": LOCK,
}
PLAIN = ("train.py", ["smearlab.methods.plain"])
OTHER = ("train.py", ["smearlab.methods.plain", "smearlab.methods.other"])


class Package:
    """A package on disk whose digest is taken."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root = root
        self.monkeypatch = monkeypatch
        for name, text in FILES.items():
            self.write(name, text)

    def write(self, name: str, text: str) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def digest(self, script: str = PLAIN[0], entries: list[str] = PLAIN[1]) -> str:
        self.use()
        return code_digest(script, entries)

    def use(self) -> None:
        self.monkeypatch.setattr(digest, "ROOT", self.root)
        forget()


def forget() -> None:
    """Empty the caches of the digest, which hold for one process and one state of the files."""
    for function in vars(digest).values():
        if hasattr(function, "cache_clear"):
            function.cache_clear()


@pytest.fixture
def package(tmp_path, monkeypatch):
    yield Package(tmp_path / "one", monkeypatch)
    monkeypatch.undo()
    forget()


@pytest.mark.parametrize(
    "name, text",
    [
        ("smearlab/loop.py", '"""A module."""\n' + FILES["smearlab/loop.py"]),
        (
            "smearlab/loop.py",
            "# a comment\n" + FILES["smearlab/loop.py"].replace("    return", "    # why\n    return"),
        ),
        ("smearlab/loop.py", FILES["smearlab/loop.py"].replace("return", '"""A docstring."""\n    return')),
        ("smearlab/loop.py", FILES["smearlab/loop.py"].replace("tools.step()", "(\n        tools.step()\n    )")),
        ("smearlab/loop.py", FILES["smearlab/loop.py"].replace("\n", "\r\n")),
        ("smearlab/inner/deep.py", "VALUE = (1)\n\n"),
        ("smearlab/inner/deep.py", '"""A module."""\nVALUE = 0x1\n'),
        ("smearlab/unreached.py", "VALUE = 2\n"),
        ("smearlab/methods/other.py", "VALUE = 2\n"),
        ("smearlab/methods/new.py", "def loss(logits, labels):\n    return labels\n"),
        ("smearlab/new.py", "VALUE = 2\n"),
        ("workflow/scripts/draw.py", "import numpy\n"),
        ("requirements.lock", LOCK.replace("pandas==1.0.0", "pandas==2.0.0")),
        ("requirements.lock", LOCK.replace("numpy==2.0.0", "numpy==2.0.1")),  # this cell reaches no numpy
        ("requirements.lock", LOCK.replace("sha256:00", "sha256:11")),
    ],
)
def test_what_changes_nothing(package, name, text):
    before = package.digest()
    package.write(name, text)
    assert package.digest() == before


@pytest.mark.parametrize(
    "name, text",
    [
        ("workflow/scripts/train.py", "from smearlab.loop import train\n\ntrain(1)\n"),
        ("smearlab/loop.py", FILES["smearlab/loop.py"].replace("tools.step()", "tools.step() or None")),
        ("smearlab/tools.py", FILES["smearlab/tools.py"].replace("return deep", "return deep.VALUE")),
        ("smearlab/inner/deep.py", "VALUE = 1.0\n"),
        ("smearlab/inner/deep.py", "VALUE = True\n"),
        ("smearlab/inner/deep.py", "VALUE = -1\n"),
        ("smearlab/inner/deep.py", 'VALUE = "1"\n'),
        ("smearlab/inner/deep.py", 'VALUE = b"1"\n'),
        ("smearlab/methods/plain.py", "def loss(logits, labels):\n    return labels\n"),
        ("smearlab/methods/plain.py", "def loss(logits, labels, *, x=0):\n    return logits\n"),
        ("requirements.lock", LOCK.replace("torch==2.1.0", "torch==2.2.0")),
    ],
)
def test_what_changes_the_digest(package, name, text):
    before = package.digest()
    package.write(name, text)
    assert package.digest() != before


def test_a_module_that_stops_being_reached_stops_counting(package):
    package.write("smearlab/tools.py", "def step():\n    return 1\n")
    before = package.digest()
    package.write("smearlab/inner/deep.py", "VALUE = 2\n")
    assert package.digest() == before


def test_only_the_named_entries_count_in_any_order(package):
    assert package.digest(*PLAIN) != package.digest(*OTHER)
    assert package.digest(*OTHER) == package.digest(OTHER[0], OTHER[1][::-1])
    package.use()
    assert set(code_parts(*OTHER)) - set(code_parts(*PLAIN)) == {"smearlab/methods/other.py", "numpy"}


def test_the_folder_of_the_checkout_does_not_count(package, tmp_path):
    before = package.digest()
    package.root.rename(tmp_path / "two words")
    package.root = tmp_path / "two words"
    assert package.digest() == before


def test_swapped_literals_are_told_apart(package):
    package.write("smearlab/inner/deep.py", "A = 1\nB = 2\n")
    before = package.digest()
    package.write("smearlab/inner/deep.py", "A = 2\nB = 1\n")
    assert package.digest() != before


def test_a_docstring_alone_is_as_good_as_pass(package):
    package.write("smearlab/inner/deep.py", "class Empty:\n    pass\n\n\ndef nothing():\n    ...\n")
    before = package.digest()
    package.write(
        "smearlab/inner/deep.py", 'class Empty:\n    """Nothing."""\n\n\ndef nothing():\n    """No."""\n    ...\n'
    )
    assert package.digest() == before


def test_known_fingerprints():
    """The same under every Python version: fields that some versions leave out or fill with nothing do not count."""
    tree = ast.parse("def f(x: int, /, *y, z=1.5) -> str:\n    return f'{x!r}' if y else b''\n\n\ntype_ = f\n")
    for node in ast.walk(tree):  # what later versions add to a tree: empty lists and None
        node._fields = (*node._fields, "added_later", "and_this")
        node.added_later, node.and_this = [], None
    plain = ast.parse("def f(x: int, /, *y, z=1.5) -> str:\n    return f'{x!r}' if y else b''\n\n\ntype_ = f\n")
    assert digest._plain(tree) == digest._plain(plain)


def test_the_lock_names_every_library_that_decides_numbers():
    assert set(NUMERICAL.values()) <= set(locked_versions())


def test_two_processes_agree():
    """Neither the order of sets nor the hash seed of Python reaches the digest."""
    program = "from smearlab.core.digest import *; print(code_digest('train_teacher.py', ['smearlab.methods.forward']))"
    runs = [
        subprocess.run(
            [sys.executable, "-X", "utf8", "-c", program], capture_output=True, text=True, env={"PYTHONHASHSEED": s}
        )
        for s in ("1", "2")
    ]
    assert runs[0].stdout == runs[1].stdout and len(runs[0].stdout.strip()) == 12, runs[0].stderr
    assert len(source_digest()) == 12


ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "smearlab").rglob("*.py"))


@pytest.mark.parametrize("path", SOURCES, ids=[str(path.relative_to(ROOT)) for path in SOURCES])
def test_every_import_of_the_package_is_one_that_the_digest_follows(path):
    """Relative imports and import * are not used; each smearlab name imported is a module or comes from one."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0 and all(alias.name != "*" for alias in node.names)
            if node.module.startswith("smearlab."):
                assert digest.module_path(node.module).is_file()


@pytest.mark.parametrize(
    "script", ["make_dataset.py", "make_labels.py", "train_teacher.py", "distill_student.py", "evaluate.py"]
)
def test_no_stage_that_makes_results_reaches_the_config_or_the_tables(script):
    """Otherwise a new key of the config, or a change of a table, would train everything again."""
    reached = code_parts(script)
    apart = (
        "smearlab/config/",
        "smearlab/grid/cells.py",
        "smearlab/stages/collect.py",
        "smearlab/report/",
        "smearlab/statistics/",
    )
    assert not [name for name in reached if name.startswith(apart)]


def test_a_teacher_does_not_reach_the_students_loop():
    reached = code_parts("train_teacher.py", ["smearlab.methods.cross_entropy", "smearlab.networks.cnn"])
    assert "smearlab/training/teacher.py" in reached
    assert not [name for name in reached if "student" in name or "distilling" in name]


def test_an_evaluation_reaches_no_training_loop():
    reached = code_parts("evaluate.py", ["smearlab.metrics.accuracy", "smearlab.networks.cnn"])
    assert "smearlab/stages/evaluate.py" in reached
    loops = {"teacher", "student", "block", "teacher_block", "student_block", "checkpoint", "optimiser", "schedule"}
    assert not [name for name in reached if name in {f"smearlab/training/{loop}.py" for loop in loops}]
