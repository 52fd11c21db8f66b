"""The user's own images in one .npz file, with clean labels, noisy labels, or both."""

import math
from typing import Any

import numpy as np

from smearlab.core.errors import UserError
from smearlab.datasets._fingerprint import file_fingerprint
from smearlab.datasets._raw import RawData, check_class_names, check_images, check_labels, some
from smearlab.store.large import check_room
from smearlab.store.npz import npz_names, read_npz
from smearlab.store.npz_shape import npz_shape

MEMBERS = ("images", "labels", "noisy_labels", "split", "class_names")
LABELS = ("labels", "noisy_labels")
COPIES = 3  # of images that are too large for memory: unpacked, split, and written


def load(*, path: str) -> RawData:
    """Read a file with `images` uint8 (N, H, W) or (N, H, W, C) and `labels` or `noisy_labels` in 0..L-1.

    Beside `noisy_labels`, -1 in `labels` says that an example's clean label is unknown. Optional: `split` (N,) of
    train, validation, test; `class_names` (L,). `path` is relative to the working folder. UserError names the file
    and what is wrong with it.
    """
    check_room(math.prod(npz_shape(path, "images") or (0,)), f"{path}: its images", "make room", copies=COPIES)
    arrays = read_npz(path, ["images"])
    if "images" not in arrays:
        raise UserError(f"{path}: has no images; it holds {some(npz_names(path), 10) or 'nothing'}")
    images = arrays["images"][..., None] if arrays["images"].ndim == 3 else arrays["images"]
    check_images(images, path)
    return RawData(np.ascontiguousarray(images), **beside(path, len(images)), source=path)


def beside(path: str, n: int, examples: str = "images") -> dict[str, Any]:
    """Return what stands beside the n examples of a file, as RawData has it; examples: the array that holds them."""
    arrays = read_npz(path, MEMBERS[1:])
    names = _names(arrays, path)
    ignored = sorted(set(npz_names(path)) - {examples, *MEMBERS[1:]})
    return {
        **{name: _integers(arrays, name, n, path) for name in LABELS},
        "split": _text(arrays["split"], "split", path) if "split" in arrays else np.full(n, ""),
        "class_names": names,
        "notes": [f"arrays in the file that are not used: {some(ignored, 10)}"] if ignored else [],
    }


def class_names(*, path: str) -> list[str]:
    """Return the names in the file, or "0".."L-1" by its labels (the noisy ones if there are no others)."""
    return _names(read_npz(path, (*LABELS, "class_names")), path)


def has_clean_labels(*, path: str) -> bool:
    """Whether the file brings clean labels of all examples."""
    labels = read_npz(path, ["labels"]).get("labels")
    return labels is not None and bool((labels != -1).all())


def has_some_clean_labels(*, path: str) -> bool:
    """Whether the file brings the clean label of some example."""
    labels = read_npz(path, ["labels"]).get("labels")
    return labels is not None and bool((labels != -1).any())


def sizes(*, path: str) -> tuple[int, int]:
    """Return the number of examples that the file does not call test, and of all."""
    arrays = read_npz(path, (*LABELS, "split"))
    n = next((arrays[name].size for name in LABELS if name in arrays), 0)
    if "split" in arrays:
        return int((_text(arrays["split"], "split", path) != "test").sum()), arrays["split"].size
    return n, n


def count(*, path: str) -> int:
    """Return the number of examples that the file does not call test."""
    return sizes(path=path)[0]


def fingerprint(*, path: str) -> str:
    """Return the SHA-256 of the file."""
    return file_fingerprint(path)


def _names(arrays: dict[str, np.ndarray], path: str) -> list[str]:
    if "class_names" in arrays:
        return check_class_names(_text(arrays["class_names"], "class_names", path).tolist(), path)
    known = [name for name in LABELS if name in arrays]
    if not known:
        raise UserError(f"{path}: has neither labels nor noisy_labels; one of them is needed")
    labels = arrays[known[0]]
    check_labels(labels, known[0], len(np.atleast_1d(labels)), path)
    complete = bool((labels != -1).all())
    largest = max(int(arrays[name].max(initial=0)) for name in (known[:1] if complete else known))
    if largest >= labels.size:  # before a list of that length is made
        raise UserError(f"{path}: {known[0]} reach {largest}, out of range for {labels.size} examples")
    return check_class_names([str(c) for c in range(largest + 1)], path)


def _integers(arrays: dict[str, np.ndarray], name: str, n: int, path: str) -> np.ndarray | None:
    if name not in arrays:
        return None
    labels = arrays[name]
    check_labels(labels, name, n, path)
    if labels.max(initial=0) > np.iinfo(np.int64).max:
        raise UserError(f"{path}: {name} are out of range, first {int(labels.max())}")
    return labels.astype(np.int64)


def _text(array: np.ndarray, name: str, path: str) -> np.ndarray:
    if array.dtype.kind not in "US" or array.ndim != 1:
        raise UserError(f"{path}: {name} must be a list of strings, not {array.dtype} of shape {array.shape}")
    try:
        return np.array([t if isinstance(t, str) else t.decode() for t in array.tolist()], dtype=str)
    except ValueError as error:
        raise UserError(f"{path}: {name} holds text that is not Unicode ({error})") from error
