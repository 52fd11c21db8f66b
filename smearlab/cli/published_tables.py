"""Tables of the docs that set published runs beside each other."""

from pathlib import Path
from typing import Any

import pandas as pd

from smearlab.cli import suspects
from smearlab.figures import _cells as cells
from smearlab.figures import _format as text
from smearlab.grid.dag import COLLECTED
from smearlab.statistics.verdict import HELPS, HURTS
from smearlab.store.tables import read_csv

Criteria = dict[str, Any]
CLIPPED = '{"clip":1e-07}'
STRONG = 0.4
SYMMETRIC_RUNS = {
    "digits": "handwritten digits",
    "cifar10_cpu": "CIFAR-10, 10,000 images",
    "cifar100_cpu": "CIFAR-100, 10,000 images",
}
PLAIN: Criteria = {"method": "cross_entropy"}
TREATED: dict[str, Criteria] = {
    "label smoothing 0.1 (the paper's)": {"method": "label_smoothing", "alpha": 0.1},
    "label smoothing 0.4": {"method": "label_smoothing", "alpha": 0.4},
    "label smoothing 0.8": {"method": "label_smoothing", "alpha": 0.8},
    "forward correction with the matched T": {"method": "forward", "transition": "matched"},
    "backward correction with the matched T, clipped": {
        "method": "backward",
        "transition": "matched",
        "options": CLIPPED,
    },
    "backward correction with the matched T, bare formula": {"method": "backward", "transition": "matched"},
}
HEADLINE = TREATED["label smoothing 0.1 (the paper's)"]
SHORT = ("label smoothing 0.1 (the paper's)", "label smoothing 0.8", "forward correction with the matched T")
STUDENT: Criteria = {
    "role": "student",
    "method": "cross_entropy",
    "teacher_method": "label_smoothing",
    "teacher_alpha": 0.4,
    "temperature": 4,
}
NOISES = {
    "digits: symmetric": ("digits_noise", "symmetric", 0.4),
    "digits: pair flip": ("digits_noise", "pair_flip", 0.4),
    "digits: asymmetric (20 % of all labels)": ("digits_noise", "asymmetric", 0.4),
    "digits: instance-dependent": ("digits_noise", "instance_dependent", 0.4),
    "digits: its matched twin (same counts of true and observed, no link to the image)": ("digits_noise", "twin", 0.4),
    "CIFAR-10, 10,000 images: human (CIFAR-10N, worst)": ("cifar10_human_cpu", "human", None),
    "CIFAR-10, 10,000 images: its matched twin": ("cifar10_human_cpu", "human_twin", None),
    "CIFAR-100, 10,000 images: within superclasses": ("cifar100_cpu", "within_superclass", 0.4),
    "CIFAR-100, 12,000 images: human (CIFAR-100N)": ("cifar100_human_cpu", "human", None),
    "CIFAR-100, 12,000 images: its matched twin": ("cifar100_human_cpu", "human_twin", None),
    "the 20 superclasses of CIFAR-100: human": ("cifar100_coarse_cpu", "human", None),
    "the 20 superclasses of CIFAR-100: its matched twin": ("cifar100_coarse_cpu", "human_twin", None),
}
NOISE_COLUMNS: dict[str, Criteria] = {
    "smoothing 0.1": {"method": "label_smoothing", "alpha": 0.1},
    "smoothing 0.8": {"method": "label_smoothing", "alpha": 0.8},
    "forward, true T": {"method": "forward", "transition": "true"},
    "forward, T estimated (anchor)": {"method": "forward", "transition": "estimated(anchor)"},
}
HEADLINES = {
    "digits": "the default grid",
    "digits_headline": "more replicates",
    "digits_splits": "as many replicates, each of a split of its own",
}
RULES = {"last epoch": "", "stopped early": "_selected", "stopped by Label Wave": "_label_wave"}
EARLY = "the same, stopped early"
MARKS = {HELPS: " ✓", HURTS: " ✗"}
OWN = ("own_noisy_digits", "own_noisy_digits_gold")


def symmetric(folder: Path, extent: str = "long") -> str:
    """Return methods in rows and data sets in columns at 40 % symmetric noise; extent: short or long."""
    named = {run: title for run, title in SYMMETRIC_RUNS.items() if (folder / run / "summary.csv").is_file()}
    summaries = [read_csv(folder / run / "summary.csv") for run in named]
    tables = [_at(summary, "symmetric", STRONG) for summary in summaries]
    methods = SHORT if extent == "short" else tuple(TREATED)
    rows = [["cross-entropy", *(_mean(_one(table, PLAIN)) for table in tables)]]
    for name in methods:
        rows.append([name, *(_judged(_one(table, TREATED[name]), whole=True) for table in tables)])
        if name.startswith("label smoothing 0.1"):
            rows.append([EARLY, *(_judged(_one(table, TREATED[name]), "_selected", whole=True) for table in tables)])
    if extent == "long":
        student = "student of a smoothed (0.4) teacher against the student of a plain one, τ = 4"
        rows.append([student, *(_judged(_one(table, STUDENT), whole=True) for table in tables)])
    rows.append(["wrong labels memorised by cross-entropy at the end", *(_memorised(folder / run) for run in named)])
    return _table(["40 % symmetric noise", *named.values()], rows)


def headlines(folder: Path) -> str:
    """Return what smoothing of 0.1 does to digits by every stopping rule, with few and with many replicates."""
    rows = []
    for run, named in HEADLINES.items():
        if (folder / run / "summary.csv").is_file():
            summary = read_csv(folder / run / "summary.csv")
            found = [_one(_at(summary, "symmetric", rate), HEADLINE) for rate in sorted(_rates(summary))]
            rows += [_headline(named, row) for row in found if row is not None]
    return _table(["grid", "noise", "n", *RULES, "other examples, last epoch"], rows)


def _rates(summary: pd.DataFrame) -> set[float]:
    return set(summary.loc[summary["noise"] == "symmetric", "noise_rate"].dropna())


def _headline(named: str, row: pd.Series) -> list[str]:
    others = text.interval(row["ci_low_examples"], row["ci_high_examples"])
    judged = [_judged(row, rule, whole=True) for rule in RULES.values()]
    return [named, text.percent(row["noise_rate"], 0), str(row["n"]), *judged, others]


def noises(folder: Path) -> str:
    """Return noises in rows and methods in columns, at 40 % or as given, with marks for verdicts."""
    there = {name: place for name, place in NOISES.items() if (folder / place[0] / "summary.csv").is_file()}
    rows = []
    for name, (run, noise, rate) in there.items():
        table = _at(read_csv(folder / run / "summary.csv"), noise, rate)
        fields = [_judged(_one(table, criteria)) for criteria in NOISE_COLUMNS.values()]
        rows.append([name, _mean(_one(table, PLAIN)), *fields])
    return _table(["noise", "cross-entropy", *NOISE_COLUMNS], rows)


def found_wrong(folder: Path) -> str:
    """Return how well suspect labels are the wrong ones, of every published run that says so, by noise."""
    runs = sorted(path.parent for path in folder.glob(f"*/{COLLECTED['suspects_by_noise']}"))
    known = [run for run in runs if read_csv(run / COLLECTED["suspects_by_noise"])["auc"].notna().any()]
    return "\n".join(suspects.table([str(run) for run in known])) if known else "No published run says it yet."


def own_labels(folder: Path) -> str:
    """Return what the two pages of the worked example say of each method, and beside it what the truth says."""
    given, gold = (read_csv(folder / run / "summary.csv") for run in OWN)
    truth = pd.read_csv(folder / OWN[0] / "truth.csv")
    gains = truth[truth["what"] == "gain on true labels"]
    ours = [row for _, row in given[given["verdict"] != "baseline"].iterrows()]
    rows = [_own_row(row, gold, gains.iloc[k]) for k, row in enumerate(ours)]
    return _table(["method", "agreement with the labels given", "200 gold labels", "the truth: all 533"], rows)


def own_noise(folder: Path) -> str:
    """Return what the suspects and the estimated T of the worked example are worth by the truth."""
    truth = pd.read_csv(folder / OWN[0] / "truth.csv")
    said = truth[~truth["what"].isin(["gain on true labels", "accuracy of cross-entropy"])]
    rows = [[_noise_name(row), _noise_value(row)] for _, row in said.iterrows()]
    return _table([f"{int(said['n'].iloc[0])} training examples", "by the truth"], rows)


def _noise_name(row: pd.Series) -> str:
    return row["what"] if pd.isna(row["transition"]) else f"{row['what']}, {row['transition']} (total variation)"


def _noise_value(row: pd.Series) -> str:
    shares = row["what"].startswith("wrong")
    return text.percent(row["value"]) if shares else f"{row['value']:.2f}"


def _own_row(row: pd.Series, gold: pd.DataFrame, gain: pd.Series) -> list[str]:
    judged = gold[gold["cell"] == row["cell"]].iloc[0]
    return [
        text.method_label(row.fillna({"transition": "", "options": ""})),
        f"{text.points(row['difference'])}, {row['verdict'].removesuffix(' with the labels given')}",
        _judged(judged, whole=True),
        f"{text.points(gain['value'])} ({text.interval(gain['low'], gain['high'])})",
    ]


def _at(summary: pd.DataFrame, noise: str, rate: float | None) -> pd.DataFrame:
    found = summary[(summary["noise"] == noise) & (summary["recipe"] == summary["recipe"].iloc[0])]
    return found[found["noise_rate"].isna()] if rate is None else found[found["noise_rate"] == rate]


def _one(table: pd.DataFrame, criteria: Criteria) -> pd.Series | None:
    """Return the row of a method; keys that criteria do not name must not apply, None where there is no such row."""
    wanted = {"role": "teacher", "alpha": None, "transition": None, "options": None, "temperature": None, **criteria}
    for column, value in wanted.items():
        table = table[table[column].isna() | (table[column] == "")] if value is None else table[table[column] == value]
    return table.iloc[0] if len(table) else None


def _mean(row: pd.Series | None) -> str:
    return text.DASH if row is None else text.percent(row["mean"])


def _judged(row: pd.Series | None, rule: str = "", *, whole: bool = False) -> str:
    """Return a difference with its interval and verdict, or with a mark alone."""
    if row is None or pd.isna(row.get(f"difference{rule}")):
        return text.DASH
    difference = text.points(row[f"difference{rule}"])
    if not whole:
        return difference + MARKS.get(row["verdict"], "")
    return f"{difference} ({text.interval(*_ends(row, rule))}), {row[f'verdict{rule}']}"


def _ends(row: pd.Series, rule: str) -> tuple[float, float]:
    """Return the interval of a difference, of one stopping rule, as the page has it beside the verdict."""
    kinds = ("ci_low_simultaneous", "ci_high_simultaneous", "ci_low", "ci_high")
    return cells.ends_beside(pd.Series({kind: row.get(f"{kind}{rule}") for kind in kinds}))


def _memorised(run: Path) -> str:
    metrics = read_csv(run / "metrics.csv")
    plain = metrics[(metrics["role"] == "teacher") & (metrics["method"] == "cross_entropy")]
    return text.percent(_at(plain, "symmetric", STRONG)["memorised"].mean(), 0)


def _table(head: list[str], rows: list[list[str]]) -> str:
    """Return a table without the rows that say nothing."""
    lines = [head, ["---"] * len(head), *(row for row in rows if set(row[1:]) != {text.DASH})]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
