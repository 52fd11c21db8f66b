"""Training images a second on a GPU: measured on one card, and by this machine's own finished runs."""

import json
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from statistics import mean
from typing import Any

from smearlab.core.jobs import RecipeSettings

CARD = "NVIDIA H100 80GB"
# One replicate, bf16, batch 128, 32×32 images, a recorded graph. Measured: resnet32 and resnet18; the others by their
# layers, because a step of these networks is as long as its kernels are many.
IMAGES_PER_SECOND = {
    "cnn": 200_000,
    "resnet8": 146_000,
    "resnet20": 58_000,
    "resnet32": 36_400,
    "resnet44": 26_500,
    "resnet56": 20_800,
    "resnet18": 39_000,
    "resnet34": 21_000,
    "resnet50": 14_000,
}
UNKNOWN = 14_000
SIDE_BY_SIDE = {1: 1.0, 3: 1.63, 5: 1.86}  # what so many replicates in lanes reach together, of one alone
SLOWER_FP32 = 1.06
START_SECONDS = 18.0  # of a block of trainings: start, recording, files
EVALUATION_SECONDS = 25.0  # of a block: three networks of twelve checkpoints
MOST_ACCOUNTS = 500
Kind = tuple[str, str, int, int]  # network, precision, batch size, replicates


def kind_of(recipe: RecipeSettings) -> Kind:
    """Return what trainings of about the same speed have in common."""
    return recipe.architecture["name"], recipe.precision, recipe.batch_size, recipe.block_size


def images_per_second(recipe: RecipeSettings, size: int, own: Mapping[Kind, float] = {}) -> float:
    """Return the images a second of a whole block of images of size×size pixels; own: those that were measured here."""
    if (found := own.get(kind_of(recipe))) is not None:
        return found
    alone = IMAGES_PER_SECOND.get(recipe.architecture["name"], UNKNOWN) * min(1.0, (32 / size) ** 2)
    return alone * together(recipe.block_size) / (SLOWER_FP32 if recipe.precision == "fp32" else 1.0)


def together(replicates: int) -> float:
    """Return how many times one replicate's speed so many reach side by side; no more than the most measured."""
    for (low, at_low), (high, at_high) in pairwise(SIDE_BY_SIDE.items()):
        if replicates <= high:
            return at_low + (at_high - at_low) * (replicates - low) / (high - low)
    return SIDE_BY_SIDE[max(SIDE_BY_SIDE)]


def own_rates(results: Path) -> tuple[dict[Kind, float], set[str]]:
    """Return images a second by kind of finished trainings on GPUs, and the names of these."""
    found: dict[Kind, list[float]] = {}
    devices: set[str] = set()
    for _, account in zip(range(MOST_ACCOUNTS), sorted(results.glob("*/**/run.json")), strict=False):
        said = {**_read(account), "times": _read(account.with_name("timings.json"))}
        device, kind, speeds = _device(said), _kind(said), _speeds(said)
        if device and kind and speeds:
            found.setdefault(kind, []).append(mean(speeds))
            devices.add(device)
    return {kind: mean(speeds) for kind, speeds in found.items()}, devices


def _read(path: Path) -> dict[str, Any]:
    """Return what a file says; nothing where it is absent or damaged, which is for others to tell."""
    try:
        said = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return said if isinstance(said, dict) else {}


def _device(said: dict[str, Any]) -> str | None:
    """Return the name of the GPU that a block was trained on."""
    parts = (said.get("environment"), said["times"].get("environment"), said["times"].get("machine"))
    environments = [part for part in parts if isinstance(part, dict)]
    on_gpu = any(part.get("cuda") for part in environments)
    return next((str(part["device"]) for part in environments if part.get("device")), None) if on_gpu else None


def _kind(said: dict[str, Any]) -> Kind | None:
    try:
        recipe = said["recipe"]
        return recipe["architecture"]["name"], recipe["precision"], recipe["batch_size"], recipe["block_size"]
    except (KeyError, TypeError):
        return None


def _speeds(said: dict[str, Any]) -> list[float]:
    entries = [said.get("replicates"), said["times"].get("replicates")]
    each = [entry for part in entries if isinstance(part, list) for entry in part if isinstance(entry, dict)]
    return [float(e["images_per_second"]) for e in each if isinstance(e.get("images_per_second"), int | float)]
