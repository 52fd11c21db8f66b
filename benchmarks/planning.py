"""How long Snakemake takes to plan a grid, beside trivial workflows of two rules and as many jobs.

    python benchmarks/planning.py [--cells 990] [--turns 3] [--status] [--check]

Dry runs from nothing, in turn, each in a process of its own. Planning uses one thread, so what is compared is processor
time. Other work on the machine only adds to it: the least of the turns counts. One trivial workflow has a file in and a
file out for each job, the other about as many files as the grid. --status times `python -m smearlab status`, too.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[1]
LIMIT = 1.5
MADE = 4  # files that a job of the grid makes: on average, with its log and benchmark
DRY_RUN = [sys.executable, "-m", "snakemake", "--dry-run", "--quiet", "rules"]
RATES = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6]
TRIVIAL = """
N, MADE, READ = {pairs}, {made}, {read}

rule all:
    input: expand("results/{{i}}.end", i=range(N))

rule make:
    output: ["results/{{i}}.txt", *(f"results/{{{{i}}}}.{{k}}.txt" for k in range(1, MADE))]
    params: i=lambda wildcards: int(wildcards.i)
    shell: "echo {{params.i}} | tee {{output}}"

rule use:
    input: ["results/{{i}}.txt", *(f"results/{{{{i}}}}.{{k}}.txt" for k in range(1, READ))]
    output: ["results/{{i}}.end", *(f"results/{{{{i}}}}.{{k}}.end" for k in range(1, MADE))]
    shell: "tee {{output}} < {{input[0]}}"
"""


def main() -> int:
    """Print both times and their ratio; with --check, exit 1 above the limit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cells", type=int, default=990, help="rounded up to a multiple of six noise rates")
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--status", action="store_true", help="how long `status` takes, too")
    parser.add_argument("--check", action="store_true", help=f"exit 1 if the ratio is above {LIMIT}")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        grid, trivial, files = (Path(scratch) / name for name in ("grid", "trivial", "files"))
        cells = write_grid(grid, -(-options.cells // len(RATES)) - 1)
        jobs = planned_jobs(grid)  # a first turn that warms the caches of the disk, and says how many jobs
        write_trivial(trivial, jobs, made=1, read=1)
        write_trivial(files, jobs, made=MADE, read=MADE)
        found = turns((grid, trivial, files), options.turns)
        if options.status:
            seconds, peak = used(grid, [sys.executable, "-m", "smearlab", "status", "config.yaml"])
            print(f"status: {seconds:.1f} CPU-s, {peak:.0f} MB")
    least = {folder.name: min(seconds for seconds, _ in runs) for folder, runs in found.items()}
    peak = max(peak for _, peak in found[grid])
    print(f"{cells} cells, {jobs} jobs, least of {options.turns} turns: grid {least['grid']:.1f} CPU-s, {peak:.0f} MB")
    files_ratio, ratio = (least["grid"] / least[name] for name in ("files", "trivial"))
    print(f"two rules, as many jobs and files ({least['files']:.1f} CPU-s): ratio {files_ratio:.2f}")
    print(f"two rules, as many jobs ({least['trivial']:.1f} CPU-s): ratio {ratio:.2f} (at most {LIMIT})")
    return int(options.check and ratio > LIMIT)


def turns(folders: tuple[Path, ...], count: int) -> dict[Path, list[tuple[float, float]]]:
    """Plan in each of some folders, in turn; return the processor seconds and the peak memory of each run."""
    found: dict[Path, list[tuple[float, float]]] = {folder: [] for folder in folders}
    for _ in range(count):
        for folder, runs in found.items():
            runs.append(used(folder))
    return found


def write_grid(folder: Path, alphas: int) -> int:
    """Write a checkout whose grid has six cells for each alpha; return the number of cells."""
    for name in ("smearlab", "workflow", "profiles", "envs"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("Snakefile", "requirements.lock", "pyproject.toml"):
        shutil.copy(ROOT / name, folder / name)
    content = {
        "name": "large",
        "datasets": {"digits": {"kind": "digits"}},
        "noises": {"symmetric": {"kind": "symmetric", "rates": RATES}},
        "recipes": {"small": {"architecture": "cnn", "epochs": 1, "block_size": 1}},
        "methods": [
            {"name": "cross_entropy"},
            {"name": "label_smoothing", "alphas": [(k + 1) / (alphas + 2) for k in range(alphas)]},
        ],
    }
    (folder / "config.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
    return len(RATES) * (alphas + 1)


def write_trivial(folder: Path, jobs: int, made: int, read: int) -> None:
    """Write a workflow of as many jobs in pairs, one of which reads what the other makes; made, read: files of each."""
    folder.mkdir()
    text = TRIVIAL.format(pairs=(jobs - 1) // 2, made=made, read=read)
    (folder / "Snakefile").write_text(text, encoding="utf-8")


def planned_jobs(folder: Path) -> int:
    """Return how many jobs a dry run plans."""
    done = subprocess.run(DRY_RUN, cwd=folder, capture_output=True, text=True, check=True)
    return int(re.findall(r"^total +(\d+)$", done.stdout + done.stderr, re.MULTILINE)[-1])


def used(folder: Path, command: list[str] = DRY_RUN) -> tuple[float, float]:
    """Return the processor seconds and the peak memory in MB of a command in a folder."""
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, spent = os.wait4(process.pid, 0)
    if status != 0:
        sys.exit(f"{' '.join(command)} failed in {folder}")
    return spent.ru_utime + spent.ru_stime, spent.ru_maxrss / 1e3


if __name__ == "__main__":
    sys.exit(main())
