"""What a finished block leaves: weights, history, and an account of the run."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import safetensors.torch
from safetensors import SafetensorError
from torch import Tensor

from smearlab.core.errors import UserError
from smearlab.core.jobs import MethodSettings, RecipeSettings, Replicate, plain
from smearlab.store.files import read_sealed, sha256_file, write_bytes, write_csv, write_sealed
from smearlab.store.timings import SPEED, without_times, write_timings
from smearlab.training.history import COLUMNS
from smearlab.training.trainee import Trainee, Weights, within


@dataclass(frozen=True)
class Finished:
    """One replicate that is over: its entry in the account of the run, its history, weights by "checkpoint/name"."""

    entry: dict[str, Any]
    history: list[dict[str, Any]]
    weights: dict[str, Tensor]


def finished(trainee: Trainee, *, device: str, precision: str, peak_memory_mb: float) -> Finished:
    """Return what is kept of a replicate whose loop has ended."""
    at = trainee.at
    entry = {
        **asdict(trainee.seeds),
        "status": at.status,
        "reason": at.reason,
        "epochs": at.epoch,
        "selected_epoch": at.selected_epoch if at.status == "finished" else None,
        "label_wave_epoch": at.label_wave_epoch if at.status == "finished" else None,
        "train_seconds": at.seconds,
        "images_per_second": at.timed_images / at.seconds if at.seconds else None,
        "device": device,
        "precision": precision,
        "peak_memory_mb": peak_memory_mb,
    }
    weights = {f"{name}/{key}": t for name, kept in trainee.kept.items() for key, t in kept.items()}
    return Finished(entry, at.history, weights)


def never_started(seeds: Replicate, reason: str, *, device: str, precision: str) -> Finished:
    """Return the result of a replicate that could not be trained: its teacher diverged, or its T is not usable."""
    entry = {
        **asdict(seeds),
        "status": "diverged",
        "reason": reason,
        "epochs": 0,
        "selected_epoch": None,
        "label_wave_epoch": None,
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
    recipe: RecipeSettings
    method: MethodSettings
    environment: dict[str, Any]
    machine: dict[str, Any]

    def write(self, files: Mapping[str, str], code: str, code_parts: Mapping[str, str]) -> None:
        """Write the files `weights`, `history` and `run`; equal weights give equal bytes.

        The account of the run comes last and holds the hashes of the others, so that a reader can tell that they
        belong together. code: the digest of the code that trained; code_parts: what it is made of. Times, which differ
        between any two runs, go into a file of their own.
        """
        weights = {
            f"{position}/{name}": tensor
            for position, replicate in enumerate(self.replicates)
            for name, tensor in replicate.weights.items()
        }
        rows = [[line[c] for c in COLUMNS] for replicate in self.replicates for line in replicate.history]
        write_bytes(files["weights"], safetensors.torch.save(weights))
        write_csv(files["history"], COLUMNS, rows)
        entries = [replicate.entry for replicate in self.replicates]
        speeds = [[line[SPEED] for line in replicate.history] for replicate in self.replicates]
        write_timings(files["run"], entries, self.machine, speeds)
        write_sealed(
            files["run"],
            {
                "replicates": list(map(without_times, entries)),
                "recipe": plain(self.recipe),
                "method": plain(self.method),
                "environment": self.environment,
                "code": code,
                "code_parts": dict(code_parts),
                "weights_sha256": sha256_file(files["weights"]),
                "history_sha256": sha256_file(files["history"]),
            },
        )


def read_weights(path: Path, account: Path, wanted: Replicate, checkpoint: str) -> Weights | None:
    """Return the weights of one replicate at a checkpoint from a block's file of weights, or None.

    None means that the replicate diverged. account: the block's account of the run, which says where in it the
    replicate stands. UserError where it is not in the block or the weights are not those that the account describes.
    """
    run = read_sealed(account, "replicates", "weights_sha256")
    seeds = [Replicate(entry["noise_seed"], entry["seed"]) for entry in run["replicates"]]
    if wanted not in seeds:
        raise UserError(f"{path}: has no replicate with noise seed {wanted.noise_seed} and seed {wanted.seed}")
    position = seeds.index(wanted)
    if run["replicates"][position]["status"] == "diverged":
        return None
    if sha256_file(path) != run["weights_sha256"]:
        raise UserError(f"{path}: damaged or replaced (its hash is not the one in {account.name}); delete the folder")
    try:
        return within(safetensors.torch.load_file(path), f"{position}/{checkpoint}/")
    except SafetensorError as error:
        raise UserError(f"{path}: no readable file of weights ({error})") from error
