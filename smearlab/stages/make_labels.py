"""The observed labels of one noise seed, with their audit."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from smearlab.core import registry
from smearlab.core.jobs import LabelsJob
from smearlab.noises._context import NoiseContext
from smearlab.noises._draw import aligns, audit, draw, write_labels
from smearlab.store.dataset import TrainingData, read_training
from smearlab.store.inputs import Files


def run(job: LabelsJob, inputs: Files, outputs: Files) -> None:
    """Draw the labels of one noise seed and write labels.npz and audit.json; say what speaks against given ones."""
    options = _options(job, inputs, outputs)
    training = read_training([inputs["training"], inputs["manifest"]])
    source = inputs["config"]["datasets"][job.dataset.rpartition("-")[0]] if aligns(job.kind, options) else None
    context = context_of(job.dataset_kind, training, source)
    drawn: dict[str, Any] = {"rate": job.rate, "noise_seed": job.noise_seed, "options": options}
    observed = draw(job.kind, context, **drawn)
    for doubt in observed.doubts:
        _say(f"smearlab: labels {job.kind} of {job.dataset}: {doubt}")
    record = audit(job.kind, context, observed, **drawn, dataset=job.dataset, manifest=training.meta)
    write_labels(outputs["labels"], outputs["audit"], observed, record)


def context_of(dataset_kind: str, training: TrainingData, source: Mapping[str, Any] | None) -> NoiseContext:
    """Return what a noise may look at. source: the data set in the config, for one that reads labels by example."""
    return NoiseContext(
        dataset_kind=dataset_kind,
        n_classes=training.meta["n_classes"],
        class_names=training.meta["class_names"],
        images=training.images,
        labels=training.labels,
        noisy_labels=training.noisy_labels,
        part=training.part,
        source_index=training.source_index,
        **({} if source is None else _examples(dataset_kind, source)),
    )


def _options(job: LabelsJob, inputs: Files, outputs: Files) -> dict[str, Any]:
    """Return the options of the noise: those of the job, with the places of files as the config gives them."""
    noise = Path(outputs["labels"]).parents[2].name.rpartition("-")[0]
    given = inputs["config"]["noises"].get(noise, {})  # the noise `clean` stands in no config
    known = registry.filled("noises", job.kind, {**job.contents, **given})
    return {key: value for key, value in known.items() if key not in ("kind", "rates")}


def _examples(kind: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return how many examples the data set's source has and what they are called, as far as its loader knows."""
    options = registry.describe("datasets", kind).options
    source = {key: value for key, value in given.items() if key in options}
    module = registry.load("datasets", kind)
    sizes = module.sizes(**source) if hasattr(module, "sizes") else ()
    names = module.example_names(**source) if hasattr(module, "example_names") else ()
    return {"sizes": tuple(sizes), "names": tuple(names)}


def _say(text: str) -> None:
    """Print to the log of the job and to the terminal, which are one where there is no log."""
    for stream in {sys.stderr, sys.__stderr__} - {None}:
        print(text, file=stream)
