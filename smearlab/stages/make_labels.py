"""The observed labels of one noise seed, with their audit."""

from pathlib import Path
from typing import Any

from smearlab.core import registry
from smearlab.core.jobs import LabelsJob
from smearlab.noises._context import NoiseContext
from smearlab.noises._draw import audit, draw, write_labels
from smearlab.store.dataset import read_training
from smearlab.store.inputs import Files


def run(job: LabelsJob, inputs: Files, outputs: Files) -> None:
    """Draw the labels of one noise seed and write labels.npz and audit.json."""
    noise = Path(outputs["labels"]).parents[2].name.rpartition("-")[0]
    given = inputs["config"]["noises"].get(noise, {})  # the noise `clean` stands in no config
    known = registry.filled("noises", job.kind, {**job.contents, **given})
    options = {key: value for key, value in known.items() if key not in ("kind", "rates")}
    training = read_training([inputs["training"], inputs["manifest"]])
    context = NoiseContext(
        dataset_kind=job.dataset_kind,
        n_classes=training.meta["n_classes"],
        class_names=training.meta["class_names"],
        images=training.images,
        labels=training.labels,
        noisy_labels=training.noisy_labels,
        part=training.part,
        source_index=training.source_index,
    )
    drawn: dict[str, Any] = {"rate": job.rate, "noise_seed": job.noise_seed, "options": options}
    observed = draw(job.kind, context, **drawn)
    record = audit(job.kind, context, observed, **drawn, dataset=job.dataset, manifest=training.meta)
    write_labels(outputs["labels"], outputs["audit"], observed, record)
