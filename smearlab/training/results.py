"""What a finished block leaves: weights, history, and an account of the run."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors.torch
from safetensors import SafetensorError
from torch import Tensor

from smearlab.core.errors import UserError
from smearlab.store.files import read_sealed, sha256_file, write_bytes, write_csv, write_sealed
from smearlab.training.history import COLUMNS
from smearlab.training.replicate import Replicate, Weights, within


@dataclass(frozen=True)
class Finished:
    """One replicate that is over: its entry in run.json, its history, its weights by "checkpoint/parameter"."""

    entry: dict[str, Any]
    history: list[dict[str, Any]]
    weights: dict[str, Tensor]


def finished(run: Replicate, *, device: str, precision: str, peak_memory_mb: float) -> Finished:
    """Return what is kept of a replicate whose loop has ended."""
    at = run.at
    entry = {
        "noise_seed": run.noise_seed,
        "seed": run.seed,
        "status": at.status,
        "reason": at.reason,
        "epochs": at.epoch,
        "selected_epoch": at.selected_epoch if at.status == "finished" else None,
        "train_seconds": at.seconds,
        "images_per_second": at.timed_images / at.seconds if at.seconds else None,
        "device": device,
        "precision": precision,
        "peak_memory_mb": peak_memory_mb,
    }
    weights = {f"{name}/{key}": t for name, kept in run.kept.items() for key, t in kept.items()}
    return Finished(entry, at.history, weights)


def never_started(noise_seed: int, seed: int, reason: str, *, device: str, precision: str) -> Finished:
    """Return the result of a replicate that could not be trained: its teacher diverged, or its T is not usable."""
    entry = {
        "noise_seed": noise_seed,
        "seed": seed,
        "status": "diverged",
        "reason": reason,
        "epochs": 0,
        "selected_epoch": None,
        "train_seconds": 0.0,
        "images_per_second": None,
        "device": device,
        "precision": precision,
        "peak_memory_mb": None,
    }
    return Finished(entry, [], {})


@dataclass(frozen=True)
class BlockResult:
    """All replicates of a block in their order, and what they have in common."""

    replicates: list[Finished]
    recipe: dict[str, Any]
    method: dict[str, Any]
    environment: dict[str, Any]
    code: str
    code_parts: dict[str, str]  # what the digest `code` is made of

    def write(self, folder: Path) -> None:
        """Write weights.safetensors, history.csv and run.json; equal weights give equal bytes.

        run.json comes last and holds the hashes of the others, so that a reader can tell that they belong together.
        """
        folder = Path(folder)
        weights = {
            f"{position}/{name}": tensor
            for position, replicate in enumerate(self.replicates)
            for name, tensor in replicate.weights.items()
        }
        rows = [[line[c] for c in COLUMNS] for replicate in self.replicates for line in replicate.history]
        write_bytes(folder / "weights.safetensors", safetensors.torch.save(weights))
        write_csv(folder / "history.csv", COLUMNS, rows)
        write_sealed(
            folder / "run.json",
            {
                "replicates": [replicate.entry for replicate in self.replicates],
                "recipe": self.recipe,
                "method": self.method,
                "environment": self.environment,
                "code": self.code,
                "code_parts": self.code_parts,
                "weights_sha256": sha256_file(folder / "weights.safetensors"),
                "history_sha256": sha256_file(folder / "history.csv"),
            },
        )


def read_weights(path: Path, noise_seed: int, seed: int, checkpoint: str) -> Weights | None:
    """Return the weights of one replicate at a checkpoint from a block's weights.safetensors, or None.

    None means that the replicate diverged. The run.json beside the file says where in the block it stands.
    UserError where the replicate is not in the block or the weights are not those that run.json describes.
    """
    run = read_sealed(path.with_name("run.json"), "replicates", "weights_sha256")
    seeds = [(entry["noise_seed"], entry["seed"]) for entry in run["replicates"]]
    if (noise_seed, seed) not in seeds:
        raise UserError(f"{path}: has no replicate with noise seed {noise_seed} and seed {seed}")
    position = seeds.index((noise_seed, seed))
    if run["replicates"][position]["status"] == "diverged":
        return None
    if sha256_file(path) != run["weights_sha256"]:
        raise UserError(f"{path}: damaged or replaced (its hash is not the one in run.json); delete the folder")
    try:
        return within(safetensors.torch.load_file(path), f"{position}/{checkpoint}/")
    except SafetensorError as error:
        raise UserError(f"{path}: no readable file of weights ({error})") from error
