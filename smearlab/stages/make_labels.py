"""The labels stage: from a data set to the observed labels of one noise seed."""

import sys
from collections.abc import Mapping
from typing import Any

from smearlab.core import registry
from smearlab.noises._context import NoiseContext
from smearlab.noises._draw import aligns, audit, draw, write_labels
from smearlab.store.dataset import read_training


def make_labels(
    job: Mapping[str, Any],
    options: Mapping[str, Any],
    inputs: Mapping[str, Any],
    outputs: Mapping[str, Any],
    source: Mapping[str, Any] | None = None,
) -> None:
    """Draw the labels of one noise seed and write labels.npz and audit.json; say what speaks against given ones.

    options: those of the noise. source: those of the data set, for a noise that reads a file of labels.
    """
    training = read_training([inputs["training"], inputs["manifest"]])
    context = NoiseContext(
        dataset_kind=job["dataset_kind"],
        n_classes=training.meta["n_classes"],
        class_names=training.meta["class_names"],
        images=training.images,
        labels=training.labels,
        noisy_labels=training.noisy_labels,
        part=training.part,
        source_index=training.source_index,
        **(_examples(job["dataset_kind"], source) if source is not None and aligns(job["kind"], options) else {}),
    )
    drawn = {"rate": job["rate"], "noise_seed": job["noise_seed"], "options": options}
    observed = draw(job["kind"], context, **drawn)
    for doubt in observed.doubts:
        _say(f"smearlab: labels {job['kind']} of {job['dataset']}: {doubt}")
    record = audit(job["kind"], context, observed, **drawn, dataset=job["dataset"], manifest=training.meta)
    write_labels(outputs["labels"], outputs["audit"], observed, record)


def _examples(dataset_kind: str, source: Mapping[str, Any]) -> dict[str, Any]:
    """Return how many examples the source has and what they are called, as far as its loader knows."""
    module = registry.load("datasets", dataset_kind)
    sizes = module.sizes(**source) if hasattr(module, "sizes") else ()
    names = module.example_names(**source) if hasattr(module, "example_names") else ()
    return {"sizes": tuple(sizes), "names": tuple(names)}


def _say(text: str) -> None:
    """Print to the log of the job and to the terminal, which are one where there is no log."""
    for stream in {sys.stderr, sys.__stderr__} - {None}:
        print(text, file=stream)
