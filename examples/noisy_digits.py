"""Noisy labels of one's own, made where the truth is known: docs/worked-example.md walks through what comes of them.

`make` writes what a practitioner would have, data/noisy-digits.npz: scikit-learn's handwritten digits, and the labels
of an older classifier that learned from two of each (left out); and, kept aside, the truth (-truth.csv).
`label TABLE` fills in the table that `python -m smearlab gold` drew, in place of a person who looks at the pictures.
`judge NAME` writes results/NAME/truth.csv, or --out: gains on all test labels, suspects that are wrong, errors of T.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression

from smearlab.evaluation.suspects import against_truth
from smearlab.grid.cells import Grid, Row
from smearlab.grid.dag import EXAMPLES
from smearlab.grid.find import find_grid
from smearlab.statistics.paired import Difference
from smearlab.store.dataset import TRAIN, read_test, read_training
from smearlab.store.examples import read_predicted
from smearlab.store.files import read_sealed

IMAGES, TRUTH = Path("data/noisy-digits.npz"), Path("data/noisy-digits-truth.csv")
SEEN = 2  # of each digit
NAMING = ["method", "alpha", "transition"]


def annotated() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return images uint8 (1777, 8, 8), true labels and the annotator's, both int (1777,)."""
    digits = load_digits()
    order = np.random.default_rng(0).permutation(len(digits.target))
    pixels, true = digits.data[order] / 16, digits.target[order]
    seen = np.concatenate([np.flatnonzero(true == digit)[:SEEN] for digit in range(10)])
    annotator = LogisticRegression(max_iter=1000).fit(pixels[seen], true[seen])
    rest = np.setdiff1d(np.arange(len(true)), seen)
    images = (digits.images[order] * 255 / 16).astype(np.uint8)
    return images[rest], true[rest], annotator.predict(pixels[rest])


def make() -> None:
    """Write the images with the annotator's labels, and the truth beside them."""
    images, true, given = annotated()
    IMAGES.parent.mkdir(exist_ok=True)
    np.savez(IMAGES, images=images, noisy_labels=given)
    pd.DataFrame({"row": range(len(true)), "label": true}).to_csv(TRUTH, index=False)
    print(f"{IMAGES}: {len(images)} images, and the labels that an annotator gave them")
    print(
        f"{TRUTH}: the truth, by which {(true != given).sum()} of these labels are wrong ({(true != given).mean():.1%})"
    )


def label(table: str) -> None:
    """Fill in the column `label` of a drawn table."""
    drawn = pd.read_csv(table, dtype=str, keep_default_na=False)
    truth = pd.read_csv(TRUTH, index_col="row")["label"]
    drawn["label"] = truth.loc[drawn["row"].astype(int)].to_numpy()
    drawn.to_csv(table, index=False)
    differ = (drawn["label"] != drawn["given"].astype(int)).sum()
    print(f"{table}: {len(drawn)} labels filled in, {differ} of them other than the one given")


def judge(name: str, out: Path | None = None) -> None:
    """Say what the truth says of a finished grid, and write it down."""
    grid, truth = find_grid(name), pd.read_csv(TRUTH, index_col="row")["label"]
    folder = Path("results", grid.name)
    told = pd.concat([_gains(grid, truth), _suspects(folder, truth), _transitions(grid, folder, truth)])
    told.to_csv(out or folder / "truth.csv", index=False, lineterminator="\n", float_format="%.6f")
    print(told.to_string(index=False, na_rep=""))


def _gains(grid: Grid, truth: pd.Series) -> pd.DataFrame:
    """The gain of each method over cross-entropy on all test labels that are true: mean, interval and pairs above 0."""
    test = read_test(Path("results/data", grid.rows[0].cell.labels.dataset.id))
    true = truth.loc[test.source_index].to_numpy()
    right = [(row.columns, (_predicted(grid, row) == true).mean(axis=1)) for row in grid.rows]
    plain = next(shares for columns, shares in right if columns["method"] == "cross_entropy")
    others = [(columns, shares - plain) for columns, shares in right if columns["method"] != "cross_entropy"]
    named = [
        {key: columns[key] for key in NAMING}
        | {"value": gains.mean(), "above_0": (gains > 0).mean()}
        | dict(zip(("low", "high"), Difference(tuple(gains)).interval() or (None, None), strict=True))
        for columns, gains in others
    ]
    head = pd.DataFrame({"what": ["accuracy of cross-entropy"], "value": [plain.mean()]})
    return pd.concat([head, pd.DataFrame(named).assign(what="gain on true labels")]).assign(n=len(true))


def _predicted(grid: Grid, row: Row) -> np.ndarray:
    files = [Path(row.cell.folder(block), EXAMPLES) for block in grid.blocks(row.cell)]
    return read_predicted(files, "test", row.cell.labels.dataset.n_classes).classes


def _suspects(folder: Path, truth: pd.Series) -> pd.DataFrame:
    """The share of wrong labels in training, among the 100 most suspect, and the AUC of the scores."""
    found = pd.read_csv(folder / "suspects.csv")
    worth = against_truth(found.assign(true=truth.loc[found["row"]].to_numpy()))
    said = {
        "wrong labels in training": worth["n_wrong"] / worth["n"],
        "wrong among the 100 most suspect": worth["precision_at_100"],
        "AUC of the scores": worth["auc"],
    }
    return pd.DataFrame({"what": said.keys(), "value": said.values(), "n": len(found)})


def _transitions(grid: Grid, folder: Path, truth: pd.Series) -> pd.DataFrame:
    """How far each estimated T is from that of the training labels: the mean over classes of the total variation."""
    training = read_training(Path("results/data", grid.rows[0].cell.labels.dataset.id))
    mine = training.part == TRAIN
    true, given = truth.loc[training.source_index[mine]].to_numpy(), training.noisy_labels[mine]
    counts = np.zeros((10, 10))
    np.add.at(counts, (true, given), 1)
    matrix = counts / counts.sum(axis=1, keepdims=True)
    entries = read_sealed(folder / "context.json")["estimates"]
    return pd.DataFrame(
        {
            "what": "error of T",
            "transition": [f"estimated({entry['estimator']})" for entry in entries],
            "value": [np.abs(np.array(entry["transition"]) - matrix).sum(axis=1).mean() / 2 for entry in entries],
            "n": int(mine.sum()),
        }
    )


def main() -> None:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("make")
    commands.add_parser("label").add_argument("table")
    judging = commands.add_parser("judge")
    judging.add_argument("name")
    judging.add_argument("--out", type=Path)
    given = vars(parser.parse_args())
    {"make": make, "label": label, "judge": judge}[given.pop("command")](**given)


if __name__ == "__main__":
    main()
