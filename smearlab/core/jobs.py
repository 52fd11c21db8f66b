"""What each stage is told to do, as frozen dataclasses: everything that decides its result, and nothing else.

`plain` makes of one the dictionary that Snakemake records and compares; `typed` reads it back inside the job. Places of
files, numbers of cores and names that only label a result are left out; the digest of the code is in.
"""

import dataclasses
import typing
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any, TypeVar

Job = TypeVar("Job")
Choice = dict[str, Any]  # a registered entry: its name, and its options beside it


def later(neutral: Any) -> Any:
    """Return the field of a key that 0.1.0 did not know: at its neutral value it is left out of what is recorded."""
    return field(default=neutral, metadata={"neutral": neutral})


def plain(job: Any) -> Any:
    """Return a job as plain values, without the later keys that are neutral."""
    if dataclasses.is_dataclass(job) and not isinstance(job, type):
        return {f.name: plain(value) for f, value in _fields_of(job) if not _is_neutral(f, value)}
    if isinstance(job, list):
        return [plain(item) for item in job]
    return job


def typed(form: Callable[..., Job], values: dict[str, Any]) -> Job:
    """Return a job of a form from its plain values; TypeError for values of another form."""
    types = _types(form)
    return form(**{name: _read(types.get(name), value) for name, value in values.items()})


def _fields_of(job: Any) -> list[tuple[dataclasses.Field[Any], Any]]:
    return [(f, getattr(job, f.name)) for f in dataclasses.fields(job)]


def _is_neutral(of: dataclasses.Field[Any], value: Any) -> bool:
    return "neutral" in of.metadata and value == of.metadata["neutral"]


@cache
def _types(form: Any) -> dict[str, Any]:
    return typing.get_type_hints(form)


def _read(form: Any, value: Any) -> Any:
    if dataclasses.is_dataclass(form) and isinstance(form, type) and isinstance(value, dict):
        return typed(form, value)
    if typing.get_origin(form) is list and isinstance(value, list):
        return [_read(typing.get_args(form)[0], item) for item in value]
    return value


@dataclass(frozen=True)
class Replicate:
    """A (noise seed, training seed) pair."""

    noise_seed: int
    seed: int


@dataclass(frozen=True)
class Augmentation:
    """Crops of an image padded by `crop` pixels on each side, left-right flips, then a registered one."""

    crop: int
    flip: bool
    name: str = later("none")
    options: dict[str, Any] = field(default_factory=dict, hash=False, metadata={"neutral": {}})


@dataclass(frozen=True)
class RecipeSettings:
    """The training settings that a recipe names; the config's schema says what each means."""

    architecture: Choice
    epochs: int | None
    steps: int | None
    batch_size: int
    optimiser: Choice
    schedule: Choice
    augmentation: Augmentation
    precision: str
    device: str
    threads: int
    block_size: int
    checkpoint: str
    snapshots: int
    loss_scale: float
    clip_norm: float | None
    history_examples: int
    stacked: bool = later(False)
    label_wave: bool = later(False)
    measure: str = later("accuracy")  # by which an epoch is selected: the grid's
    class_weights: str = later("none")
    sampling: str = later("shuffled")
    mixup: float = later(0.0)
    sam_radius: float = later(0.0)


@dataclass(frozen=True)
class EstimateSettings:
    """How transition matrices are estimated: the folds, and the part of the recipe's length that is trained."""

    folds: int = 5
    length: float = 0.3


@dataclass(frozen=True)
class MethodSettings:
    """How the loss treats a label: a registered method with its values."""

    name: str
    alpha: float | None = None
    transition: str | None = None
    options: dict[str, Any] = field(default_factory=dict, hash=False)
    warm_up: float = 0.0


def training_entries(modules: list[str], recipe: RecipeSettings) -> list[str]:
    """Return all registered entries by which a network is trained; modules: its losses and networks."""
    named = [("optimisers", recipe.optimiser["name"]), ("schedules", recipe.schedule["name"])]
    if recipe.augmentation.name != "none":
        named.append(("augmentations", recipe.augmentation.name))
    return [*modules, *(f"smearlab.{kind}.{name}" for kind, name in named)]


@dataclass(frozen=True)
class DatasetJob:
    """The import and split of one data set."""

    contents: dict[str, Any]
    code: str


@dataclass(frozen=True)
class LabelsJob:
    """The observed labels of one noise seed."""

    dataset: str
    dataset_kind: str
    kind: str
    contents: dict[str, Any]
    rate: float | None
    noise_seed: int
    code: str


@dataclass(frozen=True)
class WarmUpJob:
    """The cross-fitted warm-up networks of one block."""

    cell: str
    block: str
    replicates: list[Replicate]
    recipe: RecipeSettings
    estimate: EstimateSettings
    n_classes: int
    code: str


@dataclass(frozen=True)
class EstimateJob:
    """The estimated T of one block by one estimator."""

    cell: str
    block: str
    estimator: str
    options: dict[str, Any]
    code: str


@dataclass(frozen=True)
class TrainingJob:
    """The training of one block of teachers; with the code of the evaluation, its evaluation."""

    cell: str
    block: str
    role: str
    replicates: list[Replicate]
    recipe: RecipeSettings
    method: MethodSettings
    n_classes: int
    modules: list[str]
    code: str


@dataclass(frozen=True)
class DistillationJob(TrainingJob):
    """The training of one block of students; with the code of the evaluation, its evaluation."""

    teacher_recipe: RecipeSettings
    temperature: float
    beta: float
    student_labels: str
    student_temperature: float | None
    view: str


@dataclass(frozen=True)
class ClaimsJob:
    """The paper's claims, computed."""

    code: str


@dataclass(frozen=True)
class CollectionJob:
    """The tables of one grid."""

    rows: str
    replicates: dict[str, Any]
    title: str
    expected_code: str
    code: str
    measure: str = later("accuracy")


@dataclass(frozen=True)
class StatisticsJob:
    """The statistics of one grid."""

    primary: dict[str, Any] | None
    margin: float
    published: str
    families: str
    code: str
    measure: str = later("accuracy")
    named_families: dict[str, Any] | None = field(default=None, metadata={"neutral": None})


@dataclass(frozen=True)
class FigureJob:
    """One figure; labels: how the methods are called in it."""

    figure: str
    labels: str
    code: str


@dataclass(frozen=True)
class ReportJob:
    """The page; page: its template, style and script, labels: how methods are called, order: that of its figures."""

    page: str
    labels: str
    order: str
    code: str
