"""The labels stage: from a data set to the observed labels of one noise seed."""

from collections.abc import Mapping
from typing import Any

from smearlab.data import read_training
from smearlab.definitions import Dataset, Noise
from smearlab.noise import audit, draw, write_labels
from smearlab.noises._context import NoiseContext


def make_labels(
    job: Mapping[str, Any], dataset: Dataset, noise: Noise, inputs: Mapping[str, Any], outputs: Mapping[str, Any]
) -> None:
    """Draw the labels of one noise seed and write labels.npz and audit.json."""
    training = read_training([inputs["training"], inputs["manifest"]])
    context = NoiseContext(
        dataset_kind=dataset.kind,
        n_classes=dataset.n_classes,
        class_names=list(dataset.class_names),
        images=training.images,
        labels=training.labels,
        noisy_labels=training.noisy_labels,
        part=training.part,
        source_index=training.source_index,
    )
    drawn = {"rate": job["rate"], "noise_seed": job["noise_seed"], "options": noise.options}
    observed = draw(noise.kind, context, **drawn)
    record = audit(noise.kind, context, observed, **drawn, dataset=dataset.id, manifest=training.meta)
    write_labels(outputs["labels"], outputs["audit"], observed, record)
