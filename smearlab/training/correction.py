"""Which T a corrected loss is given in each replicate, and what keeps a replicate from having one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from smearlab.core import registry
from smearlab.core.errors import UserError
from smearlab.core.jobs import Replicate, TrainingJob
from smearlab.core.transition import (
    CONDITION_LIMIT,
    check_invertible,
    condition_number,
    condition_text,
    from_alpha,
    perturb,
    row_errors,
)
from smearlab.store.files import read_sealed
from smearlab.store.labels import matched_transition, true_transition


@dataclass(frozen=True)
class Corrections:
    """The T of each replicate as plain lists, and the reason why one has none; both None for a method without T."""

    transitions: list[Any] | None = None
    refusals: list[str | None] | None = None

    def transition(self, position: int) -> Any | None:
        """The T (L, L) of a replicate, or None."""
        return None if self.transitions is None else self.transitions[position]

    def refusal(self, position: int) -> str | None:
        """What keeps a replicate from being trained, or None."""
        return None if self.refusals is None else self.refusals[position]


def corrections(
    job: TrainingJob, audits: Sequence[Mapping[str, Any]], estimate: str | Path | Sequence[str] | None
) -> Corrections:
    """Return the T with which each replicate's loss is corrected.

    An estimated or perturbed T that cannot be inverted where it must be is a result, not a fault: that replicate
    is refused. UserError for a T that the config asks for and that is unknown or singular.
    """
    spec = job.method.transition
    if spec is None:
        return Corrections()
    estimates = read_estimates(estimate) if spec.startswith("estimated(") else {}
    found = [_correction(spec, job, audit, r, estimates) for audit, r in zip(audits, job.replicates, strict=True)]
    return Corrections(
        transitions=[None if matrix is None else matrix.tolist() for matrix, _ in found],
        refusals=[refusal for _, refusal in found],
    )


def read_estimates(path: str | Path | Sequence[str] | None) -> dict[Replicate, dict[str, Any]]:
    """Return the entries of an estimator's file by replicate."""
    paths = [path] if isinstance(path, str | Path) else list(path or [])
    entries = [entry for file in paths for entry in read_sealed(file, "replicates")["replicates"]]
    return {Replicate(entry["noise_seed"], entry["seed"]): entry for entry in entries}


def transition_facts(
    job: TrainingJob, audit: Mapping[str, Any], estimate: Mapping[str, Any] | None
) -> dict[str, float | None]:
    """Return how far the T that a replicate was given is from the true one, and its condition number.

    transition_error: the mean over rows of the total variation distance, in 0..1; None for a method without T and
    where either T is unknown. transition_condition: None also for a singular T.
    """
    spec = job.method.transition
    nothing: dict[str, float | None] = {"transition_error": None, "transition_condition": None}
    estimated = spec is not None and spec.startswith("estimated(")
    known = estimate["transition"] if estimate else None
    if spec is None or not audit or (estimated and not known):
        return nothing
    used = np.array(known) if estimated else transition_of(spec, job, audit)
    true = true_transition(audit)
    error = None if true is None else float(row_errors(used, true).mean())
    return {"transition_error": error, "transition_condition": condition_number(used)}


def _correction(
    spec: str,
    job: TrainingJob,
    audit: Mapping[str, Any],
    replicate: Replicate,
    estimates: Mapping[Replicate, Mapping[str, Any]],
) -> tuple[np.ndarray | None, str | None]:
    inverts = registry.describe("methods", job.method.name).constants.get("NEEDS") == "inverse"
    if not spec.startswith(("estimated(", "perturbed(")):
        where = f"{job.cell}: transition {spec}, noise seed {audit['noise_seed']}"
        matrix = transition_of(spec, job, audit)
        return (check_invertible(matrix, where) if inverts else matrix), None
    if spec.startswith("estimated("):
        entry = estimates[replicate]
        if entry["transition"] is None:
            return None, entry["reason"]
        matrix = np.array(entry["transition"], dtype=np.float64)
    else:
        matrix = transition_of(spec, job, audit)
    return (None, _ill_conditioned(spec, matrix)) if inverts and not invertible(matrix) else (matrix, None)


def invertible(transition: np.ndarray) -> bool:
    """Whether T may be inverted: its condition number is known and not above the limit."""
    number = condition_number(transition)
    return number is not None and number <= CONDITION_LIMIT


def _ill_conditioned(spec: str, transition: np.ndarray) -> str:
    kind = "estimate" if spec.startswith("estimated(") else "transition matrix"
    return f"ill-conditioned {kind} (condition number {condition_text(condition_number(transition))})"


def transition_of(spec: str, job: TrainingJob, audit: Mapping[str, Any]) -> np.ndarray:
    """Return the T (L, L) of `true`, `matched`, `alpha` or `perturbed(EPS)`; UserError if it is not known."""
    if spec == "alpha" and job.method.alpha is not None:
        return from_alpha(job.n_classes, job.method.alpha)
    found = matched_transition(audit) if spec == "matched" else true_transition(audit)
    if found is None:
        where = f"{job.cell}: transition {spec}, noise seed {audit['noise_seed']}"
        raise UserError(f"{where}: the clean labels are unknown, so no T can be read off; use estimated(NAME)")
    if spec.startswith("perturbed("):
        return perturb(found, float(spec[len("perturbed(") : -1]), audit["noise_seed"])
    return found
