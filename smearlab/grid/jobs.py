"""The job of each stage for what a grid asks: the dataclasses of smearlab/core/jobs.py, filled.

Snakemake records them as dictionaries and reruns a job when its own has changed.
"""

from collections.abc import Iterable
from dataclasses import fields, replace

from smearlab.core import registry
from smearlab.core.digest import ROOT, code_digest, code_parts
from smearlab.core.identity import short_hash
from smearlab.core.jobs import (
    ClaimsJob,
    CollectionJob,
    DatasetJob,
    DistillationJob,
    EstimateJob,
    FigureJob,
    LabelsJob,
    MethodSettings,
    ReportJob,
    StatisticsJob,
    TrainingJob,
    WarmUpJob,
    training_entries,
)
from smearlab.grid.cells import Cell, Estimate, Grid, Labels, method_columns
from smearlab.grid.definitions import CROSS_ENTROPY, Dataset, Method
from smearlab.grid.estimator import Estimator
from smearlab.noises._draw import aligns

COUNTED = ("design", "blocks")  # of a config's replicates, what the job of the tables says
_REACHED: dict[str, tuple[str, tuple[str, ...]]] = {}  # digest: what it was taken over, in this process


def _module(kind: str, name: str) -> str:
    return f"smearlab.{kind}.{name}"


def _code(stage: str, entries: Iterable[str] = ()) -> str:
    entries = tuple(entries)
    digest = code_digest(stage, entries)
    _REACHED[digest] = (stage, entries)
    return digest


def parts_of_code() -> dict[str, dict[str, str]]:
    """Return what every digest in the jobs asked for so far is made of: file or library -> fingerprint or version."""
    return {digest: code_parts(stage, entries) for digest, (stage, entries) in _REACHED.items()}


def dataset_job(dataset: Dataset) -> DatasetJob:
    """The import and split of one data set."""
    return DatasetJob(dataset.contents, _code("make_dataset", [_module("datasets", dataset.kind)]))


def labels_job(labels: Labels, seed: int) -> LabelsJob:
    """The observed labels of one noise seed."""
    noise = labels.noise
    kinds = {noise.kind, *([noise.contents["of"]["kind"]] if "of" in noise.contents else [])}
    modules = sorted(_module("noises", kind) for kind in kinds)
    if aligns(noise.kind, noise.contents):  # the loader says how many examples there are, and their names
        modules.append(_module("datasets", labels.dataset.kind))
    return LabelsJob(
        dataset=labels.dataset.id,
        dataset_kind=labels.dataset.kind,
        kind=noise.kind,
        contents=noise.contents,
        rate=labels.rate,
        noise_seed=seed,
        code=_code("make_labels", modules),
    )


def warm_up_job(estimate: Estimate, block: str) -> WarmUpJob:
    """The cross-fitted warm-up networks of one block."""
    recipe = estimate.recipe
    modules = [_module("methods", CROSS_ENTROPY.name), _module("networks", recipe.arch)]
    return WarmUpJob(
        cell=estimate.key,
        block=block,
        replicates=estimate.replicates(block),
        recipe=recipe.settings,
        estimate=recipe.estimate,
        n_classes=estimate.labels.dataset.n_classes,
        code=_code("warm_up", training_entries(modules, recipe.settings)),
    )


def estimate_job(estimate: Estimate, block: str, estimator: Estimator) -> EstimateJob:
    """The estimated T of one block by one estimator."""
    return EstimateJob(
        cell=estimate.key,
        block=block,
        estimator=estimator.name,
        options=dict(estimator.options),
        code=_code("estimate_transition", [_module("estimators", estimator.name)]),
    )


def training_job(cell: Cell, block: str) -> TrainingJob:
    """The training of one block of teachers or students."""
    job = TrainingJob(
        cell=cell.key,
        block=block,
        role=cell.role,
        replicates=cell.replicates(block),
        recipe=cell.recipe.settings,
        method=settings_of(cell.method),
        n_classes=cell.labels.dataset.n_classes,
        modules=_modules(cell),
        code=training_code(cell),
    )
    if cell.teacher is None:
        return job
    shared = {f.name: getattr(job, f.name) for f in fields(job)}
    own = {f.name for f in fields(DistillationJob)} - shared.keys() - {"teacher_recipe"}
    values = {name: getattr(cell, name) for name in own}
    return DistillationJob(**shared, teacher_recipe=cell.teacher.recipe.settings, **values)


def settings_of(method: Method) -> MethodSettings:
    """Return what decides a method's loss, without what a grid knows of it besides."""
    own = {f.name: getattr(method, f.name) for f in fields(MethodSettings)}
    return MethodSettings(**{**own, "options": {**method.options, **method.files}})


def training_code(cell: Cell) -> str:
    """The digest of the code that trains a cell: the loop, its networks and its losses."""
    entries = training_entries(_modules(cell), cell.recipe.settings)
    return _code("distill_student" if cell.teacher else "train_teacher", entries)


def _modules(cell: Cell) -> list[str]:
    methods = [_module("methods", name) for name in (cell.method.name, CROSS_ENTROPY.name)]
    return sorted({*methods, *_networks(cell)})


def _networks(cell: Cell) -> list[str]:
    recipes = [cell.recipe, *([cell.teacher.recipe] if cell.teacher else [])]
    return [_module("networks", recipe.arch) for recipe in recipes]


def evaluation_job(cell: Cell, block: str) -> TrainingJob:
    """The evaluation of one block."""
    return replace(training_job(cell, block), code=evaluation_code(cell))


def evaluation_code(cell: Cell) -> str:
    """The digest of the code that evaluates a cell: every registered metric takes part in it."""
    metrics = [_module("metrics", name) for name in registry.names("metrics")]
    return _code(f"evaluate_{cell.role}", [*metrics, *_networks(cell)])


def collection_job(grid: Grid) -> CollectionJob:
    """The tables of one grid."""
    rows = [[row.cell.key, row.columns] for row in grid.rows]
    expected = sorted({code for cell in grid.cells.values() for code in (training_code(cell), evaluation_code(cell))})
    return CollectionJob(
        rows=short_hash(rows),
        replicates=grid.config.replicates.model_dump(include=set(COUNTED)),
        title=grid.config.title or grid.name,
        expected_code=short_hash(expected),
        code=_code("collect"),
        measure=grid.config.measure,
    )


def statistics_job(grid: Grid) -> StatisticsJob:
    """The statistics of one grid."""
    primary = grid.config.primary.model_dump() if grid.config.primary else None
    files = [ROOT / "smearlab" / "reference" / f"{name}.yaml" for name in ("published", "beyond")]
    published = short_hash([path.read_text("utf-8") for path in files])
    families, code = _said(grid, "FAMILY"), _code("summarise")
    named = {family: [list(method_columns(m).values()) for m in found] for family, found in grid.families.items()}
    return StatisticsJob(primary, grid.config.margin, published, families, code, grid.config.measure, named or None)


def figure_job(grid: Grid, figure: str) -> FigureJob:
    """One figure."""
    return FigureJob(figure, _said(grid, "LABEL"), _code("draw_figure", [_module("figures", figure)]))


def _said(grid: Grid, constant: str) -> str:
    """Return a hash of what the files of a grid's methods say in a constant that decides no training."""
    names = sorted({method.name for row in grid.rows for method in (row.cell.method, row.naming.method)})
    return short_hash({name: registry.describe("methods", name).constants.get(constant) for name in names})


def claims_job() -> ClaimsJob:
    """The paper's claims, computed."""
    return ClaimsJob(_code("check_claims", [_module("claims", name) for name in registry.names("claims")]))


def report_job(grid: Grid) -> ReportJob:
    """The page, with its template, style and script."""
    parts = [path for path in sorted((ROOT / "smearlab" / "report").iterdir()) if path.suffix in (".j2", ".css", ".js")]
    page = short_hash([path.read_text("utf-8") for path in parts])
    figures = registry.names("figures")
    order = {figure: registry.describe("figures", figure).constants.get("ORDER") for figure in figures}
    return ReportJob(page, _said(grid, "LABEL"), short_hash(order), _code("write_report"))
