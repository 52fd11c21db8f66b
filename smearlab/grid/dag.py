"""The one table of stages: what each reads and makes, where it logs, and what decides its result.

The rules of workflow/ take their files from here with wildcards in place of names; collecting, `explain`, `status`,
`clean` and the tests take the same with the names of a grid's cells.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from smearlab.core import registry
from smearlab.core.jobs import plain
from smearlab.grid import jobs
from smearlab.grid.cells import RESULTS, Cell, Estimate, Grid, Labels
from smearlab.grid.definitions import Dataset
from smearlab.grid.estimator import Estimator

DATA, LABELS, ESTIMATES, TEACHERS, STUDENTS, EVALUATIONS, TABLES = GROUPS = (
    "data",
    "labels",
    "estimates",
    "teachers",
    "students",
    "evaluations",
    "tables",
)
KEPT = {"weights": (TEACHERS, STUDENTS), "teachers": (TEACHERS,), "none": ()}  # by the config's `keep`
RUN, METRICS, HISTORY, WEIGHTS = "run.json", "metrics.json", "history.csv", "weights.safetensors"
EXAMPLES = "examples.npz"
TRAINED = {"weights": WEIGHTS, "history": HISTORY, "run": RUN}
MEASURED = {"examples": EXAMPLES, "metrics": METRICS}
COLLECTED = {
    "metrics": "metrics.parquet",
    "csv": "metrics.csv",
    "history": "history.parquet",
    "curves": "curves.parquet",
    "gold": "gold.parquet",
    "suspects": "suspects.csv",
    "suspects_by_noise": "suspects_by_noise.csv",
    "correct": "correct.npz",
    "context": "context.json",
}
SUMMARISED = {
    "summary": "summary.csv",
    "variance": "variance.csv",
    "interaction": "interaction.csv",
    "choice": "choice.csv",
    "passed_on": "passed_on.csv",
    "stopping": "stopping.csv",
    "mitigation": "mitigation.csv",
    "rivals": "rivals.csv",
    "own_treatment": "own_treatment.csv",
    "robustness": "robustness.csv",
    "pooled": "pooled.csv",
    "hashes": "summary.json",
    "reference": "reference.csv",
}
SHOWN = (
    *("metrics", "history", "curves", "context"),
    *(name for name in SUMMARISED if name not in ("hashes", "reference")),
)

TEACHER = "{dataset}/{noise}/{rate}/{recipe}/{method}"
STUDENT = "{dataset}/{noise}/{rate}/{teacher_recipe}/{teacher_method}/{recipe}/{student}"
ESTIMATE = "{dataset}/{noise}/{rate}/{recipe}/{estimate}"


class Large(str):
    """A file that need only be there: a small one beside it holds its hashes."""


Files = dict[str, Any]  # by name: a path (a Large one), or a list of paths
Values = Mapping[str, str]  # of wildcards


@dataclass(frozen=True)
class Subject:
    """What one job is about: the grid itself, or a part of it."""

    grid: Grid

    @property
    def trained(self) -> Cell | Estimate | None:
        """The cell (or what its T is estimated from) that the job trains or measures."""
        return None


@dataclass(frozen=True)
class OneDataset(Subject):
    """A data set."""

    dataset: Dataset


@dataclass(frozen=True)
class OneSeed(Subject):
    """The labels of one noise seed."""

    labels: Labels
    seed: int


@dataclass(frozen=True)
class OneBlock(Subject):
    """A block of a cell."""

    cell: Cell
    block: str

    @property
    def trained(self) -> Cell:
        return self.cell


@dataclass(frozen=True)
class OneWarmUp(Subject):
    """A block of warm-up networks."""

    estimate: Estimate
    block: str

    @property
    def trained(self) -> Estimate:
        return self.estimate


@dataclass(frozen=True)
class OneEstimator(OneWarmUp):
    """An estimator on a block of warm-up networks."""

    estimator: Estimator


@dataclass(frozen=True)
class OneFigure(Subject):
    """A figure."""

    figure: str


@dataclass(frozen=True)
class Stage:
    """One rule.

    at: its place below results/ with wildcards. made: its outputs by name, in which {at} is that place. log: likewise;
    timed: whether Snakemake writes a benchmark beside it. place, subjects: from a subject to its place, and all
    subjects of a grid. find: from a rule's wildcards to the subject. reads, job: from a subject to the files that go
    in, and to the dataclass that decides.
    """

    rule: str
    group: str
    noun: str
    at: str
    made: Mapping[str, str]
    log: str
    place: Callable[[Any], str]
    subjects: Callable[[Grid], Iterator[Subject]]
    find: Callable[[Grid, Values], Subject]
    reads: Callable[[Any], Files]
    job: Callable[[Any], Any]
    timed: bool = True
    trains: bool = False

    def outputs(self, at: str) -> dict[str, str]:
        """Its files at a place, or at a pattern of one."""
        return {name: path.replace("{at}", at) for name, path in self.made.items()}

    def log_at(self, at: str) -> str:
        """Its log at a place, or at a pattern of one."""
        return self.log.replace("{at}", at)


@dataclass(eq=False, slots=True)
class Node:
    """One job of a grid: its rule and group, its name, its files, and what decides its result.

    inputs: those whose change makes it run again. ancient: those that need only be there. transient: outputs that are
    deleted after use. log and benchmark are paths, "" where there is none.
    """

    rule: str
    group: str
    noun: str
    name: str
    outputs: tuple[str, ...]
    inputs: tuple[str, ...]
    ancient: tuple[str, ...]
    log: str
    benchmark: str
    decide: Callable[[], dict[str, Any]]
    trains: bool = False
    cell: Cell | Estimate | None = None
    block: str = ""
    transient: tuple[str, ...] = ()


# Subjects: whatever a grid asks for, each once; their places below results/; and what wildcards stand for.


def _datasets(grid: Grid) -> Iterator[OneDataset]:
    for dataset in grid.datasets.values():
        yield OneDataset(grid, dataset)


def _seeds(grid: Grid) -> Iterator[OneSeed]:
    seeds: dict[str, dict[int, None]] = {}
    users: list[Cell | Estimate] = [*grid.cells.values(), *grid.estimates.values()]
    for one in users:
        for block in grid.blocks(one):
            seeds.setdefault(one.labels.path, {}).update(dict.fromkeys(noise_seeds(one, block)))
    for path, found in seeds.items():
        for seed in found:
            yield OneSeed(grid, grid.labels[path], seed)


def _seed_place(subject: OneSeed) -> str:
    return f"labels/{subject.labels.path}/seed={subject.seed}"


def _seed(grid: Grid, values: Values) -> OneSeed:
    return OneSeed(grid, grid.labels["{dataset}/{noise}/{rate}".format(**values)], int(values["seed"]))


def _warm_ups(grid: Grid) -> Iterator[OneWarmUp]:
    for estimate in grid.estimates.values():
        for block in grid.blocks(estimate):
            yield OneWarmUp(grid, estimate, block)


def _warm_up(grid: Grid, values: Values) -> OneWarmUp:
    return OneWarmUp(grid, grid.estimates[ESTIMATE.format(**values)], values["block"])


def _estimators(grid: Grid) -> Iterator[OneEstimator]:
    found: dict[str, OneEstimator] = {}
    for cell in grid.cells.values():
        if cell.estimate is not None and cell.method.estimator is not None:
            for block in grid.blocks(cell):
                subject = OneEstimator(grid, cell.estimate, block, cell.method.estimator)
                found.setdefault(_estimator_place(subject), subject)
    yield from found.values()


def _estimator_place(subject: OneEstimator) -> str:
    return f"{_block_place(subject)}/{subject.estimator.id}"


def _estimator(grid: Grid, values: Values) -> OneEstimator:
    warmed = _warm_up(grid, values)
    return OneEstimator(grid, warmed.estimate, warmed.block, grid.estimators[values["estimator"]])


def _blocks(role: str) -> Callable[[Grid], Iterator[OneBlock]]:
    def blocks(grid: Grid) -> Iterator[OneBlock]:
        for cell in grid.cells.values():
            for block in grid.blocks(cell) if cell.role == role else ():
                yield OneBlock(grid, cell, block)

    return blocks


def _block_place(subject: OneBlock | OneWarmUp) -> str:
    return f"{subject.trained.key}/{subject.block}"


def _block(key: str) -> Callable[[Grid, Values], OneBlock]:
    return lambda grid, values: OneBlock(grid, grid.cells[key.format(**values)], values["block"])


def _figures(grid: Grid) -> Iterator[OneFigure]:
    for figure in registry.names("figures"):
        yield OneFigure(grid, figure)


def _whole(grid: Grid) -> Iterator[Subject]:
    yield Subject(grid)


# What goes in.


def noise_seeds(cell: Cell | Estimate, block: str) -> list[int]:
    """Return the noise seeds of a block, each once."""
    return list(dict.fromkeys(replicate.noise_seed for replicate in cell.replicates(block)))


def _data(dataset: str, part: str = "training", manifest: str = "manifest") -> Files:
    """The images of a part, and what is said of them."""
    folder = f"{RESULTS}/data/{dataset}"
    return {part: Large(f"{folder}/{part}.npz"), manifest: f"{folder}/{part}.json"}


def _labels(subject: OneBlock | OneWarmUp) -> Files:
    """The observed labels of every noise seed of a block, and their audits."""
    one = subject.trained
    folders = [one.labels.folder(seed) for seed in noise_seeds(one, subject.block)]
    return {"labels": [Large(f"{f}/labels.npz") for f in folders], "audits": [f"{f}/audit.json" for f in folders]}


def _weights(cell: Cell | None, block: str, prefix: str = "") -> Files:
    """Trained networks and the account of their training; nothing for no cell."""
    if cell is None:
        return {}
    folder = cell.folder(block)
    return {f"{prefix}weights": Large(f"{folder}/{WEIGHTS}"), f"{prefix}run": f"{folder}/{RUN}"}


def _read_by_warm_up(subject: OneWarmUp) -> Files:
    return {**_data(subject.estimate.labels.dataset.id), **_labels(subject)}


def _read_by_estimate(subject: OneEstimator) -> Files:
    folder = subject.estimate.folder(subject.block)
    warmed = {"probabilities": Large(f"{folder}/probabilities.npz"), "run": f"{folder}/{RUN}"}
    return {**warmed, "audits": _labels(subject)["audits"], **_gold_read_by(subject)}


def _gold_read_by(subject: OneEstimator) -> Files:
    """The true labels that an estimator learns from: of a complete data set, of its gold set; else nothing."""
    if not subject.estimator.learns_from_gold:
        return {}
    dataset = subject.estimate.labels.dataset
    folder = f"{RESULTS}/data/{dataset.id}"
    table = {"gold": dataset.gold_table, "test": Large(f"{folder}/test.npz")} if dataset.gold else {}
    return {**_data(dataset.id), **table}


def _read_by_training(subject: OneBlock) -> Files:
    """What a block of teachers or students is trained on: never the test set."""
    cell, block = subject.cell, subject.block
    estimate = {"estimate": cell.estimate_files(block)}
    return {
        **_data(cell.labels.dataset.id),
        **_labels(subject),
        **estimate,
        **_weights(cell.teacher, block, "teacher_"),
    }


def _read_by_evaluation(subject: OneBlock) -> Files:
    """What a block is measured on: all that it was trained on, its weights, and the test set."""
    cell, block = subject.cell, subject.block
    data = cell.labels.dataset.id
    seen = {**_data(data, manifest="training_manifest"), **_data(data, "test", "test_manifest")}
    networks = {**_weights(cell, block), **_weights(cell.teacher, block, "teacher_")}
    return {**seen, **_labels(subject), **networks}


def _read_by_collect(subject: Subject) -> Files:
    grid = subject.grid
    blocks = [(cell, block) for cell in grid.cells.values() for block in grid.blocks(cell)]
    folders = [cell.folder(block) for cell, block in blocks]
    seeds = [(cell.labels, seed) for cell, block in blocks for seed in noise_seeds(cell, block)]
    labels = list(dict.fromkeys(labels.folder(seed) for labels, seed in seeds))
    data = [f"{RESULTS}/data/{dataset}" for dataset in grid.datasets]
    gold = {"gold": files} if (files := sorted({d.gold_table for d in grid.datasets.values() if d.gold_table})) else {}
    return {
        **gold,
        "probabilities": [
            Large(f"{e.folder(b)}/probabilities.npz") for e in grid.estimates.values() for b in grid.blocks(e)
        ],
        "given": [Large(f"{folder}/labels.npz") for folder in labels],
        "arrays": [Large(f"{folder}/{part}.npz") for folder in data for part in ("training", "test")],
        "runs": [f"{folder}/{RUN}" for folder in folders],
        "histories": [f"{folder}/{HISTORY}" for folder in folders],
        "metrics": [f"{folder}/{METRICS}" for folder in folders],
        "examples": [Large(f"{folder}/{EXAMPLES}") for folder in folders],
        "audits": [f"{folder}/audit.json" for folder in labels],
        "estimates": list(dict.fromkeys(path for cell, block in blocks for path in cell.estimate_files(block))),
        "manifests": [f"{folder}/{part}.json" for folder in data for part in ("training", "test")],
        "claims": f"{RESULTS}/theory/claims.json",
    }


def _tables(grid: Grid, names: tuple[str, ...]) -> Files:
    files = {**COLLECTED, **SUMMARISED}
    return {name: f"{RESULTS}/{grid.name}/{files[name]}" for name in names}


def _figures_of(grid: Grid) -> list[str]:
    folder = f"{RESULTS}/{grid.name}/figures"
    return [f"{folder}/{figure}.{end}" for figure in registry.names("figures") for end in ("svg", "json")]


def _read_by_report(subject: Subject) -> Files:
    return {**_tables(subject.grid, (*SHOWN, "reference")), "figures": _figures_of(subject.grid)}


def _read_by_all(subject: Subject) -> Files:
    """All that a grid is asked for, so that it is made again where somebody deleted it."""
    grid = subject.grid
    return {
        "page": f"reports/{grid.name}.html",
        **_tables(grid, (*COLLECTED, *SUMMARISED)),
        "figures": _figures_of(grid),
    }


def _nothing(subject: Subject) -> Files:
    return {}


# The table.


def _training(role: str, rule: str, pattern: str) -> Stage:
    return Stage(
        rule=rule,
        group=f"{role}s",
        noun="training",
        at=f"{role}s/{pattern}/{{block}}",
        made={name: f"{RESULTS}/{{at}}/{file}" for name, file in TRAINED.items()},
        log="logs/{at}.log",
        place=_block_place,
        subjects=_blocks(role),
        find=_block(f"{role}s/{pattern}"),
        reads=_read_by_training,
        job=lambda subject: jobs.training_job(subject.cell, subject.block),
        trains=True,
    )


def _evaluation(role: str, pattern: str) -> Stage:
    return Stage(
        rule=f"evaluate_{role}",
        group=EVALUATIONS,
        noun="evaluation",
        at=f"{role}s/{pattern}/{{block}}",
        made={name: f"{RESULTS}/{{at}}/{file}" for name, file in MEASURED.items()},
        log="logs/evaluation/{at}.log",
        place=_block_place,
        subjects=_blocks(role),
        find=_block(f"{role}s/{pattern}"),
        reads=_read_by_evaluation,
        job=lambda subject: jobs.evaluation_job(subject.cell, subject.block),
    )


def _table(rule: str, noun: str, made: Mapping[str, str], **further: Any) -> Stage:
    """A stage of the whole grid, whose place is the grid's name."""
    known = {
        "at": "{name}",
        "place": lambda subject: subject.grid.name,
        "subjects": _whole,
        "find": lambda grid, values: Subject(grid),
        "log": f"logs/{{at}}/{rule}.log",
    }
    return Stage(rule=rule, group=TABLES, noun=noun, made=made, timed=False, **{**known, **further})


STAGES = {
    stage.rule: stage
    for stage in (
        Stage(
            rule="make_dataset",
            group=DATA,
            noun="data set",
            at="data/{dataset}",
            made={
                "training": f"{RESULTS}/{{at}}/training.npz",
                "training_manifest": f"{RESULTS}/{{at}}/training.json",
                "test": f"{RESULTS}/{{at}}/test.npz",
                "test_manifest": f"{RESULTS}/{{at}}/test.json",
            },
            log="logs/{at}.log",
            place=lambda subject: f"data/{subject.dataset.id}",
            subjects=_datasets,
            find=lambda grid, values: OneDataset(grid, grid.datasets[values["dataset"]]),
            reads=_nothing,
            job=lambda subject: jobs.dataset_job(subject.dataset),
        ),
        Stage(
            rule="make_labels",
            group=LABELS,
            noun="labels",
            at="labels/{dataset}/{noise}/{rate}/seed={seed}",
            made={"labels": f"{RESULTS}/{{at}}/labels.npz", "audit": f"{RESULTS}/{{at}}/audit.json"},
            log="logs/{at}.log",
            place=_seed_place,
            subjects=_seeds,
            find=_seed,
            reads=lambda subject: _data(subject.labels.dataset.id),
            job=lambda subject: jobs.labels_job(subject.labels, subject.seed),
        ),
        Stage(
            rule="warm_up",
            group=ESTIMATES,
            noun="training for the estimate of T",
            at=f"estimates/{ESTIMATE}/{{block}}",
            made={"probabilities": f"{RESULTS}/{{at}}/probabilities.npz", "run": f"{RESULTS}/{{at}}/{RUN}"},
            log="logs/{at}.log",
            place=_block_place,
            subjects=_warm_ups,
            find=_warm_up,
            reads=_read_by_warm_up,
            job=lambda subject: jobs.warm_up_job(subject.estimate, subject.block),
            trains=True,
        ),
        Stage(
            rule="estimate_transition",
            group=ESTIMATES,
            noun="estimated T",
            at=f"estimates/{ESTIMATE}/{{block}}/{{estimator}}",
            made={"estimate": f"{RESULTS}/{{at}}.json"},
            log="logs/{at}.log",
            place=_estimator_place,
            subjects=_estimators,
            find=_estimator,
            reads=_read_by_estimate,
            job=lambda subject: jobs.estimate_job(subject.estimate, subject.block, subject.estimator),
        ),
        _training("teacher", "train_teacher", TEACHER),
        _evaluation("teacher", TEACHER),
        _training("student", "distill_student", STUDENT),
        _evaluation("student", STUDENT),
        _table(
            "check_claims",
            "claims",
            {"claims": f"{RESULTS}/{{at}}/claims.json"},
            at="theory",
            place=lambda subject: "theory",
            log="logs/theory/claims.log",
            reads=_nothing,
            job=lambda subject: jobs.claims_job(),
        ),
        _table(
            "collect",
            "tables",
            {name: f"{RESULTS}/{{at}}/{file}" for name, file in COLLECTED.items()},
            reads=_read_by_collect,
            job=lambda subject: jobs.collection_job(subject.grid),
        ),
        _table(
            "summarise",
            "statistics",
            {name: f"{RESULTS}/{{at}}/{file}" for name, file in SUMMARISED.items()},
            reads=lambda subject: _tables(subject.grid, ("metrics", "context", "gold", "correct")),
            job=lambda subject: jobs.statistics_job(subject.grid),
        ),
        _table(
            "draw_figure",
            "figure",
            {"svg": f"{RESULTS}/{{at}}.svg", "text": f"{RESULTS}/{{at}}.json"},
            at="{name}/figures/{figure}",
            place=lambda subject: f"{subject.grid.name}/figures/{subject.figure}",
            subjects=_figures,
            find=lambda grid, values: OneFigure(grid, values["figure"]),
            log="logs/{at}.log",
            reads=lambda subject: _tables(subject.grid, SHOWN),
            job=lambda subject: jobs.figure_job(subject.grid, subject.figure),
        ),
        _table(
            "write_report",
            "page",
            {"page": "reports/{at}.html"},
            log="logs/{at}/report.log",
            reads=_read_by_report,
            job=lambda subject: jobs.report_job(subject.grid),
        ),
    )
}
NAMES = {  # of a job, where it is not its place
    "estimate_transition": "{at}.json",
    "collect": "{at}/metrics",
    "summarise": "{at}/summary",
    "write_report": "reports/{at}.html",
}


def nodes_of(grid: Grid) -> list[Node]:
    """Return all jobs of a grid, each after those whose files it reads; the last one is the rule `all`."""
    found = {rule: [_node(stage, subject) for subject in stage.subjects(grid)] for rule, stage in STAGES.items()}
    asked = asked_of(grid)
    last = Node("all", TABLES, "", "all", (), asked, (), "", "", dict)
    return [*(node for nodes in found.values() for node in nodes), last]


def _node(stage: Stage, subject: Subject) -> Node:
    at = stage.place(subject)
    files = list(_each(stage.reads(subject)))
    log = stage.log_at(at)
    outputs = stage.outputs(at)
    return Node(
        rule=stage.rule,
        group=stage.group,
        noun=stage.noun,
        name=NAMES.get(stage.rule, "{at}").replace("{at}", at),
        outputs=tuple(outputs.values()),
        inputs=tuple(path for path in files if not isinstance(path, Large)),
        ancient=tuple(str(path) for path in files if isinstance(path, Large)),
        log=log,
        benchmark=f"{log.removesuffix('.log')}.tsv" if stage.timed else "",
        decide=lambda: plain(stage.job(subject)),
        trains=stage.trains,
        cell=subject.trained,
        block=getattr(subject, "block", ""),
        transient=(outputs["weights"],) if is_transient(stage, subject.grid) else (),
    )


def asked_of(grid: Grid) -> tuple[str, ...]:
    """Return what the rule `all` asks for."""
    return tuple(_each(_read_by_all(Subject(grid))))


def _each(files: Files) -> Iterator[str]:
    for value in files.values():
        yield from value if isinstance(value, list) else [value]


def is_transient(stage: Stage, grid: Grid) -> bool:
    """Whether the weights that a stage makes are deleted after use, as the config's `keep` says."""
    return "weights" in stage.made and stage.group not in KEPT[grid.config.keep]


def subject_of(grid: Grid, rule: str, wildcards: Mapping[str, str]) -> Any:
    """Return what a rule's wildcards stand for in a grid; KeyError for names that it does not have."""
    return STAGES[rule].find(grid, dict(wildcards))
