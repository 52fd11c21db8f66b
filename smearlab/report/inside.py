"""What the page shows of the inside of networks: some methods side by side, then every cell."""

import math

import numpy as np
import pandas as pd

from smearlab.figures import _cells as cells
from smearlab.figures import _format as text
from smearlab.report import words
from smearlab.report.blocks import Field, Table, place, row_label, table
from smearlab.statistics.passed_on import COUNTS
from smearlab.store.tables import METRIC_NUMBERS, NUMBER_KEYS, Tables

MOST_METHODS = 8
MOST_CELLS = 400
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
    "test_ece_scaled": "ECE after temperature scaling",
    "fitted_temperature": "temperature fitted",
    "test_nll": "NLL",
    "test_nll_scaled": "NLL after temperature scaling",
    "student_teacher_agreement": "agreement with its teacher",
}
SHARES = {
    *("train_accuracy_right_part", "train_accuracy_wrong_part", "train_accuracy_clean"),
    *("test_confidence", "train_right_confidence", "train_wrong_confidence", "test_ece", "test_ece_scaled"),
    "student_teacher_agreement",
}
SAID = ("logit_spread", "weight_norm", "feature_tightness", "margin_wrong_part", "test_ece", "test_ece_scaled")
NAMED_ELSEWHERE = {*METRIC_NUMBERS, *NUMBER_KEYS, *COUNTS, *QUANTITIES, "accuracy", "accepted"}


def side_by_side(tables: Tables) -> Table | None:
    """Return the quantities of the methods at the headline's highest noise rate, a column for each method."""
    panel = _panel(tables)
    if panel is None:
        return None
    rows = cells.ends(panel.summary, MOST_METHODS)
    found = {text.method_label(row): _values(panel.metrics, row["key"]) for _, row in rows.iterrows()}
    found = {label: values for label, values in found.items() if len(values)}
    known = [name for name in QUANTITIES if any(values[name].notna().any() for values in found.values())]
    if not known:
        return None
    records = [
        {"quantity": Field(QUANTITIES[name] + (", %" if name in SHARES else ""))}
        | {label: Field(_mean_sd(values[name], name)) for label, values in found.items()}
        for name in known
    ]
    columns = list(records[0])
    kinds = ["", *["num"] * (len(columns) - 1)]
    n = pd.Series([len(values) for values in found.values()])
    note = f"Mean ± standard deviation over replicates ({cells.n_range(n)}), teachers at {panel.title}."
    return Table("Side by side", columns, [list(r.values()) for r in records], [], kinds, note)


def sentences(tables: Tables) -> list[str]:
    """Say what the headline smoothing changes inside, beside cross-entropy in the same place."""
    panel = _panel(tables)
    if panel is None:
        return []
    smoothed = words.primary_rows(panel.summary, words.facts(tables)).head(1)
    plain = cells.plain_rows(panel.summary).head(1)
    if not len(smoothed) or not len(plain):
        return []
    sides = [_values(panel.metrics, row["key"].iloc[0]) for row in (plain, smoothed)]
    changes = [
        f"{QUANTITIES[name]} {_mean(sides[0][name], name)} → {_mean(sides[1][name], name)}"
        for name in SAID
        if all(values[name].notna().any() for values in sides)
    ]
    if not changes:
        return []
    n = cells.n_range(pd.Series([len(values) for values in sides]))
    method = text.method_phrase(smoothed.iloc[0])
    return [f"At {panel.title}, from cross-entropy to {method}: {'; '.join(changes)}. Means, {n}, not tested."]


def every_cell(tables: Tables) -> list[Table]:
    """Return the means of all quantities for every cell, teachers and students apart; none in a very large grid."""
    found = []
    for role, title in (("teacher", "Teachers, inside"), ("student", "Students, inside")):
        rows = tables.summary[(tables.summary["role"] == role) & (tables.summary["n_finished"] > 0)]
        if 0 < len(rows) <= MOST_CELLS:
            metrics = cells.finished(tables.metrics)
            further = _further(metrics)
            records = [_cell_row(row, role, _values(metrics, row["key"], further)) for _, row in rows.iterrows()]
            found.append(table(title, records))
    return found


def _panel(tables: Tables) -> cells.Panel | None:
    """The headline's condition at its highest rate; without a headline the last noisy one, else the last."""
    noisy = cells.select(tables, "teacher", noisy_only=True)[0] or cells.select(tables, "teacher")[0]
    computed = [panel for panel in noisy if len(panel.metrics)]
    headline = words.primary_rows(tables.summary, words.facts(tables))
    keys = set(headline["key"])
    with_headline = [panel for panel in computed if keys & set(panel.metrics["key"])]
    return (with_headline or computed or [None])[-1]


def _values(metrics: pd.DataFrame, key: str, further: tuple[str, ...] = ()) -> pd.DataFrame:
    """Return all quantities of the replicates of one cell, NaN where they were not measured."""
    rows = metrics[metrics["key"] == key].reindex(columns=[*QUANTITIES, *further])
    return rows.apply(lambda column: pd.to_numeric(column, errors="coerce").astype("Float64").astype(float))


def _further(metrics: pd.DataFrame) -> tuple[str, ...]:
    """Return the measured columns that stand nowhere else on the page, those of a user's own metric among them."""
    numeric = [name for name in metrics.columns if pd.api.types.is_numeric_dtype(metrics[name])]
    return tuple(name for name in numeric if name not in NAMED_ELSEWHERE)


def _cell_row(row: pd.Series, role: str, values: pd.DataFrame) -> dict[str, Field]:
    names = {name: QUANTITIES[name] + (", %" if name in SHARES else "") for name in QUANTITIES}
    return {
        **place(row),
        ("method" if role == "teacher" else "teacher → student"): Field(row_label(row, role)),
        "n": Field(str(len(values))),
        **{names.get(column, column): Field(_mean(values[column], column, unit="")) for column in values},
    }


def _mean(values: pd.Series, name: str, unit: str = " %") -> str:
    mean = values.mean()
    if math.isnan(mean):
        return text.DASH
    return f"{_short(100 * mean, 1)}{unit}" if name in SHARES else _short(mean)


def _mean_sd(values: pd.Series, name: str) -> str:
    mean, sd, scale = values.mean(), values.std(), 100 if name in SHARES else 1
    if math.isnan(mean):
        return text.DASH
    digits = 1 if name in SHARES else _digits(mean)
    spread = "" if math.isnan(sd) else f" ± {_short(scale * sd, digits)}"
    return _short(scale * mean, digits) + spread


def _short(value: float, digits: int | None = None) -> str:
    return f"{value:.{_digits(value) if digits is None else digits}f}".replace("-", text.MINUS)


def _digits(value: float) -> int:
    """Return the decimals that leave three digits that count: 2.38, 23.8, 238."""
    return int(np.clip(2 - np.floor(np.log10(abs(value))), 0, 4)) if value else 2
