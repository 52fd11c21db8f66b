"""The student's loop: learn from a teacher's outputs, and from labels as far as β < 1 leaves room for them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from smearlab.training.device import autocast
from smearlab.training.history import logits_of
from smearlab.training.objective import distance_to_teacher
from smearlab.training.replicate import Problem, Replicate, Weights, build_network


@dataclass(frozen=True)
class Distillation:
    """(1-β)·method(labels) + β·τ_s²·KL(teacher at τ ‖ student at τ_s)."""

    beta: float
    temperature: float
    student_temperature: float


class Teacher:
    """A trained network that is asked for its logits on batches of training images, in eval mode.

    view same: on the very (augmented) images the student sees. view fixed: on the images as they are,
    computed once, here.
    """

    def __init__(
        self, architecture: dict[str, Any], weights: Weights, problem: Problem, precision: str, view: str
    ) -> None:
        with torch.random.fork_rng(devices=[]):
            self.network: nn.Module = build_network(architecture, problem)
        self.network.load_state_dict(weights)
        self.network.eval().requires_grad_(False)
        self.problem, self.precision = problem, precision
        self.fixed = self._logits_of_all() if view == "fixed" else None

    def logits(self, images: Tensor, index: Tensor) -> Tensor:
        """Return the logits (B, L) float32 for images (B, C, H, W) at positions `index` (B,) of the train part."""
        if self.fixed is not None:
            return self.fixed[index]
        with torch.no_grad(), autocast(self.problem.device, self.precision):
            return self.network(images).float()

    def _logits_of_all(self) -> Tensor:
        index = torch.arange(len(self.problem.train), device=self.problem.device)
        parts = logits_of(self.network, self.problem.train, index, self.precision)
        while True:
            try:
                next(parts)
            except StopIteration as done:
                return done.value


def train_student(run: Replicate, teacher: Teacher, distillation: Distillation) -> Iterator[None]:
    """Train one network on a teacher's outputs, yielding after every step, as the teacher's loop does."""
    beta = distillation.beta
    temperatures = distillation.temperature, distillation.student_temperature

    def step() -> None:
        images, labels, index = run.batches.next()
        target = teacher.logits(images, index)
        with run.autocast():
            logits = run.network(images)
        logits = logits.float()
        loss = beta * distance_to_teacher(logits, target, *temperatures).mean()
        if beta < 1:
            loss = loss + (1 - beta) * run.objective(logits, labels, index, warming=run.warming).mean()
        run.descend(loss)

    while run.start_epoch():
        while run.in_epoch():
            run.lane.do(step, variant=run.warming)
            run.count_step()
            yield
        yield from run.finish_epoch()
