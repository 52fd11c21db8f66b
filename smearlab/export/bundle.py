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
from smearlab.export.standalone import Definition, standalone
from smearlab.store.files import write_bytes, write_json, write_text


@dataclass(frozen=True)
class Bundle:
    """What is taken along of one network.

    weights: its state_dict. shape: H, W, C of its images. mean, deviation: of each channel of the training part, in
    units of 0..255. loss: code that defines the loss it was trained with. said: what else model.json holds.
    """

    weights: dict[str, Tensor]
    architecture: Choice
    class_names: list[str]
    shape: tuple[int, int, int]
    mean: list[float]
    deviation: list[float]
    loss: str
    said: dict[str, Any]

    def write(self, folder: Path) -> list[Path]:
        """Write weights.pt, weights.safetensors, network.py, loss.py, model.json and predict.py; return their paths."""
        code = architecture_code(self.architecture, len(self.class_names), self.shape)
        texts = {"network.py": code, "loss.py": self.loss, "predict.py": _predict()}
        whole = {name: tensor.contiguous() for name, tensor in self.weights.items()}
        buffer = io.BytesIO()
        torch.save(whole, buffer)
        write_bytes(folder / "weights.pt", buffer.getvalue())
        write_bytes(folder / "weights.safetensors", safetensors.torch.save(whole))
        for name, text in texts.items():
            write_text(folder / name, text)
        write_json(folder / "model.json", self._model())
        return [folder / name for name in ("weights.pt", "weights.safetensors", *texts, "model.json")]

    def _model(self) -> dict[str, Any]:
        height, width, channels = self.shape
        return {
            "class_names": self.class_names,
            "image": {"height": height, "width": width, "channels": channels},
            "normalisation": {"mean": self.mean, "deviation": self.deviation, "of": "pixels from 0 to 255"},
            "network": self.architecture,
            **self.said,
        }


def architecture_code(architecture: Choice, n_classes: int, shape: tuple[int, int, int]) -> str:
    """Return Python code that defines `network()`, the untrained network, and needs torch (and torchvision) alone."""
    name = architecture["name"]
    options = registry.filled("networks", name, {k: v for k, v in architecture.items() if k != "name"})
    code = standalone([Definition(registry.describe("networks", name).module, "build")], ("from torch import nn",))
    height, _, channels = shape
    call = ", ".join([str(n_classes), str(channels), str(height), *(f"{k}={v!r}" for k, v in options.items())])
    said = f'"""Return the untrained network for {n_classes} classes and images of {channels}×{height}×{height}."""'
    return f"{code}\n\ndef network() -> nn.Module:\n    {said}\n    return build({call})\n"


def _predict() -> str:
    return resources.files("smearlab.export").joinpath("predict.py.txt").read_text(encoding="utf-8")
