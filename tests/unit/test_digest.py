"""The digest changes exactly when code that decides a result changes, whatever it is called and wherever it stands."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from smearlab.core import digest, releases
from smearlab.core.digest import HOSTING, NUMERICAL, code_digest, code_parts, locked_versions, source_digest
from smearlab.grid.dag import STAGES

LOCK = "numpy==2.0.0 \\\n    --hash=sha256:00\ntorch==2.1.0 ; python_version < '3'\npandas==1.0.0 \\\n"
FILES = {
    "smearlab/__init__.py": "",
    "smearlab/stages/train.py": (
        "from smearlab.host.log import log_file\nfrom smearlab.loop import train\n\n\n"
        "def run(job):\n    with log_file(job):\n        return train()\n"
    ),
    "smearlab/stages/draw.py": "import pandas\n\n\ndef run(job):\n    return pandas.NA\n",
    "smearlab/host/log.py": "def log_file(job):\n    return open(job)\n",
    "smearlab/core/errors.py": "class UserError(Exception):\n    pass\n",
    "smearlab/loop.py": (
        "import torch\nfrom smearlab import tools\nfrom smearlab.core.errors import UserError\n\nRATE = 0.1\n\n\n"
        "def train(log=print):\n"
        "    if RATE < 0:\n        raise UserError('a rate below 0')\n"
        "    log('begun')\n"
        "    return _doubled(tools.step()) + torch.zeros(1)\n\n\n"
        "def _doubled(value):\n    return 2 * value\n\n\n"
        "def unmentioned():\n    return RATE\n"
    ),
    "smearlab/tools.py": "def step():\n    from smearlab.inner.deep import VALUE\n\n    return VALUE\n",
    "smearlab/inner/__init__.py": "",
    "smearlab/inner/deep.py": "VALUE = 1\nOTHER = 2\n",
    "smearlab/methods/plain.py": "LABEL = 'plain'\n\n\ndef loss(logits, labels):\n    return logits\n",
    "smearlab/methods/other.py": "import numpy as np\n\n\ndef loss(logits, labels):\n    return np.abs(logits)\n",
    "requirements.lock": LOCK,
}
PLAIN = ("train", ["smearlab.methods.plain"])
OTHER = ("train", ["smearlab.methods.plain", "smearlab.methods.other"])
LOOP, TOOLS, DEEP = FILES["smearlab/loop.py"], FILES["smearlab/tools.py"], FILES["smearlab/inner/deep.py"]
STAGE, METHOD = FILES["smearlab/stages/train.py"], FILES["smearlab/methods/plain.py"]


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

    def replace(self, name: str, *pairs: tuple[str, str]) -> None:
        text = (self.root / name).read_text(encoding="utf-8")
        for old, new in pairs:
            assert old in text
            text = text.replace(old, new)
        self.write(name, text)

    def digest(self, stage: str = PLAIN[0], entries: list[str] = PLAIN[1]) -> str:
        self.use()
        return code_digest(stage, entries)

    def use(self) -> None:
        self.monkeypatch.setattr(digest, "ROOT", self.root)
        self.monkeypatch.setattr(releases, "digest_of", lambda *_: None)
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


NOTHING = {
    "docstring of a module": ("smearlab/loop.py", '"""A module."""\n' + LOOP),
    "docstring": ("smearlab/loop.py", LOOP.replace("    if RATE", '    """A docstring."""\n    if RATE')),
    "comment": ("smearlab/loop.py", "# a comment\n" + LOOP.replace("    if RATE", "    # why\n    if RATE")),
    "layout": ("smearlab/loop.py", LOOP.replace("tools.step()", "(\n        tools.step()\n    )")),
    "line ends": ("smearlab/loop.py", LOOP.replace("\n", "\r\n")),
    "annotation": ("smearlab/loop.py", LOOP.replace("_doubled(value):", "_doubled(value: float) -> float:")),
    "annotated constant": ("smearlab/loop.py", LOOP.replace("RATE = 0.1", "RATE: float = 0.1")),
    "words of an error": ("smearlab/loop.py", LOOP.replace("a rate below 0", "the rate is negative")),
    "words of a log line": ("smearlab/loop.py", LOOP.replace("'begun'", "'started', 1")),
    "a log line more": ("smearlab/loop.py", LOOP.replace("    return _d", "    print('soon')\n    return _d")),
    "cast": ("smearlab/loop.py", LOOP.replace("_doubled(tools.step())", "cast(int, _doubled(tools.step()))")),
    "function that nobody mentions": ("smearlab/loop.py", LOOP.replace("return RATE\n", "return -RATE\n")),
    "constant that nobody mentions": ("smearlab/inner/deep.py", DEEP.replace("OTHER = 2", "OTHER = 3\nMORE = 4")),
    "spelling of a number": ("smearlab/inner/deep.py", '"""A module."""\nVALUE = (0x1)\n\n'),
    "order of definitions": ("smearlab/inner/deep.py", "OTHER = 2\nVALUE = 1\n"),
    "host": ("smearlab/host/log.py", "def log_file(job):\n    print(job)\n    return open(job, 'w')\n"),
    "error class": ("smearlab/core/errors.py", "class UserError(Exception):\n    code = 1\n"),
    "name of an entry on the page": ("smearlab/methods/plain.py", METHOD.replace("'plain'", "'the plain loss'")),
    "entry not named": ("smearlab/methods/other.py", "VALUE = 2\n"),
    "new entry": ("smearlab/methods/new.py", "def loss(logits, labels):\n    return labels\n"),
    "new module": ("smearlab/new.py", "VALUE = 2\n"),
    "another stage": ("smearlab/stages/draw.py", "import numpy\n\n\ndef run(job):\n    return numpy.pi\n"),
    "a library that decides no number": ("requirements.lock", LOCK.replace("pandas==1.0.0", "pandas==2.0.0")),
    "a library that is not mentioned": ("requirements.lock", LOCK.replace("numpy==2.0.0", "numpy==2.0.1")),
    "hash of a library": ("requirements.lock", LOCK.replace("sha256:00", "sha256:11")),
}
SOMETHING = {
    "stage": ("smearlab/stages/train.py", STAGE.replace("train()\n", "train() or None\n")),
    "function": ("smearlab/loop.py", LOOP.replace("tools.step())", "tools.step() or None)")),
    "function mentioned below": ("smearlab/loop.py", LOOP.replace("2 * value", "3 * value")),
    "constant": ("smearlab/loop.py", LOOP.replace("RATE = 0.1", "RATE = 0.2")),
    "condition of an error": ("smearlab/loop.py", LOOP.replace("RATE < 0", "RATE <= 0")),
    "value in another module": ("smearlab/inner/deep.py", DEEP.replace("VALUE = 1", "VALUE = 1.0")),
    "truth value": ("smearlab/inner/deep.py", DEEP.replace("VALUE = 1", "VALUE = True")),
    "sign": ("smearlab/inner/deep.py", DEEP.replace("VALUE = 1", "VALUE = -1")),
    "text for a number": ("smearlab/inner/deep.py", DEEP.replace("VALUE = 1", 'VALUE = "1"')),
    "bytes": ("smearlab/inner/deep.py", DEEP.replace("VALUE = 1", 'VALUE = b"1"')),
    "swapped values": ("smearlab/inner/deep.py", "VALUE = 2\nOTHER = 1\n"),
    "other of two names": ("smearlab/inner/deep.py", "OTHER, VALUE = 1, 2\n"),
    "effect of a module": ("smearlab/inner/deep.py", DEEP + "for k in range(3):\n    VALUE += k\n"),
    "call of a module": ("smearlab/inner/deep.py", DEEP + "import os\n\nos.umask(0)\n"),
    "other function of a module": ("smearlab/loop.py", LOOP.replace("tools.step()", "tools.other()")),
    "loss": ("smearlab/methods/plain.py", "def loss(logits, labels):\n    return labels\n"),
    "option of a loss": ("smearlab/methods/plain.py", "def loss(logits, labels, *, x=0):\n    return logits\n"),
    "version of a library": ("requirements.lock", LOCK.replace("torch==2.1.0", "torch==2.2.0")),
}


@pytest.mark.parametrize("name", NOTHING)
def test_what_changes_nothing(package, name):
    before = package.digest()
    package.write(*NOTHING[name])
    assert package.digest() == before


@pytest.mark.parametrize("name", SOMETHING)
def test_what_changes_the_digest(package, name):
    package.write("smearlab/tools.py", TOOLS + "\n\ndef other():\n    return 0\n")
    before = package.digest()
    package.write(*SOMETHING[name])
    assert package.digest() != before


def test_moving_and_renaming_modules_and_functions_changes_nothing(package):
    before = package.digest()
    package.write("smearlab/deeper/well.py", "NUMBER = 1\n")
    package.write(
        "smearlab/kit.py", "def stride():\n    from smearlab.deeper.well import NUMBER\n\n    return NUMBER\n"
    )
    package.replace("smearlab/loop.py", ("import tools", "import kit as box"), ("tools.step", "box.stride"))
    package.replace("smearlab/loop.py", ("_doubled", "_twice"), ("RATE", "STEP"))
    for name in ("smearlab/tools.py", "smearlab/inner/deep.py"):
        (package.root / name).unlink()
    assert package.digest() == before
    package.write("smearlab/deeper/well.py", "NUMBER = 2\n")
    assert package.digest() != before


def test_what_a_module_passes_on_counts_where_it_is_defined(package):
    before = package.digest()
    package.write("smearlab/tools.py", "from smearlab.steps import step\n")
    package.write("smearlab/steps.py", TOOLS)
    assert package.digest() == before


def test_a_variable_of_the_same_name_mentions_nothing(package):
    code = "def helper():\n    return {}\n\n\ndef step(helper=0):\n    return [helper for helper in range(3)]\n"
    package.write("smearlab/tools.py", code.format(1))
    before = package.digest()
    package.write("smearlab/tools.py", code.format(2))
    assert package.digest() == before


@pytest.mark.parametrize(
    "body",
    [
        "[helper() for _ in range(2)]",
        "(lambda: helper())()",
        "{**helper()}",
        "sorted([], key=helper)",
        "f'{helper()}'",
        "(lambda value=helper(): value)()",
    ],
)
def test_a_mention_is_found_wherever_it_stands(package, body):
    code = f"def helper():\n    return {{}}\n\n\ndef step():\n    return {body}\n"
    package.write("smearlab/tools.py", code.replace("{{}}", "1"))
    before = package.digest()
    package.write("smearlab/tools.py", code.replace("{}", "2"))
    assert package.digest() != before


def test_functions_that_mention_each_other(package):
    code = "def step(n=3):\n    return even(n)\n\n\ndef even(n):\n    return n == 0 or odd(n - 1)\n\n\n"
    code += "def odd(n):\n    return n != 0 and even(n - 1)\n"
    package.write("smearlab/tools.py", code)
    before = package.digest()
    package.write("smearlab/tools.py", code.replace("even", "is_even"))
    assert package.digest() == before
    package.write("smearlab/tools.py", code.replace("n != 0", "n > 0"))
    assert package.digest() != before


def test_a_function_that_stops_being_reached_stops_counting(package):
    package.write("smearlab/tools.py", "def step():\n    return 1\n")
    before = package.digest()
    package.write("smearlab/inner/deep.py", "VALUE = 2\n")
    assert package.digest() == before


def test_only_the_named_entries_count_in_any_order(package):
    assert package.digest(*PLAIN) != package.digest(*OTHER)
    assert package.digest(*OTHER) == package.digest(OTHER[0], OTHER[1][::-1])
    package.use()
    assert set(code_parts(*OTHER)) - set(code_parts(*PLAIN)) == {"smearlab/methods/other.py", "numpy"}


def test_the_parts_tell_which_file_changed(package):
    package.use()
    before = code_parts(*PLAIN)
    package.replace("smearlab/loop.py", ("2 * value", "3 * value"))
    package.use()
    now = code_parts(*PLAIN)
    assert {name for name in before.keys() | now.keys() if before.get(name) != now.get(name)} == {"smearlab/loop.py"}
    assert "smearlab/host/log.py" not in now and now["torch"] == "2.1.0"


def test_the_folder_of_the_checkout_does_not_count(package, tmp_path):
    before = package.digest()
    package.root.rename(tmp_path / "two words")
    package.root = tmp_path / "two words"
    assert package.digest() == before


def test_a_docstring_alone_is_as_good_as_pass(package):
    package.write("smearlab/tools.py", "class Empty:\n    pass\n\n\ndef step():\n    Empty\n    ...\n")
    before = package.digest()
    package.write(
        "smearlab/tools.py", 'class Empty:\n    """No."""\n\n\ndef step():\n    """No."""\n    Empty\n    ...\n'
    )
    assert package.digest() == before


def test_the_lock_names_every_library_that_decides_numbers():
    assert set(NUMERICAL.values()) <= set(locked_versions())


def test_two_processes_agree():
    """Neither the order of sets nor the hash seed of Python reaches the digest."""
    program = (
        "from smearlab.core.digest import *\n"
        "print(code_digest('train_teacher', ['smearlab.methods.forward']), root_digest('smearlab.stages.write_report'))"
    )
    runs = [
        subprocess.run(
            [sys.executable, "-X", "utf8", "-c", program], capture_output=True, text=True, env={"PYTHONHASHSEED": s}
        )
        for s in ("1", "2")
    ]
    assert runs[0].stdout == runs[1].stdout and len(runs[0].stdout.strip()) == 25, runs[0].stderr
    assert len(source_digest()) == 12


ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "smearlab").rglob("*.py"))


@pytest.mark.parametrize("path", SOURCES, ids=[str(path.relative_to(ROOT)) for path in SOURCES])
def test_every_import_of_the_package_is_one_that_the_digest_follows(path):
    """Relative imports, import * and `import smearlab.…` are not used; what is imported from us is there."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            assert not any(alias.name.startswith("smearlab") for alias in node.names)
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0 and all(alias.name != "*" for alias in node.names)
            if node.module.startswith("smearlab."):
                assert digest.module_path(node.module).is_file()


MADE = [rule for rule, stage in STAGES.items() if stage.group != "tables"]


def files_of(stage: str, *entries: str) -> set[str]:
    return {name for name in code_parts(stage, entries) if name.endswith(".py")}


@pytest.mark.parametrize("stage", MADE)
def test_no_stage_that_makes_results_reaches_the_config_or_the_tables(stage):
    """Otherwise a new key of the config, or a change of a table, would train everything again."""
    tables = ("smearlab/stages/collect.py", "smearlab/stages/_context.py")
    apart = ("smearlab/grid/", *tables, "smearlab/report/", "smearlab/statistics/")
    assert not [name for name in files_of(stage) if name.startswith(apart)]


@pytest.mark.parametrize("stage", STAGES)
def test_no_stage_counts_what_hosts_it(stage):
    hosting = tuple(name.replace(".", "/") for name in HOSTING)
    assert not [name for name in files_of(stage) if name.startswith(hosting)]


def test_what_hosts_a_job_hands_it_no_number_and_no_array():
    """Host modules import nothing that computes, and what they give to a stage is a path, a text, or nothing."""
    given = set()
    for path in (ROOT / "smearlab" / "host").glob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        imported = {a.name.partition(".")[0] for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names}
        imported |= {n.module.partition(".")[0] for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)}
        assert not imported & NUMERICAL.keys(), path
        returns = {f.name: ast.unparse(f.returns) for f in tree.body if isinstance(f, ast.FunctionDef) and f.returns}
        given |= {(name, returns[name]) for name in returns if name in used_by_stages(path.stem)}
    harmless = {"None", "Path", "str", "Iterator[None]", "Iterator[str | None]"}
    assert given and {what for _, what in given} <= harmless, given


def used_by_stages(host: str) -> set[str]:
    """Return what stages, training, evaluation and store import from a module of host/."""
    places = ("stages", "training", "evaluation", "store", "metrics", "methods", "noises", "datasets", "networks")
    found = set()
    for path in (path for place in places for path in (ROOT / "smearlab" / place).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module == f"smearlab.host.{host}":
                found |= {alias.name for alias in node.names}
    return found


def test_a_teacher_does_not_reach_the_students_loop():
    reached = files_of("train_teacher", "smearlab.methods.cross_entropy", "smearlab.networks.cnn")
    assert "smearlab/training/teacher.py" in reached
    assert not [name for name in reached if "student" in name]


def test_an_evaluation_reaches_no_training_loop():
    reached = files_of("evaluate_teacher", "smearlab.metrics.accuracy", "smearlab.networks.cnn")
    assert "smearlab/evaluation/measures.py" in reached
    loops = {"teacher", "student", "block", "teacher_block", "student_block", "checkpoint", "trainee", "schedule"}
    assert not [name for name in reached if name in {f"smearlab/training/{loop}.py" for loop in loops}]
    assert not [name for name in reached if name.startswith("smearlab/optimisers/")]


def test_digests_are_kept_for_the_next_process_of_the_same_source_only(package, monkeypatch):
    package.write("requirements.lock", FILES.get("requirements.lock", ""))
    taken = package.digest()
    digest.keep_digests()
    kept = package.root / digest.KEPT
    kept.write_text(kept.read_text().replace(taken, "0" * 12))  # so that it shows where a digest comes from
    assert package.digest() == "0" * 12
    package.write("smearlab/core/other.py", "X = 1\n")  # any other source: all are taken anew
    assert package.digest() == taken
    for damaged in ("", "{", "[]", '{"of": 1}'):
        kept.write_text(damaged)
        assert package.digest() == taken
    kept.unlink()
    kept.mkdir()
    digest.keep_digests()  # a place that refuses costs the next process its time, and nothing else
    assert package.digest() == taken
