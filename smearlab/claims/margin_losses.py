"""Smoothing bounds the loss from below, backward lets it go negative, forward bounds it from above."""

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import entr, log_expit, logsumexp

from smearlab.claims._claim import Claim, losses

ORDER = 1
SOURCE = "Lukasik et al. 2020, section 3, figure of the logistic loss against the margin"
ALPHA = 0.2
FAR = 200.0
TOLERANCE = 1e-9


def check() -> Claim:
    """Compare the two-class losses in closed form with M ℓ and with the limits that the paper's figure shows."""
    margins = np.linspace(-6.0, 6.0, 121)
    matrices, closed = from_matrices(margins), closed_forms(margins)
    errors = [np.abs(matrices[name] - closed[name]).max() for name in closed]
    error = float(max(*errors, *shape_errors().values()))
    return Claim(
        claim=(
            "Against the margin, the plain loss falls to 0, the smoothed loss has a finite positive minimum, the "
            "backward loss falls below 0 without bound, and the forward loss levels off for large negative margins."
        ),
        source=SOURCE,
        measured=error,
        tolerance=TOLERANCE,
        holds=error <= TOLERANCE,
        detail=(
            f"Two classes, α = {ALPHA}: closed forms against M ℓ at {len(margins)} margins, the minimum of the "
            "smoothed loss (at log((2 − α)/α), of height the entropy of (α/2, 1 − α/2)) and the slopes and levels "
            f"at margins of ±{FAR:g}; the figure is the largest error."
        ),
        curves={"losses": _rows(margins, closed)},
    )


def closed_forms(margins: np.ndarray, alpha: float = ALPHA) -> dict[str, np.ndarray]:
    """Return the four losses of a margin z = f_y - f_other between two classes, in nats."""
    right, wrong, half = -log_expit(margins), -log_expit(-margins), alpha / 2
    return {
        "plain": right,
        "smoothing": (1 - half) * right + half * wrong,
        "backward": ((1 - half) * right - half * wrong) / (1 - alpha),
        "forward": -np.logaddexp(np.log1p(-alpha) - right, np.log(half)),
    }


def from_matrices(margins: np.ndarray, alpha: float = ALPHA) -> dict[str, np.ndarray]:
    """Return the same losses from their definitions: M ℓ with M = I, T, T⁻¹, and -log (Tᵀ p)_y."""
    by_label = losses(np.stack([margins / 2, -margins / 2], axis=1))
    transition = (1 - alpha) * np.eye(2) + alpha / 2
    return {
        "plain": by_label[:, 0],
        "smoothing": (by_label @ transition.T)[:, 0],
        "backward": (by_label @ np.linalg.inv(transition).T)[:, 0],
        "forward": -logsumexp(np.log(transition)[:, 0] - by_label, axis=1),
    }


def shape_errors(alpha: float = ALPHA) -> dict[str, float]:
    """Return how far minimum, slopes and levels are from what the paper's figure shows."""
    half = alpha / 2

    def at(name: str, margin: float) -> float:
        return float(closed_forms(np.array(margin), alpha)[name])

    fit = minimize_scalar(lambda z: at("smoothing", z), bounds=(0, 30), method="bounded", options={"xatol": 1e-8})
    return {
        "plain vanishes": abs(at("plain", FAR)),
        "plain is linear": abs(at("plain", -FAR) - FAR),
        "smoothing has its minimum": abs(fit.fun - float(entr(half) + entr(1 - half))),
        "smoothing has it there": abs(at("smoothing", np.log((2 - alpha) / alpha)) - fit.fun),
        "backward falls": abs(at("backward", FAR) + FAR * half / (1 - alpha)),
        "forward levels off": abs(at("forward", -FAR) + np.log(half)),
        "forward keeps a floor": abs(at("forward", FAR) + np.log1p(-half)),
    }


def _rows(margins: np.ndarray, losses_by_name: dict[str, np.ndarray]) -> list[dict[str, float | str]]:
    return [
        {"loss": name, "margin": float(z), "value": float(v)}
        for name, values in losses_by_name.items()
        for z, v in zip(margins, values, strict=True)
    ]
