"""Evaluation of trained networks: the one place that reads the test set, once, when training is over.

The reported checkpoint is the recipe's choice, made without the test set. What other checkpoints score on the
test set is a diagnosis beside it and never the reported accuracy.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from torch import nn

from smearlab.core import registry
from smearlab.core.errors import UserError
from smearlab.core.predictions import Part, Predictions
from smearlab.metrics._features import projection, tightness
from smearlab.metrics._shared import accuracy, margin
from smearlab.metrics._teacher import agreement, memorisation_table
from smearlab.store.dataset import HeldOutData, TrainingData
from smearlab.training.batches import Pixels, channel_statistics
from smearlab.training.device import configure

IMAGES_PER_BATCH = {"cpu": 256, "cuda": 2048}
PIXELS_PER_BATCH = 1 << 21
PARTS = ("train", "validation", "test")
Scalars = dict[str, float | int | None]


@dataclass(frozen=True)
class Scene:
    """What all networks of a block are shown: pixels on the device and true labels (N,), by part.

    part: uint8 (N,), 0 train, 1 validation, of the training data. image_shape: (H, W, C).
    """

    n_classes: int
    image_shape: tuple[int, int, int]
    device: torch.device
    pixels: Mapping[str, Pixels]
    labels: Mapping[str, np.ndarray]
    part: np.ndarray
    test_observed: np.ndarray

    def predictions(
        self, logits: Mapping[str, np.ndarray], observed: np.ndarray, transition: np.ndarray | None
    ) -> Predictions:
        """Join logits (N, L) by part with the labels; observed: int64 (N,), aligned with the training data."""
        stated = {
            "train": observed[self.part == 0],
            "validation": observed[self.part == 1],
            "test": self.test_observed,
        }
        parts = {name: Part(logits[name], self.labels[name], stated[name]) for name in PARTS}
        return Predictions(self.n_classes, **parts, transition=transition)


@dataclass(frozen=True)
class Measured:
    """One network's scalars and curves, and its predictions at the reported checkpoint."""

    metrics: Scalars
    curves: dict[str, list]
    predictions: Predictions


def evaluate_block(
    job: Mapping[str, Any],
    training: TrainingData,
    test: HeldOutData,
    observed: Sequence[np.ndarray],
    transitions: Sequence[np.ndarray | None],
    weights: str | Path,
    run: Mapping[str, Any],
    teacher_weights: str | Path | None = None,
    teacher_run: Mapping[str, Any] | None = None,
) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Measure all networks of a block; return what metrics.json and examples.npz hold.

    job: its `n_classes`, `recipe`, `code` and, for students, `teacher_recipe`. observed: for each replicate the
    observed labels, int64 (N,), aligned with `training`; for students those that their teachers were trained
    on. transitions: for each replicate the true T (L, L) of these labels, None where it is unknown. weights, run:
    the file of the weights and the contents of run.json; for students also those of their teachers, in the same order.
    A network that diverged, or whose outputs are not finite, has no metrics and is reported as diverged.
    """
    device = configure(dict(job["recipe"]), lambda line: None)
    torch.backends.cudnn.allow_tf32 = False  # metrics are float32 whatever the training used
    scene = make_scene(training, test, job["n_classes"], device)
    networks = Networks(weights, run["replicates"], job["recipe"], scene)
    teachers = None
    if teacher_weights is not None and teacher_run is not None:
        teachers = Networks(teacher_weights, teacher_run["replicates"], job["teacher_recipe"], scene)
    labelled = zip(observed, transitions, strict=True)
    measured = [measure(networks, teachers, i, scene, *labels) for i, labels in enumerate(labelled)]
    replicates = [_record(entry, found) for entry, found in zip(run["replicates"], measured, strict=True)]
    _name_all(replicates)
    return {"code": job["code"], "replicates": replicates}, _examples(scene, run["replicates"], measured)


def make_scene(training: TrainingData, test: HeldOutData, n_classes: int, device: torch.device) -> Scene:
    """Split the training data by part, put test beside it, and normalise all by the train part's statistics."""
    rows = {"train": training.part == 0, "validation": training.part == 1}
    images = {**{name: training.images[chosen] for name, chosen in rows.items()}, "test": test.images}
    labels = {**{name: training.labels[chosen] for name, chosen in rows.items()}, "test": test.labels}
    statistics = channel_statistics(images["train"])
    unknown = np.full(len(test.labels), -1, dtype=np.int64)
    return Scene(
        n_classes=n_classes,
        image_shape=training.images.shape[1:],
        device=device,
        pixels={name: Pixels(values, 0, statistics, device) for name, values in images.items()},
        labels=labels,
        part=training.part,
        test_observed=unknown if test.noisy_labels is None else test.noisy_labels,
    )


class Networks:
    """The networks of one block, loaded one at a time into one module, in eval mode and float32."""

    def __init__(
        self, weights: str | Path, replicates: list[dict[str, Any]], recipe: Mapping[str, Any], scene: Scene
    ) -> None:
        self.path = weights
        self.replicates = replicates
        self.reported: str = recipe["checkpoint"]
        self.scene = scene
        self.module = _build(recipe["architecture"], scene).to(scene.device, memory_format=torch.channels_last)
        self.module.eval()
        try:
            self.stored = safe_open(weights, framework="pt")
        except SafetensorError as error:
            raise UserError(f"{weights}: no readable file of weights ({error})") from error
        self.names: dict[tuple[str, str], list[str]] = {}
        for key in self.stored.keys():  # noqa: SIM118 (not a dict)
            owner, checkpoint, name = (*key.split("/", 2), "", "")[:3]
            self.names.setdefault((owner, checkpoint), []).append(name)

    def checkpoints(self, i: int) -> list[str]:
        """Return the names of the stored checkpoints of network i, sorted."""
        return sorted(checkpoint for owner, checkpoint in self.names if owner == str(i))

    def load(self, i: int, checkpoint: str) -> None:
        """Load network i at a checkpoint into the module; UserError if its weights are not in the file."""
        if (str(i), checkpoint) not in self.names:
            raise UserError(f"{self.path}: no weights of network {i} at checkpoint {checkpoint!r}")
        names = self.names[str(i), checkpoint]
        state = {name: self.stored.get_tensor(f"{i}/{checkpoint}/{name}") for name in names}
        try:
            self.module.load_state_dict(state)
        except RuntimeError as error:
            raise UserError(
                f"{self.path}: not the weights of this network ({str(error).splitlines()[1].strip()[:200]})"
            ) from error

    @torch.inference_mode()
    def outputs(self, part: str) -> tuple[np.ndarray, np.ndarray]:
        """Return logits float32 (N, L) and features float32 (N, D) of the loaded network on a part."""
        pixels = self.scene.pixels[part]
        fitting = PIXELS_PER_BATCH // (pixels.height * pixels.width)
        size = max(1, min(IMAGES_PER_BATCH[self.scene.device.type], fitting))
        features = torch.cat(
            [self.module.features(pixels.plain(slice(k, k + size))) for k in range(0, max(len(pixels), 1), size)]
        )
        return self.module.head(features).cpu().numpy(), features.cpu().numpy()


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
        **checkpoint_accuracies(networks, i, predictions.test),
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
    head = module.head.weight.detach().cpu().numpy()
    return {
        "weight_norm": float(np.sqrt(sum(weights))),
        "head_weight_norm": float(np.linalg.norm(head.astype(np.float64))),
        "feature_tightness": tightness(features, labels),
        "projection": projection(features, labels, head),
    }


def checkpoint_accuracies(networks: Networks, i: int, reported: Part) -> Scalars:
    """Return the test accuracy at the last and at the selected checkpoint, and the best over the snapshots.

    The best one is chosen on the test set: it says how optimistic such a choice would be, and nothing else.
    `best_on_test_epoch` is the earliest of equals. Null without true labels or without such a checkpoint.
    reported: the test part at the reported checkpoint.
    """
    measured = {networks.reported: accuracy(reported, reported.labels)}
    for checkpoint in networks.checkpoints(i):
        if checkpoint not in measured:
            networks.load(i, checkpoint)
            logits, _ = networks.outputs("test")
            measured[checkpoint] = accuracy(replace(reported, logits=logits), reported.labels)
    snapshots = sorted((int(at.removeprefix("epoch-")), at) for at in measured if at.startswith("epoch-"))
    known = [(epoch, measured[at]) for epoch, at in snapshots if measured[at] is not None]
    best_epoch, best = max(known, key=lambda pair: pair[1], default=(None, None))
    return {
        "test_accuracy_last": measured.get("last"),
        "test_accuracy_selected": measured.get("selected"),
        "best_on_test_accuracy": best,
        "best_on_test_epoch": best_epoch,
        "n_snapshots": len(snapshots),
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


def _build(architecture: Mapping[str, Any], scene: Scene) -> nn.Module:
    options = {key: value for key, value in architecture.items() if key != "name"}
    height, _, channels = scene.image_shape
    with torch.random.fork_rng(devices=[]):
        return registry.load("networks", architecture["name"]).build(scene.n_classes, channels, height, **options)


def _record(entry: Mapping[str, Any], found: Measured | None) -> dict[str, Any]:
    """Return one replicate of metrics.json."""
    record = {key: entry[key] for key in ("noise_seed", "seed", "status")}
    if found is None:
        return {**record, "status": "diverged", "metrics": {}, "curves": {}}
    return {**record, "metrics": found.metrics, "curves": found.curves}


def _name_all(replicates: list[dict[str, Any]]) -> None:
    """Give the diverged replicates of a block the metric names of the others, all null."""
    names = {name: None for record in replicates for name in record["metrics"]}
    for record in replicates:
        record["metrics"] = {**names, **record["metrics"]}


def _examples(scene: Scene, entries: list[dict[str, Any]], measured: list[Measured | None]) -> dict[str, np.ndarray]:
    """Return examples.npz: by part the predicted class (R, N) and the margin of the stated label (R, N).

    The stated label is the observed one in train and validation, the true one in test. Margins are float16,
    NaN where the label is unknown; the class is the smallest unsigned integer type that holds L, and is L in
    a network without outputs.
    """
    arrays = {key: np.array([entry[key] for entry in entries], np.int64) for key in ("noise_seed", "seed")}
    for part in PARTS:
        pairs = [_example_rows(scene, part, found) for found in measured]
        arrays[f"{part}_predicted"] = np.stack([predicted for predicted, _ in pairs])
        arrays[f"{part}_margin"] = np.stack([margins for _, margins in pairs])
    return arrays


def _example_rows(scene: Scene, part: str, found: Measured | None) -> tuple[np.ndarray, np.ndarray]:
    n, kind = len(scene.pixels[part]), np.min_scalar_type(scene.n_classes)
    if found is None:
        return np.full(n, scene.n_classes, kind), np.full(n, np.nan, np.float16)
    outputs: Part = getattr(found.predictions, part)
    margins = margin(outputs.logits, outputs.labels if part == "test" else outputs.observed)
    largest = np.finfo(np.float16).max
    return outputs.predicted.astype(kind), np.clip(margins, -largest, largest).astype(np.float16)
