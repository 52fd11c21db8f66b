"""Estimated transition matrices: T of each replicate from observed labels and out-of-sample probabilities."""

import shutil
from collections.abc import Mapping
from typing import Any

import numpy as np

from smearlab.core import registry
from smearlab.core.errors import UserError
from smearlab.core.jobs import EstimateJob
from smearlab.core.transition import class_shares, errors, overall_rate
from smearlab.evaluation.gold import known_training
from smearlab.host.places import checkpoint_path
from smearlab.store.files import read_sealed, sha256_file, write_sealed
from smearlab.store.inputs import Files, paths_of
from smearlab.store.labels import true_transition
from smearlab.store.npz import read_npz


def run(job: EstimateJob, inputs: Files, outputs: Files) -> None:
    """Estimate T for each replicate of a block and write ESTIMATOR.json.

    The checkpoints of the warm-up networks are removed here, when their outputs are known to be complete.
    """
    warmed = read_sealed(inputs["run"], "replicates", "probabilities_sha256")
    if sha256_file(inputs["probabilities"]) != warmed["probabilities_sha256"]:
        raise UserError(f"{inputs['probabilities']}: not the file that {inputs['run']} describes; delete both")
    arrays = read_npz(inputs["probabilities"])
    audits = {record["noise_seed"]: record for record in map(read_sealed, paths_of(inputs["audits"]))}
    gold = known_training(inputs) if registry.describe("estimators", job.estimator).constants.get("GOLD") else ()
    entries = [
        _estimated(job, entry, arrays["observed"][k], arrays["probabilities"][k], audits, gold)
        for k, entry in enumerate(warmed["replicates"])
    ]
    named = {"estimator": job.estimator, "options": job.options}
    write_sealed(outputs["estimate"], {**named, "replicates": entries, "code": job.code})
    checkpoint = checkpoint_path(job.cell, job.block)
    shutil.rmtree(checkpoint.with_suffix(""), ignore_errors=True)
    for leftover in checkpoint.parent.glob(f"{checkpoint.name}*"):
        leftover.unlink(missing_ok=True)


def _estimated(
    job: EstimateJob,
    entry: Mapping[str, Any],
    observed: np.ndarray,
    probabilities: np.ndarray,
    audits: Mapping[int, Mapping[str, Any]],
    gold: tuple[np.ndarray, ...] = (),
) -> dict[str, Any]:
    seeds = {key: entry[key] for key in ("noise_seed", "seed")}
    if entry["status"] == "diverged":
        nothing = dict.fromkeys(("transition", "noise_rate", "errors", "compared_with"))
        return {**seeds, **nothing, "reason": entry["reason"]}
    found = registry.load("estimators", job.estimator).estimate(
        observed, probabilities, *gold, **registry.filled("estimators", job.estimator, job.options)
    )
    shares = np.bincount(observed, minlength=len(found)) / len(observed)
    audit = audits[entry["noise_seed"]]
    true = true_transition(audit)
    return {
        **seeds,
        "transition": found.tolist(),
        "noise_rate": overall_rate(found, class_shares(found, shares)),
        "reason": None,
        "errors": None if true is None else errors(found, true),
        "compared_with": None if true is None else "asked" if audit["transition_asked"] is not None else "realised",
    }
