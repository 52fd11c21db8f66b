"""The grid: from a config to cells, blocks, replicates and paths. Pure Python; nothing here imports torch."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from itertools import product
from typing import Any

from smearlab.core.columns import METRICS, STUDENT
from smearlab.core.errors import UserError
from smearlab.core.identity import canonical, slug
from smearlab.core.jobs import Replicate
from smearlab.grid.definitions import CLEAN, CROSS_ENTROPY, Dataset, Method, Noise, Recipe, computation
from smearlab.grid.estimator import Estimator
from smearlab.grid.families import families_of
from smearlab.grid.resolve import Definitions, resolve, teachers_of
from smearlab.grid.schema import Config, StudentConfig

RESULTS = "results"
OF_STUDENTS = tuple(c.name for c in METRICS if c.group == STUDENT and c.name != "teacher_recipe")


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


def block_replicates(block: str, size: int, draws: bool) -> list[Replicate]:
    """Return the replicates of a block of a size; labels that are not drawn have the one noise seed 0."""
    design, _, number = block.rpartition("-")
    k = int(number)
    if design == "crossed":
        return [Replicate(k, t) for t in range(size)]
    return [Replicate(r if draws else 0, r) for r in range(k * size, (k + 1) * size)]


@dataclass(frozen=True)
class Estimate:
    """The cross-fitted warm-up networks behind the estimated T of a cell: of its labels, under its recipe."""

    labels: Labels
    recipe: Recipe

    @cached_property
    def path(self) -> str:
        """Its folder below results/estimates/."""
        return f"{self.labels.path}/{self.recipe.id}/{slug('cross_fit', asdict(self.recipe.estimate))}"

    @property
    def key(self) -> str:
        """Its name among all computations."""
        return f"estimates/{self.path}"

    def folder(self, block: str) -> str:
        """The folder of one block's outputs."""
        return f"{RESULTS}/{self.key}/{block}"

    def replicates(self, block: str) -> list[Replicate]:
        """The replicates of a block: those of the cells that use the estimate."""
        return block_replicates(block, self.recipe.block_size, self.labels.noise.draws)


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
            return f"{self.labels.path}/{self.recipe.id}/{slug(self.method.id, self._estimate_values)}"
        return f"{self.teacher.path}/{self.recipe.id}/{self._student_id}"

    @property
    def key(self) -> str:
        """The cell's name among all cells."""
        return f"{self.role}s/{self.path}"

    @property
    def _student_id(self) -> str:
        values = {
            **self._estimate_values,
            "temperature": self.temperature,
            "beta": self.beta,
            "labels": self.student_labels,
            "view": self.view,
            "student_temperature": self.student_temperature,
        }
        return slug(self.method.id, {k: v for k, v in values.items() if v is not None})

    @property
    def _estimate_values(self) -> dict[str, Any]:
        return asdict(self.recipe.estimate) if self.method.estimator else {}

    @property
    def estimate(self) -> Estimate | None:
        """What its T is estimated from; None unless its method asks for an estimated T."""
        return Estimate(self.labels, self.recipe) if self.method.estimator else None

    def estimate_files(self, block: str) -> list[str]:
        """The file with the estimated T of each replicate of a block: one, or none."""
        if self.estimate is None or self.method.estimator is None:
            return []
        return [f"{self.estimate.folder(block)}/{self.method.estimator.id}.json"]

    def folder(self, block: str) -> str:
        """The folder of one block's outputs."""
        return f"{RESULTS}/{self.key}/{block}"

    def replicates(self, block: str) -> list[Replicate]:
        """The replicates of a block, the same in every grid: `paired-k` or `crossed-k`."""
        return block_replicates(block, self.recipe.block_size, self.labels.noise.draws)


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

    @property
    def name(self) -> tuple[Any, ...]:
        """What rows of the same cell on several splits share; else what no other row has."""
        return (*self.columns.values(), self.cell.key if self.cell.labels.dataset.split is None else None)

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
            **{name: getattr(cell, name) for name in OF_STUDENTS},
            "teacher_recipe": naming.teacher.recipe.name,
            "student_labels": naming.student_labels,
        }


class Grid:
    """All cells of one config, each computation once, with the names under which it is shown."""

    def __init__(self, definitions: Definitions) -> None:
        self.definitions = definitions
        self.config: Config = definitions.config
        self.rows: list[Row] = list(dict.fromkeys(_rows(definitions)))  # groups of students may overlap
        self.cells: dict[str, Cell] = {row.cell.key: row.cell for row in self.rows}
        self.named: dict[tuple[Any, ...], Row] = {}  # once, of the first split where replicates redraw it
        self._in_tables = {row.cell.key: self.named.setdefault(row.name, row).cell.key for row in self.rows}
        self.labels: dict[str, Labels] = {cell.labels.path: cell.labels for cell in self.cells.values()}
        self.estimates: dict[str, Estimate] = {c.estimate.path: c.estimate for c in self.cells.values() if c.estimate}
        used = [cell.method.estimator for cell in self.cells.values() if cell.method.estimator]
        self.estimators: dict[str, Estimator] = {estimator.id: estimator for estimator in used}
        self.datasets: dict[str, Dataset] = {d.id: d for d in definitions.datasets}
        self.families: dict[str, list[Method]] = families_of(definitions)

    @property
    def name(self) -> str:
        """The grid's name."""
        return self.config.name

    def blocks(self, cell: Cell | Estimate) -> list[str]:
        """The blocks of a cell that this grid asks for; without noise to draw, crossed and paired are the same."""
        replicates, split = self.config.replicates, cell.labels.dataset.split
        design = replicates.design if cell.labels.noise.draws else "paired"
        return [f"{design}-{k}" for k in (range(replicates.blocks) if split is None else [split])]

    def in_tables(self, cell: Cell) -> str:
        """The computation as the tables call it: where replicates redraw the split, by the key of the first of them."""
        return self._in_tables[cell.key]

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
            real = computation(method, dataset, noise, rate)
            cell = Cell(labels, recipe_for(real, recipe, definitions.recipes), real)
            yield Row(cell, Naming(dataset, noise, recipe, method))


def first_equal(wanted: Any, defined: list) -> Any:
    """Return the first definition with the same contents: two names for one thing are one computation."""
    return next(definition for definition in defined if definition.identity == wanted.identity)


def recipe_for(method: Method, wanted: Recipe, defined: list[Recipe]) -> Recipe:
    """Return the first recipe of the same settings; where T is estimated, it is estimated as the named one says."""
    first = first_equal(wanted, defined)
    return replace(first, estimate=wanted.estimate) if method.estimator else first


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
                yield from _students_of(teacher, group, recipe, definitions.recipes, method)


def _students_of(
    teacher: Row, group: StudentConfig, named: Recipe, recipes: list[Recipe], method: Method
) -> Iterator[Row]:
    labels, noise = teacher.cell.labels, teacher.naming.noise
    real = computation(method, labels.dataset, noise, labels.rate)
    for temperature, beta, sees, asked in product(group.temperatures, group.betas, group.labels, group.views):
        used = CROSS_ENTROPY if beta == 1 else real
        trained = recipe_for(used, named, recipes)
        view = default_view(trained) if asked == "auto" else asked
        if view == "fixed" and trained.settings.mixup:
            raise UserError(
                f"config: students: views: fixed: recipe {named.name} mixes images, which teachers must see"
            )
        cell = Cell(
            labels=labels,
            recipe=trained,
            method=used,
            teacher=teacher.cell,
            temperature=temperature,
            beta=beta,
            student_labels=_seen(sees, beta, labels.rate),
            view=view,
            student_temperature=None if group.student_temperature == temperature else group.student_temperature,
        )
        naming = replace(teacher.naming, recipe=named, method=method, teacher=teacher.naming, student_labels=sees)
        yield Row(cell, naming)


def default_view(recipe: Recipe) -> str:
    """same where the recipe augments (the teacher sees the student's very batch), else fixed."""
    return "same" if recipe.augments or recipe.settings.mixup else "fixed"


def _seen(labels: str, beta: float, rate: float | None) -> str:
    """The labels that really enter a student's loss: none at beta 1; without noise the noisy ones are the clean."""
    if beta == 1:
        return "none"
    return "noisy" if rate == 0 else labels


def method_columns(method: Method) -> dict[str, Any]:
    """The columns that name a method in the tables; what has no column of its own stands in options, as JSON."""
    options = {**method.options, **({"warm_up": method.warm_up} if method.warm_up else {})}
    return {
        "method": method.name,
        "alpha": method.alpha,
        "transition": method.transition,
        "options": canonical(options) if options else "",
    }
