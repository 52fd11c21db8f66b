"""All stages of a grid in this process, in the working folder: what Snakemake would run, without its start-up times."""

from pathlib import Path
from typing import Any

from smearlab.core import registry
from smearlab.datasets._splitting import make_dataset
from smearlab.figures._save import save
from smearlab.grid import jobs
from smearlab.grid.cells import Cell, Estimate, Grid, load_grid
from smearlab.report.page import write_page
from smearlab.stages.collect import collect
from smearlab.stages.distill_student import distill_students
from smearlab.stages.estimate_transition import estimate_transition
from smearlab.stages.make_labels import make_labels
from smearlab.stages.measuring import evaluate
from smearlab.stages.summarise import summarise_grid
from smearlab.stages.train_teacher import train_teachers
from smearlab.stages.warm_up import warm_up
from smearlab.store.dataset import write_dataset
from smearlab.store.tables import Tables, read_tables

SPLIT = ("split_seed", "validation", "test", "subset", "test_subset")


def run_grid(content: dict[str, Any]) -> Tables:
    """Compute a grid and return its tables; the page is reports/<name>.html."""
    grid = load_grid(content)
    for dataset in grid.datasets.values():
        raw = registry.load("datasets", dataset.kind).load(**dataset.options)
        settings = {key: dataset.settings[key] for key in SPLIT}
        write_dataset(make_dataset(raw, **settings), _data(dataset.id))
    for estimate in grid.estimates.values():
        for block in grid.blocks(estimate):
            _estimate(grid, estimate, block)
    for cell in grid.cells.values():
        for block in grid.blocks(cell):
            _train(cell, block)
    return _tables(grid)


def _data(dataset: str) -> Path:
    return Path("results") / "data" / dataset


def _labels(cell: Cell | Estimate, block: str) -> dict[str, Any]:
    """Make the labels of a block and return what its jobs have among their inputs."""
    data = _data(cell.labels.dataset.id)
    inputs = {"training": str(data / "training.npz"), "manifest": str(data / "training.json")}
    folders = [cell.labels.folder(s) for s in dict.fromkeys(r.noise_seed for r in cell.replicates(block))]
    for folder in folders:
        if not Path(folder, "audit.json").exists():
            job = jobs.labels_job(cell.labels, int(folder.rpartition("=")[2]))
            outputs = {"labels": f"{folder}/labels.npz", "audit": f"{folder}/audit.json"}
            make_labels(job, cell.labels.noise.options, inputs, outputs)
    files = {"labels": [f"{f}/labels.npz" for f in folders], "audits": [f"{f}/audit.json" for f in folders]}
    return {**inputs, **files}


def _estimate(grid: Grid, estimate: Estimate, block: str) -> None:
    inputs, folder = _labels(estimate, block), estimate.folder(block)
    outputs = {"probabilities": f"{folder}/probabilities.npz", "run": f"{folder}/run.json"}
    warm_up(jobs.warm_up_job(estimate, block), inputs, outputs)
    for estimator in {cell.method.estimator for cell in grid.cells.values() if cell.estimate == estimate}:
        job = jobs.estimate_job(estimate, block, estimator)
        estimate_transition(job, {**outputs, "audits": inputs["audits"]}, {"estimate": f"{folder}/{estimator.id}.json"})


def _train(cell: Cell, block: str) -> None:
    folder, inputs = cell.folder(block), {**_labels(cell, block), "estimate": cell.estimate_files(block)}
    if cell.teacher:
        taught = cell.teacher.folder(block)
        inputs |= {"teacher_weights": f"{taught}/weights.safetensors", "teacher_run": f"{taught}/run.json"}
    train = distill_students if cell.teacher else train_teachers
    train(jobs.training_job(cell, block), inputs, {"run": f"{folder}/run.json"})
    data = _data(cell.labels.dataset.id)
    inputs |= {"test": str(data / "test.npz"), "test_manifest": str(data / "test.json")}
    inputs |= {"weights": f"{folder}/weights.safetensors", "run": f"{folder}/run.json"}
    inputs["training_manifest"] = inputs.pop("manifest")
    outputs = {"metrics": f"{folder}/metrics.json", "examples": f"{folder}/examples.npz"}
    evaluate(jobs.evaluation_job(cell, block), inputs, outputs)


def _tables(grid: Grid) -> Tables:
    folder = Path("results") / grid.name
    collect(grid, folder)
    job = jobs.statistics_job(grid)
    summarise_grid(folder, primary=job["primary"], margin=job["margin"])
    tables = read_tables(folder)
    for figure in registry.names("figures"):
        drawing = registry.load("figures", figure).draw(tables)
        save(drawing, folder / "figures" / f"{figure}.svg", folder / "figures" / f"{figure}.json")
    write_page(folder, Path("reports") / f"{grid.name}.html")
    return tables
