"""The user's own image files: ROOT/{train,test}/CLASS/*, with an optional CSV of noisy labels."""

from __future__ import annotations

import math
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple

import numpy as np

from smearlab.core.errors import UserError
from smearlab.datasets._fingerprint import folder_fingerprint
from smearlab.datasets._labels_csv import Picture, read_noisy_labels
from smearlab.datasets._raw import RawData, check_class_names, some
from smearlab.store.large import check_room, zeros
from smearlab.store.npz import reason

if TYPE_CHECKING:
    from PIL import Image
    from pydantic import Field

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF", "PPM")
GREY_MODES = ("1", "L", "LA")
COLOUR_MODES = ("P", "PA", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr", "LAB", "HSV")
MAX_PIXELS = 64 * 2**20
COPIES = 3  # of images that are too large for memory: as they are decoded, split, and written
LATER = {"labels_column": None, "path_column": None, "validation_folder": None, "test_folder": None}


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
    labels_column: str | None = None,
    path_column: str | None = None,
    validation_folder: str | None = None,
    test_folder: str | None = None,
) -> RawData:
    """Read ROOT/{train,validation,test}/CLASS/* in sorted order; only `train` is needed.

    Images are grey (C = 1) if all files are, else RGB; transparency is dropped and of an animation the first
    picture is taken. `size`: each image's largest centred square is resized to size x size (bicubic), unless
    it has that size. Without it all must be of one size. `labels_csv` (relative to the working folder): a table
    with a header, whose columns `path_column` (else path, relative to ROOT) and `labels_column` (else label; class
    names, or indices) speak of every training image; they become the noisy labels. `labels`: whether the folders
    state clean labels, or noisy ones where no others are known. `validation_folder`, `test_folder`: their names
    below ROOT where they differ, such as val. UserError names files that are unreadable, of another size, or
    lead out of ROOT.
    """
    parts = _parts(path, validation_folder, test_folder)
    pictures = _listing(path, parts)
    names = _class_names(pictures, path)
    headers = _survey(path, pictures)
    index = {name: i for i, name in enumerate(names)}
    stated = np.array([index[picture.class_name] for picture in pictures], dtype=np.int64)
    noisy = None
    if labels_csv is not None:
        columns = (path_column or "path", labels_column or "label")
        noisy = read_noisy_labels(labels_csv, columns, pictures, stated, names, _unused_parts(path, parts))
    return RawData(
        images=_decode(path, pictures, headers, size),
        labels=stated if labels == "clean" else None,
        noisy_labels=noisy if labels == "clean" else stated,
        split=_split(pictures),
        class_names=names,
        notes=_notes(path, parts),
        source=path,
    )


def class_names(*, path: str, **_: object) -> list[str]:
    """Return the names of the class folders in ROOT/train, sorted."""
    return check_class_names(_subfolders(Path(path, "train")), path)


def has_clean_labels(
    *,
    labels: str = "clean",
    labels_csv: str | None = None,
    labels_column: str | None = None,
    path_column: str | None = None,
    **_: object,
) -> bool:
    """Whether the folders state clean labels; UserError where options contradict each other."""
    if labels == "noisy" and labels_csv is not None:
        raise UserError("labels_csv gives noisy labels beside clean folders; with labels: noisy, leave it out")
    if labels_csv is None and (labels_column or path_column):
        raise UserError("labels_column and path_column name columns of labels_csv, which is not given")
    return labels == "clean"


def gold_folder(*, path: str, **_: object) -> str | None:
    """Return ROOT/gold if there is one: CLASS/FILE for each example whose true label is known."""
    return str(Path(path, "gold")) if Path(path, "gold").is_dir() else None


def sizes(
    *, path: str, validation_folder: str | None = None, test_folder: str | None = None, **_: object
) -> tuple[int, int]:
    """Return the number of images outside the test folder, and of all."""
    pictures = _listing(path, _parts(path, validation_folder, test_folder))
    return sum(picture.part != "test" for picture in pictures), len(pictures)


def count(**options: Any) -> int:
    """Return the number of images outside the test folder."""
    return sizes(**options)[0]


def example_names(
    *, path: str, validation_folder: str | None = None, test_folder: str | None = None, **_: object
) -> list[str]:
    """Return the names of all images below ROOT, with forward slashes, in the order of `load`."""
    return [picture.name for picture in _listing(path, _parts(path, validation_folder, test_folder))]


def fingerprint(
    *,
    path: str,
    size: int | None = None,
    labels_csv: str | None = None,
    validation_folder: str | None = None,
    test_folder: str | None = None,
    **_: object,
) -> str:
    """Return a SHA-256 over the names and contents of the images and of the CSV.

    UserError, before any of them is read in full, if at `size` they fit neither into memory nor on the disk.
    """
    pictures = _listing(path, _parts(path, validation_folder, test_folder))
    if size is not None:
        _check_size(path, pictures, size)
    files = {picture.name: Path(path, picture.name) for picture in pictures}
    if labels_csv is not None:
        files["/labels_csv"] = Path(labels_csv)  # no image has a name that starts with a slash
    return folder_fingerprint(path, files)


def _parts(root: str, validation_folder: str | None, test_folder: str | None) -> dict[str, str]:
    """Return the folder of each part below the root; UserError for one that is named and absent, or named twice."""
    for option, folder in (("validation_folder", validation_folder), ("test_folder", test_folder)):
        if folder is not None and not Path(root, folder).is_dir():
            raise UserError(f"{root}: {option}: {folder!r} is no folder there")
    named = {"train": "train", "validation": validation_folder or "validation", "test": test_folder or "test"}
    parts = {part: folder for part, folder in named.items() if part == "train" or Path(root, folder).exists()}
    if len(set(parts.values())) < len(parts):
        raise UserError(f"{root}: one folder cannot be two of {', '.join(f'{k} ({v})' for k, v in parts.items())}")
    return parts


def _unused_parts(root: str, parts: dict[str, str]) -> list[str]:
    """Return the folders beside train that look like a part of the data and are none."""
    found = [entry.name for entry in _visible(Path(root)) if entry.is_dir() and entry.name not in parts.values()]
    return [name for name in found if name.lower().startswith(("val", "test", "dev", "eval"))]


def _notes(root: str, parts: dict[str, str]) -> list[str]:
    unused = _unused_parts(root, parts)
    if not unused:
        return []
    return [f"folders that are not used: {some(unused)}; validation_folder or test_folder would name one as that part"]


def _check_size(root: str, pictures: list[Picture], size: int) -> None:
    """Refuse what there is no room for: one picture in colour makes all of them so."""
    try:
        with _opened(Path(root, pictures[0].name)) as image:
            channels = 1 if image.mode in GREY_MODES else 3
    except Exception:  # a damaged picture is reported with the others, when all are looked at
        return
    _check_room(root, (len(pictures), size, size, channels))


def _check_room(root: str, shape: tuple[int, ...]) -> None:
    count, height, width, channels = shape
    said = f"{root}: {count:,} images of {width}×{height} pixels in {channels} channels"
    check_room(math.prod(shape), said, "give a smaller `size`, or fewer files", copies=COPIES)


def _split(pictures: list[Picture]) -> np.ndarray:
    parts = np.array([picture.part for picture in pictures])
    return parts if (parts != "train").any() else np.full(len(parts), "")


def _class_names(pictures: list[Picture], root: str) -> list[str]:
    names = class_names(path=root)
    strange = sorted({picture.class_name for picture in pictures} - set(names))
    if strange:
        raise UserError(f"{root}: classes without a folder in train: {some(strange)}")
    return names


def _listing(root: str, parts: dict[str, str]) -> list[Picture]:
    """List the image files by part, class and name, refusing whatever is not a plain file inside the root."""
    base = Path(root)
    if not base.is_dir():
        raise UserError(f"{root}: no such folder; expected {root}/train/CLASS/* and {root}/test/CLASS/*")
    inside = os.path.realpath(base)
    pictures = []
    for part, folder in parts.items():
        for class_name in _subfolders(base / folder):
            names = _files(base / folder / class_name, inside)
            pictures += [Picture(part, class_name, f"{folder}/{class_name}/{name}") for name in names]
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
                _check_mode(image)
                headers.append(Header(image.width, image.height, image.mode))
        except Exception as error:  # hostile images make decoders fail in any way
            faults.append(f"{picture.name} ({reason(error)})")
    _refuse(root, faults, len(pictures))
    return headers


def _check_mode(image: Image.Image) -> None:
    if image.mode not in GREY_MODES + COLOUR_MODES:
        low, high = image.getextrema()
        raise ValueError(
            f"pixels of mode {image.mode!r}, here from {low:,g} to {high:,g}; allowed are 8 bits per channel: scale "
            "them to 0…255 yourself (the full range of 16 bits: divide by 257), as their scale is not known here"
        )


def _refuse(root: str, faults: list[str], n: int) -> None:
    if faults:
        raise UserError(f"{root}: {len(faults)} of {n} images cannot be read: {some(faults)}")


def _decode(root: str, pictures: list[Picture], headers: list[Header], size: int | None) -> np.ndarray:
    width, height = (size, size) if size else _common_size(root, pictures, headers)
    grey = all(header.mode in GREY_MODES for header in headers)
    shape = (len(pictures), height, width, 1 if grey else 3)
    _check_room(root, shape)
    images, faults = zeros(shape, np.uint8), []
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
