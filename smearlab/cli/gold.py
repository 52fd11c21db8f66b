"""A gold set by hand: examples drawn to be labelled, with a sheet of pictures, and the filled-in table taken back."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from smearlab.core import registry
from smearlab.core.errors import UserError
from smearlab.evaluation.drawing import draw
from smearlab.evaluation.gold import examples_of
from smearlab.grid.cells import RESULTS, Cell, Grid
from smearlab.grid.dag import EXAMPLES
from smearlab.grid.definitions import Dataset
from smearlab.store.dataset import read_test, read_training
from smearlab.store.examples import Predicted, read_predicted
from smearlab.store.files import write_bytes, write_text
from smearlab.store.gold import ALL, Entry, check_gold, gold_text, read_gold
from smearlab.store.large import taken
from smearlab.store.pictures import sheet

FOLDER = Path("gold")
PER_SHEET = 100
RANDOM, CLASS, DISAGREEMENT = ("random", "class", "disagreement")


@dataclass(frozen=True)
class Pool:
    """The examples of one part: images (N, H, W, C), rows int (N,) in the data set's order, labels given int (N,)."""

    images: np.ndarray
    rows: np.ndarray
    given: np.ndarray


def the_dataset(grid: Grid, name: str | None) -> Dataset:
    """Return the data set of a name, or the only one; UserError where that does not say which."""
    named = {dataset.name: dataset for dataset in grid.definitions.datasets}
    if name is None and len(named) == 1:
        return next(iter(named.values()))
    if name not in named:
        raise UserError(f"--dataset is {name or 'not given'}; the grid {grid.name} has {', '.join(named)}")
    return named[name]


def draw_gold(grid: Grid, dataset: Dataset, n: int, *, part: str, by: str, seed: int) -> list[Path]:
    """Write a table of n examples to label, and their pictures; return the files, the table first."""
    pool = _pool(dataset, part)
    known = {entry.row: entry for entry in _taken(dataset)}
    strata = _strata(grid, dataset, pool, part, by)
    _check_same_strata(dataset, known, dict(zip(pool.rows.tolist(), strata, strict=True)))
    fresh = np.flatnonzero(~np.isin(pool.rows, list(known)))
    picked = fresh[draw([strata[i] for i in fresh], n, seed, even=by == DISAGREEMENT)]
    sizes = {name: strata.count(name) for name in set(strata)}
    names = _names(dataset)
    entries = [_entry(dataset, pool, i, part, strata[i], sizes, names) for i in picked.tolist()]
    return _write(FOLDER / grid.name / f"{dataset.name}-{part}", entries, pool.images[picked], dataset)


def take_gold(dataset: Dataset, path: str) -> tuple[Path, list[Entry]]:
    """Join a filled-in table to the data set's gold set; return its file and all its entries. All or nothing."""
    names = list(dataset.class_names)
    given = [entry for entry in read_gold(path, names) if entry.label >= 0]
    check_gold(path, given, examples_of(_folder(dataset)), names)
    if not given:
        raise UserError(f"{path}: the column 'label' is empty in every line; fill in a class name where you know it")
    known = {entry.row: entry for entry in _taken(dataset)}
    for entry in given:
        there = known.setdefault(entry.row, entry)
        if there.label != entry.label:
            said = f"{names[there.label]!r} in {_home(dataset)} and {names[entry.label]!r} here"
            raise UserError(f"{path}: line {entry.line}: row {entry.row} is {said}")
    parts = {row: example.part for row, example in examples_of(_folder(dataset)).items()}
    entries = [replace(known[row], part=parts[row]) for row in sorted(known)]
    write_text(_home(dataset), gold_text(entries, names))
    return _home(dataset), entries


def _home(dataset: Dataset) -> Path:
    """Return the table that a filled-in one is joined to: the config's, unless that is a folder or has no rows."""
    own = dataset.gold is not None and dataset.gold == dataset.gold_table
    return Path(str(dataset.gold)) if own else FOLDER / f"{dataset.name}.csv"


def _taken(dataset: Dataset) -> list[Entry]:
    found = dataset.gold_table or str(_home(dataset))
    return read_gold(found, dataset.class_names) if Path(found).is_file() else []


def _folder(dataset: Dataset) -> Path:
    folder = Path(RESULTS) / "data" / dataset.id
    if not (folder / "test.npz").is_file() or not (folder / "training.npz").is_file():
        raise UserError(f"{folder}: the data set is not there yet; run the grid first")
    return folder


def _pool(dataset: Dataset, part: str) -> Pool:
    if part == "test":
        test = read_test(_folder(dataset))
        return Pool(test.images, test.source_index, _or_unknown(test.noisy_labels, len(test.images)))
    training = read_training(_folder(dataset))
    mine = training.part == (part == "validation")
    given = _or_unknown(training.noisy_labels, len(training.images))
    return Pool(taken(training.images, np.flatnonzero(mine)), training.source_index[mine], given[mine])


def _or_unknown(labels: np.ndarray | None, n: int) -> np.ndarray:
    return np.full(n, -1, dtype=np.int64) if labels is None else labels


def _strata(grid: Grid, dataset: Dataset, pool: Pool, part: str, by: str) -> list[str]:
    if by == RANDOM:
        return [ALL] * len(pool.rows)
    if by == CLASS:
        return [dataset.class_names[k] if k >= 0 else "no label" for k in pool.given.tolist()]
    if part == "train":
        raise UserError(
            "--by disagreement is about examples that networks were not trained on: --part test, validation"
        )
    return ["differ" if differs else "agree" for differs in _differing(grid, dataset, part).tolist()]


def _differing(grid: Grid, dataset: Dataset, part: str) -> np.ndarray:
    """Return where some teacher predicts otherwise than plain training in the same replicate, bool (N,)."""
    cells = {r.cell.key: r.cell for r in grid.rows if r.cell.role == "teacher" and r.cell.labels.dataset == dataset}
    plain = {_place(cell): cell for cell in cells.values() if cell.method.name == "cross_entropy"}
    pairs = [(c, plain[_place(c)]) for c in cells.values() if _place(c) in plain and c is not plain[_place(c)]]
    found = [_apart(*(_predicted(grid, cell, part) for cell in pair)) for pair in pairs]
    known = [differs for differs in found if differs is not None]
    if not known:
        raise UserError("--by disagreement needs cross-entropy and another method, both evaluated; run the grid first")
    return np.any(known, axis=0)


def _place(cell: Cell) -> tuple[str, str]:
    return cell.labels.path, cell.recipe.id


def _predicted(grid: Grid, cell: Cell, part: str) -> Predicted:
    files = [Path(cell.folder(block), EXAMPLES) for block in grid.blocks(cell)]
    return read_predicted([path for path in files if path.is_file()], part, cell.labels.dataset.n_classes)


def _apart(one: Predicted, other: Predicted) -> np.ndarray | None:
    shared = [replicate for replicate in one.replicates if replicate in other.replicates]
    return (one.of(shared) != other.of(shared)).any(axis=0) if shared else None


def _check_same_strata(dataset: Dataset, known: dict[int, Entry], strata: dict[int, str]) -> None:
    """Refuse to add to a gold set from other strata than it was drawn from: its weights would be wrong."""
    other = [e for row, e in known.items() if row in strata and (e.stratum or ALL) != strata[row]]
    if other:
        raise UserError(
            f"{_home(dataset)}: row {other[0].row} was drawn from the stratum {other[0].stratum or ALL!r}, not from "
            f"{strata[other[0].row]!r}; draw further ones with the same --by"
        )


def _names(dataset: Dataset) -> Sequence[str]:
    module = registry.load("datasets", dataset.kind)
    return module.example_names(**dataset.options) if hasattr(module, "example_names") else ()


def _entry(
    dataset: Dataset, pool: Pool, i: int, part: str, stratum: str, sizes: dict[str, int], names: Sequence[str]
) -> Entry:
    row, label = int(pool.rows[i]), int(pool.given[i])
    given = dataset.class_names[label] if label >= 0 else ""
    return Entry(0, row, names[row] if names else "", part, given, stratum, sizes[stratum], -1)


def _write(stem: Path, entries: list[Entry], images: np.ndarray, dataset: Dataset) -> list[Path]:
    files = [stem.with_name(f"{stem.name}.csv")]
    for k in range(0, len(entries) if images.ndim == 4 else 0, PER_SHEET):  # features have no picture
        part = slice(k, k + PER_SHEET)
        files.append(stem.with_name(f"{stem.name}-{k // PER_SHEET + 1}.png"))
        write_bytes(files[-1], sheet(images[part], [f"row {entry.row}" for entry in entries[part]]))
    write_text(files[0], gold_text(entries, dataset.class_names))
    return files


def said_of(dataset: Dataset, home: Path, entries: list[Entry]) -> list[str]:
    """Return what to tell after a table was taken: how many labels of which part, and what comes next."""
    parts = list(dict.fromkeys(entry.part for entry in entries))
    counts = ", ".join(f"{sum(entry.part == part for entry in entries)} {part}" for part in parts)
    lines = [f"{home}: {len(entries)} true labels ({counts})"]
    if dataset.gold != str(home):
        lines.append(f"add to the config, at datasets.{dataset.name}:  gold: {home}")
    return [*lines, "then run the grid again: nothing is trained for test and validation labels"]
