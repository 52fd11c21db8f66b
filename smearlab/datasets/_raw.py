"""What every data set loader returns, before splitting, and what it must satisfy."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from smearlab.core.errors import UserError

PARTS = ("train", "validation", "test")
MAX_CHANNELS = 4
ROWS = "; rows of numbers (embeddings, tables) are of kind features"
MAX_NAME = 200
LARGEST = 1e100  # of a feature: its square, and a sum of such squares, are numbers still


@dataclass(frozen=True)
class RawData:
    """Images, or features, with what is known of their labels.

    images: uint8 (N, H, W, C), or features, float32 or float64 (N, D). labels: clean labels int64 (N,) in 0..L-1, or
    None if unknown; -1 where that of an example is unknown which has a noisy one. noisy_labels: the labels that came
    with the data, int64 (N,), or None; -1 only for test examples that have none. split: str (N,), one of train,
    validation, test, or all empty where the split is left to us. notes: lines for the report. source: where the data
    came from, for messages.
    """

    images: np.ndarray
    labels: np.ndarray | None
    noisy_labels: np.ndarray | None
    split: np.ndarray
    class_names: list[str]
    notes: list[str] = field(default_factory=list)
    source: str = "data set"


def some(items: Iterable[object], limit: int = 3) -> str:
    """Return the first items for a message, and how many more there are."""
    shown = [repr(item) for item in items]
    more = f" and {len(shown) - limit} more" if len(shown) > limit else ""
    return ", ".join(shown[:limit]) + more


def check_class_names(names: list[str], source: str) -> list[str]:
    """Return the names if they are two or more distinct, printable, short texts; UserError otherwise."""
    bad = [name for name in names if not (name.isprintable() and 0 < len(name) <= MAX_NAME)]
    if bad:
        raise UserError(f"{source}: class names need 1 to {MAX_NAME} printable characters; not {some(bad)}")
    twice = sorted({name for name in names if names.count(name) > 1}) if len(set(names)) < len(names) else []
    if twice:
        raise UserError(f"{source}: class names must differ; more than once: {some(twice)}")
    if len(names) < 2:
        raise UserError(f"{source}: {len(names)} class, at least 2 are needed")
    return names


def check_raw(raw: RawData) -> None:
    """Raise UserError, with the source and the count, unless the data are what RawData promises."""
    check_class_names(raw.class_names, raw.source)
    (check_features if raw.images.ndim == 2 else check_images)(raw.images, raw.source)
    _check_split(raw)
    if raw.labels is None and raw.noisy_labels is None:
        raise UserError(f"{raw.source}: neither labels nor noisy_labels are given; one of them is needed")
    for name, labels in (("labels", raw.labels), ("noisy_labels", raw.noisy_labels)):
        if labels is not None:
            check_labels(labels, name, len(raw.images), raw.source)
            _check_range(raw, name, labels)
    _check_unknown(raw)


def check_images(images: np.ndarray, source: str) -> None:
    """Raise UserError unless images are uint8 (N, H, W, C) with at least one image and 1 to 4 channels."""
    if images.dtype != np.uint8:
        nan = f" with {int(np.isnan(images).sum())} NaN" if images.dtype.kind == "f" else ""
        scale = (
            f"; they run from {images.min():g} to {images.max():g}"
            if images.dtype.kind in "iuf" and images.size
            else ""
        )
        raise UserError(
            f"{source}: images are {images.dtype}{nan}, they must be uint8 (0 to 255){scale}: scale them to 0…255 and "
            "convert with .astype(numpy.uint8) (the full range of 16 bits: divide by 257; 0…1: multiply by 255)"
            f"{ROWS if images.ndim == 2 else ''}"
        )
    if images.ndim != 4 or 0 in images.shape or images.shape[-1] > MAX_CHANNELS:
        raise UserError(
            f"{source}: images have shape {images.shape}; allowed are (N, H, W) and (N, H, W, C), "
            f"channels last, 1 to {MAX_CHANNELS} of them{ROWS if images.ndim == 2 else ''}"
        )


def check_features(features: np.ndarray, source: str, names: Sequence[str] = (), first_row: int = 0) -> None:
    """Raise UserError unless features are finite numbers, float32 or float64 (N, D); names: of the columns, if any.

    first_row: what the file calls its first row.
    """
    if features.dtype not in (np.float32, np.float64) or features.ndim != 2 or 0 in features.shape:
        raise UserError(
            f"{source}: features are {features.dtype} of shape {features.shape}; allowed are numbers (N, D), a row for "
            "each example"
        )
    largest = min(LARGEST, float(np.finfo(features.dtype).max))
    wrong = ~(np.abs(features) <= largest)  # a NaN is not below anything
    if wrong.any():
        row, column = (int(place) for place in np.argwhere(wrong)[0])
        called = repr(names[column]) if names else f"{column} (counted from 0)"
        raise UserError(
            f"{source}: {int(wrong.sum())} features are no finite numbers, first {features[row, column]} in row "
            f"{first_row + row}, column {called}; fill such places or leave their rows or columns out"
        )


def check_labels(labels: np.ndarray, name: str, n: int, source: str) -> None:
    """Raise UserError unless labels are integers of shape (n,)."""
    if labels.dtype.kind not in "iu":
        nan = f" with {int(np.isnan(labels).sum())} NaN" if labels.dtype.kind == "f" else ""
        raise UserError(f"{source}: {name} are {labels.dtype}{nan}, they must be integers")
    if labels.shape != (n,):
        onehot = labels.ndim == 2 and labels.shape[0] == n and labels.size and (labels.sum(axis=1) == 1).all()
        hint = "; these are one-hot rows: give .argmax(axis=1)" if onehot else ""
        raise UserError(f"{source}: {name} have shape {labels.shape}, there are {n} examples{hint}")


def _check_range(raw: RawData, name: str, labels: np.ndarray) -> None:
    n_classes = len(raw.class_names)
    wrong = (labels < 0) | (labels >= n_classes)
    if name == "labels" and raw.noisy_labels is not None:
        wrong &= labels != -1
    if name == "noisy_labels" and raw.labels is not None:
        wrong &= ~((labels == -1) & (np.asarray(raw.split) == "test"))
    if wrong.any():
        first = int(wrong.argmax())
        raise UserError(
            f"{raw.source}: {int(wrong.sum())} of {len(labels)} {name} are out of range, "
            f"first {int(labels[first])} at index {first}; allowed are 0 to {n_classes - 1}"
            f"{_unknown_hint(raw, name, labels)}"
        )


def _unknown_hint(raw: RawData, name: str, labels: np.ndarray) -> str:
    if name == "labels" and raw.noisy_labels is None and (labels == -1).any():
        return "; -1 says that a clean label is unknown, and takes noisy_labels beside it"
    return ""


def _check_unknown(raw: RawData) -> None:
    """Refuse examples of which neither label is known; -1 in the clean labels is told apart from a class."""
    if raw.labels is None or raw.noisy_labels is None:
        return
    neither = (raw.labels < 0) & (raw.noisy_labels < 0)
    if neither.any():
        first = int(neither.argmax())
        raise UserError(
            f"{raw.source}: {int(neither.sum())} of {len(neither)} examples have neither a clean nor a noisy label, "
            f"first at index {first}; leave them out"
        )


def _check_split(raw: RawData) -> None:
    split = np.asarray(raw.split)
    if split.shape != (len(raw.images),):
        raise UserError(f"{raw.source}: split has shape {split.shape}, there are {len(raw.images)} examples")
    empty = int((split == "").sum())
    if 0 < empty < len(split):
        raise UserError(f"{raw.source}: split is empty for {empty} of {len(split)} examples; all or none")
    unknown = split[~np.isin(split, (*PARTS, ""))]
    if len(unknown):
        raise UserError(
            f"{raw.source}: split of {len(unknown)} examples is {some(sorted(set(unknown.tolist())))}; "
            f"allowed are {', '.join(PARTS)}"
        )
