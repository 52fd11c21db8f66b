"""A method's loss for a training loop of one's own: plain torch, the formula of the method's own file."""

import json
from dataclasses import dataclass
from typing import Any

from smearlab.core import registry
from smearlab.core.errors import UserError
from smearlab.core.jobs import MethodSettings
from smearlab.export.standalone import Definition, functions, standalone

IMPORTS = ("import torch", "from torch import Tensor")
Matrix = list[list[float]]
DISTANCE = Definition("smearlab.training.student", "distance_to_teacher")


@dataclass(frozen=True)
class Teaching:
    """What a student's loss adds to that of its labels: β and the two temperatures."""

    beta: float
    temperature: float
    student_temperature: float


def formula(method: MethodSettings, transition: Matrix | None = None, teaching: Teaching | None = None) -> str:
    """Return Python code that defines `criterion`, the mean loss of a batch, and needs torch alone.

    `criterion(logits, labels)` stands in the loop where `torch.nn.CrossEntropyLoss()` would; it also takes `index` or
    `epoch` if the method does, and a student's `teacher_logits`. transition: T (L, L), T[true, observed], for a method
    that corrects by one; UserError if it is not given.
    """
    head = _head(method)
    if teaching is None and (short := _of_torch(method)):
        return f"{head}import torch\n\n{short}\n"
    return head + _long(method, transition, teaching)


def _head(method: MethodSettings) -> str:
    lines = [registry.describe("methods", method.name).summary]
    if method.warm_up:
        lines.append(f"Used after plain cross-entropy in the first {method.warm_up:.0%} of the training.")
    if not _has_loss(method.name):
        options = ", ".join(f"{key} = {value}" for key, value in method.options.items())
        lines.append(f"The loss is plain cross-entropy; what changes is the training: {options}.")
    return "".join(f"# {line}\n" for line in lines)


def _of_torch(method: MethodSettings) -> str | None:
    """Return torch's own loss where it is the method's."""
    if method.name == "cross_entropy" or not _has_loss(method.name):
        return "criterion = torch.nn.CrossEntropyLoss()"
    if method.name == "label_smoothing" and method.alpha is not None and 0 <= method.alpha <= 1:
        return f"criterion = torch.nn.CrossEntropyLoss(label_smoothing={method.alpha!r})"
    return None


def _has_loss(name: str) -> bool:
    return "loss" in registry.describe("methods", name).functions


def _long(method: MethodSettings, transition: Matrix | None, teaching: Teaching | None) -> str:
    module = registry.describe("methods", method.name if _has_loss(method.name) else "cross_entropy").module
    found = functions(module)
    starts = [Definition(module, name) for name in ("loss", "prepare", "state") if name in found]
    code = standalone([*starts, *([DISTANCE] if teaching else [])], IMPORTS)
    arguments = found["loss"].args
    options = _options(method, [a.arg for a in arguments.kwonlyargs])
    corrects = "transition" in [a.arg for a in arguments.kwonlyargs]
    matrix = _matrix(method, transition, "prepare" in found) if corrects else ""
    context = [a.arg for a in arguments.args[2:]]
    keywords = [f"{key}={value!r}" for key, value in options.items()]
    keywords += ["transition=matrix.to(logits.device)"] if corrects else []
    call = f"loss({', '.join(['logits', 'labels', *map(_passed, context), *keywords])}).mean()"
    body = call if teaching is None else _taught(teaching, call)
    return f"{code}{matrix}\n{_criterion(context, body, teaching is not None)}"


def _options(method: MethodSettings, parameters: list[str]) -> dict[str, Any]:
    known = registry.filled("methods", method.name, method.options)
    alpha = {"alpha": method.alpha} if method.alpha is not None else {}
    return {key: value for key, value in {**known, **alpha}.items() if key in parameters}


def _matrix(method: MethodSettings, transition: Matrix | None, prepared: bool) -> str:
    if transition is None:
        raise UserError(f"method {method.name}: its formula needs the transition matrix, which is not known here")
    rows = ",\n    ".join(json.dumps(row) for row in transition)
    matrix = f"# T[i, j]: the share of class i that is labelled j ({method.transition})\n"
    matrix += f"T = torch.tensor([\n    {rows},\n], dtype=torch.float64)\n"
    return f"\n\n{matrix}matrix = {'prepare(T)' if prepared else 'T'}\n"


def _passed(name: str) -> str:
    """Return how the context of a loss is handed over: the state is kept by the criterion, the epoch is a tensor."""
    return {"state": "self.state", "epoch": "torch.as_tensor(epoch, device=logits.device)"}.get(name, name)


def _taught(teaching: Teaching, labels: str) -> str:
    temperatures = f"{teaching.temperature!r}, {teaching.student_temperature!r}"
    distance = f"distance_to_teacher(logits, teacher_logits, {temperatures}).mean()"
    if teaching.beta == 1:
        return distance
    return f"{teaching.beta!r} * {distance} + {1 - teaching.beta!r} * {labels}"


def _criterion(context: list[str], body: str, taught: bool) -> str:
    given = {
        "index": ("index: Tensor", "index: positions of the examples in the training part"),
        "epoch": ("epoch: int", "epoch: counted from 0"),
        "teacher": ("teacher_logits: Tensor", "teacher_logits: of the teacher in eval mode, (B, L)"),
    }
    wanted = [given[name] for name in [*context, *(["teacher"] if taught else [])] if name in given]
    arguments = ", ".join(["logits: Tensor", "labels: Tensor", *(argument for argument, _ in wanted)])
    text = "; ".join(["logits (B, L), labels (B,)", *(meaning for _, meaning in wanted)])
    said = f'"""Return the mean loss of a batch: {text}."""'
    if "state" not in context:
        return f"\ndef criterion({arguments}) -> Tensor:\n    {said}\n    return {body}\n"
    return (
        "\nclass Criterion:\n"
        '    """The loss with what it remembers: criterion = Criterion(n_examples, n_classes, device)."""\n\n'
        '    def __init__(self, n_examples: int, n_classes: int, device: str = "cpu") -> None:\n'
        "        self.state = state(n_examples, n_classes, device)\n\n"
        f"    def __call__(self, {arguments}) -> Tensor:\n        {said}\n        return {body}\n"
    )
