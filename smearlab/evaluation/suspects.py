"""Labels that out-of-sample networks contradict: each training example with a score, the worst first.

The score is cleanlab's label quality (Northcutt, Jiang & Chuang 2021), on probabilities from networks that did not see
the example: the normalised margin, (p of the label given - the largest other + 1) / 2, from 0, surely wrong, to 1.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from cleanlab.rank import get_label_quality_scores
from sklearn.metrics import roc_auc_score

from smearlab.core import columns

MOST_LOOKED_AT = 100
COLUMNS = columns.names(columns.SUSPECTS, columns.COUNT, columns.ANSWER, columns.BESIDE)


def scored(
    rows: np.ndarray,
    observed: np.ndarray,
    probabilities: np.ndarray,
    true: np.ndarray,
    class_names: Sequence[str],
    names: Sequence[str] = (),
) -> pd.DataFrame:
    """Return a row per training example with COLUMNS, the most suspect first.

    rows int (n,): places in the data set's own order, which `names` are by. observed int (R, n), probabilities
    (R, n, L), out of sample, by replicate; true int (n,), -1 unknown, then empty. The label given is that of the first
    replicate; only replicates that gave the same one speak of an example. agreement: the share of these that predict
    another label than the one given. Equal scores stay in the order of the rows.
    """
    scores, agreement, mean = _by_example(observed, probabilities)
    scores = scores.round(6)
    order = np.argsort(scores, kind="stable")
    text = np.array([*class_names, ""], dtype=object)
    frame = {
        "row": rows,
        "name": [names[row] if len(names) else "" for row in rows.tolist()],
        "given": text[observed[0]],
        "predicted": text[mean.argmax(axis=1)],
        "score": scores,
        "agreement": agreement.round(4),
        "true": text[true],
    }
    return pd.DataFrame(frame, columns=list(COLUMNS)).iloc[order].reset_index(drop=True)


def _by_example(observed: np.ndarray, probabilities: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the mean score (n,), the share that predicts otherwise (n,) and the mean probabilities (n, L)."""
    speaks = observed == observed[0]
    by_replicate = [_quality(labels, values) for labels, values in zip(observed, probabilities, strict=True)]
    scores = np.average(by_replicate, axis=0, weights=speaks)
    differs = np.average(probabilities.argmax(axis=2) != observed, axis=0, weights=speaks)
    mean = np.average(
        probabilities.astype(np.float64), axis=0, weights=speaks[..., None] * np.ones(probabilities.shape)
    )
    return scores, differs, mean


def _quality(labels: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    values = probabilities.astype(np.float64)
    found = get_label_quality_scores(labels, values / values.sum(axis=1, keepdims=True), method="normalized_margin")
    return np.asarray(found, dtype=np.float64)


def against_truth(suspects: pd.DataFrame) -> dict[str, float | int | None]:
    """Return how well the scores find the wrong labels, of the examples whose true label is known.

    n, n_wrong; precision_at_100: of the 100 most suspect (of all, if fewer) the share that is wrong;
    precision_at_wrong: the same of as many as are wrong, 1 for a perfect order; auc: the chance that a wrong label is
    more suspect than a right one. None where every label is right, or every one wrong.
    """
    known = suspects[suspects["true"] != ""]
    wrong = (known["given"] != known["true"]).to_numpy()
    nothing: dict[str, float | int | None] = {
        "n": len(known),
        "n_wrong": int(wrong.sum()),
        "precision_at_100": None,
        "precision_at_wrong": None,
        "auc": None,
    }
    if not len(known) or wrong.all() or not wrong.any():
        return nothing
    auc = float(roc_auc_score(wrong, -known["score"].to_numpy()))
    first = {"precision_at_100": MOST_LOOKED_AT, "precision_at_wrong": int(wrong.sum())}
    return {**nothing, **{name: float(wrong[:k].mean()) for name, k in first.items()}, "auc": auc}


def pairs(suspects: pd.DataFrame, most: int) -> list[tuple[str, str, pd.DataFrame]]:
    """Return (label given, predicted, the rows) of the most frequent confusions among the contradicted labels."""
    doubted = suspects[suspects["given"] != suspects["predicted"]]
    counts = doubted.groupby(["given", "predicted"], sort=True).size().sort_values(ascending=False, kind="stable")
    return [
        (given, predicted, doubted[(doubted["given"] == given) & (doubted["predicted"] == predicted)])
        for given, predicted in counts.index[:most]
    ]
