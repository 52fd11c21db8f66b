"""What is minimised on labels: a registered method, bound to its options, its T and its state."""

import inspect
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from smearlab.core import registry
from smearlab.core.errors import UserError
from smearlab.core.jobs import MethodSettings, RecipeSettings, plain, typed

CONTEXT = ("index", "epoch", "state")


def adjusted_recipe(recipe: RecipeSettings, method: MethodSettings) -> RecipeSettings:
    """Return the recipe that a method trains with: its own, unless the method is a change of the recipe."""
    module = registry.load("methods", method.name)
    if not hasattr(module, "settings"):
        return recipe
    return typed(RecipeSettings, module.settings(plain(recipe), **_chosen(module.settings, method)))


class Objective:
    """A method bound to its options, its transition and its state; calling it gives the loss per example.

    transition: T (L, L) or None. The state (dictionary of tensors, possibly empty) is updated in place and
    belongs into a checkpoint. Until `warm_up` steps are done the loss is plain cross-entropy. weights: of the classes
    (L,), or None.
    """

    def __init__(
        self,
        method: MethodSettings,
        transition: Any | None,
        n_examples: int,
        n_classes: int,
        device: torch.device,
    ) -> None:
        module = registry.load("methods", method.name)
        self.loss = getattr(module, "loss", plain_loss)
        self.options = _chosen(self.loss, method)
        positional = list(inspect.signature(self.loss).parameters)[2:]
        self.context = [name for name in CONTEXT if name in positional]
        if "transition" in inspect.signature(self.loss).parameters:
            self.options["transition"] = _prepared(module, method.name, transition, n_classes).to(device)
        make_state = getattr(module, "state", None)
        self.state: dict[str, Tensor] = make_state(n_examples, n_classes, device) if make_state else {}
        self.epoch = torch.zeros((), dtype=torch.int64, device=device)
        self.weights: Tensor | None = None

    @property
    def shared(self) -> bool:
        """Whether one call serves several replicates: no state, no T and no weights of their own."""
        return not self.state and "transition" not in self.options and self.weights is None

    def __call__(self, logits: Tensor, labels: Tensor, index: Tensor, *, warming: bool) -> Tensor:
        """Return the loss of each example, (B,), from logits (B, L) float32, times the weight of its class if any."""
        loss = plain_loss(logits, labels) if warming else self._loss(logits, labels, index)
        return loss if self.weights is None else loss * self.weights[labels]

    def _loss(self, logits: Tensor, labels: Tensor, index: Tensor) -> Tensor:
        known = {"index": index, "epoch": self.epoch, "state": self.state}
        return self.loss(logits, labels, **{name: known[name] for name in self.context}, **self.options)


def class_weights(labels: Tensor, n_classes: int) -> Tensor:
    """Return n / (L n_c) for each class, float32 (L,): all classes weigh the same, and an example 1 on average.

    labels: int64 (n,). L counts the classes that occur; one that does not has the weight 0.
    """
    counts = torch.bincount(labels, minlength=n_classes)
    occurs = counts > 0
    return torch.where(occurs, len(labels) / (occurs.sum() * counts.clamp(min=1)), 0.0).float()


def plain_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Return the cross-entropy of each example, (B,)."""
    return F.cross_entropy(logits, labels, reduction="none")


def _chosen(function: Callable[..., Any], method: MethodSettings) -> dict[str, Any]:
    parameters = inspect.signature(function).parameters
    options = {k: v for k, v in registry.filled("methods", method.name, method.options).items() if k in parameters}
    if "alpha" in parameters and method.alpha is not None:
        options["alpha"] = method.alpha
    return options


def _prepared(module: Any, name: str, transition: Any | None, n_classes: int) -> Tensor:
    if transition is None:
        raise UserError(f"method {name}: needs a transition matrix, and the job has none")
    matrix = torch.as_tensor(transition, dtype=torch.float64)
    if matrix.shape != (n_classes, n_classes):
        raise UserError(f"method {name}: the transition matrix is {tuple(matrix.shape)}, not {n_classes}×{n_classes}")
    return module.prepare(matrix) if hasattr(module, "prepare") else matrix
