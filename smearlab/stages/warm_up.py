"""Out-of-sample probabilities of the training examples, from cross-fitted warm-up networks.

Each network is trained by plain cross-entropy on all folds but one, and predicts that one. Only the training part's
images and observed labels take part: no clean label, no validation and no test example.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from smearlab.core.folds import stratified_folds
from smearlab.core.jobs import MethodSettings, RecipeSettings, Replicate, TrainingJob, WarmUpJob
from smearlab.core.seeds import numpy_generator
from smearlab.host.places import checkpoint_path
from smearlab.host.runlock import run_lock
from smearlab.store.dataset import TRAIN, VALIDATION, TrainingData
from smearlab.store.files import sha256_file, write_npz, write_sealed
from smearlab.store.inputs import Files, read_inputs
from smearlab.store.timings import without_times, write_timings
from smearlab.training.correction import Corrections
from smearlab.training.device import machine, resolve
from smearlab.training.history import logits_of
from smearlab.training.results import Finished
from smearlab.training.teacher_block import train_teacher_block
from smearlab.training.trainee import build_network, make_problem, within

UNUSED = 2  # neither trained on nor looked at
PLAIN = MethodSettings("cross_entropy")
DIVERGED = "its warm-up network diverged"
Log = Callable[[str], None]


@dataclass(frozen=True)
class _Shown:
    """What one fold's network is given: images (N, H, W, C), the part of each, and clean labels that are unknown."""

    images: np.ndarray
    part: np.ndarray

    @property
    def labels(self) -> np.ndarray:
        return np.full(len(self.images), -1, dtype=np.int64)


def run(job: WarmUpJob, inputs: Files, outputs: Files) -> None:
    """Train the cross-fitted networks of a block and write the probabilities and the account of the run."""
    training, observed, _ = read_inputs(job.replicates, inputs)
    checkpoint = checkpoint_path(job.cell, job.block)
    with run_lock(checkpoint, print):
        arrays, entries = cross_fit(job, training, observed, checkpoints=checkpoint.with_suffix(""), log=print)
        write_npz(outputs["probabilities"], arrays)
        digest = sha256_file(outputs["probabilities"])
        write_timings(outputs["run"], entries, machine(resolve(job.recipe.device)))
        said = {"replicates": list(map(without_times, entries)), "code": job.code, "probabilities_sha256": digest}
        write_sealed(outputs["run"], said)


def cross_fit(
    job: WarmUpJob, training: TrainingData, observed: Sequence[np.ndarray], *, checkpoints: Path, log: Log
) -> tuple[dict[str, np.ndarray], list[dict[str, Any]]]:
    """Return the arrays of probabilities and an account of each replicate.

    observed: labels (N,) of train and validation for each replicate. The arrays have the R replicates first and
    the n training examples in the order of the data: observed, fold (R, n), probabilities float32 (R, n, L) from
    the network that did not train on the example, NaN where that diverged; noise_seed, seed (R,). checkpoints: a
    folder for the networks in training, so that a killed job continues.
    """
    mine = training.part == TRAIN
    labels = [values[mine] for values in observed]
    found = [
        _Fitting(job, position, training.images, np.flatnonzero(mine), own, checkpoints, log).run()
        for position, own in enumerate(observed)
    ]
    folds, probabilities, entries = zip(*found, strict=True)
    seeds = {key: np.array([getattr(r, key) for r in job.replicates], dtype=np.int64) for key in ("noise_seed", "seed")}
    arrays = {"observed": np.stack(labels), "fold": np.stack(folds), "probabilities": np.stack(probabilities), **seeds}
    return arrays, list(entries)


def warm_up_recipe(recipe: RecipeSettings, length: float) -> RecipeSettings:
    """Return the recipe cut to a part of its epochs or steps (at least one), with its whole schedule.

    Nothing is kept but the last weights, and nothing is measured on the way.
    """
    shorter = replace(recipe, checkpoint="last", snapshots=0, history_examples=1, label_wave=False)
    if recipe.steps is not None:
        return replace(shorter, steps=_part(length, recipe.steps))
    return replace(shorter, epochs=_part(length, recipe.epochs))


def _part(length: float, whole: int | None) -> int:
    return max(1, math.ceil(length * (whole or 0)))


@dataclass(frozen=True)
class _Fitting:
    """The networks of one replicate, one a fold."""

    job: WarmUpJob
    position: int
    images: np.ndarray
    mine: np.ndarray  # the positions (n,) of the training part among the images
    labels: np.ndarray
    checkpoints: Path
    log: Log

    def run(self) -> tuple[np.ndarray, np.ndarray, dict[str, Any]]:
        """Return the fold (n,), the probabilities (n, L) and the account of this replicate."""
        count = self.job.estimate.folds
        draw = numpy_generator("folds", "warm_up", self.seeds.seed, self.seeds.noise_seed)
        folds = stratified_folds(self.observed, count, draw)
        probabilities = np.full((len(folds), self.job.n_classes), np.nan, dtype=np.float32)
        seconds, status = 0.0, "finished"
        for k in range(count):
            self.log(f"replicate {self.position + 1} of {len(self.job.replicates)}, fold {k + 1} of {count}")
            network = self._train(k, folds)
            seconds += network.entry["train_seconds"]
            if network.entry["status"] == "diverged":
                status = "diverged"
                break
            probabilities[folds == k] = self._predict(k, folds, network)
        return folds, probabilities, self._account(probabilities, status, seconds)

    @property
    def observed(self) -> np.ndarray:
        """The labels (n,) of the training part."""
        return self.labels[self.mine]

    @property
    def seeds(self) -> Replicate:
        """The noise seed and the training seed."""
        return self.job.replicates[self.position]

    @property
    def recipe(self) -> RecipeSettings:
        """What each of the networks trains with."""
        return warm_up_recipe(self.job.recipe, self.job.estimate.length)

    def _train(self, k: int, folds: np.ndarray) -> Finished:
        job = TrainingJob(
            cell=self.job.cell,
            block=self.job.block,
            role=f"warm_up-{k}",  # names the random streams: every fold's network has its own
            replicates=[self.seeds],
            recipe=self.recipe,
            method=PLAIN,
            n_classes=self.job.n_classes,
            modules=[],
            code=self.job.code,
        )
        shown = self._shown(np.where(folds == k, UNUSED, TRAIN))
        place = self.checkpoints / f"{self.position}-{k}.checkpoint"
        return train_teacher_block(job, Corrections(), shown, [self.labels], checkpoint=place, log=self.log).replicates[
            0
        ]

    def _shown(self, part_of_mine: np.ndarray) -> _Shown:
        part = np.full(len(self.images), UNUSED, dtype=np.uint8)
        part[self.mine] = part_of_mine
        return _Shown(self.images, part)

    def _predict(self, k: int, folds: np.ndarray, network: Finished) -> np.ndarray:
        shown = self._shown(np.where(folds == k, VALIDATION, TRAIN))
        problem = make_problem(shown, self.recipe, self.job.n_classes, resolve(self.recipe.device))
        with torch.random.fork_rng(devices=[]):
            module = build_network(self.recipe.architecture, problem)
        module.load_state_dict(within(network.weights, "last/"))
        index = torch.arange(len(problem.validation), device=problem.device)
        logits = _driven(logits_of(module, problem.validation, index, "fp32"))
        return logits.double().softmax(dim=1).float().cpu().numpy()

    def _account(self, probabilities: np.ndarray, status: str, seconds: float) -> dict[str, Any]:
        agrees = probabilities.argmax(axis=1) == self.observed
        return {
            **asdict(self.seeds),
            "status": status,
            "reason": None if status == "finished" else DIVERGED,
            "accuracy_noisy": float(agrees.mean()) if status == "finished" else None,
            "train_seconds": seconds,
        }


def _driven(steps: Any) -> Any:
    """Run a generator to its end and return its value."""
    while True:
        try:
            next(steps)
        except StopIteration as done:
            return done.value
