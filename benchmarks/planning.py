"""How long Snakemake takes to plan a grid of 10,000 cells, beside a trivial workflow of two rules and as many jobs.

Both are dry runs from nothing, in turn, each in a process of its own. Planning uses one thread, so what is compared is
processor time, which other work on the machine disturbs little; the ratio of the medians is printed last.
"""

import argparse
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[1]
LIMIT = 1.5
TRIVIAL = """
N = {pairs}

rule all:
    input: expand("results/{{i}}.end", i=range(N))

rule make:
    output: "results/{{i}}.txt"
    params: i=lambda wildcards: int(wildcards.i)
    shell: "echo {{params.i}} > {{output}}"

rule use:
    input: "results/{{i}}.txt"
    output: "results/{{i}}.end"
    shell: "cp {{input}} {{output}}"
"""


def main() -> int:
    """Print both times and their ratio; with --check, exit 1 above the limit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--alphas", type=int, default=1666, help="smoothing values; each is a cell at six noise rates")
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--check", action="store_true", help=f"exit 1 if the ratio is above {LIMIT}")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        grid, trivial = Path(scratch) / "grid", Path(scratch) / "trivial"
        cells = write_grid(grid, options.alphas)
        jobs = planned_jobs(grid)  # a first turn that warms the caches of the disk, and says how many jobs
        write_trivial(trivial, jobs)
        times: dict[Path, list[float]] = {grid: [], trivial: []}
        for _ in range(options.turns):
            for folder, found in times.items():
                found.append(seconds(folder))
    ours, theirs = (statistics.median(found) for found in times.values())
    print(f"{cells} cells, {jobs} jobs: grid {ours:.1f} s, trivial {theirs:.1f} s, median of {options.turns} turns")
    print(f"ratio {ours / theirs:.2f} (at most {LIMIT})")
    return int(options.check and ours / theirs > LIMIT)


def write_grid(folder: Path, alphas: int) -> int:
    """Write a checkout whose grid has six cells for each alpha; return the number of cells."""
    for name in ("smearlab", "workflow", "profiles", "envs"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("Snakefile", "requirements.lock", "pyproject.toml"):
        shutil.copy(ROOT / name, folder / name)
    rates = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6]
    content = {
        "name": "large",
        "datasets": {"digits": {"kind": "digits"}},
        "noises": {"symmetric": {"kind": "symmetric", "rates": rates}},
        "recipes": {"small": {"architecture": "cnn", "epochs": 1, "block_size": 1}},
        "methods": [
            {"name": "cross_entropy"},
            {"name": "label_smoothing", "alphas": [(k + 1) / (alphas + 2) for k in range(alphas)]},
        ],
    }
    (folder / "config.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
    return len(rates) * (alphas + 1)


def write_trivial(folder: Path, jobs: int) -> None:
    """Write a workflow of as many jobs in pairs, of which one reads what the other makes."""
    folder.mkdir()
    (folder / "Snakefile").write_text(TRIVIAL.format(pairs=(jobs - 1) // 2), encoding="utf-8")


def planned_jobs(folder: Path) -> int:
    """Return how many jobs a dry run plans."""
    return int(re.findall(r"^total +(\d+)$", dry_run(folder), re.MULTILINE)[-1])


def seconds(folder: Path) -> float:
    """Return the processor time of a dry run."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    dry_run(folder)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def dry_run(folder: Path) -> str:
    """Run `snakemake --dry-run` and return what it prints."""
    command = [sys.executable, "-m", "snakemake", "--dry-run", "--quiet", "rules"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout + done.stderr


if __name__ == "__main__":
    sys.exit(main())
