"""One network in training: what it is made of, where it stands, and everything a checkpoint must hold of it."""

import math
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn

from smearlab.core import registry
from smearlab.core.errors import UserError
from smearlab.core.jobs import Choice, MethodSettings, RecipeSettings, Replicate
from smearlab.core.scores import score
from smearlab.core.seeds import stream_seed
from smearlab.store.dataset import TRAIN, VALIDATION
from smearlab.training.batches import Batches, Inputs, input_shape, on_device, statistics_of
from smearlab.training.device import autocast
from smearlab.training.forward import Forward
from smearlab.training.history import changed, fractions, history_examples, logits_of
from smearlab.training.initial import begin, learnt, optimiser_of
from smearlab.training.label_wave import first_minimum
from smearlab.training.lanes import Lane
from smearlab.training.mixup import Mixture, Mixup
from smearlab.training.objective import Objective, class_weights
from smearlab.training.pixels import Pixels
from smearlab.training.schedule import learning_rates
from smearlab.training.sharpness import Sharpness
from smearlab.training.single_pixels import check_bf16
from smearlab.training.staging import Staging, is_beyond, is_staged
from smearlab.training.vectors import Statistics

Weights = dict[str, Tensor]


class Examples(Protocol):
    """images uint8 (N, H, W, C), or features (N, D); labels int64 (N,), -1 = unknown; part uint8 (N,), 1 validation."""

    @property
    def images(self) -> np.ndarray: ...

    @property
    def labels(self) -> np.ndarray: ...

    @property
    def part(self) -> np.ndarray: ...


@dataclass(frozen=True)
class Problem:
    """What the replicates of a job share: the images on the device and the clean labels of the two parts."""

    train: Inputs
    validation: Inputs
    part: np.ndarray
    labels: np.ndarray
    n_classes: int
    shape: tuple[int, ...]  # of an input, as networks are built for it
    statistics: Statistics  # by which inputs are normalised
    device: torch.device

    def of_part(self, values: np.ndarray, part: int) -> np.ndarray:
        """Return the entries of `values` (N,) that belong to a part."""
        return values[self.part == part]


def make_problem(training: Examples, recipe: RecipeSettings, n_classes: int, device: torch.device) -> Problem:
    """Put both parts on the device, normalised by the training part's statistics."""
    part = np.asarray(training.part)
    images = training.images
    if not (part == TRAIN).any():
        raise UserError("training data: the training part is empty")
    if device.type == "cpu":
        check_bf16(recipe, n_classes, input_shape(images))
    statistics = statistics_of(images, part == TRAIN)
    home = torch.device("cpu") if is_beyond(recipe.augmentation) else device
    problem = Problem(
        train=on_device(images, recipe.augmentation.crop, statistics, device, members=part == TRAIN, home=home),
        validation=on_device(images, 0, statistics, device, members=part == VALIDATION),
        part=part,
        labels=np.asarray(training.labels),
        n_classes=n_classes,
        shape=input_shape(images),
        statistics=statistics,
        device=device,
    )
    if device.type == "cuda":
        torch.cuda.synchronize(device)  # what is read on the replicates' own streams must be there
    return problem


def build_network(architecture: Choice, problem: Problem) -> nn.Module:
    """Return a registered network in channels-last memory order on the problem's device."""
    network = registry.build("networks", architecture, problem.n_classes, *problem.shape)
    return network.to(problem.device, memory_format=torch.channels_last)


def initial_network(architecture: Choice, problem: Problem, role: str, seed: int) -> nn.Module:
    """Return the network with the initial weights of (role, seed); torch's global generator is left as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(stream_seed("initialisation", role, seed))
        network = build_network(architecture, problem)
    begin(network, architecture, problem.statistics)
    return network


def total_steps(recipe: RecipeSettings, per_epoch: int) -> int:
    """Return the number of optimiser steps of a recipe that says either epochs or steps."""
    return recipe.steps if recipe.steps is not None else (recipe.epochs or 0) * per_epoch


def snapshot_epochs(n_epochs: int, wanted: int) -> list[int]:
    """Return `wanted` evenly spaced numbers of completed epochs, the last one being the end."""
    return sorted({math.ceil(k * n_epochs / wanted) for k in range(1, wanted + 1)}) if wanted else []


@dataclass
class Progress:
    """Where a replicate stands, in plain values: `epoch` epochs are complete and `step` steps of the next."""

    epoch: int = 0
    step: int = 0
    status: str = "training"
    reason: str | None = None
    selected_epoch: int | None = None
    selected_accuracy: float | None = None
    label_wave_epoch: int | None = None
    seconds: float = 0.0
    timed_images: int = 0
    history: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True)
class Batch:
    """Images (B, …), already mixed where the recipe mixes; labels and positions in the training part (B,)."""

    images: Tensor
    labels: Tensor
    index: Tensor
    mixture: Mixture | None


class Trainee:
    """One replicate of a cell, from its initial weights to its last; the loops of teacher and student drive it.

    observed: labels (N,) of train and validation with their noise; taught: the labels (N,) in the loss (the
    observed ones, or the clean ones where a student is shown those).
    """

    def __init__(
        self,
        problem: Problem,
        recipe: RecipeSettings,
        method: MethodSettings,
        *,
        role: str,
        seeds: Replicate,
        observed: np.ndarray,
        taught: np.ndarray,
        transition: Any | None,
        lane: Lane,
    ) -> None:
        device = problem.device
        self.problem, self.recipe, self.role, self.lane = problem, recipe, role, lane
        self.seeds, self.observed = seeds, observed
        self.network = initial_network(recipe.architecture, problem, role, seeds.seed)
        self.forward = Forward(self.network, device, recipe.precision)
        self.optimiser = optimiser_of(self.network, recipe.optimiser, device)
        labels = torch.from_numpy(problem.of_part(taught, TRAIN).astype(np.int64)).to(device)
        self.batches = Batches(problem.train, labels, recipe.batch_size, recipe.augmentation.flip, role, seeds.seed)
        if isinstance(problem.train, Pixels) and is_staged(problem.train, recipe.augmentation):
            size = self.batches.size
            self.batches.staging = Staging(problem.train, size, recipe.augmentation, role, seeds.seed)
        self.mixup = Mixup(recipe.mixup, self.batches) if recipe.mixup else None
        self.batches.balanced = recipe.sampling == "balanced"
        self.objective = Objective(method, transition, len(labels), problem.n_classes, device)
        self.objective.weights = (
            class_weights(labels, problem.n_classes) if recipe.class_weights == "balanced" else None
        )
        left_alone = [*self.network.buffers(), *self.objective.state.values()]
        climbs = recipe.sam_radius > 0
        self.sharpness = Sharpness(recipe.sam_radius, learnt(self.network), left_alone) if climbs else None
        self.total = total_steps(recipe, self.batches.per_epoch)
        self.n_epochs = math.ceil(self.total / self.batches.per_epoch)
        self.warm_steps = round(method.warm_up * self.total)
        self.snapshots = snapshot_epochs(self.n_epochs, recipe.snapshots)
        self.rates = learning_rates(self.total, recipe.optimiser["learning_rate"], recipe.schedule)
        self.rates_here = self.rates.to(device)
        self.clock = torch.zeros(1, dtype=torch.int64, device=device)
        self.loss_sum = torch.zeros((), dtype=torch.float64, device=device)
        self.at = Progress()
        self.kept: dict[str, Weights] = {}
        self.side_by_side = 1
        self.foreseen: dict[int, np.ndarray] = {}  # by part: what this epoch's network predicts, where that is known
        self.examined = history_examples(len(labels), recipe.history_examples, role, seeds.seed)
        self._predicted = torch.full((len(self.examined),), -1)  # of the examples looked at, after the last epoch

    # What the loops use.

    @property
    def done(self) -> int:
        """Steps done since the first."""
        return self.at.epoch * self.batches.per_epoch + self.at.step

    @property
    def warming(self) -> bool:
        """Whether the next step still belongs to the warm-up on plain cross-entropy."""
        return self.done < self.warm_steps

    def start_epoch(self) -> bool:
        """Stand before the next step of the unfinished epoch; False when training is over."""
        if self.at.status != "training":
            return False
        self.batches.start(self.at.epoch, self.at.step)
        if self.mixup is not None:
            self.mixup.start(self.at.epoch)
        self.objective.epoch.fill_(self.at.epoch)
        self.clock.fill_(self.done)
        self.network.train()
        self._started, self._timed_steps = time.perf_counter(), 0
        return True

    def in_epoch(self) -> bool:
        """Whether a step of this epoch is left."""
        return self.at.step < self.steps_of_epoch

    def count_step(self) -> None:
        """Note that a step was done, and have the next batch ready."""
        self.at.step += 1
        self._timed_steps += 1
        if self.in_epoch():
            self.batches.ready(self.at.step)

    def autocast(self) -> AbstractContextManager[Any]:
        """Return the context for the network's forward pass."""
        return autocast(self.problem.device, self.recipe.precision)

    def next_batch(self) -> Batch:
        """Take the next batch of the epoch, mixed if the recipe says so."""
        mixture = None if self.mixup is None else self.mixup.upcoming()
        images, labels, index = self.batches.next()
        return Batch(images if mixture is None else mixture.inputs(images), labels, index, mixture)

    def label_loss(self, logits: Tensor, batch: Batch) -> Tensor:
        """Return the mean loss on the labels of a batch; logits float32 (B, L)."""

        def of(labels: Tensor, index: Tensor) -> Tensor:
            return self.objective(logits, labels, index, warming=self.warming).mean()

        mixture = batch.mixture
        return of(batch.labels, batch.index) if mixture is None else mixture.loss(of, batch.labels, batch.index)

    def descend(self, loss_of: Callable[[], Tensor]) -> None:
        """Take one optimiser step down the gradient of the mean loss of a batch, at the step's learning rate."""
        loss = loss_of()
        there = loss if self.sharpness is None else self.sharpness.climbed(loss, loss_of)
        self.network.zero_grad()
        (there * self.recipe.loss_scale).backward()
        if self.sharpness is not None:
            self.sharpness.back()
        if self.recipe.clip_norm is not None:
            nn.utils.clip_grad_norm_(self.network.parameters(), self.recipe.clip_norm)
        self.optimiser.learning_rate.copy_(self.rates_here.index_select(0, self.clock)[0])
        self.optimiser.step()
        self.clock.add_(1)
        self.loss_sum.add_(loss.detach())

    def hold_clock(self, seconds: float) -> None:
        """Take seconds off the time of this epoch's steps, in which others were measured."""
        self._started += seconds

    def finish_epoch(self) -> Iterator[None]:
        """Measure the epoch, keep the weights that are to be kept, and stop if training diverged or is over."""
        self.lane.wait()
        seconds = (time.perf_counter() - self._started) / self.side_by_side
        images = self._timed_steps * self.batches.size
        if (reason := self._divergence()) is not None:
            self._note_time(seconds, images)
            self.at.status, self.at.reason = "diverged", reason
            self.kept.clear()
            return
        measured = yield from self._measured()
        self._note_time(seconds, images)
        self._close_epoch(measured, images / seconds if images else None)

    # What happens at the end of an epoch.

    @property
    def steps_of_epoch(self) -> int:
        """Steps of the unfinished epoch; the last epoch of a recipe in steps may be a short one."""
        return min(self.batches.per_epoch, self.total - self.at.epoch * self.batches.per_epoch)

    def _note_time(self, seconds: float, images: int) -> None:
        self.at.seconds += seconds
        self.at.timed_images += images

    def _divergence(self) -> str | None:
        tensors = [self.loss_sum, *(t for t in self.network.state_dict().values() if t.is_floating_point())]
        finite = torch.stack([torch.isfinite(t).all() for t in tensors]).cpu()
        if finite.all():
            return None
        what = "the loss was" if not finite[0] else "weights were"
        return f"{what} not finite in epoch {self.at.epoch + 1} of {self.n_epochs}"

    def _measured(self) -> Generator[None, None, dict[int, dict[str, Any]]]:
        problem, precision = self.problem, self.recipe.precision
        measured = {}
        for part, pixels, examined in (
            (TRAIN, problem.train, self.examined),
            (VALIDATION, problem.validation, np.arange(len(problem.validation))),
        ):
            predicted = self.foreseen.pop(part, None)
            if predicted is None and len(examined):
                index = torch.from_numpy(examined).to(problem.device)
                logits = yield from logits_of(self.network, pixels, index, precision)
                predicted = logits.argmax(dim=1).cpu().numpy()
            observed = problem.of_part(self.observed, part)[examined]
            clean = problem.of_part(problem.labels, part)[examined]
            predicted = np.zeros(0, np.int64) if predicted is None else predicted
            selects = score(self.recipe.measure, predicted, observed, problem.n_classes)
            measured[part] = {**fractions(predicted, observed, clean), "predicted": predicted, "selects": selects}
        return measured

    def _close_epoch(self, measured: dict[int, dict[str, Any]], speed: float | None) -> None:
        train, validation = measured[TRAIN], measured[VALIDATION]
        before, self._predicted = self._predicted.numpy(), torch.from_numpy(train["predicted"])
        self.at.history.append(
            {
                **asdict(self.seeds),
                "epoch": self.at.epoch + 1,
                "learning_rate": self.rates[self.done - 1].item(),
                "loss": self.loss_sum.item() / self.steps_of_epoch,
                "train_accuracy_noisy": train["noisy"],
                "validation_accuracy_noisy": validation["noisy"],
                "validation_accuracy_clean": validation["clean"],
                "memorised": train["memorised"],
                "recovered": train["recovered"],
                "prediction_changes": changed(before, train["predicted"]) if self.at.epoch else None,
                "images_per_second": speed,
            }
        )
        self.at.epoch, self.at.step = self.at.epoch + 1, 0
        self.loss_sum.zero_()
        self._keep_weights(validation["selects"])

    def _keep_weights(self, accuracy: float | None) -> None:
        best = self.at.selected_accuracy
        over = self.at.epoch == self.n_epochs
        if (accuracy is None and over) or (accuracy is not None and (best is None or accuracy > best)):
            self.at.selected_epoch, self.at.selected_accuracy = self.at.epoch, accuracy
            self.kept["selected"] = weights_of(self.network)
        if self.recipe.label_wave and self.at.label_wave_epoch is None:
            self._follow_label_wave(over)
        if self.at.epoch in self.snapshots:
            self.kept[f"epoch-{self.at.epoch}"] = weights_of(self.network)
        if over:
            self.kept["last"] = weights_of(self.network)
            self.at.status = "finished"

    def _follow_label_wave(self, over: bool) -> None:
        """Keep this epoch's weights until the one before turns out to be the minimum; the last epoch's if none does."""
        self.at.label_wave_epoch = first_minimum([line["prediction_changes"] for line in self.at.history])
        if self.at.label_wave_epoch is None:
            self.kept["label_wave"] = weights_of(self.network)
            self.at.label_wave_epoch = self.at.epoch if over else None

    # What a checkpoint holds.

    def state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Return all tensors (flat names) and all plain values that continuing needs."""
        groups = {
            "network": self.network.state_dict(),
            "momentum": self.optimiser.state(),
            "method": self.objective.state,
            "loss": {"sum": self.loss_sum},
            "predicted": {"train": self._predicted},
            **{f"kept/{name}": weights for name, weights in self.kept.items()},
        }
        tensors = {f"{g}/{k}": copy_out(t) for g, group in groups.items() for k, t in group.items()}
        return tensors, vars(self.at) | {"history": list(self.at.history)}

    def restore(self, tensors: dict[str, Tensor], values: dict[str, Any]) -> None:
        """Continue from what `state` returned."""
        self.network.load_state_dict(within(tensors, "network/"))
        self.optimiser.restore(within(tensors, "momentum/"))
        for name, tensor in within(tensors, "method/").items():
            self.objective.state[name].copy_(tensor)
        self.loss_sum.copy_(tensors["loss/sum"])
        self._predicted = tensors["predicted/train"]
        for name, tensor in within(tensors, "kept/").items():
            checkpoint, _, parameter = name.partition("/")
            self.kept.setdefault(checkpoint, {})[parameter] = tensor
        self.at = Progress(**values)


def weights_of(network: nn.Module) -> Weights:
    """Return a copy of all weights and statistics on the CPU, in plain memory order."""
    return {name: copy_out(tensor) for name, tensor in network.state_dict().items()}


def copy_out(tensor: Tensor) -> Tensor:
    """Return a contiguous copy on the CPU that later steps do not change."""
    return tensor.detach().to("cpu", copy=True, memory_format=torch.contiguous_format)


def within(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """Return the tensors whose names start with `prefix`, without it."""
    return {name.removeprefix(prefix): t for name, t in tensors.items() if name.startswith(prefix)}
