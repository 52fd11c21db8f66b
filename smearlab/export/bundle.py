"""A trained network as a folder that needs torch and nothing of this package: weights, architecture, normalisation."""

import io
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from torch import Tensor

from smearlab.core import registry
from smearlab.core.jobs import Choice
from smearlab.export.program import program
from smearlab.export.standalone import Definition, standalone
from smearlab.store.files import write_bytes, write_json, write_text


@dataclass(frozen=True)
class Bundle:
    """What is taken along of one network.

    weights: its state_dict. shape: H, W, C of its images, or D features. mean, deviation: of each channel of the
    training part, in units of 0..255, or of each feature. loss: code that defines the loss it was trained with. said:
    what else model.json holds.
    """

    weights: dict[str, Tensor]
    architecture: Choice
    class_names: list[str]
    shape: tuple[int, ...]
    mean: list[float]
    deviation: list[float]
    loss: str
    said: dict[str, Any]

    def write(self, folder: Path) -> list[Path]:
        """Write all files of a bundle and return their paths: weights, code, model.json, and model.pt2 of both."""
        code = architecture_code(self.architecture, len(self.class_names), self.shape)
        texts = {"network.py": code, "loss.py": self.loss, "predict.py": _predict(self.shape)}
        whole = {name: tensor.contiguous() for name, tensor in self.weights.items()}
        buffer = io.BytesIO()
        torch.save(whole, buffer)
        write_bytes(folder / "weights.pt", buffer.getvalue())
        write_bytes(folder / "weights.safetensors", safetensors.torch.save(whole))
        for name, text in texts.items():
            write_text(folder / name, text)
        write_json(folder / "model.json", self._model())
        statistics = (self.mean, self.deviation)
        exported = program(self.architecture, self.weights, len(self.class_names), self.shape, statistics)
        write_bytes(folder / "model.pt2", exported)
        return [folder / name for name in ("weights.pt", "weights.safetensors", *texts, "model.json", "model.pt2")]

    def _model(self) -> dict[str, Any]:
        of, unit = _input_of(self.shape)
        return {
            "class_names": self.class_names,
            **of,
            "normalisation": {"mean": self.mean, "deviation": self.deviation, "of": unit},
            "network": self.architecture,
            **self.said,
        }


def _input_of(shape: tuple[int, ...]) -> tuple[dict[str, Any], str]:
    """Return what model.json says of an input, and what its normalisation is of."""
    if len(shape) == 1:
        return {"features": shape[0]}, "features as they were given"
    return {"image": dict(zip(("height", "width", "channels"), shape, strict=True))}, "pixels from 0 to 255"


def architecture_code(architecture: Choice, n_classes: int, shape: tuple[int, ...]) -> str:
    """Return Python code that defines `network()`, the untrained network, and needs torch (and torchvision) alone."""
    name = architecture["name"]
    options = registry.filled("networks", name, {k: v for k, v in architecture.items() if k != "name"})
    code = standalone([Definition(registry.describe("networks", name).module, "build")], ("from torch import nn",))
    sizes = shape if len(shape) == 1 else (shape[2], shape[0])
    call = ", ".join([*map(str, (n_classes, *sizes)), *(f"{k}={v!r}" for k, v in options.items())])
    of = f"{shape[0]} features" if len(shape) == 1 else f"images of {shape[2]}×{shape[0]}×{shape[1]}"
    said = f'"""Return the untrained network for {n_classes} classes and {of}."""'
    return f"{code}\n\ndef network() -> nn.Module:\n    {said}\n    return build({call})\n"


def _predict(shape: tuple[int, ...]) -> str:
    name = "predict_features.py.txt" if len(shape) == 1 else "predict.py.txt"
    return resources.files("smearlab.export").joinpath(name).read_text(encoding="utf-8")
