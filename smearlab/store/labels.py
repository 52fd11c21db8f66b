"""Noisy labels on disk: read with their audit, refused when they do not match, and the T they were drawn from.

Apart from drawing them, so that training depends on the labels and not on the code that drew them.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from smearlab.core import transition
from smearlab.core.errors import UserError
from smearlab.store.files import read_sealed, sha256_array
from smearlab.store.npz import read_npz

AUDIT = (
    "noise_seed",
    "labels_sha256",
    "dataset_sha256",
    "class_counts",
    "transition_asked",
    "transition_realised",
    "realised_noise_rate",
)


def read_labels(
    labels_path: str | Path, audit_path: str | Path, training_json: str | Path
) -> tuple[np.ndarray, dict[str, Any]]:
    """Return the observed labels int64 (N,) and their audit.

    Raises UserError if the labels are unreadable, are not those of the audit, or belong to another data set.
    """
    record = read_sealed(audit_path, *AUDIT)
    manifest = read_sealed(training_json, "n", "sha256")
    observed = read_npz(labels_path, ["observed"]).get("observed")
    if observed is None:
        raise UserError(f"{labels_path}: holds no observed labels")
    if sha256_array(observed) != record["labels_sha256"]:
        raise UserError(f"{labels_path}: the labels are not those of {audit_path} (SHA-256 differs)")
    if len(observed) != manifest["n"]:
        raise UserError(f"{labels_path}: {len(observed)} labels for {manifest['n']} examples of {training_json}")
    if record["dataset_sha256"] != dataset_hashes(manifest):
        raise UserError(f"{labels_path}: made for another data set than {training_json} (SHA-256 differs)")
    return observed, record


def true_transition(record: Mapping[str, Any]) -> np.ndarray | None:
    """Return the T that `transition: true` means: the asked one, else the realised one of the training part.

    A class without training examples keeps its label. None where neither is known.
    """
    if record["transition_asked"] is not None:
        return transition.from_lists(record["transition_asked"])
    if record["realised_noise_rate"] is None:
        return None
    return transition.from_lists(record["transition_realised"])


def matched_transition(record: Mapping[str, Any]) -> np.ndarray | None:
    """Return the T that `transition: matched` means: symmetric, of the same overall rate as the true one.

    An asked T weighs its classes as the training part does; where nothing was asked, the rate is the realised
    one. None where neither is known.
    """
    if record["transition_asked"] is not None:
        shares = np.array(record["class_counts"], dtype=np.float64)
        return transition.matched(transition.from_lists(record["transition_asked"]), shares)
    if record["realised_noise_rate"] is None:
        return None
    return transition.symmetric(len(record["transition_realised"]), record["realised_noise_rate"])


def dataset_hashes(manifest: Mapping[str, Any]) -> dict[str, str]:
    """Return the hashes by which labels know their data set, from the content of training.json."""
    return {name: manifest["sha256"][name] for name in ("images", "labels")}
