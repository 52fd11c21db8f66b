"""What is measured of one network: at the reported checkpoint, at the others, inside it, and beside its teacher.

The reported checkpoint is the recipe's choice, made without the test set. What other checkpoints score on the
test set is a diagnosis beside it and never the reported accuracy.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from torch import nn

from smearlab.core import registry
from smearlab.core.adding import left_to_right
from smearlab.core.errors import UserError
from smearlab.core.predictions import Part, Predictions
from smearlab.core.scores import SCORES, score
from smearlab.evaluation.networks import Networks
from smearlab.evaluation.scene import PARTS, Scene
from smearlab.metrics._features import projection, tightness
from smearlab.metrics._teacher import agreement, memorisation_table

Scalars = dict[str, float | int | None]


@dataclass(frozen=True)
class Measured:
    """One network's scalars and curves, and its predictions at the reported checkpoint."""

    metrics: Scalars
    curves: dict[str, list]
    predictions: Predictions


def measure(
    networks: Networks,
    teachers: Networks | None,
    i: int,
    scene: Scene,
    observed: np.ndarray,
    transition: np.ndarray | None,
) -> Measured | None:
    """Measure network i at the reported checkpoint; None if it diverged or its outputs are not finite."""
    if networks.replicates[i]["status"] == "diverged":
        return None
    networks.load(i, networks.reported)
    both = {part: networks.outputs(part) for part in PARTS}
    logits = {part: values for part, (values, _) in both.items()}
    if not all(np.isfinite(values).all() for values in logits.values()):
        return None
    predictions = scene.predictions(logits, observed, transition)
    found = {
        **registered_metrics(predictions),
        **inside(networks.module, both["test"][1], predictions.test.labels),
        **checkpoint_scores(networks, i, predictions.test),
        **(beside_teacher(teachers, i, predictions) if teachers else {}),
    }
    curves = {name: value for name, value in found.items() if isinstance(value, list)}
    return Measured({k: v for k, v in found.items() if k not in curves}, curves, predictions)


def registered_metrics(predictions: Predictions) -> dict[str, Any]:
    """Return what every metric in the registry measures; UserError if two use one name."""
    found: dict[str, Any] = {}
    for name in registry.names("metrics"):
        measured = registry.load("metrics", name).measure(predictions)
        if taken := sorted(found.keys() & measured.keys()):
            raise UserError(f"metric {name}: {taken[0]!r} is already measured by another metric; rename it")
        found |= measured
    return found


def inside(module: nn.Module, features: np.ndarray, labels: np.ndarray) -> dict[str, Any]:
    """Return weight norms, and the tightness and the projection of the classes in the penultimate layer.

    The norms are Euclidean, over all trained parameters and over the head's weights. features: (N, D) of the
    test part, labels: its true labels (N,).
    """
    weights = [p.detach().double().square().sum().item() for p in module.parameters()]
    head = module.get_parameter("head.weight").detach().cpu().numpy()
    return {
        "weight_norm": float(np.sqrt(left_to_right(weights))),
        "head_weight_norm": float(np.linalg.norm(head.astype(np.float64))),
        "feature_tightness": tightness(features, labels),
        "projection": projection(features, labels, head),
    }


def checkpoint_scores(networks: Networks, i: int, reported: Part) -> Scalars:
    """Return the test accuracy at the last, the selected and Label Wave's checkpoint, and the best snapshot's.

    The same by every other measure that a grid can be judged by.

    The best one is chosen on the test set: it says how optimistic such a choice would be, and nothing else.
    `best_on_test_epoch` is the earliest of equals. Null without true labels or without such a checkpoint.
    reported: the test part at the reported checkpoint.
    """
    predicted = {networks.reported: reported.predicted}
    for checkpoint in networks.checkpoints(i):
        if checkpoint not in predicted:
            networks.load(i, checkpoint)
            logits, _ = networks.outputs("test")
            predicted[checkpoint] = replace(reported, logits=logits).predicted
    by_accuracy, *others = [_by(measure, predicted, reported) for measure in SCORES]
    snapshots = sum(at.startswith("epoch-") for at in predicted)
    beside = {name: value for other in others for name, value in other.items() if name != "best_on_test_epoch"}
    return {**by_accuracy, "n_snapshots": snapshots, **beside}


def _by(measure: str, predicted: dict[str, np.ndarray], reported: Part) -> Scalars:
    n_classes = reported.logits.shape[1]
    found = {at: score(measure, classes, reported.labels, n_classes) for at, classes in predicted.items()}
    snapshots = sorted((int(at.removeprefix("epoch-")), at) for at in found if at.startswith("epoch-"))
    known = [(value, epoch) for epoch, at in snapshots if (value := found[at]) is not None]
    best, best_epoch = max(known, key=lambda pair: pair[0], default=(None, None))
    return {
        f"test_{measure}_last": found.get("last"),
        f"test_{measure}_selected": found.get("selected"),
        f"test_{measure}_label_wave": found.get("label_wave"),
        f"best_on_test_{measure}": best,
        "best_on_test_epoch": best_epoch,
    }


def beside_teacher(teachers: Networks, i: int, student: Predictions) -> Scalars:
    """Return the agreement of student i with its teacher on test, and who memorised which wrong labels.

    Both at their reported checkpoints. Null if the teacher diverged.
    """
    nobody = np.zeros(0, dtype=bool)
    if teachers.replicates[i]["status"] == "diverged":
        return {"student_teacher_agreement": None, **memorisation_table(nobody, nobody)}
    teachers.load(i, teachers.reported)
    taught = {part: teachers.outputs(part)[0].argmax(axis=1) for part in ("train", "test")}
    wrong, observed = student.train.wrong, student.train.observed
    return {
        "student_teacher_agreement": agreement(student.test.predicted, taught["test"]),
        **memorisation_table((student.train.predicted == observed)[wrong], (taught["train"] == observed)[wrong]),
    }
