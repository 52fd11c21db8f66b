"""One-sided noise moves a linear separator towards the affected class; smoothing and ℓ2 move it back."""

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit

from smearlab.claims._claim import Claim
from smearlab.core.seeds import numpy_generator

ORDER = 5
SOURCE = "Lukasik et al. 2020, two-dimensional illustration of one-sided noise (data and rates are our own choice)"
N_SEEDS = 20
N = 1000
RATE = 0.2
SPREAD = 0.5
CENTRE = np.array([1.0, 1.0])
STRENGTHS: Mapping[str, tuple[float, ...]] = {
    "smoothing": (0.0, 0.1, 0.2, 0.4, 0.6, 0.8),
    "l2": (0.0, 0.001, 0.01, 0.1, 1.0),
    "l2_free_offset": (0.0, 0.001, 0.01, 0.1, 1.0),
}
CLAIMED = ("smoothing", "l2")
N_SHOWN = 200


def check() -> Claim:
    """Fit logistic separators on Gaussian classes over seeds; count where more regularisation did not help."""
    runs = [separators(seed) for seed in range(N_SEEDS)]
    pairs = [
        (abs(offset(weaker)), abs(offset(stronger)))
        for run in runs
        for treatment in CLAIMED
        for weaker, stronger in pairwise(run[treatment])
    ]
    moved = [offset(run["smoothing"][0]) > offset(run["clean"][0]) for run in runs]
    exceptions = sum(after >= before for before, after in pairs) + moved.count(False)
    share = exceptions / (len(pairs) + len(moved))
    rows = _rows(runs)
    return Claim(
        claim=(
            "Noise on one class moves a linear separator towards that class; label smoothing moves it back towards the "
            "Bayes line, and so does an ℓ2 penalty on all weights."
        ),
        source=SOURCE,
        measured=share,
        tolerance=0.0,
        holds=exceptions == 0,
        detail=_detail(rows, exceptions, len(pairs) + len(moved)),
        curves={"separators": rows, "example_points": _points(0), "example_lines": _lines(runs[0])},
    )


def sample(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Draw inputs (N, 2), true and observed labels (N,) in {0, 1}: two round Gaussians, class 1 partly labelled 0.

    The Bayes line x + y = 0 runs through the origin, at a right angle to the line between the class centres.
    """
    rng = numpy_generator("claims", "linear_separator", seed)
    labels = rng.integers(2, size=N)
    inputs = SPREAD * rng.normal(size=(N, 2)) + np.outer(2 * labels - 1, CENTRE)
    flipped = (labels == 1) & (rng.random(N) < RATE)
    return inputs, labels, np.where(flipped, 0, labels)


def separators(seed: int) -> dict[str, list[np.ndarray]]:
    """Return by treatment the fitted (w_x, w_y, offset) at each strength; `clean` is fitted to the true labels."""
    inputs, labels, observed = sample(seed)
    smoothed = [(1 - alpha) * observed + alpha / 2 for alpha in STRENGTHS["smoothing"]]
    return {
        "clean": [separator(inputs, labels)],
        "smoothing": [separator(inputs, targets) for targets in smoothed],
        "l2": [separator(inputs, observed, strength) for strength in STRENGTHS["l2"]],
        "l2_free_offset": [
            separator(inputs, observed, strength, penalise_offset=False) for strength in STRENGTHS["l2_free_offset"]
        ],
    }


def separator(inputs: np.ndarray, targets: np.ndarray, l2: float = 0.0, *, penalise_offset: bool = True) -> np.ndarray:
    """Return the (w_x, w_y, offset) of least mean logistic loss plus l2/2 of the squared weights.

    inputs: (N, 2). targets: probabilities of class 1, (N,).
    """
    columns = np.column_stack([inputs, np.ones(len(inputs))])
    penalty = l2 * np.array([1.0, 1.0, float(penalise_offset)])

    def loss_and_gradient(weights: np.ndarray) -> tuple[float, np.ndarray]:
        scores = columns @ weights
        loss = np.mean(np.logaddexp(0, scores) - targets * scores) + 0.5 * penalty @ np.square(weights)
        return loss, columns.T @ (expit(scores) - targets) / len(targets) + penalty * weights

    options: Any = {"gtol": 1e-9, "ftol": 1e-15, "maxiter": 1000}
    return minimize(loss_and_gradient, np.zeros(3), jac=True, method="L-BFGS-B", options=options).x


def offset(weights: np.ndarray) -> float:
    """Return how far the line lies from the origin, towards class 1."""
    return float(-weights[2] / np.linalg.norm(weights[:2]))


def angle(weights: np.ndarray) -> float:
    """Return the angle between the line and the Bayes line, in degrees, 0 to 180."""
    cosine = weights[:2] @ CENTRE / np.linalg.norm(weights[:2]) / np.linalg.norm(CENTRE)
    return float(np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0))))


def _rows(runs: list[dict[str, list[np.ndarray]]]) -> list[dict[str, float | str]]:
    rows: list[dict[str, float | str]] = []
    for treatment, strengths in {"clean": (0.0,), **STRENGTHS}.items():
        for k, strength in enumerate(strengths):
            offsets = np.array([offset(run[treatment][k]) for run in runs])
            angles = np.array([angle(run[treatment][k]) for run in runs])
            rows.append(
                {
                    "treatment": treatment,
                    "strength": strength,
                    "offset_mean": float(offsets.mean()),
                    "offset_std": float(offsets.std(ddof=1)),
                    "angle_mean": float(angles.mean()),
                    "angle_std": float(angles.std(ddof=1)),
                }
            )
    return rows


def _points(seed: int) -> list[dict[str, float | str]]:
    inputs, labels, observed = (values[:N_SHOWN] for values in sample(seed))
    return [
        {"x": round(float(x), 4), "y": round(float(y), 4), "label": int(true), "observed": int(seen)}
        for (x, y), true, seen in zip(inputs, labels, observed, strict=True)
    ]


def _lines(run: dict[str, list[np.ndarray]]) -> list[dict[str, float | str]]:
    return [
        {"treatment": treatment, "strength": strength, "w_x": float(w[0]), "w_y": float(w[1]), "w_0": float(w[2])}
        for treatment, strengths in {"clean": (0.0,), **STRENGTHS}.items()
        for strength, w in zip(strengths, run[treatment], strict=True)
    ]


def _detail(rows: list[dict[str, float | str]], exceptions: int, comparisons: int) -> str:
    at = {(row["treatment"], row["strength"]): row for row in rows}

    def shown(treatment: str, k: int) -> str:
        row = at[treatment, {"clean": (0.0,), **STRENGTHS}[treatment][k]]
        return f"{row['offset_mean']:.2f} ± {row['offset_std']:.2f} ({row['angle_mean']:.1f}°)"

    return (
        f"Two Gaussian classes, {RATE:.0%} of one class mislabelled, {N_SEEDS} seeds, logistic loss. Distance of the "
        f"line from the Bayes line (and angle to it): clean {shown('clean', 0)}, noisy {shown('smoothing', 0)}, "
        f"smoothed at α = {STRENGTHS['smoothing'][-1]} {shown('smoothing', -1)}, ℓ2 of {STRENGTHS['l2'][-1]:g} on "
        f"all weights {shown('l2', -1)}; with the offset left free, ℓ2 does the opposite: "
        f"{shown('l2_free_offset', -1)}. Exceptions: {exceptions} of {comparisons} comparisons."
    )
