"""The student's loop: learn from a teacher's outputs, and from labels as far as β < 1 leaves room for them."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from smearlab.core.errors import UserError
from smearlab.core.jobs import Choice, DistillationJob
from smearlab.training.device import autocast
from smearlab.training.forward import cast_for_ever
from smearlab.training.history import logits_of
from smearlab.training.trainee import Problem, Trainee, Weights, build_network


def distance_to_teacher(
    logits: Tensor, teacher_logits: Tensor, temperature: float, student_temperature: float
) -> Tensor:
    """Return τ_s²·KL(teacher at τ ‖ student at τ_s) per example, (B,), from logits (B, L).

    With one temperature for both this is τ²·KL (Hinton, Vinyals, Dean 2015). The factor undoes how the
    student's own temperature shrinks the gradient, so a student at τ_s = 1 (Müller et al. 2019) has factor 1.
    """
    teacher = F.log_softmax(teacher_logits / temperature, dim=1)
    student = F.log_softmax(logits / student_temperature, dim=1)
    return student_temperature**2 * F.kl_div(student, teacher, reduction="none", log_target=True).sum(dim=1)


@dataclass(frozen=True)
class Distillation:
    """(1-β)·method(labels) + β·τ_s²·KL(teacher at τ ‖ student at τ_s)."""

    beta: float
    temperature: float
    student_temperature: float


def distillation_of(job: DistillationJob) -> Distillation:
    """Return what a job says of its students' loss; UserError for a student that would learn nothing."""
    if job.student_labels == "none" and job.beta != 1:
        raise UserError(f"{job.cell}: a student without labels needs beta 1, not {job.beta}")
    own = job.student_temperature
    return Distillation(job.beta, job.temperature, own if own is not None else job.temperature)


class Teacher:
    """A trained network that is asked for its logits on batches of training images, in eval mode.

    view same: on the very (augmented) images the student sees. view fixed: on the images as they are,
    computed once, here.
    """

    def __init__(self, architecture: Choice, weights: Weights, problem: Problem, precision: str, view: str) -> None:
        with torch.random.fork_rng(devices=[]):
            self.network: nn.Module = build_network(architecture, problem)
        self.network.load_state_dict(weights)
        self.network.eval().requires_grad_(False)
        cast_for_ever(self.network, precision)
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


@dataclass(frozen=True)
class Guide:
    """A teacher and what a student's loss makes of it, as a stack of students asks for them."""

    teacher: Teacher
    distillation: Distillation

    @property
    def network(self) -> nn.Module:
        """The teacher's network."""
        return self.teacher.network

    @property
    def fixed(self) -> Tensor | None:
        """Its logits (N, L) on all images as they are, if that is its view."""
        return self.teacher.fixed

    @property
    def beta(self) -> float:
        """Its weight in the loss."""
        return self.distillation.beta

    def distance(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Return the distance (B,) of logits (B, L) to the teacher's."""
        own = self.distillation
        return distance_to_teacher(logits, targets, own.temperature, own.student_temperature)


def train_student(trainee: Trainee, teacher: Teacher, distillation: Distillation) -> Iterator[None]:
    """Train one network on a teacher's outputs, yielding after every step, as the teacher's loop does."""
    beta = distillation.beta
    temperatures = distillation.temperature, distillation.student_temperature

    def step() -> None:
        batch = trainee.next_batch()
        target = teacher.logits(batch.images, batch.index)

        def loss() -> Tensor:
            logits = trainee.forward(batch.images)
            found = beta * distance_to_teacher(logits, target, *temperatures).mean()
            return found + (1 - beta) * trainee.label_loss(logits, batch) if beta < 1 else found

        trainee.descend(loss)

    while trainee.start_epoch():
        while trainee.in_epoch():
            trainee.lane.do(step, variant=trainee.warming)
            trainee.count_step()
            yield
        yield from trainee.finish_epoch()
