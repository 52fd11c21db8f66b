"""The jobs of a grid as the rules of the workflow make them: their files, and what decides their results.

Written a second time beside workflow/rules, because to ask Snakemake takes minutes for thousands of cells and imports
all of it; a test compares both.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from smearlab.core import registry
from smearlab.grid import jobs
from smearlab.grid.cells import RESULTS, Cell, Estimate, Grid

DATA, LABELS, ESTIMATES, TEACHERS, STUDENTS, EVALUATIONS, TABLES = STAGES = (
    "data",
    "labels",
    "estimates",
    "teachers",
    "students",
    "evaluations",
    "tables",
)
KEPT = {"weights": (TEACHERS, STUDENTS), "teachers": (TEACHERS,), "none": ()}
TABLE_FILES = ("metrics.parquet", "metrics.csv", "history.parquet", "curves.parquet", "context.json")
SUMMARY_FILES = (
    "summary.csv",
    "variance.csv",
    "interaction.csv",
    "choice.csv",
    "passed_on.csv",
    "summary.json",
    "reference.csv",
)
READ_BY_FIGURES = (
    "metrics.parquet",
    "history.parquet",
    "curves.parquet",
    "context.json",
    "summary.csv",
    "variance.csv",
    "interaction.csv",
    "choice.csv",
    "passed_on.csv",
)


@dataclass(eq=False, slots=True)
class Job:
    """One job: its rule and stage, its name below results/, its files, and the dictionary that decides its result.

    inputs: those whose change makes it run again. ancient: those that need only be there. transient: outputs that are
    deleted after use. log and benchmark are paths, "" where there is none.
    """

    rule: str
    stage: str
    name: str
    outputs: tuple[str, ...]
    inputs: tuple[str, ...]
    ancient: tuple[str, ...]
    log: str
    benchmark: str
    decide: Callable[[], dict[str, Any]]
    cell: Cell | Estimate | None = None
    block: str = ""
    transient: tuple[str, ...] = ()

    @property
    def trains(self) -> bool:
        """Whether it trains networks, under a run lock and with checkpoints."""
        return self.rule in ("warm_up", "train_teacher", "distill_student")


def jobs_of(grid: Grid) -> list[Job]:
    """Return all jobs of a grid, each after those whose files it reads; the last one is the rule `all`."""
    return [*_data(grid), *_labels(grid), *_estimates(grid), *_blocks(grid), *_tables(grid)]


def _data(grid: Grid) -> Iterator[Job]:
    for name, dataset in grid.datasets.items():
        log = f"logs/data/{name}"
        outputs = tuple(f"{data_folder(name)}/{f}" for f in ("training.npz", "training.json", "test.npz", "test.json"))
        yield Job(
            "make_dataset",
            DATA,
            f"data/{name}",
            outputs,
            (),
            (),
            f"{log}.log",
            f"{log}.tsv",
            lambda dataset=dataset: jobs.dataset_job(dataset),
        )


def data_folder(dataset: str) -> str:
    """Return the folder of a data set by its name in paths."""
    return f"{RESULTS}/data/{dataset}"


def _labels(grid: Grid) -> Iterator[Job]:
    seeds: dict[str, dict[int, None]] = {}
    for one in (*grid.cells.values(), *grid.estimates.values()):
        for block in grid.blocks(one):
            seeds.setdefault(one.labels.path, {}).update(dict.fromkeys(noise_seeds(one, block)))
    for path, found in seeds.items():
        labels = grid.labels[path]
        data = data_folder(labels.dataset.id)
        for seed in found:
            folder, log = labels.folder(seed), f"logs/labels/{path}/seed={seed}"
            yield Job(
                "make_labels",
                LABELS,
                _below(folder),
                (f"{folder}/labels.npz", f"{folder}/audit.json"),
                (f"{data}/training.json",),
                (f"{data}/training.npz",),
                f"{log}.log",
                f"{log}.tsv",
                lambda labels=labels, seed=seed: jobs.labels_job(labels, seed),
            )


def noise_seeds(cell: Cell | Estimate, block: str) -> list[int]:
    """Return the noise seeds of a block, each once."""
    return list(dict.fromkeys(replicate.noise_seed for replicate in cell.replicates(block)))


def _estimates(grid: Grid) -> Iterator[Job]:
    warmed, made = set(), set()
    for cell in grid.cells.values():
        for block in grid.blocks(cell) if cell.estimate else ():
            if (cell.estimate.path, block) not in warmed:
                warmed.add((cell.estimate.path, block))
                yield _warm_up(cell.estimate, block)
            for path in cell.estimate_files(block):
                if path not in made:
                    made.add(path)
                    yield _estimate(cell, block, path)


def _warm_up(estimate: Estimate, block: str) -> Job:
    folder, log = estimate.folder(block), f"logs/{estimate.key}/{block}"
    inputs, ancient = _training_data(estimate, block)
    return Job(
        "warm_up",
        ESTIMATES,
        _below(folder),
        (f"{folder}/probabilities.npz", f"{folder}/run.json"),
        inputs,
        ancient,
        f"{log}.log",
        f"{log}.tsv",
        lambda: jobs.warm_up_job(estimate, block),
        estimate,
        block,
    )


def _estimate(cell: Cell, block: str, path: str) -> Job:
    estimate, name = cell.estimate, _below(path).removesuffix(".json")
    folder = estimate.folder(block)
    audits = (f"{estimate.labels.folder(seed)}/audit.json" for seed in noise_seeds(estimate, block))
    return Job(
        "estimate_transition",
        ESTIMATES,
        _below(path),
        (path,),
        (f"{folder}/run.json", *audits),
        (f"{folder}/probabilities.npz",),
        f"logs/{name}.log",
        f"logs/{name}.tsv",
        lambda: jobs.estimate_job(estimate, block, cell.method.estimator),
        estimate,
        block,
    )


def _training_data(cell: Cell | Estimate, block: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the inputs (small files with hashes) and the ancient ones (large files) of a training."""
    data = data_folder(cell.labels.dataset.id)
    folders = [cell.labels.folder(seed) for seed in noise_seeds(cell, block)]
    inputs = (f"{data}/training.json", *(f"{folder}/audit.json" for folder in folders))
    return inputs, (f"{data}/training.npz", *(f"{folder}/labels.npz" for folder in folders))


def _blocks(grid: Grid) -> Iterator[Job]:
    """Yield training and evaluation of every block; a student's teacher is always before it in the grid."""
    kept = KEPT[grid.config.keep]
    for cell in grid.cells.values():
        for block in grid.blocks(cell):
            data = _training_data(cell, block)
            yield _training(cell, block, *data, kept)
            yield _evaluation(cell, block, *data)


def _training(cell: Cell, block: str, inputs: tuple[str, ...], ancient: tuple[str, ...], kept: tuple[str, ...]) -> Job:
    folder, log = cell.folder(block), f"logs/{cell.key}/{block}"
    stage = STUDENTS if cell.teacher else TEACHERS
    taught, taught_by = _teacher_files(cell, block)
    weights = f"{folder}/weights.safetensors"
    return Job(
        "distill_student" if cell.teacher else "train_teacher",
        stage,
        _below(folder),
        (weights, f"{folder}/history.csv", f"{folder}/run.json"),
        (*inputs, *cell.estimate_files(block), *taught),
        (*ancient, *taught_by),
        f"{log}.log",
        f"{log}.tsv",
        lambda: jobs.training_job(cell, block),
        cell,
        block,
        () if stage in kept else (weights,),
    )


def _teacher_files(cell: Cell, block: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    if cell.teacher is None:
        return (), ()
    folder = cell.teacher.folder(block)
    return (f"{folder}/run.json",), (f"{folder}/weights.safetensors",)


def _evaluation(cell: Cell, block: str, inputs: tuple[str, ...], ancient: tuple[str, ...]) -> Job:
    folder, log = cell.folder(block), f"logs/evaluation/{cell.key}/{block}"
    data = data_folder(cell.labels.dataset.id)
    taught, taught_by = _teacher_files(cell, block)
    return Job(
        f"evaluate_{cell.role}",
        EVALUATIONS,
        _below(folder),
        (f"{folder}/examples.npz", f"{folder}/metrics.json"),
        (*inputs, f"{data}/test.json", f"{folder}/run.json", *taught),
        (*ancient, f"{data}/test.npz", f"{folder}/weights.safetensors", *taught_by),
        f"{log}.log",
        f"{log}.tsv",
        lambda: jobs.evaluation_job(cell, block),
        cell,
        block,
    )


def _tables(grid: Grid) -> Iterator[Job]:
    claims, tables = f"{RESULTS}/theory/claims.json", f"{RESULTS}/{grid.name}"
    page, logs, figures = f"reports/{grid.name}.html", f"logs/{grid.name}", registry.names("figures")
    yield _table("check_claims", "theory", (claims,), (), "logs/theory/claims.log", jobs.theory_job)
    yield _table(
        "collect",
        f"{grid.name}/metrics",
        _in(tables, TABLE_FILES),
        (*_collected(grid), claims),
        f"{logs}/collect.log",
        lambda: jobs.collection_job(grid),
    )
    yield _table(
        "summarise",
        f"{grid.name}/summary",
        _in(tables, SUMMARY_FILES),
        _in(tables, ("metrics.parquet", "context.json")),
        f"{logs}/summarise.log",
        lambda: jobs.statistics_job(grid),
    )
    for figure in figures:
        yield _table(
            "draw_figure",
            f"{grid.name}/figures/{figure}",
            (f"{tables}/figures/{figure}.svg", f"{tables}/figures/{figure}.json"),
            _in(tables, READ_BY_FIGURES),
            f"{logs}/figures/{figure}.log",
            lambda figure=figure: jobs.figure_job(figure),
        )
    drawn = tuple(f"{tables}/figures/{figure}.{end}" for figure in figures for end in ("svg", "json"))
    read = (*_in(tables, (*READ_BY_FIGURES, "reference.csv")), *drawn)
    yield _table("write_report", page, (page,), read, f"{logs}/report.log", jobs.report_job)
    asked = (page, *_in(tables, ("metrics.parquet", "metrics.csv", "summary.csv")))
    yield _table("all", "all", (), asked, "", dict)


def _table(
    rule: str,
    name: str,
    outputs: tuple[str, ...],
    inputs: tuple[str, ...],
    log: str,
    decide: Callable[[], dict[str, Any]],
) -> Job:
    return Job(rule, TABLES, name, outputs, inputs, (), log, "", decide)


def _collected(grid: Grid) -> Iterator[str]:
    """Yield what the tables are made of."""
    small = ("run.json", "history.csv", "metrics.json")
    audits, estimates = {}, {}
    for cell in grid.cells.values():
        for block in grid.blocks(cell):
            yield from _in(cell.folder(block), small)
            audits |= {f"{cell.labels.folder(seed)}/audit.json": None for seed in noise_seeds(cell, block)}
            estimates |= dict.fromkeys(cell.estimate_files(block))
    yield from audits
    yield from estimates
    for dataset in grid.datasets:
        yield from _in(data_folder(dataset), ("training.json", "test.json"))


def _in(folder: str, names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(f"{folder}/{name}" for name in names)


def _below(path: str) -> str:
    return path.removeprefix(f"{RESULTS}/")
