"""The canonical form of a data set on disk: arrays in .npz, and what is said of them with their hashes in .json.

Training examples (train and validation) and test examples lie in separate files, so that a training job never
has the test set at hand. Whoever reads them compares every array with its hash first.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from smearlab.core.errors import UserError
from smearlab.store.files import damaged, read_sealed, sha256_array, write_npz, write_sealed
from smearlab.store.npz import read_npz

TRAIN, VALIDATION = 0, 1
META = {"n": int, "n_classes": int, "class_names": list, "shape": list, "sha256": dict}
FORMS = ((4, "|u1"), (2, "<f4"), (2, "<f8"))  # dimensions and type of images, and of features
Source = str | Path | Sequence[str | Path]


@dataclass(frozen=True)
class TrainingData:
    """Train and validation examples in the data set's own order.

    images uint8 (N, H, W, C), or float (N, D) where the data are features; labels int64 (N,), -1 unknown; noisy_labels
    int64 (N,), or None if none came with the data; part uint8 (N,), 0 train, 1 validation; source_index int64 (N,),
    position in the whole data set. meta: n, n_train, n_validation, n_classes, class_names, shape [H, W, C] or [D],
    notes, and once written, sha256.
    """

    images: np.ndarray
    labels: np.ndarray
    noisy_labels: np.ndarray | None
    part: np.ndarray
    source_index: np.ndarray
    meta: dict[str, Any]


@dataclass(frozen=True)
class HeldOutData:
    """Test examples: the arrays of TrainingData without `part`."""

    images: np.ndarray
    labels: np.ndarray
    noisy_labels: np.ndarray | None
    source_index: np.ndarray
    meta: dict[str, Any]


@dataclass(frozen=True)
class Canonical:
    """A data set that is split and checked, ready to be written."""

    training: TrainingData
    test: HeldOutData


def write_dataset(canonical: Canonical, folder: str | Path) -> None:
    """Write training.npz/.json and test.npz/.json into a folder, each atomically, with the same bytes every time."""
    for stem, data in (("training", canonical.training), ("test", canonical.test)):
        arrays = _arrays(data)
        meta = {"sha256": {name: sha256_array(array) for name, array in arrays.items()}, **data.meta}
        write_npz(Path(folder, f"{stem}.npz"), arrays)
        write_sealed(Path(folder, f"{stem}.json"), meta)


def read_training(source: Source) -> TrainingData:
    """Read training.npz and training.json; UserError unless the hashes agree.

    source: their folder, the path of the .npz with the .json beside it, or both paths.
    """
    npz, arrays, meta = _read(source, "training", TrainingData)
    data = TrainingData(**arrays, meta=meta)
    _check(npz, data, ("labels", "noisy_labels"))
    if data.part.dtype != np.uint8 or data.part.shape != (meta["n"],) or data.part.max(initial=0) > VALIDATION:
        raise UserError(f"{npz}: 'part' must be 0 or 1 for each example")
    return data


def read_test(source: Source) -> HeldOutData:
    """Read test.npz and test.json, named as for read_training; UserError unless the hashes agree."""
    npz, arrays, meta = _read(source, "test", HeldOutData)
    data = HeldOutData(**arrays, meta=meta)
    _check(npz, data, ("labels", "noisy_labels"))
    return data


def _arrays(data: TrainingData | HeldOutData) -> dict[str, np.ndarray]:
    named = {field.name: getattr(data, field.name) for field in fields(data) if field.name != "meta"}
    return {name: array for name, array in named.items() if array is not None}


def _read(
    source: Source, stem: str, form: type[TrainingData] | type[HeldOutData]
) -> tuple[Path, dict[str, Any], dict[str, Any]]:
    npz, described = _paths(source, stem)
    meta = _read_meta(described)
    arrays = read_npz(npz)
    allowed = {field.name for field in fields(form)} - {"meta"}
    if set(arrays) != set(meta["sha256"]) or not allowed - {"noisy_labels"} <= set(arrays) <= allowed:
        raise UserError(f"{npz}: holds {sorted(arrays)}, {described.name} speaks of {sorted(meta['sha256'])}")
    for name, array in arrays.items():
        if sha256_array(array) != meta["sha256"][name]:
            raise damaged(npz, f"{name!r} does not match its SHA-256 in {described.name}")
    return npz, {"noisy_labels": None, **arrays}, meta


def _paths(source: Source, stem: str) -> tuple[Path, Path]:
    if isinstance(source, str | Path):
        if Path(source).suffix == ".npz":
            return Path(source), Path(source).with_suffix(".json")
        return Path(source, f"{stem}.npz"), Path(source, f"{stem}.json")
    by_suffix = {Path(path).suffix: Path(path) for path in source}
    return by_suffix[".npz"], by_suffix[".json"]


def _read_meta(path: Path) -> dict[str, Any]:
    meta = read_sealed(path, *META)
    if any(not isinstance(meta[key], kind) for key, kind in META.items()):
        raise damaged(path, f"has a wrong type in one of {', '.join(META)}")
    return meta


def _check(npz: Path, data: TrainingData | HeldOutData, labels: tuple[str, ...]) -> None:
    """Refuse arrays that agree with their hashes but not with the canonical form."""
    n, meta = data.meta["n"], data.meta
    if (data.images.ndim, data.images.dtype.str) not in FORMS or data.images.shape != (n, *meta["shape"]):
        found = f"{data.images.dtype} {data.images.shape}"
        raise UserError(f"{npz}: images are {found}, not uint8 ({n}, H, W, C), nor features, floating point ({n}, D)")
    if len(meta["class_names"]) != meta["n_classes"]:
        raise UserError(f"{npz}: {len(meta['class_names'])} class names for {meta['n_classes']} classes")
    for name in (*labels, "source_index"):
        array = getattr(data, name)
        if array is not None and (array.dtype != np.int64 or array.shape != (n,) or array.min(initial=-1) < -1):
            raise UserError(f"{npz}: {name!r} must be int64 of shape ({n},), -1 or more")
    for name in labels:
        array = getattr(data, name)
        if array is not None and array.max(initial=-1) >= meta["n_classes"]:
            raise UserError(f"{npz}: {name!r} holds a class beyond {meta['n_classes'] - 1}")
