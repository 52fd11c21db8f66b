"""What docs/extending.md says is tried as it stands, in a checkout of its own."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from projects import ROOT, TINY, Project, changed, checkout

PAGE = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")
DIFFS = re.findall(r"```diff\n(.*?)```", PAGE, re.DOTALL)
FILES = re.findall(r"`(smearlab/\w+/\w+\.py)`:\n\n```python\n(.*?)```", PAGE, re.DOTALL)
PATHS = """
import sys, yaml
from smearlab.grid.cells import load_grid
from smearlab.grid.dag import nodes_of
for node in nodes_of(load_grid(yaml.safe_load(open(sys.argv[1])))):
    if node.trains:
        print(node.name, {key: value for key, value in node.decide().items() if key != "code"})
"""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return checkout(tmp_path / "extended")


def jobs(project: Project, content: dict) -> list[str]:
    """Return the trainings of a grid with all that decides them, the code apart."""
    config = project.write(content)
    done = subprocess.run(
        [sys.executable, "-c", PATHS, config], cwd=project.folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def apply(project: Project, diff: str) -> None:
    done = subprocess.run(
        ["git", "apply", "--unidiff-zero", "-"],
        input=diff,
        cwd=project.folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def touched(diff: str) -> list[str]:
    return re.findall(r"^diff --git a/(\S+)", diff, re.MULTILINE)


OPTIONS = {  # of each diff that adds one: the files it takes, and a grid that uses it
    "trainee.py": (3, changed(recipes__small=TINY["recipes"]["small"] | {"flood": 0.5})),
    "student.py": (5, changed(students=[{"teachers": ["cross_entropy"], "targets": "hard"}])),
}


@pytest.mark.parametrize("name", OPTIONS)
def test_an_option_moves_nothing_until_it_is_used(project: Project, name: str) -> None:
    (diff,) = (diff for diff in DIFFS if any(path.endswith(f"/{name}") for path in touched(diff)))
    files, content = OPTIONS[name]
    before = jobs(project, TINY)
    apply(project, diff)
    assert len(touched(diff)) == files
    assert jobs(project, TINY) == before
    used = jobs(project, content)
    assert len(used) == len(before) and used != before


def test_a_stage_takes_five_files_and_is_planned(project: Project) -> None:
    (diff,) = (diff for diff in DIFFS if any("/stages/" in path for path in touched(diff)))
    assert len(touched(diff)) == 5
    apply(project, diff)
    config = project.write(TINY)
    done = project.snakemake("results/tiny/speed.csv", "--dry-run", "--configfile", config)
    assert done.returncode == 0 and re.search(r"^speed +1$", done.stdout + done.stderr, re.MULTILINE), done.stderr
    assert "speed" not in project.plan(TINY)


@pytest.mark.parametrize("path, text", FILES, ids=[path for path, _ in FILES])
def test_an_entry_is_one_file_that_a_config_can_name(project: Project, path: str, text: str) -> None:
    (project.folder / path).write_text(text, encoding="utf-8")
    kind, name = Path(path).parent.name, Path(path).stem
    used = {
        "methods": lambda: changed(methods=["cross_entropy", {"name": "label_smoothing", "alphas": [0.1]}, name]),
        "augmentations": lambda: changed(recipes__small=TINY["recipes"]["small"] | {"augmentation": name}),
        "schedules": lambda: changed(recipes__small=TINY["recipes"]["small"] | {"schedule": {"name": name}}),
    }[kind]()
    assert any(name in line for line in jobs(project, used))
    assert yaml.safe_load((project.folder / project.write(used)).read_text(encoding="utf-8"))["name"] == "tiny"
