"""From what a loader returns to the canonical data set: checked, cut down, and split by a named stream."""

import hashlib
from dataclasses import dataclass, replace
from typing import Any, NoReturn, cast

import numpy as np

from smearlab.core.errors import UserError
from smearlab.core.seeds import numpy_generator
from smearlab.datasets._raw import RawData, check_raw, some
from smearlab.store.dataset import TRAIN, VALIDATION, Canonical, HeldOutData, TrainingData
from smearlab.store.large import chunks, taken, zeros

TEST, UNUSED = 2, 3
# Each draw has its own stream, so that asking for a smaller subset does not change which examples are test.
DRAWS = ("test", "subset", "test_subset", "validation")
MAX_OVERLAP = 0.5


def make_dataset(
    raw: RawData,
    *,
    split_seed: int,
    validation: float,
    test: float,
    subset: int | None = None,
    test_subset: int | None = None,
) -> Canonical:
    """Check the data and split them into train, validation and test, each draw stratified by class.

    A split that came with the data wins: only the parts it lacks are drawn. Otherwise `test` is the fraction of
    the examples that are drawn for testing, and `validation` the fraction of the rest. `subset` keeps so many
    train and validation examples, `test_subset` so many test examples; the others are left out. No draw takes the last
    training example of a class; a class that has none from the start is carried, and noted. Classes are the clean
    labels, or the noisy ones where some or all of those are unknown. UserError says what is wrong and of how many.
    """
    check_raw(raw)
    raw = squared(raw)
    part = _given_parts(raw)
    cut = _Cut(raw, part, split_seed)
    present = cut.present_classes()
    if not (part == TEST).any():
        cut.draw(TEST, test, "test")
    cut.keep((TRAIN, VALIDATION), subset, "subset")
    cut.keep((TEST,), test_subset, "test_subset")
    if not (part == VALIDATION).any() and validation != 0:
        cut.draw(VALIDATION, validation, "validation")
    cut.refuse_emptied_classes(present)
    return Canonical(training=_training(cut), test=_held_out(cut))


def squared(raw: RawData) -> RawData:
    """Centre images that are not square on a black square, and note it: every network takes squares."""
    if raw.images.ndim == 2 or raw.images.shape[1] == raw.images.shape[2]:
        return raw
    _, height, width, _ = raw.images.shape
    side = max(height, width)
    top, left = (side - height) // 2, (side - width) // 2
    images = zeros((len(raw.images), side, side, raw.images.shape[3]), raw.images.dtype)
    for part in chunks(len(images), images[:1].nbytes):
        images[part, top : top + height, left : left + width] = raw.images[part]
    note = f"images of {height}×{width} pixels were centred on black squares of {side}×{side}"
    return replace(raw, images=images, notes=[*raw.notes, note])


def stratified_choice(strata: np.ndarray, size: int, rng: np.random.Generator) -> np.ndarray:
    """Choose `size` of the N positions, from each stratum its share to within one, at random inside it.

    strata: integers (N,). Returns sorted positions (size,). Left-over units go to the largest remainders, the
    lowest stratum first among equals.
    """
    _, inverse, counts = np.unique(strata, return_inverse=True, return_counts=True)
    quota, remainder = np.divmod(counts * size, len(strata))
    quota[np.argsort(-remainder, kind="stable")[: size - quota.sum()]] += 1
    order = np.lexsort((rng.permutation(len(strata)), inverse))
    rank = np.arange(len(strata)) - np.repeat(np.cumsum(counts) - counts, counts)
    return np.sort(order[rank < np.repeat(quota, counts)])


def _given_parts(raw: RawData) -> np.ndarray:
    """Return the part of each example that came with the data, uint8 (N,); train where nothing is said."""
    split = np.asarray(raw.split)
    return np.select([split == "validation", split == "test"], [VALIDATION, TEST], TRAIN).astype(np.uint8)


@dataclass(frozen=True)
class _Cut:
    """A data set while it is being cut: `part` says where each example goes and is changed in place."""

    raw: RawData
    part: np.ndarray
    seed: int

    @property
    def classes(self) -> np.ndarray:
        """What the parts are stratified by: the clean labels; the noisy ones where some or all of those are unknown."""
        clean, noisy = self.raw.labels, self.raw.noisy_labels
        if clean is None or noisy is None or (clean >= 0).all():
            return cast(np.ndarray, noisy if clean is None else clean)
        return np.where(noisy >= 0, noisy, clean)

    def draw(self, part: int, fraction: float, name: str) -> None:
        """Move a fraction of the train examples into another part, stratified by class."""
        pool = np.flatnonzero(self.part == TRAIN)
        size = round(fraction * len(pool)) if 0 < fraction < 1 else 0
        if not 0 < size < len(pool):
            self.refuse(f"{name} is {fraction}, of {len(pool)} examples; allowed are fractions that give at least one")
        rng = numpy_generator("split", "dataset", self.seed, DRAWS.index(name))
        chosen = pool[stratified_choice(self.classes[pool], size, rng)]
        taken = np.setdiff1d(chosen, self._last_of_classes(pool, chosen))
        if not len(taken):
            self.refuse(
                f"too few examples to split off a {name} part: none is left over of any class; give more examples, or "
                f"bring a {name} part of your own (a folder, or in `split`)"
            )
        self.part[taken] = part

    def _last_of_classes(self, pool: np.ndarray, chosen: np.ndarray) -> np.ndarray:
        """Return an example of each class of which the chosen are all of the pool: it stays."""
        gone = self.counts(chosen) == self.counts(pool)
        classes, first = np.unique(self.classes[chosen], return_index=True)
        return chosen[first[gone[classes]]]

    def keep(self, parts: tuple[int, ...], size: int | None, name: str) -> None:
        """Leave out all but `size` examples of some parts, stratified by part and class."""
        if size is None:
            return
        pool = np.flatnonzero(np.isin(self.part, parts))
        if not 0 < size <= len(pool):
            self.refuse(f"{name} is {size}, there are {len(pool)} examples")
        rng = numpy_generator("split", "dataset", self.seed, DRAWS.index(name))
        strata = self.part[pool] * np.int64(len(self.raw.class_names)) + self.classes[pool]
        kept = pool[stratified_choice(strata, size, rng)]
        left_out = np.setdiff1d(pool, kept)
        self.part[left_out] = UNUSED
        self._bring_back(left_out[strata[np.searchsorted(pool, left_out)] < len(self.raw.class_names)])

    def _bring_back(self, left_out: np.ndarray) -> None:
        """Keep an example of each class whose training examples were all left out, for one of the commonest class."""
        for c in np.unique(self.classes[left_out]):
            members = np.flatnonzero(self.part == TRAIN)
            counts = self.counts(members)
            if counts[c] == 0 and counts.max(initial=0) > 1:
                self.part[members[self.classes[members] == counts.argmax()][-1]] = UNUSED
                self.part[left_out[self.classes[left_out] == c][0]] = TRAIN

    def present_classes(self) -> np.ndarray:
        """Return which classes have a training example, bool (L,); UserError unless there are two to tell apart."""
        present = self.counts(np.flatnonzero(self.part == TRAIN)) > 0
        absent, names = np.flatnonzero(~present), self.raw.class_names
        from_one = absent.tolist() == [0] and names == [str(c) for c in range(len(names))]
        if present.sum() < 2 or from_one:
            hint = "; do labels count from 1? They count from 0" if from_one else ""
            self.refuse(f"{len(absent)} of {len(names)} classes have no training example: {self.named(absent)}{hint}")
        return present

    def refuse_emptied_classes(self, present: np.ndarray) -> None:
        """Refuse a cut that leaves a class without a training example which had some; present: bool (L,)."""
        counts = self.counts(np.flatnonzero(self.part == TRAIN))
        empty = np.flatnonzero(present & (counts == 0))
        if len(empty):
            self.refuse(
                f"too few examples: of {counts.sum()} that are left for training none is of {self.named(empty)}; "
                "raise subset, or lower validation or test"
            )

    def absent_notes(self, part: int, name: str) -> list[str]:
        """Say which classes a part has no example of."""
        members = np.flatnonzero(self.part == part)
        absent = np.flatnonzero(self.counts(members) == 0)
        if not len(members) or not len(absent):
            return []
        return [f"{len(absent)} of {len(self.raw.class_names)} classes have no {name} example: {self.named(absent)}"]

    def counts(self, members: np.ndarray) -> np.ndarray:
        """Count the members of each class, int64 (L,)."""
        return np.bincount(self.classes[members], minlength=len(self.raw.class_names))

    def named(self, classes: np.ndarray) -> str:
        """Name the first classes, for a message."""
        return some(self.raw.class_names[c] for c in classes)

    def refuse(self, message: str) -> NoReturn:
        """Stop with the source of the data before the message."""
        raise UserError(f"{self.raw.source}: {message}")


def _training(cut: _Cut) -> TrainingData:
    members = np.flatnonzero(cut.part <= VALIDATION)
    part = cut.part[members]
    counts = {"n_train": int((part == TRAIN).sum()), "n_validation": int((part == VALIDATION).sum())}
    notes = [*cut.raw.notes, *cut.absent_notes(TRAIN, "training"), *cut.absent_notes(VALIDATION, "validation")]
    arrays, meta = _member_arrays(cut, members)
    return TrainingData(part=part, meta=meta | counts | {"notes": notes}, **arrays)


def _held_out(cut: _Cut) -> HeldOutData:
    arrays, meta = _member_arrays(cut, np.flatnonzero(cut.part == TEST))
    return HeldOutData(meta=meta | {"notes": [*_overlap_notes(cut), *cut.absent_notes(TEST, "test")]}, **arrays)


def _member_arrays(cut: _Cut, members: np.ndarray) -> tuple[dict[str, Any], dict[str, Any]]:
    raw = cut.raw
    images = taken(raw.images, members)
    arrays: dict[str, Any] = {
        "images": images,
        "labels": np.full(len(members), -1) if raw.labels is None else raw.labels[members],
        "noisy_labels": None if raw.noisy_labels is None else raw.noisy_labels[members],
        "source_index": members,
    }
    known = int((arrays["labels"] >= 0).sum())
    if raw.noisy_labels is not None and (arrays["noisy_labels"] < 0).all():
        arrays["noisy_labels"] = None  # test examples that came without noisy labels
    meta = {
        "n": len(members),
        "n_classes": len(raw.class_names),
        "class_names": list(raw.class_names),
        "class_counts": cut.counts(members).tolist(),
        "shape": list(images.shape[1:]),
        "split_seed": cut.seed,
    }
    if 0 < known < len(members):
        meta["n_known"] = known  # true labels; without this entry all or none
    return {name: a if a is None or name == "images" else a.astype(np.int64) for name, a in arrays.items()}, meta


def _overlap_notes(cut: _Cut) -> list[str]:
    """Count test images that are, pixel for pixel, among the train and validation images; too many are refused.

    Features may be few different rows (answers to yes or no), of which many repeat in every part.
    """
    known = _hashes(cut.raw.images, np.flatnonzero(cut.part <= VALIDATION))
    test = _hashes(cut.raw.images, np.flatnonzero(cut.part == TEST))
    known_set = set(known)
    n = sum(image in known_set for image in test)
    what = "examples" if cut.raw.images.ndim == 2 else "images"
    said = f"{n} of {len(test)} test {what} are copies of train or validation {what}"
    if n > MAX_OVERLAP * len(test) and (what == "images" or len(known_set) > MAX_OVERLAP * len(known)):
        cut.refuse(f"{said}; at most half may be")
    return [said] if n else []


def _hashes(images: np.ndarray, members: np.ndarray) -> list[bytes]:
    return [
        hashlib.blake2b(np.ascontiguousarray(images[i]), digest_size=16).digest()  # type: ignore[arg-type]
        for i in members
    ]
