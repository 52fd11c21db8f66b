"""A checked config as plain definitions: every name looked up, every option typed, every cross-field rule applied.

Runs before any job starts, in the Snakemake process: no torch, and no pixel is read.
"""

import functools
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError, create_model

from smearlab.core import registry
from smearlab.core.errors import UserError
from smearlab.core.identity import canonical, short_hash
from smearlab.core.jobs import Choice, EstimateSettings, RecipeSettings, typed
from smearlab.core.transition import check_invertible, check_transition, matched
from smearlab.datasets._fingerprint import file_fingerprint
from smearlab.grid.definitions import CLEAN, CROSS_ENTROPY, Dataset, Method, Noise, Recipe, form
from smearlab.grid.estimator import read_estimator
from smearlab.grid.lasting import FOUNDING, lasting
from smearlab.grid.load import fault_lines, parse
from smearlab.grid.options import options_model, special_type
from smearlab.grid.schema import RESERVED_NAMES, AugmentationConfig, Config, MethodConfig, Open
from smearlab.grid.splits import REDRAWN, check_apart, splits_of
from smearlab.noises._draw import is_rated, rate_range, too_high
from smearlab.store.gold_places import table_of_rows
from smearlab.store.kept_files import is_kept, keep
from smearlab.store.matrix_file import read_matrix


@dataclass(frozen=True)
class Definitions:
    """What a config defines, with the config itself (defaults filled)."""

    config: Config
    datasets: list[Dataset]
    noises: list[Noise]
    recipes: list[Recipe]
    methods: list[Method]
    student_methods: list[list[Method]]  # for each entry of config.students


MAX_CELLS = 200_000
MAX_MATRIX_BYTES = 2**20  # a method's matrix is part of each of its jobs


def resolve(content: Mapping[str, Any]) -> Definitions:
    """Check a config and return its definitions; UserError with one line a fault.

    Shape first, then names and options, then what needs several of them together, so that a fault is
    reported where it is and not where it bites.
    """
    config = parse(content)
    if config.name in RESERVED_NAMES:
        raise UserError(f"config: name: {config.name!r} is taken by results/{config.name}/; choose another")
    faults = Faults()
    definitions = Definitions(
        config=config,
        datasets=[d for name in config.datasets for found in faults.collect(datasets, name, config) for d in found],
        noises=[n for name in config.noises for n in faults.collect(noise, name, config)],
        recipes=[r for name in config.recipes for r in faults.collect(recipe, name, config)],
        methods=_all_methods(config.methods, "methods", faults),
        student_methods=[
            _all_methods(group.methods, f"students.{i}.methods", faults) for i, group in enumerate(config.students)
        ],
    )
    faults.stop()
    _check_size(definitions)
    faults.collect(check_apart, definitions.datasets)
    _no_duplicates(definitions.methods, "methods", faults)
    for i, found in enumerate(definitions.student_methods):
        _no_duplicates(found, f"students.{i}.methods", faults)
    for data in definitions.datasets:
        for kind in definitions.noises:
            faults.collect(_check_noise, data, kind, definitions)
        for settings in definitions.recipes:
            faults.collect(_check_form, data, settings)
        faults.collect(_check_without_clean_labels, data, definitions)
        faults.collect(_check_matrices, data, definitions)
    faults.collect(_check_alphas, definitions)
    _check_students(definitions, faults)
    faults.collect(_check_primary, definitions)
    faults.stop()
    return definitions


def _all_methods(entries: Iterable[MethodConfig], where: str, faults: "Faults") -> list[Method]:
    return [
        m for i, entry in enumerate(entries) for found in faults.collect(methods, entry, f"{where}.{i}") for m in found
    ]


class Faults:
    """Gathers the messages of failed checks, to report them all at once."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def collect(self, check: Any, *arguments: Any) -> list:
        """Return [result], or [] and keep the message."""
        try:
            return [check(*arguments)]
        except UserError as error:
            self.lines += str(error).splitlines()
            return []

    def stop(self) -> None:
        """Raise if anything was found."""
        if self.lines:
            raise UserError("\n".join(dict.fromkeys(self.lines)))


def entry_options(
    kind: str, name: str, extra: Mapping[str, Any] | None, where: str, beside: Iterable[str] = ()
) -> dict[str, Any]:
    """Return the options of a registry entry with defaults filled; UserError with their place in the config.

    beside: the keys that every entry of the kind has in the config.
    """
    if name not in registry.names(kind):
        near = registry.suggestion(name, registry.names(kind))
        raise UserError(f"config: {where}: unknown {kind.rstrip('s')} {name!r}{near}")
    model = options_model(kind, name)
    try:
        return model.model_validate(dict(extra or {})).model_dump()
    except ValidationError as error:
        lines = fault_lines(error, model, where, beside)
        raise UserError("\n".join(_with_forms(error, lines, where, kind, name))) from None


def _with_forms(error: ValidationError, lines: list[str], where: str, kind: str, name: str) -> list[str]:
    """Return the lines of faults; an option whose form an entry describes in FORMS has one line that says it."""
    forms = registry.describe(kind, name).constants.get("FORMS", {})
    options = [fault["loc"][0] for fault in error.errors(include_url=False)]
    said = [
        line if option not in forms else f"config: {where}.{option}: {forms[option]}"
        for option, line in zip(options, lines, strict=True)
    ]
    return list(dict.fromkeys(said))


def dataset(name: str, config: Config) -> Dataset:
    """Return one data set's definition, with its class names and the identity of its contents."""
    given = config.datasets[name]
    where = f"datasets.{name}"
    options = entry_options("datasets", given.kind, given.model_extra, where)
    module = registry.load("datasets", given.kind)
    try:
        class_names = module.class_names(**options)
        fingerprint = module.fingerprint(**options)
        clean = module.has_clean_labels(**options) if hasattr(module, "has_clean_labels") else True
        some = module.has_some_clean_labels(**options) if hasattr(module, "has_some_clean_labels") else clean
        n_examples = module.count(**options) if hasattr(module, "count") else None
        gold = given.gold or (module.gold_folder(**options) if hasattr(module, "gold_folder") else None)
    except UserError as error:
        raise UserError(f"config: {where}: {error}") from None
    settings = lasting(given, without=("gold",))
    known: dict[str, Any] = {
        "has_clean_labels": clean,
        "has_some_clean_labels": some,
        "gold": gold,
        "gold_table": gold and _gold_table(gold, given.kind, options, class_names, f"config: {where}.gold"),
        "n_examples": n_examples,
    }
    return Dataset(name, given.kind, settings, options, tuple(class_names), fingerprint, **known)


def _gold_table(path: str, kind: str, options: dict[str, Any], class_names: Sequence[str], where: str) -> str:
    """Return the place of a gold set as a table of rows; UserError where it is absent or not about these data."""
    module = registry.load("datasets", kind)
    if not Path(path).exists():
        raise UserError(f"{where}: {path}: no such file")
    try:
        names = module.example_names if hasattr(module, "example_names") else lambda **_: ()
        return table_of_rows(path, class_names, lambda: names(**options))
    except UserError as error:
        raise UserError(f"{where}: {error}") from None


def datasets(name: str, config: Config) -> list[Dataset]:
    """Return the splits of one data set: one, or as many as there are replicates."""
    return splits_of(dataset(name, config), config)


def noise(name: str, config: Config) -> Noise:
    """Return one noise's definition."""
    given = config.noises[name]
    where = f"noises.{name}"
    if name == CLEAN.name:
        raise UserError(f"config: {where}: {name!r} is what noise of rate 0 is called; choose another name")
    options = noise_options(given.kind, given.model_extra, where)
    rated = is_rated(given.kind, options)
    if rated and given.rates is None:
        raise UserError(f"config: {where}.rates is missing; {given.kind} noise needs at least one rate")
    if not rated and given.rates is not None:
        raise UserError(f"config: {where}.rates: {given.kind} noise has no rate; leave it out")
    contents = _contents(registry.without_neutral("noises", given.kind, options), where)
    return Noise(name, given.kind, options, contents, tuple(given.rates or (None,)))


def noise_options(kind: str, extra: Mapping[str, Any] | None, where: str) -> dict[str, Any]:
    """Return a noise's options; one that is made of another noise (option `of`) has that one's checked as well."""
    options = entry_options("noises", kind, extra, where)
    inner = options.get("of")
    if inner is not None:
        if not isinstance(inner, dict) or not isinstance(inner.get("kind"), str):
            raise UserError(f"config: {where}.of: must be a noise of its own, with the name of a kind")
        rest = {key: value for key, value in inner.items() if key != "kind"}
        options["of"] = {"kind": inner["kind"], **noise_options(inner["kind"], rest, f"{where}.of")}
    return options


def _contents(options: Mapping[str, Any], where: str) -> dict[str, Any]:
    """Return the options with every file replaced by a fingerprint of its bytes; UserError if one is absent."""
    contents: dict[str, Any] = {}
    for key, value in options.items():
        if key == "of":
            inner = registry.without_neutral("noises", value["kind"], value)
            contents[key] = _contents(inner, f"{where}.{key}")
        elif key == "path" and value is not None:
            if not Path(value).is_file():
                raise UserError(f"config: {where}.{key}: no such file: {value}")
            contents[key] = file_fingerprint(value)
        else:
            contents[key] = value
    return contents


def recipe(name: str, config: Config) -> Recipe:
    """Return one recipe's definition."""
    given = config.recipes[name]
    where = f"recipes.{name}"
    settings = lasting(given, without=("students_only", "estimate"))
    settings["measure"] = config.measure
    architecture = choice("networks", given.architecture, f"{where}.architecture")
    settings["architecture"] = _with_weights(architecture, f"config: {where}.architecture")
    settings["optimiser"] = choice("optimisers", given.optimiser, f"{where}.optimiser")
    settings["schedule"] = choice("schedules", given.schedule, f"{where}.schedule")
    settings["augmentation"] = augmentation(given.augmentation, f"{where}.augmentation")
    estimate = EstimateSettings(**given.estimate.model_dump())
    if given.stacked:
        check_stacked(settings, where)
    if config.replicates.splits == REDRAWN and given.block_size != 1:
        said = "with replicates.splits: redrawn each replicate has its own data; write block_size: 1"
        raise UserError(f"config: {where}.block_size: {given.block_size}: {said}")
    return Recipe(name, typed(RecipeSettings, settings), given.students_only, estimate)


def _with_weights(architecture: Choice, where: str) -> Choice:
    """Return an architecture with each of its files as the SHA-256; UserError unless it holds what the network takes.

    A file is looked into once, which loads torch; from then on it is known by its contents.
    """
    chosen = dict(architecture)
    for option in registry.describe("networks", chosen["name"]).constants.get("FILES", ()):
        path, use = chosen[option], chosen["of"]
        try:
            chosen[option] = file_fingerprint(path)
            if not is_kept(path, chosen[option], use):
                registry.load("networks", chosen["name"]).check_file(path, use)
                keep(path, chosen[option], use)
        except UserError as error:
            raise UserError(f"{where}.{option}: {error}") from None
    return chosen


def check_stacked(settings: dict[str, Any], where: str) -> None:
    """UserError unless the entries of a recipe say that they can be stacked, and no later key asks for more."""
    for key, kind in (("architecture", "networks"), ("optimiser", "optimisers")):
        name = settings[key]["name"]
        if not registry.describe(kind, name).constants.get("STACKS"):
            able = [n for n in registry.names(kind) if registry.describe(kind, n).constants.get("STACKS")]
            raise UserError(
                f"config: {where}.stacked: {key} {name} cannot be stacked; those that can: {', '.join(able)}"
            )
    further = settings.keys() - {*FOUNDING["RecipeConfig"].split(), "stacked", "measure"}
    if (beyond := settings.get("augmentation", {}).get("name")) is not None:
        further |= {f"augmentation {beyond}"}
    if further:
        raise UserError(f"config: {where}.stacked: does not go with {', '.join(sorted(further))}; leave one out")


def choice(kind: str, given: Open, where: str) -> Choice:
    """Return a registered entry of a recipe: its name, what the config says of all of its kind, its own options."""
    shared = lasting(given)
    options = entry_options(kind, shared["name"], given.model_extra, where, type(given).model_fields)
    return {**shared, **registry.without_neutral(kind, shared["name"], options)}


def augmentation(given: AugmentationConfig, where: str) -> dict[str, Any]:
    """Return a recipe's augmentation: crop and flip, and the entry that follows them with its options."""
    options = entry_options("augmentations", given.name, given.model_extra, where, AugmentationConfig.model_fields)
    return {**lasting(given), "options": registry.without_neutral("augmentations", given.name, options)}


def methods(given: MethodConfig, where: str) -> list[Method]:
    """Return the methods of one entry: the product of its alphas, transitions and options."""
    if given.name not in registry.names("methods"):
        near = registry.suggestion(given.name, registry.names("methods"))
        raise UserError(f"config: {where}: unknown method {given.name!r}{near}")
    alphas, transitions = _alphas(given, where), _transitions(given, where)
    combinations = [
        _with_files(given.name, entry_options("methods", given.name, extra, where), where)
        for extra in _product(given.model_extra or {}, where)
    ]
    return [
        Method(given.name, alpha, transition, dict(sorted(options.items())), given.warm_up, files)
        for transition, alpha in _pairs(given.name, transitions, alphas, where)
        for options, files in combinations
    ]


def _with_files(name: str, given: dict[str, Any], where: str) -> tuple[dict[str, Any], dict[str, str]]:
    """Return a method's options with each matrix file as the hash of its numbers, and these numbers as JSON."""
    options = registry.without_neutral("methods", name, given)
    files: dict[str, str] = {}
    for option in registry.describe("methods", name).constants.get("FILES", ()):
        path, place = options[option], f"config: {where}.{option}"
        matrix = check_transition(read_matrix(path, place, MAX_MATRIX_BYTES).rows, f"{place}: {path}")
        files[option] = canonical(matrix.tolist())
    return options | {option: short_hash(json.loads(text)) for option, text in files.items()}, files


def _pairs(method: str, transitions: list, alphas: list, where: str) -> list[tuple]:
    """Alphas belong to the method itself or, for a loss that only takes a T, to the transition `alpha` alone."""
    if transitions == [None]:
        return [(None, alpha) for alpha in alphas]
    if special_type("methods", method, "alpha") is not None:
        if "alpha" in transitions:
            raise UserError(f"config: {where}.transition: alpha is {method}'s own smoothing; name another T")
        return [(t, a) for t in transitions for a in alphas]
    if "alpha" in transitions and alphas == [None]:
        raise UserError(f"config: {where}.alphas is missing; transition alpha needs at least one")
    if "alpha" not in transitions and alphas != [None]:
        raise UserError(f"config: {where}.alphas: used only with transition alpha (or by methods with an alpha)")
    return [(t, a) for t in transitions for a in (alphas if t == "alpha" else [None])]


def _alphas(given: MethodConfig, where: str) -> list[float | None]:
    takes = special_type("methods", given.name, "alpha") is not None
    corrects = special_type_text(given.name, "transition") is not None
    if given.alphas is None:
        if takes:
            raise UserError(f"config: {where}.alphas is missing; {given.name} needs at least one")
        return [None]
    if not (takes or corrects):
        raise UserError(f"config: {where}.alphas: {given.name} has no alpha")
    if takes:
        model = _alpha_model(given.name)
        for alpha in given.alphas:
            try:
                model(alpha=alpha)
            except ValidationError as error:
                raise UserError("\n".join(fault_lines(error, model, f"{where}.alphas"))) from None
    return list(given.alphas)


@functools.cache
def _alpha_model(name: str) -> type[BaseModel]:
    return create_model(f"{name} alpha", alpha=(special_type("methods", name, "alpha"), ...))


def special_type_text(method: str, option: str) -> str | None:
    """Return the annotation of a method's option as text, or None where it does not take it."""
    found = registry.describe("methods", method).options.get(option)
    return None if found is None else found.text


def _transitions(given: MethodConfig, where: str) -> list[str | None]:
    corrects = special_type_text(given.name, "transition") is not None
    if given.transition is None:
        return ["true"] if corrects else [None]
    if not corrects:
        raise UserError(f"config: {where}.transition: {given.name} uses no transition matrix")
    for estimator in filter(None, map(read_estimator, given.transition)):
        entry_options("estimators", estimator.name, dict(estimator.options), f"{where}.transition")
    return list(given.transition)


def _product(extra: Mapping[str, Any], where: str) -> list[dict[str, Any]]:
    lists = {key: value if isinstance(value, list) else [value] for key, value in extra.items()}
    if math.prod(map(len, lists.values())) > MAX_CELLS:
        raise UserError(f"config: {where}: its lists combine to more than {MAX_CELLS} methods")
    combinations: list[dict[str, Any]] = [{}]
    for key, values in lists.items():
        if not values:
            raise UserError(f"config: {where}.{key}: an empty list; give at least one value")
        combinations = [{**combination, key: v} for combination in combinations for v in values]
    return combinations


def _check_size(definitions: Definitions) -> None:
    """Refuse a grid that no machine plans, before it is expanded."""
    config = definitions.config
    rates = len(definitions.datasets) * sum(len(noise.rates) for noise in definitions.noises)
    teachers = rates * len(definitions.recipes) * len(definitions.methods)
    lists = ("temperatures", "betas", "labels", "views")
    students = [
        len(methods) * math.prod(len(getattr(group, name)) for name in lists)
        for group, methods in zip(config.students, definitions.student_methods, strict=True)
    ]
    if teachers * (1 + sum(students)) > MAX_CELLS:
        raise UserError(f"config: {teachers} teachers with {sum(students)} students each; at most {MAX_CELLS} cells")


def _no_duplicates(found: list[Method], where: str, faults: Faults) -> None:
    seen: set[Method] = set()
    for method in found:
        if method in seen:
            faults.lines.append(f"config: {where}: {method.id} stands twice")
        seen.add(method)


def _check_noise(data: Dataset, kind: Noise, definitions: Definitions) -> None:
    """Rates in range for this kind and class count, T a transition matrix, invertible where backward needs it."""
    where = f"config: noises.{kind.name}"
    low, high = rate_range(kind.kind, data.n_classes, kind.options)
    for rate in kind.rates:
        if rate is not None and not low <= rate < high:
            allowed = f"{low:g} <= rate < {high:g}"
            hint = too_high(kind.kind, rate, high)
            raise UserError(f"{where}.rates: {rate}: {kind.kind} with {data.n_classes} classes allows {allowed}{hint}")
        asked = kind.transition(data, rate)
        if asked is None:
            continue
        check_transition(asked, f"{where}: T at rate {rate}", data.n_classes)
        for method in all_methods(definitions):
            if method.needs == "inverse" and method.transition in ("true", "matched"):
                matrix = asked if method.transition == "true" else matched(asked)
                check_invertible(matrix, f"{where}.rates: {rate}: T of {kind.kind}, needed by {method.id}")


def _check_form(data: Dataset, given: Recipe) -> None:
    """Refuse a network that takes what the data set does not hold, and an augmentation of what is no image."""
    where, taken = f"config: recipes.{given.name}", form("networks", given.arch)
    if taken != data.form:
        fitting = ", ".join(name for name in registry.names("networks") if form("networks", name) == data.form)
        said = f"{given.arch} takes {taken}, and data set {data.name} holds {data.form}"
        raise UserError(f"{where}.architecture: {said}; for {data.form}: {fitting}")
    if data.form == "features" and given.augments:
        raise UserError(
            f"{where}.augmentation: data set {data.name} holds features, which have no pixels to crop, flip or change; "
            "leave augmentation out"
        )


def _check_without_clean_labels(data: Dataset, definitions: Definitions) -> None:
    """Refuse what needs the clean labels of a data set that has none: drawn noise, the true T, clean students."""
    if data.has_clean_labels:
        return
    lacks = f"data set {data.name} has no clean labels" + (
        " of some examples (-1, unknown)" if data.has_some_clean_labels else ""
    )
    lines = [
        f"config: noises.{kind.name}: {kind.kind} noise is drawn on clean labels, but {lacks}; use kind labels"
        for kind in definitions.noises
        if kind.draws
    ]
    lines += [
        f"config: methods: {method.id}: {lacks}, so its T is unknown; use transition estimated(NAME) or alpha"
        for method in all_methods(definitions)
        if method.transition is not None and method.transition.startswith(("true", "matched", "perturbed("))
    ]
    lines += [
        f"config: methods: {method.id}: {lacks} and no gold set, which estimated(gold) learns from; "
        f"python -m smearlab gold {definitions.config.name} --part train draws one"
        for method in all_methods(definitions)
        if method.estimator and method.estimator.learns_from_gold
        if not data.gold and not data.has_some_clean_labels
    ]
    lines += [
        f"config: students.{i}.labels: clean: {lacks}"
        for i, group in enumerate(definitions.config.students)
        if "clean" in group.labels
    ]
    if lines:
        raise UserError("\n".join(lines))


def _check_matrices(data: Dataset, definitions: Definitions) -> None:
    """Refuse a method's matrix that has not one row for each class."""
    for method in all_methods(definitions):
        for option, text in method.files.items():
            if (rows := len(json.loads(text))) != data.n_classes:
                sizes = f"a matrix of {rows} rows, but data set {data.name} has {data.n_classes} classes"
                raise UserError(f"config: methods: {method.id}: {option}: {sizes}")


def all_methods(definitions: Definitions) -> list[Method]:
    """Return the methods of teachers and students, each once."""
    return list(dict.fromkeys([*definitions.methods, *(m for found in definitions.student_methods for m in found)]))


def _check_alphas(definitions: Definitions) -> None:
    for method in all_methods(definitions):
        if method.transition == "alpha" and method.needs == "nonnegative" and (method.alpha or 0) < 0:
            raise UserError(
                f"config: methods: {method.id}: {method.name} needs a T without negative entries: 0 <= alpha < 1"
            )


def _check_students(definitions: Definitions, faults: Faults) -> None:
    for i, group in enumerate(definitions.config.students):
        where = f"students.{i}"
        faults.collect(_check_student_recipe, group.recipe, definitions, where)
        if "none" in group.labels and any(beta != 1 for beta in group.betas):
            faults.lines.append(f"config: {where}.betas: {group.betas}: a student without labels needs beta 1")
        for j, entry in enumerate(group.teachers):
            faults.collect(teachers_of, entry, definitions.methods, f"{where}.teachers.{j}")
    if all(r.students_only for r in definitions.recipes):
        faults.lines.append("config: recipes: all are students_only; at least one must train teachers")


def _check_student_recipe(name: str | None, definitions: Definitions, where: str) -> None:
    """Student (n, t) learns from teacher (n, t), so their blocks must hold the same replicates."""
    if name is None:
        return
    sizes = {recipe.name: recipe.block_size for recipe in definitions.recipes}
    if name not in sizes:
        near = registry.suggestion(name, list(sizes))
        raise UserError(f"config: {where}.recipe: unknown recipe {name!r}{near}")
    for teacher in definitions.recipes:
        if not teacher.students_only and teacher.block_size != sizes[name]:
            sides = f"block_size {sizes[name]}, its teachers' recipe {teacher.name} has {teacher.block_size}"
            raise UserError(f"config: {where}.recipe: {name} has {sides}; they must agree")


def teachers_of(entry: MethodConfig, grid: list[Method], where: str) -> list[Method]:
    """Return the teacher methods an entry names; a bare name means all of that name in the grid."""
    bare = entry.alphas is None and entry.transition is None and not entry.model_extra and not entry.warm_up
    if bare:
        found = [method for method in grid if method.name == entry.name]
        if not found:
            near = registry.suggestion(entry.name, sorted({m.name for m in grid}))
            raise UserError(f"config: {where}: {entry.name!r} is not among the grid's methods{near}")
        return found
    wanted = methods(entry, where)
    known = set(grid)
    for method in wanted:
        if method not in known:
            raise UserError(f"config: {where}: {method.id} is not among the grid's methods; add it there too")
    return wanted


def _check_primary(definitions: Definitions) -> None:
    primary = definitions.config.primary
    if primary is None:
        return
    if primary.method == CROSS_ENTROPY.name:
        raise UserError(f"config: primary: {primary.method} is what every method is compared with; name one of those")
    named = [method for method in definitions.methods if method.name == primary.method]
    for method in named:
        if primary.alpha in (None, method.alpha) and primary.transition in (None, method.transition):
            return
    text = f"{primary.method}" + "".join(
        f" with {key} {value}"
        for key, value in (("alpha", primary.alpha), ("transition", primary.transition))
        if value is not None
    )
    others = sorted({m.name for m in definitions.methods} - {CROSS_ENTROPY.name})
    near = f"; allowed: {', '.join(m.id for m in named)}" if named else registry.suggestion(primary.method, others)
    raise UserError(f"config: primary: {text} is not among the grid's methods{near}")
