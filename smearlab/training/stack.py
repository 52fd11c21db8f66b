"""The replicates of a block trained as one stacked network: one forward, one backward, one update for all.

What is measured, kept, saved and restored stays with each replicate. A replicate depends on how many there are, and on
nothing else of the others: a place whose replicate has diverged, or never began, is carried along without a loss.
"""

import copy
import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor, nn

from smearlab.core import registry
from smearlab.store.dataset import TRAIN, VALIDATION
from smearlab.training.forward import Forward
from smearlab.training.history import CPU_BATCH, CUDA_BATCH
from smearlab.training.pixels import FLIP, LEFT, ORDER, TOP, Pixels
from smearlab.training.stacking import Stacked, clip_each
from smearlab.training.trainee import Trainee
from smearlab.training.vectors import Vectors


class Guide(Protocol):
    """Whom a student learns from: a network, or its fixed logits (N, L); beta: its weight in the loss."""

    @property
    def network(self) -> nn.Module: ...

    @property
    def fixed(self) -> Tensor | None: ...

    @property
    def beta(self) -> float: ...

    def distance(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Return the distance of each example (B,) to the guide's logits, both (B, L)."""


@dataclass(frozen=True)
class Member:
    """A replicate of a stack, and whom it learns from besides its labels."""

    trainee: Trainee
    guide: Guide | None = None


class OnePart:
    """One replicate's part of a stacked optimiser's state, for its checkpoint."""

    def __init__(self, stack: "Stack", place: int) -> None:
        self.stack, self.place = stack, place

    def state(self) -> dict[str, Tensor]:
        """Return the state of this replicate's parameters; what has no parameter's shape belongs to all."""
        whole = self.stack.optimiser.state()
        return {n: t.chunk(self.stack.count)[self.place] if t.dim() else t for n, t in whole.items()}


class Stack:
    """Members by their place among `count`; any other place is carried along."""

    def __init__(self, members: dict[int, Member], count: int) -> None:
        self.members, self.count = members, count
        trainees = self._each({k: member.trainee for k, member in members.items()})
        first = trainees[0]
        self.problem, self.recipe, self.lane = first.problem, first.recipe, first.lane
        states = [trainee.optimiser.state() for trainee in trainees]
        self.network = Stacked(self._own({k: member.trainee.network for k, member in members.items()}))
        self.forward = Forward(self.network.module, self.problem.device, self.recipe.precision)
        self.parameters = list(self.network.parameters.values())
        self.optimiser = registry.build("optimisers", self.recipe.optimiser, self.parameters, self.problem.device)
        self.optimiser.restore({n: torch.cat([s[n] for s in states]) if t.dim() else t for n, t in states[0].items()})
        self.labels = torch.stack([trainee.batches.labels for trainee in trainees])
        self.draws = torch.stack([trainee.batches.draws for trainee in trainees], dim=2)
        self.position = torch.zeros(1, dtype=torch.int64, device=self.problem.device)
        self.places = torch.arange(count, device=self.problem.device)
        self._make_teachers({k: member.guide for k, member in members.items() if member.guide is not None})
        for place, member in members.items():
            member.trainee.optimiser = OnePart(self, place)

    def _each(self, known: dict[int, Trainee]) -> list[Trainee]:
        """Return one for each place: its own, or the first."""
        return [known.get(k, next(iter(known.values()))) for k in range(self.count)]

    def _own(self, known: dict[int, nn.Module]) -> list[nn.Module]:
        """Return a network for each place: its own, or a copy of the first."""
        spare = next(iter(known.values()))
        return [known[k] if k in known else copy.deepcopy(spare) for k in range(self.count)]

    def _make_teachers(self, teachers: dict[int, Guide]) -> None:
        self.teachers: Stacked | None = None
        self.fixed: Tensor | None = None
        known = [teacher.fixed for teacher in teachers.values() if teacher.fixed is not None]
        if known:
            own = {k: teacher.fixed for k, teacher in teachers.items()}
            self.fixed = torch.stack(
                [found if (found := own.get(k)) is not None else known[0] for k in range(self.count)]
            )
        elif teachers:
            self.teachers = Stacked(self._own({k: teacher.network for k, teacher in teachers.items()}))
            self.teachers.train(False)

    # A step.

    def live(self) -> list[int]:
        """Return the places whose replicates are in training."""
        return [place for place, member in self.members.items() if member.trainee.at.status == "training"]

    def start_epoch(self, live: list[int]) -> None:
        """Stand before the next step of the epoch in which all live members are."""
        for place in live:
            self.members[place].trainee.start_epoch()
        for place in range(self.count):
            self.draws[:, :, place] = self.members[place if place in live else live[0]].trainee.batches.draws
        self.position.fill_(self.members[live[0]].trainee.at.step)
        self.network.train(True)

    def step(self, live: list[int]) -> None:
        """Take one optimiser step of all live members."""
        head = self.members[live[0]].trainee
        draws = self.draws.index_select(0, self.position)[0]
        self.position.add_(1)
        images = stacked_images(self.problem.train, draws)
        logits = self.network.apart(self.forward(images))
        losses = self._losses(logits, images, draws[..., ORDER], live)
        for parameter in self.parameters:
            parameter.grad = None
        (torch.stack(losses).sum() * self.recipe.loss_scale).backward()
        if self.recipe.clip_norm is not None:
            clip_each([p.grad for p in self.parameters if p.grad is not None], self.count, self.recipe.clip_norm)
        self.optimiser.learning_rate.copy_(head.rates_here.index_select(0, head.clock)[0])
        self.optimiser.step()
        self._note(losses, live)

    def _note(self, losses: list[Tensor], live: list[int]) -> None:
        with torch.no_grad():
            if counters := [counter for place in live for counter in self.network.counters[place]]:
                torch._foreach_add_(counters, 1)
            trainees = [self.members[place].trainee for place in live]
            torch._foreach_add_([trainee.clock for trainee in trainees], 1)
            torch._foreach_add_([trainee.loss_sum for trainee in trainees], [loss.detach().double() for loss in losses])

    def _losses(self, logits: Tensor, images: Tensor, index: Tensor, live: list[int]) -> list[Tensor]:
        """Return the mean loss of each live member, from logits (R, B, L) and positions `index` (B, R)."""
        guide = self.members[live[0]].guide
        if guide is None:
            return self._on_labels(logits, index, live)
        targets = self._targets(images, index, live)
        distances = guide.distance(logits.flatten(0, 1), targets.flatten(0, 1))
        near = [guide.beta * own for own in distances.view(self.count, -1).mean(1)]
        if guide.beta == 1:
            return [near[place] for place in live]
        on_labels = self._on_labels(logits, index, live)
        return [near[place] + (1 - guide.beta) * own for place, own in zip(live, on_labels, strict=True)]

    def _targets(self, images: Tensor, index: Tensor, live: list[int]) -> Tensor:
        """Return the teachers' logits (R, B, L)."""
        if self.fixed is not None:
            return self.fixed[self.places, index].transpose(0, 1)
        assert self.teachers is not None
        with torch.no_grad(), self.members[live[0]].trainee.autocast():
            return self.teachers.logits(images).float()

    def _on_labels(self, logits: Tensor, index: Tensor, live: list[int]) -> list[Tensor]:
        head = self.members[live[0]].trainee
        labels = self.labels[self.places, index].T
        if head.objective.shared or (head.warming and head.objective.weights is None):
            flat = head.objective(logits.flatten(0, 1), labels.flatten(), index.T.flatten(), warming=head.warming)
            means = flat.view(self.count, -1).mean(1)
            return [means[place] for place in live]
        return [
            self.members[k].trainee.objective(logits[k], labels[k], index[:, k], warming=head.warming).mean()
            for k in live
        ]

    # The end of an epoch.

    def finish_epoch(self, live: list[int]) -> Iterator[None]:
        """Measure all, then close the epoch of each."""
        self.lane.wait()
        began = time.perf_counter()
        found = yield from self._predictions()
        for place in live:
            trainee = self.members[place].trainee
            trainee.side_by_side = len(live)
            trainee.foreseen = {part: predicted[place] for part, predicted in found.items()}
            trainee.hold_clock(time.perf_counter() - began)
            yield from trainee.finish_epoch()

    def _predictions(self) -> Generator[None, None, dict[int, np.ndarray]]:
        """Return the predicted classes (R, n) of the examples of both parts that the history looks at."""
        examined = [trainee.examined for trainee in self._each({k: m.trainee for k, m in self.members.items()})]
        every = np.arange(len(self.problem.validation))
        found = {}
        self.network.train(False)
        for part, pixels, index in (
            (TRAIN, self.problem.train, np.stack(examined, axis=1)),
            (VALIDATION, self.problem.validation, np.repeat(every[:, None], self.count, axis=1)),
        ):
            found[part] = yield from self._predicted(pixels, torch.from_numpy(index).to(self.problem.device))
        self.network.train(True)
        return found

    def _predicted(self, pixels: Pixels | Vectors, index: Tensor) -> Generator[None, None, np.ndarray]:
        parts = [torch.zeros((self.count, 0), dtype=torch.int64)]
        for some in index.split(CUDA_BATCH if index.device.type == "cuda" else CPU_BATCH) if len(index) else ():
            with torch.no_grad(), next(iter(self.members.values())).trainee.autocast():
                parts.append(self.network.logits(stacked_images(pixels, some[..., None])).float().argmax(dim=2).cpu())
            yield
        return torch.cat(parts, dim=1).numpy()


def stacked_images(pixels: Pixels | Vectors, draws: Tensor) -> Tensor:
    """Return the images of R replicates side by side, (B, R·C, H, W) in channels-last memory order; vectors (B, R·D).

    draws: (B, R, 4 or 1), as of Batches: with four numbers cropped and mirrored, with one as they are.
    """
    index = draws[..., ORDER]
    if isinstance(pixels, Vectors):
        return pixels.values[index].flatten(1)
    if draws.shape[-1] == 1:
        rows, across = pixels.rows[None, :, None] + pixels.padding, pixels.columns[None, :, None]
        columns = across + pixels.padding
    else:
        rows = draws[:, None, :, TOP] + pixels.rows[None, :, None]
        across = pixels.columns[None, :, None]
        across = torch.where(draws[:, None, :, FLIP] > 0, pixels.width - 1 - across, across)
        columns = draws[:, None, :, LEFT] + across
    found = pixels.padded[index[:, None, None, :], rows[:, :, None, :], columns[:, None, :, :]]
    return torch.addcmul(pixels.shift, found.float(), pixels.scale).flatten(3).permute(0, 3, 1, 2)


def train_stack(stack: Stack) -> Iterator[None]:
    """Train the members of a stack from wherever they stand to the end, yielding after every step.

    At every yield the state of each trainee is complete: whoever drives the loop may write them down and stop.
    """
    while live := stack.live():
        behind = [place for place in live if not stack.members[place].trainee.in_epoch()]
        stack.start_epoch(behind or live)  # behind: those that a checkpoint found between others' measurements
        while not behind and stack.members[live[0]].trainee.in_epoch():
            stack.lane.do(lambda: stack.step(live), variant=(stack.members[live[0]].trainee.warming, *live))
            for place in live:
                stack.members[place].trainee.count_step()
            yield
        yield from stack.finish_epoch(behind or live)
