"""What is measured after every epoch: predictions in eval mode, without augmentation, on train and validation."""

from collections.abc import Generator

import numpy as np
import torch
from torch import Tensor, nn

from smearlab.core.seeds import numpy_generator
from smearlab.training.batches import Inputs
from smearlab.training.device import autocast

COLUMNS = [
    "noise_seed",
    "seed",
    "epoch",
    "learning_rate",
    "loss",
    "train_accuracy_noisy",
    "validation_accuracy_noisy",
    "validation_accuracy_clean",
    "memorised",
    "recovered",
    "prediction_changes",
]
CPU_BATCH, CUDA_BATCH = 250, 2000


def history_examples(n_train: int, wanted: int, role: str, seed: int) -> np.ndarray:
    """Return the training examples that the history looks at: all, or a sorted seeded choice of `wanted`."""
    if not 0 < wanted < n_train:
        return np.arange(n_train)
    return np.sort(numpy_generator("history", role, seed).choice(n_train, wanted, replace=False))


def logits_of(network: nn.Module, pixels: Inputs, index: Tensor, precision: str) -> Generator[None, None, Tensor]:
    """Yield after every batch, then return the logits float32 (n, L) of the images at `index`, in eval mode.

    A generator, so that whoever drives a training can also stop between these batches.
    """
    device = index.device
    was_training = network.training
    found = []
    for part in index.split(CUDA_BATCH if device.type == "cuda" else CPU_BATCH):
        network.eval()
        with torch.no_grad(), autocast(device, precision):
            found.append(network(pixels.plain(part)).float())
        network.train(was_training)
        yield
    return torch.cat(found)


def fractions(predicted: np.ndarray, observed: np.ndarray, clean: np.ndarray) -> dict[str, float | None]:
    """Return accuracy on observed and clean labels, memorised and recovered; arrays (n,), clean -1 = unknown.

    None where nothing can be counted: no example, an unknown clean label, no wrong label.
    """
    known = bool(len(clean)) and bool((clean >= 0).all())
    wrong = (clean != observed) if known else np.zeros(len(clean), dtype=bool)
    return {
        "noisy": _share(predicted == observed),
        "clean": _share(predicted == clean) if known else None,
        "memorised": _share((predicted == observed)[wrong]),
        "recovered": _share((predicted == clean)[wrong]),
    }


def changed(before: np.ndarray, now: np.ndarray) -> float | None:
    """Return the share of examples whose predicted class changed; arrays (n,). None where there is no example."""
    return _share(before != now)


def _share(hits: np.ndarray) -> float | None:
    return float(hits.mean()) if len(hits) else None
