"""A checkout of its own in which Snakemake is run, and a tiny grid to run there."""

import copy
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
LEFT_OUT = shutil.ignore_patterns(
    ".git",
    ".venv",
    ".venv-site",
    ".site",
    ".snakemake",
    ".smearlab",
    ".*_cache",
    ".hypothesis",
    "__pycache__",
    "results",
    "logs",
    "data",
    "reports",
)
TINY: dict[str, Any] = {
    "name": "tiny",
    "datasets": {"digits": {"kind": "digits", "subset": 120, "test_subset": 60}},
    "noises": {"symmetric": {"kind": "symmetric", "rates": [0, 0.4]}},
    "recipes": {
        "small": {
            "architecture": {"name": "cnn", "width": 4},
            "epochs": 2,
            "batch_size": 32,
            "block_size": 2,
            "snapshots": 1,
        },
    },
    "methods": ["cross_entropy", {"name": "label_smoothing", "alphas": [0.1]}],
    "students": [{"teachers": ["cross_entropy"], "temperatures": [4]}],
    "primary": {"method": "label_smoothing", "alpha": 0.1},
}
PLAIN: dict[str, Any] = {**TINY, "name": "plain", "methods": ["cross_entropy"], "students": []}
del PLAIN["primary"]
SUMMARY = {"collect": 1, "summarise": 1, "draw_figure": 2, "write_report": 1, "all": 1}
ACCEPT = ("--touch", "--until", "train_teacher", "distill_student", "evaluate_teacher", "evaluate_student")
KEPT_FIGURES = ("methods.py", "accuracy_alpha.py")  # enough to see which are drawn again, without drawing all


@dataclass
class Project:
    """A checkout in which Snakemake is run."""

    folder: Path

    def snakemake(self, *arguments: str, path: Path | None = None) -> subprocess.CompletedProcess[str]:
        """Run Snakemake with this interpreter; nothing of the caller's settings reaches it."""
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("SNAKEMAKE", "PYTEST", "COV"))}
        if path is not None:
            environment["PATH"] = f"{path}{os.pathsep}{environment['PATH']}"
        return subprocess.run(
            [sys.executable, "-m", "snakemake", *arguments],
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )

    def run(self, content: dict[str, Any] = TINY, *arguments: str) -> str:
        """Run a grid for real; the test fails if that does. Return what Snakemake said."""
        done = self.snakemake("--cores", "2", "--configfile", self.write(content), *arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stderr

    def plan(self, content: dict[str, Any] = TINY, *arguments: str, path: Path | None = None) -> dict[str, int]:
        """Return how many jobs of each rule would run; the plan is not empty unless Snakemake says so."""
        done = self.snakemake("--dry-run", "--configfile", self.write(content), *arguments, path=path)
        said = done.stdout + done.stderr
        assert done.returncode == 0, said
        jobs = dict(re.findall(r"^(\w+) +(\d+)$", said.partition("Job stats:")[2], re.MULTILINE))
        assert jobs or "Nothing to be done" in said, said
        return {rule: int(count) for rule, count in jobs.items() if rule != "total"}

    def smearlab(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run `python -m smearlab` in the checkout."""
        command = [sys.executable, "-m", "smearlab", *arguments]
        return subprocess.run(command, cwd=self.folder, capture_output=True, text=True, timeout=600, check=False)

    def write(self, content: dict[str, Any]) -> str:
        """Write a config as configs/<name>.yaml and return its path."""
        path = Path("configs") / f"{content['name']}.yaml"
        (self.folder / path).write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
        return str(path)

    def edit(self, path: str, old: str, new: str) -> None:
        """Replace a text that stands in a file."""
        file = self.folder / path
        text = file.read_text(encoding="utf-8")
        assert old in text, f"{path} has no {old!r}"
        file.write_text(text.replace(old, new, 1), encoding="utf-8")

    def append(self, path: str, text: str) -> None:
        """Add a text at the end of a file."""
        with open(self.folder / path, "a", encoding="utf-8") as file:
            file.write(text)

    def copy_to(self, folder: Path) -> "Project":
        """Copy everything, times included, but for what waiting processes keep and take away themselves."""
        shutil.copytree(self.folder, folder, symlinks=True, ignore=shutil.ignore_patterns("warm"))
        return Project(folder)


def hashes(folder: Path) -> dict[str, str]:
    """Return what the command in docs/moving.md gives for a checkout: the SHA-256 of each file, by its path."""
    command = "find results reports -type f ! -name timings.json ! -name '.*' -exec sha256sum {} +"
    assert command in (ROOT / "docs" / "moving.md").read_text(encoding="utf-8")
    done = subprocess.run(["bash", "-c", command], cwd=folder, capture_output=True, text=True, check=True)
    return {path: digest for digest, path in (line.split(maxsplit=1) for line in done.stdout.splitlines())}


def changed(**changes: Any) -> dict[str, Any]:
    """Return the tiny config with some values set; a__b stands for a.b."""
    content = copy.deepcopy(TINY)
    for path, value in changes.items():
        *parents, last = path.split("__")
        place = content
        for part in parents:
            place = place[part]
        place[last] = value
    return content


def checkout(folder: Path, figures: tuple[str, ...] | None = KEPT_FIGURES) -> Project:
    """Copy what git would hold, with two figures only unless told otherwise (None: all)."""
    shutil.copytree(ROOT, folder, ignore=LEFT_OUT)
    for figure in (folder / "smearlab" / "figures").glob("[a-z]*.py"):
        if figures is not None and figure.name not in figures:
            figure.unlink()
    return Project(folder)
