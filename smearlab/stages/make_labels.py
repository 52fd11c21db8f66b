"""The labels stage: from a data set to the observed labels of one noise seed."""

from collections.abc import Mapping
from typing import Any

from smearlab.noises._context import NoiseContext
from smearlab.noises._draw import audit, draw, write_labels
from smearlab.store.dataset import read_training


def make_labels(
    job: Mapping[str, Any], options: Mapping[str, Any], inputs: Mapping[str, Any], outputs: Mapping[str, Any]
) -> None:
    """Draw the labels of one noise seed and write labels.npz and audit.json; `options` are those of the noise."""
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
    )
    drawn = {"rate": job["rate"], "noise_seed": job["noise_seed"], "options": options}
    observed = draw(job["kind"], context, **drawn)
    record = audit(job["kind"], context, observed, **drawn, dataset=job["dataset"], manifest=training.meta)
    write_labels(outputs["labels"], outputs["audit"], observed, record)
