"""The user's own image files: ROOT/{train,test}/CLASS/*, with an optional CSV of noisy labels."""

from __future__ import annotations

import csv
import math
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple

import numpy as np

from smearlab.core.errors import UserError
from smearlab.datasets._fingerprint import folder_fingerprint
from smearlab.datasets._raw import PARTS, RawData, check_class_names, some
from smearlab.store.npz import MAX_BYTES, memory_bound, reason

if TYPE_CHECKING:
    from PIL import Image
    from pydantic import Field

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF", "PPM")
GREY_MODES = ("1", "L", "LA")
COLOUR_MODES = ("P", "PA", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr", "LAB", "HSV")
MAX_PIXELS = 64 * 2**20
MAX_CSV_BYTES = 2**30


class Picture(NamedTuple):
    """One image file: its part, class, and name below the root with forward slashes."""

    part: str
    class_name: str
    name: str


class Header(NamedTuple):
    """What an image file says of itself before its pixels are read."""

    width: int
    height: int
    mode: str


def load(
    *,
    path: str,
    size: Annotated[int, Field(ge=4, le=1024)] | None = None,
    labels_csv: str | None = None,
    labels: Literal["clean", "noisy"] = "clean",
) -> RawData:
    """Read ROOT/{train,validation,test}/CLASS/* in sorted order; only `train` is needed.

    Images are grey (C = 1) if all files are, else RGB; transparency is dropped and of an animation the first
    picture is taken. `size`: each image's largest centred square is resized to size x size (bicubic), unless
    it has that size. Without it all must be of one size. `labels_csv` (relative to the working folder):
    columns `path` (relative to ROOT) and `label` (class name, else index) for every training image; they
    become the noisy labels. `labels`: whether the folders state clean labels, or noisy ones where no others are
    known. UserError names files that are unreadable, of another size, or lead out of ROOT.
    """
    pictures = _listing(path)
    names = _class_names(pictures, path)
    headers = _survey(path, pictures)
    index = {name: i for i, name in enumerate(names)}
    stated = np.array([index[picture.class_name] for picture in pictures], dtype=np.int64)
    noisy = None if labels_csv is None else _noisy_labels(labels_csv, pictures, names)
    return RawData(
        images=_decode(path, pictures, headers, size),
        labels=stated if labels == "clean" else None,
        noisy_labels=noisy if labels == "clean" else stated,
        split=_split(pictures),
        class_names=names,
        source=path,
    )


def class_names(
    *, path: str, size: int | None = None, labels_csv: str | None = None, labels: str = "clean"
) -> list[str]:
    """Return the names of the class folders in ROOT/train, sorted."""
    return check_class_names(_subfolders(Path(path, "train")), path)


def has_clean_labels(
    *, path: str, size: int | None = None, labels_csv: str | None = None, labels: str = "clean"
) -> bool:
    """Whether the folders state clean labels; UserError where the config says what the noisy ones are twice."""
    if labels == "noisy" and labels_csv is not None:
        raise UserError("labels_csv gives noisy labels beside clean folders; with labels: noisy, leave it out")
    return labels == "clean"


def count(*, path: str, size: int | None = None, labels_csv: str | None = None, labels: str = "clean") -> int:
    """Return the number of images outside ROOT/test."""
    return sum(picture.part != "test" for picture in _listing(path))


def fingerprint(*, path: str, size: int | None = None, labels_csv: str | None = None, labels: str = "clean") -> str:
    """Return a SHA-256 over the names and contents of the images and of the CSV.

    UserError, before any of them is read in full, if at `size` they need more memory than is ever given to them.
    """
    pictures = _listing(path)
    if size is not None:
        _check_size(path, pictures, size)
    files = {picture.name: Path(path, picture.name) for picture in pictures}
    if labels_csv is not None:
        files["/labels_csv"] = Path(labels_csv)  # no image has a name that starts with a slash
    return folder_fingerprint(path, files)


def _check_size(root: str, pictures: list[Picture], size: int) -> None:
    """Refuse what no machine would read: one picture in colour makes all of them so."""
    try:
        with _opened(Path(root, pictures[0].name)) as image:
            channels = 1 if image.mode in GREY_MODES else 3
    except Exception:  # a damaged picture is reported with the others, when all are looked at
        return
    needed = len(pictures) * size * size * channels
    if needed > MAX_BYTES:
        raise UserError(
            f"{root}: {len(pictures):,} images of {size}x{size} pixels need {needed / 2**30:.0f} GiB of memory, "
            f"at most {MAX_BYTES >> 30} are used; give a smaller size"
        )


def _split(pictures: list[Picture]) -> np.ndarray:
    parts = np.array([picture.part for picture in pictures])
    return parts if (parts != "train").any() else np.full(len(parts), "")


def _class_names(pictures: list[Picture], root: str) -> list[str]:
    names = class_names(path=root)
    strange = sorted({picture.class_name for picture in pictures} - set(names))
    if strange:
        raise UserError(f"{root}: classes without a folder in train: {some(strange)}")
    return names


def _listing(root: str) -> list[Picture]:
    """List the image files by part, class and name, refusing whatever is not a plain file inside the root."""
    base = Path(root)
    if not base.is_dir():
        raise UserError(f"{root}: no such folder; expected {root}/train/CLASS/* and {root}/test/CLASS/*")
    inside = os.path.realpath(base)
    pictures = []
    for part in PARTS:
        if part != "train" and not (base / part).exists():
            continue
        for class_name in _subfolders(base / part):
            names = _files(base / part / class_name, inside)
            pictures += [Picture(part, class_name, f"{part}/{class_name}/{name}") for name in names]
    if not pictures:
        raise UserError(f"{root}: no images in {root}/train/CLASS/")
    return pictures


def _visible(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            seen = sorted(entries, key=lambda entry: entry.name)
        return [entry for entry in seen if not entry.name.startswith(".") and entry.name != "Thumbs.db"]
    except OSError as error:
        raise UserError(f"{folder}: cannot be listed ({error.strerror})") from error


def _subfolders(folder: Path) -> list[str]:
    if not folder.is_dir():
        raise UserError(f"{folder}: no such folder; it should hold one folder of images per class")
    entries = _visible(folder)
    files = [entry.name for entry in entries if not entry.is_dir()]
    if files:
        raise UserError(f"{folder}: holds {some(files)} beside the class folders; only folders are allowed")
    return [entry.name for entry in entries]


def _files(folder: Path, inside: str) -> list[str]:
    _stay(folder, inside)
    entries = _visible(folder)
    for entry in entries:
        if not entry.is_file(follow_symlinks=False):
            _stay(Path(entry.path), inside)
            if not entry.is_file():
                raise UserError(f"{entry.path!r} is no plain file; expected images at ROOT/train/CLASS/NAME")
    return [entry.name for entry in entries]


def _stay(path: Path, inside: str) -> None:
    if os.path.commonpath([os.path.realpath(path), inside]) != inside:
        raise UserError(f"{str(path)!r} is a link that leads out of the data folder")


@contextmanager
def _opened(path: Path) -> Iterator[Image.Image]:
    """Open an image with the bounds set and nothing decoded yet."""
    from PIL import Image

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        with Image.open(path, formats=FORMATS) as image:
            if image.width * image.height > MAX_PIXELS:
                raise ValueError(f"{image.width}x{image.height} pixels, at most {MAX_PIXELS:,} are read")
            yield image


def _survey(root: str, pictures: list[Picture]) -> list[Header]:
    """Read every header, so that size and memory are known before a pixel is decoded."""
    headers, faults = [], []
    for picture in pictures:
        try:
            with _opened(Path(root, picture.name)) as image:
                _check_mode(image.mode)
                headers.append(Header(image.width, image.height, image.mode))
        except Exception as error:  # hostile images make decoders fail in any way
            faults.append(f"{picture.name} ({reason(error)})")
    _refuse(root, faults, len(pictures))
    return headers


def _check_mode(mode: str) -> None:
    if mode not in GREY_MODES + COLOUR_MODES:
        raise ValueError(f"pixels of mode {mode!r}, allowed are 8 bits per channel")


def _refuse(root: str, faults: list[str], n: int) -> None:
    if faults:
        raise UserError(f"{root}: {len(faults)} of {n} images cannot be read: {some(faults)}")


def _decode(root: str, pictures: list[Picture], headers: list[Header], size: int | None) -> np.ndarray:
    width, height = (size, size) if size else _common_size(root, pictures, headers)
    grey = all(header.mode in GREY_MODES for header in headers)
    shape = (len(pictures), height, width, 1 if grey else 3)
    if math.prod(shape) > memory_bound():
        raise UserError(f"{root}: {shape} images are more than {memory_bound():,} bytes; give a smaller `size`")
    images, faults = np.empty(shape, dtype=np.uint8), []
    for i, picture in enumerate(pictures):
        try:
            with _opened(Path(root, picture.name)) as image:
                images[i] = _pixels(image, width, height, grey)
        except Exception as error:  # as above
            faults.append(f"{picture.name} ({reason(error)})")
    _refuse(root, faults, len(pictures))
    return images


def _common_size(root: str, pictures: list[Picture], headers: list[Header]) -> tuple[int, int]:
    first = headers[0]
    others = [i for i, h in enumerate(headers) if (h.width, h.height) != (first.width, first.height)]
    if others:
        odd = headers[others[0]]
        raise UserError(
            f"{root}: images differ in size: {pictures[0].name} is {first.width}x{first.height}, "
            f"{pictures[others[0]].name} is {odd.width}x{odd.height} "
            f"({len(others)} of {len(headers)} differ); set `size` to resize them"
        )
    return first.width, first.height


def _pixels(image: Image.Image, width: int, height: int, grey: bool) -> np.ndarray:
    from PIL import Image

    if image.mode in ("P", "PA"):
        image = image.convert("RGBA")  # a palette's transparency survives only this way
    image = image.convert("L" if grey else "RGB")
    if image.size != (width, height):
        side = min(image.size)
        left, top = (image.width - side) / 2, (image.height - side) / 2
        box = (left, top, left + side, top + side)
        image = image.resize((width, height), Image.Resampling.BICUBIC, box=box)
    return np.asarray(image).reshape(height, width, -1)


def _noisy_labels(path: str, pictures: list[Picture], names: list[str]) -> np.ndarray:
    """Return a label per image from the CSV, -1 for test images if it speaks of none of them."""
    given = _read_csv(path)
    known = {picture.name for picture in pictures}
    strange = sorted(set(given) - known)
    if strange:
        raise UserError(f"{path}: {len(strange)} paths are no images of the data set: {some(strange)}")
    silent = not any(picture.part == "test" and picture.name in given for picture in pictures)
    missing = [p.name for p in pictures if p.name not in given and not (silent and p.part == "test")]
    if missing:
        raise UserError(f"{path}: {len(missing)} of {len(pictures)} images have no label: {some(missing)}")
    index = {str(i): i for i in range(len(names))} | {name: i for i, name in enumerate(names)}
    wrong = [f"{name}: {label}" for name, label in given.items() if label not in index]
    if wrong:
        raise UserError(
            f"{path}: {len(wrong)} labels are neither a class nor its index (0 to {len(names) - 1}): {some(wrong)}"
        )
    return np.array([index[given[p.name]] if p.name in given else -1 for p in pictures], dtype=np.int64)


def _read_csv(path: str) -> dict[str, str]:
    try:
        if os.path.getsize(path) > MAX_CSV_BYTES:
            raise UserError(f"{path}: larger than {MAX_CSV_BYTES:,} bytes")
        with open(path, encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file, strict=True)
            if not {"path", "label"} <= set(rows.fieldnames or []):
                raise UserError(f"{path}: the first line must name the columns path,label")
            pairs = [(row["path"], row["label"]) for row in rows]
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror})") from error
    except (csv.Error, UnicodeDecodeError) as error:
        raise UserError(f"{path}: not a CSV file in UTF-8 ({error})") from error
    return _unique(path, pairs)


def _unique(path: str, pairs: list[tuple[str | None, str | None]]) -> dict[str, str]:
    given: dict[str, str] = {}
    for line, (name, label) in enumerate(pairs, start=2):
        if not name or not label:
            raise UserError(f"{path}: row {line} lacks a path or a label")
        if name in given:
            raise UserError(f"{path}: {name!r} occurs twice, again in row {line}")
        given[name] = label
    return given
