"""The grid: from a config to cells, blocks, replicates and paths. Pure Python; nothing here imports torch."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product
from typing import Any

from smearlab.config.resolve import Definitions, resolve, teachers_of
from smearlab.config.schema import Config, StudentConfig
from smearlab.definitions import CLEAN, CROSS_ENTROPY, Dataset, Method, Noise, Recipe, computation
from smearlab.identity import canonical, slug

RESULTS = "results"


@dataclass(frozen=True)
class Labels:
    """Observed labels: a data set under a noise of one rate; one file for each noise seed."""

    dataset: Dataset
    noise: Noise
    rate: float | None

    @cached_property
    def path(self) -> str:
        """The folder of its seeds, below results/labels/."""
        return f"{self.dataset.id}/{self.noise.id}/{rate_folder(self.rate)}"

    def folder(self, seed: int) -> str:
        """The folder of one noise seed."""
        return f"{RESULTS}/labels/{self.path}/seed={seed}"


@dataclass(frozen=True)
class Replicate:
    """A (noise seed, training seed) pair."""

    noise_seed: int
    seed: int


@dataclass(frozen=True)
class Cell:
    """One computation of the grid: a teacher, or a student of a teacher cell."""

    labels: Labels
    recipe: Recipe
    method: Method
    teacher: "Cell | None" = None
    temperature: float | None = None
    beta: float | None = None
    student_labels: str | None = None
    view: str | None = None
    student_temperature: float | None = None

    @property
    def role(self) -> str:
        """teacher or student."""
        return "student" if self.teacher else "teacher"

    @cached_property
    def path(self) -> str:
        """The cell's folder below results/<role>s/: one component for each thing that names it."""
        if self.teacher is None:
            return f"{self.labels.path}/{self.recipe.id}/{self.method.id}"
        return f"{self.teacher.path}/{self.recipe.id}/{self._student_id}"

    @property
    def key(self) -> str:
        """The cell's name among all cells."""
        return f"{self.role}s/{self.path}"

    @property
    def _student_id(self) -> str:
        values = {
            "temperature": self.temperature,
            "beta": self.beta,
            "labels": self.student_labels,
            "view": self.view,
            "student_temperature": self.student_temperature,
        }
        return slug(self.method.id, {k: v for k, v in values.items() if v is not None})

    def folder(self, block: str) -> str:
        """The folder of one block's outputs."""
        return f"{RESULTS}/{self.key}/{block}"

    def replicates(self, block: str) -> list[Replicate]:
        """The replicates of a block, the same in every grid: `paired-k` or `crossed-k`."""
        design, _, number = block.rpartition("-")
        k, size = int(number), self.recipe.block_size
        if design == "crossed":
            return [Replicate(k, t) for t in range(size)]
        return [Replicate(r if self.labels.noise.draws else 0, r) for r in range(k * size, (k + 1) * size)]

    def blocks(self, design: str, count: int) -> list[str]:
        """The blocks a config asks for; without noise to draw, crossed and paired are the same replicates."""
        design = design if self.labels.noise.draws else "paired"
        return [f"{design}-{k}" for k in range(count)]


@dataclass(frozen=True)
class Naming:
    """The names under which a config asks for a cell."""

    dataset: Dataset
    noise: Noise
    recipe: Recipe
    method: Method
    teacher: "Naming | None" = None
    student_labels: str | None = None


@dataclass(frozen=True)
class Row:
    """A cell as a config names it: several names may be one computation."""

    cell: Cell
    naming: Naming

    @cached_property
    def columns(self) -> dict[str, Any]:
        """The columns that name the cell in the tables."""
        naming, cell = self.naming, self.cell
        columns = {
            "role": cell.role,
            "dataset": naming.dataset.name,
            "noise": naming.noise.name,
            "noise_rate": cell.labels.rate,
            "recipe": naming.recipe.name,
            "arch": cell.recipe.arch,
            **method_columns(naming.method),
        }
        if naming.teacher is None:
            return columns
        teacher = {f"teacher_{key}": value for key, value in method_columns(naming.teacher.method).items()}
        return {
            **columns,
            **teacher,
            "teacher_recipe": naming.teacher.recipe.name,
            "temperature": cell.temperature,
            "beta": cell.beta,
            "student_labels": naming.student_labels,
            "view": cell.view,
        }


class Grid:
    """All cells of one config, each computation once, with the names under which it is shown."""

    def __init__(self, definitions: Definitions) -> None:
        self.definitions = definitions
        self.config: Config = definitions.config
        self.rows: list[Row] = list(dict.fromkeys(_rows(definitions)))  # groups of students may overlap
        self.cells: dict[str, Cell] = {row.cell.key: row.cell for row in self.rows}
        self.labels: dict[str, Labels] = {cell.labels.path: cell.labels for cell in self.cells.values()}
        self.datasets: dict[str, Dataset] = {d.id: d for d in definitions.datasets}

    @property
    def name(self) -> str:
        """The grid's name."""
        return self.config.name

    def blocks(self, cell: Cell) -> list[str]:
        """The blocks of a cell that this grid asks for."""
        return cell.blocks(self.config.replicates.design, self.config.replicates.blocks)

    def folders(self) -> list[str]:
        """The output folder of every block of every cell, teachers before students."""
        return [cell.folder(block) for cell in self.cells.values() for block in self.blocks(cell)]


def load_grid(content: Mapping[str, Any]) -> Grid:
    """Check a config mapping and expand it; UserError with one line a fault."""
    return Grid(resolve(content))


def rate_folder(rate: float | None) -> str:
    """The path component of a noise rate."""
    return "rate=none" if rate is None else f"rate={canonical(rate)}"


def _rows(definitions: Definitions) -> Iterator[Row]:
    teachers = list(_teacher_rows(definitions))
    yield from teachers
    for i, (group, own) in enumerate(zip(definitions.config.students, definitions.student_methods, strict=True)):
        yield from _student_rows(definitions, group, own, f"students.{i}", teachers)


def _teacher_rows(definitions: Definitions) -> Iterator[Row]:
    recipes = [recipe for recipe in definitions.recipes if not recipe.students_only]
    for dataset, noise in product(definitions.datasets, definitions.noises):
        for rate, recipe, method in product(noise.rates, recipes, definitions.methods):
            labels = Labels(
                first_equal(dataset, definitions.datasets),
                CLEAN if rate == 0 else first_equal(noise, definitions.noises),
                rate,
            )
            cell = Cell(labels, first_equal(recipe, definitions.recipes), computation(method, dataset, noise, rate))
            yield Row(cell, Naming(dataset, noise, recipe, method))


def first_equal(wanted: Any, defined: list) -> Any:
    """Return the first definition with the same contents: two names for one thing are one computation."""
    return next(definition for definition in defined if definition.identity == wanted.identity)


def _student_rows(
    definitions: Definitions, group: StudentConfig, own: list[Method], where: str, teachers: list[Row]
) -> Iterator[Row]:
    named = {recipe.name: recipe for recipe in definitions.recipes}
    wanted = {
        method
        for j, entry in enumerate(group.teachers)
        for method in teachers_of(entry, definitions.methods, f"{where}.teachers.{j}")
    }
    for teacher in teachers:
        if teacher.naming.method in wanted:
            recipe = named[group.recipe] if group.recipe else teacher.naming.recipe
            for method in own:
                yield from _students_of(teacher, group, first_equal(recipe, definitions.recipes), recipe, method)


def _students_of(teacher: Row, group: StudentConfig, trained: Recipe, named: Recipe, method: Method) -> Iterator[Row]:
    labels, noise = teacher.cell.labels, teacher.naming.noise
    real = computation(method, labels.dataset, noise, labels.rate)
    for temperature, beta, sees, asked in product(group.temperatures, group.betas, group.labels, group.views):
        view = default_view(trained) if asked == "auto" else asked
        cell = Cell(
            labels=labels,
            recipe=trained,
            method=CROSS_ENTROPY if beta == 1 else real,
            teacher=teacher.cell,
            temperature=temperature,
            beta=beta,
            student_labels=_seen(sees, beta, labels.rate),
            view=view,
            student_temperature=group.student_temperature,
        )
        naming = replace(teacher.naming, recipe=named, method=method, teacher=teacher.naming, student_labels=sees)
        yield Row(cell, naming)


def default_view(recipe: Recipe) -> str:
    """same where the recipe augments (the teacher sees the student's very batch), else fixed."""
    augmentation = recipe.settings["augmentation"]
    return "same" if augmentation["crop"] or augmentation["flip"] else "fixed"


def _seen(labels: str, beta: float, rate: float | None) -> str:
    """The labels that really enter a student's loss: none at beta 1; without noise the noisy ones are the clean."""
    if beta == 1:
        return "none"
    return "noisy" if rate == 0 else labels


def method_columns(method: Method) -> dict[str, Any]:
    """The columns that name a method in the tables; what has no column of its own stands in options, as JSON."""
    options = {**dict(method.options), **({"warm_up": method.warm_up} if method.warm_up else {})}
    return {
        "method": method.name,
        "alpha": method.alpha,
        "transition": method.transition,
        "options": canonical(options) if options else "",
    }
