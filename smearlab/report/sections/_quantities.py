"""The quantities measured inside networks: their names, their values of one cell, and how they are written."""

import math

import numpy as np
import pandas as pd

from smearlab.figures import _format as text

QUANTITIES = {
    "train_accuracy_right_part": "train accuracy on right labels",
    "train_accuracy_wrong_part": "train accuracy on wrong labels",
    "train_accuracy_clean": "train accuracy on true labels",
    "margin_right_part": "margin of right labels",
    "margin_wrong_part": "margin of wrong labels",
    "logit_norm": "logit norm",
    "logit_spread": "logit spread",
    "omega": "Ω",
    "weight_norm": "weight norm",
    "head_weight_norm": "weight norm of the last layer",
    "feature_tightness": "class tightness",
    "test_confidence": "confidence on test",
    "train_right_confidence": "confidence on right labels",
    "train_wrong_confidence": "confidence on wrong labels",
    "test_ece": "ECE",
    "test_ece_floor": "ECE that calibrated networks would show here",
    "test_ece_scaled": "ECE after temperature scaling",
    "test_ece_scaled_estimated_t": "ECE after scaling through T estimated",
    "test_ece_scaled_true_t": "ECE after scaling through the true T",
    "fitted_temperature": "temperature fitted",
    "test_nll": "NLL",
    "test_nll_scaled": "NLL after temperature scaling",
    "student_teacher_agreement": "agreement with its teacher",
}
SHARES = {
    *("train_accuracy_right_part", "train_accuracy_wrong_part", "train_accuracy_clean"),
    *("test_confidence", "train_right_confidence", "train_wrong_confidence", "test_ece", "test_ece_floor"),
    *("test_ece_scaled", "test_ece_scaled_estimated_t", "test_ece_scaled_true_t"),
    "student_teacher_agreement",
}


def title(name: str) -> str:
    """Return the heading of a quantity with its unit; of a user's own metric its column's name."""
    return QUANTITIES.get(name, name) + (", %" if name in SHARES else "")


def values_of(metrics: pd.DataFrame, key: str, further: tuple[str, ...] = ()) -> pd.DataFrame:
    """Return all quantities of the replicates of one cell, NaN where they were not measured."""
    rows = metrics[metrics["key"] == key].reindex(columns=[*QUANTITIES, *further])
    return pd.DataFrame({name: _numbers(rows[name]) for name in rows}, index=rows.index)


def _numbers(values: pd.Series) -> pd.Series:
    return pd.to_numeric(values, errors="coerce").astype("Float64").astype(float)


def mean(values: pd.Series, name: str, unit: str = " %") -> str:
    """Return the mean of a quantity, shares in percent; a dash where it was not measured."""
    found = values.mean()
    if math.isnan(found):
        return text.DASH
    return f"{short(100 * found, 1)}{unit}" if name in SHARES else short(found)


def mean_and_deviation(values: pd.Series, name: str) -> str:
    """Return mean ± standard deviation of a quantity with the digits of the mean, shares in percent."""
    found, deviation, scale = values.mean(), values.std(), 100 if name in SHARES else 1
    if math.isnan(found):
        return text.DASH
    digits = 1 if name in SHARES else _digits(found)
    spread = "" if math.isnan(deviation) else f" ± {short(scale * deviation, digits)}"
    return short(scale * found, digits) + spread


def short(value: float, digits: int | None = None) -> str:
    """Return a number with so many decimals, else with three digits that count: 2.38, 23.8, 238."""
    return f"{value:.{_digits(value) if digits is None else digits}f}".replace("-", text.MINUS)


def _digits(value: float) -> int:
    """Return the decimals that leave three digits that count."""
    return int(np.clip(2 - np.floor(np.log10(abs(value))), 0, 4)) if value else 2
