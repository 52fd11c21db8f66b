"""Whether what a job left is whole, and how it says that it was made: by the hashes and words in the files themselves.

Only read. What a stage leaves names itself and its neighbours by SHA-256 (read_sealed, check_files); the accounts of
trainings, evaluations and estimates say by which code and for which seeds they were made as well.
"""

import hashlib
from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from smearlab.core.errors import UserError
from smearlab.core.identity import short_hash
from smearlab.grid.cells import RESULTS, Grid
from smearlab.grid.dag import STAGES, Node
from smearlab.grid.jobs import COUNTED
from smearlab.grid.splits import REDRAWN
from smearlab.stages._context import code_version
from smearlab.stages._ran import Reader
from smearlab.stages.collect import metrics_table
from smearlab.store.dataset import META, read_test, read_training
from smearlab.store.files import check_files, damaged, read_sealed, sha256_array, sha256_file
from smearlab.store.hashed_page import check_hashed_page
from smearlab.store.labels import AUDIT, dataset_hashes
from smearlab.store.npz import read_npz, reason

Files = Mapping[str, str]  # a job's outputs by name
Said = dict[str, Any]
SEEDS = ("noise_seed", "seed")
ABSENT = "no/such/file"


def files_of(node: Node) -> dict[str, str]:
    """Return the outputs of a job by name."""
    return dict(zip(STAGES[node.rule].made, node.outputs, strict=True))


def accounts(node: Node) -> list[str]:
    """Return the outputs of a job that say what the others are; without them nothing can be said of these."""
    return [path for path in node.outputs if path.endswith(".json")] or [node.outputs[-1]]


def check_whole(node: Node, among: Collection[str] | None = None) -> Said:
    """Return what a job's outputs say of how they were made; UserError, naming the file, if one is not as written.

    Its accounts are there; any other output may be absent, and is passed over then, as one that is not `among` them.
    """
    files = {name: path if among is None or path in among else ABSENT for name, path in files_of(node).items()}
    try:
        return WHOLE.get(node.rule, _any)(files)
    except (KeyError, TypeError, ValueError, AttributeError, OSError) as error:
        raise damaged(node.outputs[-1], f"is of another form ({reason(error)})") from error


def damages(node: Node) -> list[UserError]:
    """Return an error for each output of a job that is not as written; one alone where an account is not."""
    try:
        check_whole(node)
    except UserError as first:
        known, others = accounts(node), set(node.outputs) - set(accounts(node))
        if any(str(first).startswith(f"{path}:") for path in known):
            return [first]
        return [error for path in node.outputs if path in others and (error := _damage(node, {*known, path}))] or [
            first
        ]
    return []


def _damage(node: Node, among: set[str]) -> UserError | None:
    """Return what is wrong with some outputs of a job, as if no other were there."""
    try:
        check_whole(node, among)
    except UserError as error:
        return error
    return None


def _any(files: Files) -> Said:
    for path in files.values():
        if path.endswith(".json"):
            read_sealed(path)
    return {}


def _dataset(files: Files) -> Said:
    for part, read in (("training", read_training), ("test", read_test)):
        manifest = files[f"{part}_manifest"]
        if Path(files[part]).exists():
            read([files[part], manifest])
        else:
            read_sealed(manifest, *META)
    return {}


def _labels(files: Files) -> Said:
    audit = read_sealed(files["audit"], *AUDIT)
    if Path(files["labels"]).exists():
        observed = read_npz(files["labels"]).get("observed")
        if observed is None or sha256_array(observed) != audit["labels_sha256"]:
            raise damaged(files["labels"], f"does not match its SHA-256 in {files['audit']}")
    return {"noise_seed": audit["noise_seed"]}


def _warm_up(files: Files) -> Said:
    return _trained(files, "probabilities")


def _training(files: Files) -> Said:
    return _trained(files, "weights", "history")


def _trained(files: Files, *hashed: str) -> Said:
    run = read_sealed(files["run"], "replicates", "code", *(f"{name}_sha256" for name in hashed))
    for name in hashed:
        path = Path(files[name])
        check_files(path.parent, {path.name: run[f"{name}_sha256"]}, files["run"])
    return {"code": run["code"], "replicates": _seeds(run), **({"method": run["method"]} if "method" in run else {})}


def _estimate(files: Files) -> Said:
    found = read_sealed(files["estimate"], "estimator", "options", "replicates", "code")
    return {**{key: found[key] for key in ("estimator", "options", "code")}, "replicates": _seeds(found)}


def _evaluation(files: Files) -> Said:
    metrics = read_sealed(files["metrics"], "replicates", "code")
    seeds = _seeds(metrics)
    if Path(files["examples"]).exists():
        arrays = read_npz(files["examples"])  # which compares each array with its checksum
        if any(arrays[key].tolist() != [entry[key] for entry in seeds] for key in SEEDS):
            raise damaged(files["examples"], f"speaks of other replicates than {files['metrics']}")
    return {"code": metrics["code"], "replicates": seeds}


def _tables(files: Files) -> Said:
    context = read_sealed(files["context"], "sha256", "cells", "config", "title", "code_version")
    _check_hashes(files, context["sha256"], files["context"])
    rows = [[row["cell"], {key: value for key, value in row.items() if key != "cell"}] for row in context["cells"]]
    replicates = context["config"]["replicates"]
    said = {key: context[key] for key in ("title", "code_version")}
    if replicates.get("splits") != REDRAWN:  # else a named cell is many, whose numbers check_origin compares
        said["rows"] = short_hash(rows)
    return {**said, "replicates": {key: replicates[key] for key in COUNTED}}


def _statistics(files: Files) -> Said:
    hashes = read_sealed(files["hashes"], "sha256")["sha256"]
    _check_hashes(files, hashes, files["hashes"])
    return {}


def _check_hashes(files: Files, hashes: Mapping[str, str], described: str) -> None:
    for path in map(Path, files.values()):
        if path.name in hashes:
            check_files(path.parent, {path.name: hashes[path.name]}, described)


def _figure(files: Files) -> Said:
    said = read_sealed(files["text"])
    if "svg_sha256" in said:
        _check_hashes(files, {Path(files["svg"]).name: said["svg_sha256"]}, files["text"])
    else:  # of 0.1.0
        _check_end(files["svg"], "</svg>")
    return {}


def _page(files: Files) -> Said:
    if Path(files["page"]).exists():
        check_hashed_page(files["page"])
    return {}


WHOLE: dict[str, Callable[[Files], Said]] = {
    "make_dataset": _dataset,
    "make_labels": _labels,
    "warm_up": _warm_up,
    "estimate_transition": _estimate,
    "train_teacher": _training,
    "distill_student": _training,
    "evaluate_teacher": _evaluation,
    "evaluate_student": _evaluation,
    "collect": _tables,
    "summarise": _statistics,
    "draw_figure": _figure,
    "write_report": _page,
}


def _seeds(said: Mapping[str, Any]) -> list[dict[str, int]]:
    return [{key: entry[key] for key in SEEDS} for entry in said["replicates"]]


def _check_end(path: str, end: str) -> None:
    if Path(path).exists() and not Path(path).read_text(encoding="utf-8").rstrip().endswith(end):
        raise damaged(path, f"does not end with {end}")


def differing(node: Node, said: Said) -> Said:
    """Return those parameters, of what a result says of itself, that are not what its job asks for."""
    asked = {**node.decide(), "code_version": code_version()}
    if node.cell:
        asked["replicates"] = [asdict(replicate) for replicate in node.cell.replicates(node.block)]
    return {key: value for key, value in said.items() if asked.get(key) != value}


def check_origin(node: Node, grid: Grid) -> None:
    """Raise UserError if outputs were made from other files than those that are there, where they say so."""
    files = files_of(node)
    if node.rule == "make_labels":
        made_for = read_sealed(files["audit"], *AUDIT)["dataset_sha256"]
        if made_for != dataset_hashes(read_sealed(node.inputs[0], "sha256")):
            raise UserError(f"{files['audit']}: made for another data set than {node.inputs[0]} (SHA-256 differs)")
    if node.rule == "collect" and Path(files["csv"]).exists():
        rows = metrics_table(Reader(grid, Path(RESULTS))).to_csv(index=False, lineterminator="\n")
        if hashlib.sha256(rows.encode()).hexdigest() != sha256_file(files["csv"]):
            raise UserError(f"{files['csv']}: not what the results that are there give")
