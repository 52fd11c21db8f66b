"""The networks of a block as they were written, asked for their outputs."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open

from smearlab.core import registry
from smearlab.core.errors import UserError
from smearlab.core.jobs import RecipeSettings
from smearlab.evaluation.scene import Scene

IMAGES_PER_BATCH = {"cpu": 256, "cuda": 2048}
PIXELS_PER_BATCH = 1 << 21


class Networks:
    """The networks of one block, loaded one at a time into one module, in eval mode and float32."""

    def __init__(
        self, weights: str | Path, replicates: list[dict[str, Any]], recipe: RecipeSettings, scene: Scene
    ) -> None:
        self.path = weights
        self.replicates = replicates
        self.reported = recipe.checkpoint
        self.scene = scene
        with torch.random.fork_rng(devices=[]):
            module = registry.build("networks", recipe.architecture, scene.n_classes, *scene.shape)
        self.module = module.to(scene.device, memory_format=torch.channels_last)
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
        fitting = PIXELS_PER_BATCH // pixels.places
        size = max(1, min(IMAGES_PER_BATCH[self.scene.device.type], fitting))
        features = torch.cat(
            [self.module.features(pixels.plain(slice(k, k + size))) for k in range(0, max(len(pixels), 1), size)]
        )
        return self.module.head(features).cpu().numpy(), features.cpu().numpy()
