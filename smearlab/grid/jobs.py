"""What each job of the grid must do, as one plain dictionary: everything that decides its result, and nothing else.

Snakemake records these dictionaries and reruns a job when its own has changed. Places of files, numbers of
cores and names that only label a result are therefore left out; the code digest is in.
"""

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from smearlab.core import registry
from smearlab.core.digest import ROOT, code_digest, code_parts
from smearlab.core.identity import short_hash
from smearlab.grid.cells import Cell, Estimate, Grid, Labels
from smearlab.grid.definitions import CROSS_ENTROPY, Dataset, Recipe
from smearlab.grid.estimator import Estimator
from smearlab.noises._draw import aligns

_REACHED: dict[str, tuple[str, tuple[str, ...]]] = {}  # digest: what it was taken over, in this process


def _module(kind: str, name: str) -> str:
    return f"smearlab.{kind}.{name}"


def _code(script: str, entries: Iterable[str] = ()) -> str:
    digest = code_digest(script, entries)
    _REACHED[digest] = (script, tuple(entries))
    return digest


def parts_of_code() -> dict[str, dict[str, str]]:
    """Return what every digest in the jobs asked for so far is made of: module or library -> fingerprint or version."""
    return {digest: code_parts(script, entries) for digest, (script, entries) in _REACHED.items()}


def dataset_job(dataset: Dataset) -> dict[str, Any]:
    """The import and split of one data set."""
    return {"contents": dataset.contents, "code": _code("make_dataset.py", [_module("datasets", dataset.kind)])}


def labels_job(labels: Labels, seed: int) -> dict[str, Any]:
    """The observed labels of one noise seed."""
    noise = labels.noise
    kinds = {noise.kind, *([noise.contents["of"]["kind"]] if "of" in noise.contents else [])}
    modules = [_module("noises", kind) for kind in kinds]
    if aligns(noise.kind, noise.contents):  # the loader says how many examples there are, and their names
        modules.append(_module("datasets", labels.dataset.kind))
    return {
        "dataset": labels.dataset.id,
        "dataset_kind": labels.dataset.kind,
        "kind": noise.kind,
        "contents": noise.contents,
        "rate": labels.rate,
        "noise_seed": seed,
        "code": _code("make_labels.py", modules),
    }


def warm_up_job(estimate: Estimate, block: str) -> dict[str, Any]:
    """The cross-fitted warm-up networks of one block."""
    recipe = estimate.recipe
    modules = [_module("methods", CROSS_ENTROPY.name), _module("networks", recipe.arch)]
    return {
        "cell": estimate.key,
        "block": block,
        "replicates": [asdict(replicate) for replicate in estimate.replicates(block)],
        "recipe": recipe.settings,
        "estimate": asdict(recipe.estimate),
        "n_classes": estimate.labels.dataset.n_classes,
        "code": _code("warm_up.py", modules),
    }


def estimate_job(estimate: Estimate, block: str, estimator: Estimator) -> dict[str, Any]:
    """The estimated T of one block by one estimator."""
    return {
        "cell": estimate.key,
        "block": block,
        "estimator": estimator.name,
        "options": dict(estimator.options),
        "code": _code("estimate_transition.py", [_module("estimators", estimator.name)]),
    }


def training_job(cell: Cell, block: str) -> dict[str, Any]:
    """The training of one block of teachers or students."""
    job = {
        "cell": cell.key,
        "block": block,
        "role": cell.role,
        "replicates": [asdict(replicate) for replicate in cell.replicates(block)],
        "recipe": cell.recipe.settings,
        "method": cell.method.as_dict(),
        "n_classes": cell.labels.dataset.n_classes,
        "modules": _training_reach(cell)[1],
        "code": training_code(cell),
    }
    if cell.teacher is not None:
        job |= {
            "teacher_recipe": cell.teacher.recipe.settings,
            "temperature": cell.temperature,
            "beta": cell.beta,
            "student_labels": cell.student_labels,
            "student_temperature": cell.student_temperature,
            "view": cell.view,
        }
    return job


def training_code(cell: Cell) -> str:
    """The digest of the code that trains a cell: the loop, its networks and its losses."""
    return _code(*_training_reach(cell))


def training_code_parts(cell: Cell) -> dict[str, str]:
    """What that digest is made of: module or library -> fingerprint or version."""
    return code_parts(*_training_reach(cell))


def _training_reach(cell: Cell) -> tuple[str, list[str]]:
    methods = [_module("methods", name) for name in {cell.method.name, CROSS_ENTROPY.name}]
    networks = [_module("networks", name) for name in _networks(cell)]
    return ("distill_student.py" if cell.teacher else "train_teacher.py"), sorted([*methods, *networks])


def evaluation_job(cell: Cell, block: str) -> dict[str, Any]:
    """The evaluation of one block."""
    return {**training_job(cell, block), "code": evaluation_code(cell)}


def evaluation_code(cell: Cell) -> str:
    """The digest of the code that evaluates a cell: every registered metric takes part in it."""
    metrics = [_module("metrics", name) for name in registry.names("metrics")]
    networks = [_module("networks", name) for name in _networks(cell)]
    return _code("evaluate.py", [*metrics, *networks])


def collection_job(grid: Grid) -> dict[str, Any]:
    """The tables of one grid."""
    rows = [[row.cell.key, row.columns] for row in grid.rows]
    replicates = grid.config.replicates.model_dump()
    title = grid.config.title or grid.name
    expected = sorted({code for cell in grid.cells.values() for code in (training_code(cell), evaluation_code(cell))})
    return {
        "rows": short_hash(rows),
        "replicates": replicates,
        "title": title,
        "expected_code": short_hash(expected),
        "code": _code("collect.py"),
    }


def statistics_job(grid: Grid) -> dict[str, Any]:
    """The statistics of one grid."""
    primary = grid.config.primary.model_dump() if grid.config.primary else None
    published = short_hash((ROOT / "smearlab" / "reference" / "published.yaml").read_text("utf-8"))
    numbers = {"primary": primary, "margin": grid.config.margin, "published": published}
    return {**numbers, "code": _code("summarise.py")}


def figure_job(figure: str) -> dict[str, Any]:
    """One figure."""
    return {"figure": figure, "code": _code("draw_figure.py", [_module("figures", figure)])}


def theory_job() -> dict[str, Any]:
    """The paper's claims, computed."""
    return {"code": _code("check_claims.py", [_module("claims", name) for name in registry.names("claims")])}


def _networks(cell: Cell) -> set[str]:
    recipes: list[Recipe] = [cell.recipe, *([cell.teacher.recipe] if cell.teacher else [])]
    return {recipe.arch for recipe in recipes}


def report_job() -> dict[str, Any]:
    """The page, with its template, style and script."""
    parts = [path for path in sorted((ROOT / "smearlab" / "report").iterdir()) if path.suffix in (".j2", ".css", ".js")]
    return {"code": _code("write_report.py"), "page": short_hash([path.read_text("utf-8") for path in parts])}
