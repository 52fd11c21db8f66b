"""What the tables, figures and page of a large grid take: processor time and peak memory of each stage.

    python benchmarks/tables.py [--cells 990] [--replicates 5] [--check] [--page PATH]

One teacher on digits is trained and evaluated; its files, with the seeds and codes that each job asks for, stand in for
every block of a grid of that many cells. Each stage then runs on them in a process of its own. --check exits 1 if
collecting takes more than 300 MB. --page keeps the page, for `page.py`.
"""

import argparse
import csv
import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[1]
LEFT_OUT = shutil.ignore_patterns(".git", ".venv", ".snakemake", ".smearlab", "results", "logs", "reports", "data")
RATES = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6]
LIMIT_MB = 300
STAGES = ("collect", "summarise", "draw_figure", "write_report")
RUN = """
import json, sys
from smearlab.host.job import run
run(json.load(open(sys.argv[1])))
"""


def main() -> int:
    """Print what each stage took; return 1 above the limit with --check."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--cells", type=int, default=990, help="rounded up to a multiple of six rates")
    parser.add_argument("--replicates", type=int, default=5)
    parser.add_argument("--check", action="store_true", help=f"exit 1 if collecting takes more than {LIMIT_MB} MB")
    parser.add_argument("--page", type=lambda path: Path(path).resolve(), help="where to keep the page")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "checkout"
        shutil.copytree(ROOT, folder, ignore=LEFT_OUT)
        os.chdir(folder)
        sys.path.insert(0, str(folder))
        alphas = -(-options.cells // len(RATES)) - 1
        write_config("large.yaml", "large", RATES, alphas, options.replicates)
        write_config("one.yaml", "one", RATES[:1], 1, 5)
        command = [sys.executable, "-m", "snakemake", "--cores", "2", "--quiet", "all", "--configfile", "one.yaml"]
        subprocess.run([*command, "--until", "evaluate_teacher", "check_claims"], check=True, capture_output=True)
        rows = measured_stages("large.yaml")
        if options.page:
            shutil.copyfile("reports/large.html", options.page)
    return int(options.check and rows["collect"] > LIMIT_MB)


def write_config(path: str, name: str, rates: list[float], alphas: int, replicates: int) -> None:
    """Write a grid of len(rates)·(alphas + 1) cells, each with one block."""
    content = {
        "name": name,
        "datasets": {"digits": {"kind": "digits"}},
        "noises": {"symmetric": {"kind": "symmetric", "rates": rates}},
        "recipes": {"small": {"architecture": "cnn", "epochs": 30, "history_examples": 0, "block_size": replicates}},
        "methods": [
            {"name": "cross_entropy"},
            {"name": "label_smoothing", "alphas": [(k + 1) / (alphas + 2) for k in range(alphas)]},
        ],
    }
    Path(path).write_text(yaml.safe_dump(content), encoding="utf-8")


def measured_stages(config: str) -> dict[str, float]:
    """Make the files of a grid up and run the stages behind them; return the peak memory of each in MB."""
    from smearlab.grid.dag import STAGES as TABLE
    from smearlab.grid.find import find_grid
    from smearlab.grid.load import read_config

    grid = find_grid(config)
    make_up(grid)
    memory: dict[str, float] = {}
    networks = sum(len(cell.replicates(block)) for cell in grid.cells.values() for block in grid.blocks(cell))
    print(f"{len(grid.cells)} cells, {networks} networks")
    for rule in STAGES:
        stage, seconds, clock = TABLE[rule], 0.0, 0.0
        for subject in stage.subjects(grid):
            call = {
                "rule": rule,
                "job": stage_job(stage, subject),
                "inputs": stage.reads(subject),
                "outputs": stage.outputs(stage.place(subject)),
                "log": stage.log_at(stage.place(subject)),
                "config": read_config(Path(config)),
            }
            used, took, peak = run(call)
            seconds, clock, memory[rule] = seconds + used, clock + took, max(memory.get(rule, 0), peak)
        print(f"{rule}: {seconds:.1f} CPU-s, {clock:.1f} s, {memory[rule]:.0f} MB", flush=True)
    made = [*Path("results/large").glob("*.*"), Path("reports/large.html")]
    print(", ".join(f"{path.name} {path.stat().st_size / 1e6:.1f} MB" for path in sorted(made)))
    return memory


def stage_job(stage: Any, subject: Any) -> dict[str, Any]:
    """Return a stage's job for a subject as a rule would record it."""
    from smearlab.core.jobs import plain

    return plain(stage.job(subject))


def run(call: dict[str, Any]) -> tuple[float, float, float]:
    """Run a stage in a process of its own; return CPU seconds, wall seconds and peak memory in MB."""
    Path("call.json").write_text(json.dumps(call), encoding="utf-8")
    began = time.monotonic()
    process = subprocess.Popen([sys.executable, "-c", RUN, "call.json"])
    _, status, used = os.wait4(process.pid, 0)
    if status != 0:
        sys.exit(f"{call['rule']} failed")
    return used.ru_utime + used.ru_stime, time.monotonic() - began, used.ru_maxrss / 1e3


def make_up(grid: Any) -> None:
    """Write what the blocks of a grid would leave, from the one trained block."""
    from smearlab.grid.dag import nodes_of
    from smearlab.store.files import read_sealed, sha256_file, write_sealed

    (one,) = Path("results/teachers").glob("*/*/*/*/cross_entropy/*/")
    said = {name: read_sealed(one / name) for name in ("run.json", "metrics.json")}
    with open(one / "history.csv", encoding="utf-8", newline="") as file:
        history = list(csv.reader(file))
    audits = [read_sealed(path) for path in sorted(Path("results/labels").glob("*/*/*/*/audit.json"))]
    for node in nodes_of(grid):
        if node.rule == "make_labels":
            (audit,) = [path for path in node.outputs if path.endswith("audit.json")]
            write_sealed(audit, audits[0])
        if node.rule in ("train_teacher", "evaluate_teacher"):
            decided, folder = node.decide(), Path(node.outputs[0]).parent
            name = "run.json" if node.rule == "train_teacher" else "metrics.json"
            found = said[name]["replicates"]
            replicates = [{**found[k % len(found)], **seeds} for k, seeds in enumerate(decided["replicates"])]
            further: dict[str, Any] = {"code": decided["code"]}
            if name == "run.json":
                write_history(folder / "history.csv", history, decided["replicates"])
                further["history_sha256"] = sha256_file(folder / "history.csv")
            write_sealed(folder / name, {**said[name], "replicates": replicates, **further})


def write_history(path: Path, history: list[list[str]], replicates: list[dict[str, int]]) -> None:
    """Write the first replicate's epochs for each of these seeds."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(history[0])
    for seeds in replicates:
        writer.writerows([seeds["noise_seed"], seeds["seed"], *row[2:]] for row in history[1:31])
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text.getvalue(), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
