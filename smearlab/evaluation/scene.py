"""What the networks of a block are shown: all parts of a data set on the device, with their labels."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch

from smearlab.core.predictions import Part, Predictions
from smearlab.store.dataset import TRAIN, VALIDATION, HeldOutData, TrainingData
from smearlab.training.batches import Inputs, input_shape, on_device, statistics_of

PARTS = ("train", "validation", "test")


@dataclass(frozen=True)
class Scene:
    """What all networks of a block are shown: pixels on the device and true labels (N,), by part.

    part: uint8 (N,), 0 train, 1 validation, of the training data. shape: of an input, as networks are built for it.
    """

    n_classes: int
    shape: tuple[int, ...]
    device: torch.device
    pixels: Mapping[str, Inputs]
    labels: Mapping[str, np.ndarray]
    part: np.ndarray
    test_observed: np.ndarray

    def predictions(
        self, logits: Mapping[str, np.ndarray], observed: np.ndarray, transition: np.ndarray | None
    ) -> Predictions:
        """Join logits (N, L) by part with the labels; observed: int64 (N,), aligned with the training data."""
        stated = {
            "train": observed[self.part == TRAIN],
            "validation": observed[self.part == VALIDATION],
            "test": self.test_observed,
        }
        parts = {name: Part(logits[name], self.labels[name], stated[name]) for name in PARTS}
        return Predictions(self.n_classes, **parts, transition=transition)


def make_scene(training: TrainingData, test: HeldOutData, n_classes: int, device: torch.device) -> Scene:
    """Split the training data by part, put test beside it, and normalise all by the train part's statistics."""
    rows = {"train": training.part == TRAIN, "validation": training.part == VALIDATION}
    labels = {**{name: training.labels[chosen] for name, chosen in rows.items()}, "test": test.labels}
    statistics = statistics_of(training.images, rows["train"])
    pixels = {name: on_device(training.images, 0, statistics, device, members=own) for name, own in rows.items()}
    unknown = np.full(len(test.labels), -1, dtype=np.int64)
    return Scene(
        n_classes=n_classes,
        shape=input_shape(training.images),
        device=device,
        pixels={**pixels, "test": on_device(test.images, 0, statistics, device)},
        labels=labels,
        part=training.part,
        test_observed=unknown if test.noisy_labels is None else test.noisy_labels,
    )
