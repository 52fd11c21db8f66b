"""A grid whose files were never computed: outputs, logs, benchmarks and Snakemake's notes, as a run leaves them."""

import json
import os
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from smearlab.grid.cells import Grid
from smearlab.grid.dag import RUN, Node, nodes_of
from smearlab.grid.jobs import parts_of_code
from smearlab.store.files import read_json, sha256_file, write_sealed
from smearlab.store.timings import write_timings
from smearlab.watch.codebook import remember
from smearlab.watch.records import Records

BEGAN = 1_700_000_000.0
TIMES = {"train_seconds": 5.0, "images_per_second": 900.0}


def make(grid: Grid, keep: Callable[[Node], bool] = lambda node: True, *, codes: bool = True) -> list[Node]:
    """Leave what a run of these jobs leaves, each a second after the one before; return all jobs of the grid."""
    nodes = nodes_of(grid)
    for k, node in enumerate(nodes):
        if node.outputs and keep(node):
            make_node(node, BEGAN + k)
    if codes:
        remember()
    return nodes


def make_node(node: Node, when: float) -> None:
    """Leave the files of one job and Snakemake's note of it."""
    for path in node.outputs:
        file = Path(path)
        file.parent.mkdir(parents=True, exist_ok=True)
        if node.trains and file.name == RUN:
            run = run_of(node)
            write_sealed(file, run)
            write_timings(file, [{**entry, **TIMES} for entry in run["replicates"]], {"processor": "made up"})
        else:
            file.write_text('{"made": "up"}\n', encoding="utf-8")
        os.utime(file, (when, when))
    log(node, "done\n", when)
    if node.benchmark:
        Path(node.benchmark).write_text("s\th:m:s\n12.5\t0:00:12\n", encoding="utf-8")
        os.utime(node.benchmark, (when, when))
    note(node)


def run_of(node: Node, **changes: Any) -> dict[str, Any]:
    """Return what run.json says of a training."""
    decided = node.decide()
    replicates = [{**seeds, "status": "finished", "reason": None, **changes} for seeds in decided["replicates"]]
    parts = parts_of_code()[decided["code"]] if node.rule != "warm_up" else {}
    return {
        "replicates": replicates,
        "recipe": decided["recipe"],
        **({"method": decided["method"]} if "method" in decided else {}),
        "code": decided["code"],
        "code_parts": parts,
    }


def log(node: Node, text: str, when: float | None = None) -> None:
    """Write the log of a job."""
    Path(node.log).parent.mkdir(parents=True, exist_ok=True)
    Path(node.log).write_text(text, encoding="utf-8")
    if when is not None:
        os.utime(node.log, (when, when))


def note(node: Node, params: dict[str, Any] | None = None) -> None:
    """Write Snakemake's note of a job's outputs, with other parameters if they are given."""
    checksums = {path: f"sha256:{sha256_file(path)}" for path in (*node.inputs, *node.ancient) if Path(path).exists()}
    record = {
        "rule": node.rule,
        "input": sorted((*node.inputs, *node.ancient)),
        "params": [repr(node.decide() if params is None else params)],
        "record_format_version": 6,
        "input_checksums": checksums if len(checksums) < 100 else {},
    }
    for path in node.outputs:
        place = note_path(path)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(json.dumps(record), encoding="utf-8")


def change_note(node: Node, **values: Any) -> None:
    """Change parameters in the notes of a job, as if it had been made with others."""
    note(node, {**node.decide(), **values})


def note_path(path: str, kind: str = "metadata") -> Path:
    """Return where Snakemake keeps its note of a file, by its own way of naming."""
    name = urlsafe_b64encode(path.encode()).decode()
    pieces = [name[i : i + 254] for i in range(0, len(name), 254)]
    return Path(".snakemake", kind, *[f"@{piece}" for piece in pieces[:-1]], pieces[-1])


def begin(node: Node) -> None:
    """Mark a job as begun and not ended."""
    for path in node.outputs:
        place = note_path(path, "incomplete")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text('{"external_jobid": null}', encoding="utf-8")


def of(nodes: Iterable[Node], rule: str, part: str = "") -> Node:
    """Return the first job of a rule with a part of its name."""
    return next(node for node in nodes if node.rule == rule and part in node.name)


def noted(path: str) -> dict[str, Any] | None:
    """Return what is read back of a note."""
    found = Records().of(path)
    assert found is None or found == read_json(note_path(path))
    return found
