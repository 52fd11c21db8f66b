"""What a grid is judged by, in place of accuracy: the same columns, filled by another measure."""

import numpy as np
import pandas as pd

ACCURACY = "accuracy"
NAMES = {ACCURACY: "accuracy", "balanced_accuracy": "balanced accuracy", "macro_f1": "macro-F1"}
COMPARED = (  # the columns of metrics by which networks are compared, chosen and judged
    "test_accuracy",
    "test_accuracy_noisy",
    "test_accuracy_last",
    "test_accuracy_selected",
    "test_accuracy_label_wave",
    "validation_accuracy_noisy",
    "choice_accuracy_noisy",
    "heldout_accuracy_noisy",
    "best_on_test_accuracy",
)
PLAIN = "plain_accuracy"


def judged_by(metrics: pd.DataFrame, measure: str) -> pd.DataFrame:
    """Return a table of metrics whose columns COMPARED hold a measure; the accuracy itself goes to `plain_accuracy`."""
    if measure == ACCURACY:
        return metrics
    absent = pd.Series(np.nan, index=metrics.index)
    values = {name: metrics.get(column_of(name, measure), absent) for name in COMPARED if name in metrics}
    return metrics.assign(**{PLAIN: metrics.get("test_accuracy", absent)}, **values)


def renamed(table: pd.DataFrame, measure: str) -> pd.DataFrame:
    """Return a table of statistics that says in its column `measure` which column of metrics was compared."""
    if measure == ACCURACY or "measure" not in table:
        return table
    return table.assign(measure=[column_of(name, measure) for name in table["measure"]])


def column_of(column: str, measure: str) -> str:
    """Return the column of metrics that holds a measure where `column` holds the accuracy."""
    return column.replace(ACCURACY, measure)
