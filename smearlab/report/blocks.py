"""The page's tables: plain texts in rows, made from the tables of the grid."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from smearlab.figures import _cells as cells
from smearlab.figures import _format as text
from smearlab.store.tables import NUMBER_KEYS, TEXT_KEYS, Tables

SLUGS = {
    "helps": "helps",
    "hurts": "hurts",
    "no practical difference": "same",
    "identical": "identical",
    "not enough data": "open",
    "diverged": "diverged",
    "missing": "missing",
    "baseline": "baseline",
    "no baseline": "open",
}
MOST_REPLICATES = 400
MOST_ABSENT = 200
LEAST_KEPT = 0.05  # below this, noisy labels say too little to be turned into clean accuracy


@dataclass(frozen=True)
class Field:
    """One field of a table: its text, the slug of a verdict chip, or a number's alignment."""

    text: str
    chip: str = ""
    note: str = ""
    head: bool = False


@dataclass(frozen=True)
class Table:
    """A table of the page. same: the columns that have one value throughout, said once above it."""

    title: str
    columns: list[str]
    rows: list[list[Field]]
    same: list[tuple[str, str]] = field(default_factory=list)
    kinds: list[str] = field(default_factory=list)
    note: str = ""


@dataclass(frozen=True)
class Glance:
    """Verdicts of one condition and role: a row per method, a column per noise rate."""

    title: str
    rates: list[str]
    rows: list[tuple[str, list[Field | None]]]


def verdict_field(row: pd.Series) -> Field:
    """Return a comparison as a chip with its difference and its n."""
    verdict = row["verdict"] or "missing"
    chip = SLUGS.get(verdict, "open")
    if chip == "missing":
        return Field(verdict, chip)
    if chip == "baseline":
        mean = text.percent(row["mean"])
        return Field(verdict, chip, f"{mean}, n = {row['n_finished']:.0f}")
    if chip == "diverged":
        own = row["n_diverged"] > 0
        return Field(verdict, chip, f"{row['n_diverged']:.0f} of {row['n']:.0f}" if own else "its baseline")
    if math.isnan(row["difference"]):
        return Field(verdict, chip, f"n = {row['n']:.0f}")
    return Field(verdict, chip, f"{text.points(row['difference'])}, n = {row['n_paired']:.0f}")


def glances(tables: Tables) -> list[Glance]:
    """Return the verdicts at a glance, teachers before students, a block per condition."""
    summary, found = tables.summary, []
    all_conditions = cells.conditions(summary)
    for role, what in (
        ("teacher", "Methods against cross-entropy"),
        ("student", "Students, by their teacher's method"),
    ):
        rows = summary[summary["role"] == role]
        for condition in cells.conditions(rows):
            name = cells.condition_name(condition, all_conditions)
            title = f"{what}{f': {name}' if name else ''}"
            found.append(_glance(cells.within(rows, condition), title, role))
    return found


def _glance(rows: pd.DataFrame, title: str, role: str) -> Glance:
    rates = cells.rates(rows)
    by_label: dict[str, dict[str, Field]] = {}
    for _, row in rows.iterrows():
        label = row_label(row, role)
        by_label.setdefault(label, {})[text.rate(row["noise_rate"])] = verdict_field(row)
    names = [text.rate(rate) for rate in rates]
    return Glance(title, names, [(label, [found.get(name) for name in names]) for label, found in by_label.items()])


def place(row: Mapping[str, Any]) -> dict[str, Field]:
    """Return the fields that say where a row's numbers come from, with which most tables begin."""
    return {
        "data set": Field(_or_empty(row["dataset"])),
        "noise": Field(_or_empty(row["noise"]).replace("_", " ")),
        "rate": Field(text.rate(_number(row["noise_rate"]))),
        "recipe": Field(_or_empty(row["recipe"])),
    }


def row_label(row: pd.Series, role: str) -> str:
    """Return a cell's name in a table: the method, and for a student its teacher and its own settings."""
    if role == "teacher":
        return text.method_label(row)
    return f"{text.method_label(row, 'teacher_')} → {text.student_label(row)}"


def numbers(tables: Tables) -> list[Table]:
    """Return all cells with all their numbers, teachers and students apart."""
    means = _metric_means(tables.metrics)
    found = []
    for role, title in (("teacher", "Teachers"), ("student", "Students")):
        rows = tables.summary[tables.summary["role"] == role]
        if len(rows):
            records = [_number_row(row, role, means) for _, row in rows.iterrows()]
            found.append(table(title, records))
    return found


MEASURES = {
    "memorised": "memorised",
    "recovered": "recovered",
    "test_nll": "NLL",
    "test_brier": "Brier",
    "test_ece": "ECE",
    "test_accuracy_selected": "at selected checkpoint",
    "best_on_test_accuracy": "best on test (diagnosis)",
}


def _metric_means(metrics: pd.DataFrame) -> pd.DataFrame:
    finished = cells.finished(metrics)
    return finished.groupby("key")[list(MEASURES)].mean()


def _number_row(row: pd.Series, role: str, means: pd.DataFrame) -> dict[str, Field]:
    record = place(row)
    if role == "student":
        record |= {"teacher": Field(text.method_label(row, "teacher_")), "student": Field(text.student_label(row))}
        record |= {"view": Field(row["view"])}
    else:
        record |= {"method": Field(text.method_label(row))}
    verdict = row["verdict"] or "missing"
    record |= {
        "n": Field(f"{row['n_finished']:.0f}" + (f" of {row['n']:.0f}" if row["n_diverged"] > 0 else "")),
        "accuracy, %": Field(_mean_sd(row["mean"], row["std"])),
        "difference": Field(text.points(row["difference"])),
        "95 % interval": Field(text.interval(row["ci_low"], row["ci_high"])),
        "p": Field(text.p_value(row["p_value"])),
        "p (Holm)": Field("primary" if _is_primary(row) else text.p_value(row["p_holm"])),
        "verdict": Field(verdict, SLUGS.get(verdict, "open")),
    }
    if role == "student":
        record |= {"to its teacher": Field(text.points(row["difference_to_teacher"]))}
        record |= {"to plain": Field(text.points(row["difference_to_plain"]))}
    for column, name in MEASURES.items():
        value = means[column].get(row["key"], math.nan)
        record[name] = Field(text.DASH if math.isnan(value) else _measure(column, value))
    return record | {"replicates needed": Field(_count(row["replicates_needed"]))}


def _measure(column: str, value: float) -> str:
    return f"{value:.3f}" if column in ("test_nll", "test_brier") else text.percent(value)


def _is_primary(row: pd.Series) -> bool:
    return str(row.get("primary", "")).lower() in ("true", "1", "1.0")


def _mean_sd(mean: float, sd: float) -> str:
    if math.isnan(mean):
        return text.DASH
    return f"{100 * mean:.2f}" if math.isnan(sd) else f"{100 * mean:.2f} ± {100 * sd:.2f}"


def _count(value: float) -> str:
    return text.DASH if math.isnan(value) else f"{value:.0f}"


def replicates(tables: Tables) -> Table | None:
    """Return a row per network, for grids small enough; the others have metrics.csv."""
    metrics = tables.metrics
    if not 0 < len(metrics) <= MOST_REPLICATES:
        return None
    return table("Single networks", [_replicate_row(row) for _, row in metrics.iterrows()])


def _replicate_row(row: pd.Series) -> dict[str, Field]:
    label = row_label(row, row["role"])
    return {
        "role": Field(row["role"]),
        **place(row),
        "method": Field(label),
        "noise seed": Field(_count(row["noise_seed"])),
        "seed": Field(_count(row["seed"])),
        "status": Field(row["status"]),
        "realised rate": Field(text.percent(row["realised_noise_rate"], 2)),
        "accuracy": Field(text.percent(row["accuracy"], 2)),
        "memorised": Field(text.percent(row["memorised"])),
        "seconds": Field(text.plain(row["train_seconds"], 1) if row["train_seconds"] == row["train_seconds"] else "–"),
        "images/s": Field(f"{row['images_per_second']:.0f}" if row["images_per_second"] > 0 else text.DASH),
    }


def table(title: str, records: list[dict[str, Field]], note: str = "") -> Table:
    """Return a table of records; columns that say the same in every row are said once, empty ones not at all."""
    columns = list(records[0])
    same, kept = [], []
    for column in columns:
        values = {record[column].text for record in records}
        if len(values) == 1 and not records[0][column].chip and len(records) > 1:
            if values not in ({""}, {text.DASH}):
                same.append((column, values.pop()))
        else:
            kept.append(column)
    rows = [[record[column] for column in kept] for record in records]
    kinds = [_kind([record[column].text for record in records]) for column in kept]
    return Table(title, kept, rows, same, kinds, note)


def _kind(values: list[str]) -> str:
    """How a column is set: numbers to the right, long texts with room."""
    if all(map(_is_number, values)):
        return "num"
    return "long" if max(map(len, values)) > 30 else ""


def _is_number(value: str) -> bool:
    return value in (text.DASH, "primary") or value[:1] in "0123456789+−<"


def advice(tables: Tables) -> Table | None:
    """Return what a user who sees only noisy validation labels would choose, and what that choice is worth."""
    choice = tables.choice
    if not len(choice):
        return None
    records = [_advice_row(row) for _, row in choice.iterrows()]
    return table("Chosen on noisy validation labels", records)


def _advice_row(row: pd.Series) -> dict[str, Field]:
    verdict = _or_empty(row["verdict"]) or "not enough data"
    gain = text.interval(_number(row["ci_low"]), _number(row["ci_high"]))
    cost = text.interval(_number(row["ci_low_cost"]), _number(row["ci_high_cost"]))
    return {
        "role": Field(_or_empty(row["role"])),
        **place(row),
        "advice": Field(_or_empty(row["advice"]).replace("_", " ") or "none", note=_or_empty(row["note"])),
        "chosen in": Field(_chosen_in(row)),
        "n": Field(_count(_number(row["n"]))),
        "gain over cross-entropy": Field(text.points(_number(row["gain"]))),
        "95 % interval": Field(gain),
        "verdict": Field(verdict, SLUGS.get(verdict, "open")),
        "best in hindsight": Field(_or_empty(row["best_in_hindsight"]).replace("_", " ")),
        "lost against it": Field(text.points(_number(row["cost"]))),
        "its 95 % interval": Field(cost),
        "optimism of best on test": Field(text.points(_number(row["optimism_of_best_on_test"]))),
        "of its best epoch": Field(text.points(_number(row["optimism_of_best_checkpoint"]))),
    }


def _chosen_in(row: pd.Series) -> str:
    """Return in how many replicates the advice was chosen, and how many other cells were in the rest."""
    chosen = json.loads(_or_empty(row["chosen"]) or "{}")
    if not chosen:
        return text.DASH
    others = f", {text.counted(len(chosen) - 1, 'other')} elsewhere" if len(chosen) > 1 else ""
    return f"{max(chosen.values())} of {sum(chosen.values())}{others}"


def published(tables: Tables) -> Table | None:
    """Return the grid's accuracies beside published ones, where a cell matches one."""
    reference = tables.reference
    if not len(reference):
        return None
    records = [_published_row(row) for _, row in reference.iterrows()]
    return table("Ours and theirs", records)


def _published_row(row: pd.Series) -> dict[str, Field]:
    theirs = f"{_or_empty(row['paper'])}, {_or_empty(row['place'])}"
    label = row_label(_regular(row), row["role"])
    n = _number(row["their_n"])
    return {
        "data set": Field(_or_empty(row["dataset"])),
        "noise": Field(_or_empty(row["noise"]).replace("_", " ")),
        "rate": Field(text.rate(_number(row["noise_rate"]))),
        "network": Field(_or_empty(row["arch"])),
        "method": Field(label),
        "ours, %": Field(
            _mean_sd(_number(row["mean"]), _number(row["std"])), note=_or_empty(row["ours_is"]).replace("_", " ")
        ),
        "n": Field(_count(_number(row["n"]))),
        "theirs, %": Field(_mean_sd(_number(row["their_mean"]), _number(row["their_std"]))),
        "their n": Field(_count(n) if n == n else text.DASH),
        "difference": Field(text.points(_number(row["difference"]))),
        "in standard errors": Field(_errors(_number(row["standard_errors"]))),
        "their epoch": Field({"last": "last", "best_on_test": "best on test"}.get(row["protocol"], "not stated")),
        "from": Field(theirs, note=_or_empty(row["note"])),
        "confidence": Field(_or_empty(row["confidence"]), note=_or_empty(row["source"])),
    }


def _regular(row: pd.Series) -> pd.Series:
    """Return a row with the keys that names are made of: texts without nulls, numbers with NaN."""
    keys = {**dict.fromkeys(TEXT_KEYS, ""), **dict.fromkeys(NUMBER_KEYS, float("nan"))}
    given = {key: _number(row[key]) if key in NUMBER_KEYS else _or_empty(row[key]) for key in keys if key in row}
    return pd.Series({**keys, **given}, dtype=object)


def _errors(value: float) -> str:
    return text.DASH if value != value else f"{value:+.1f}".replace("-", text.MINUS)


def estimates(tables: Tables) -> Table | None:
    """Return what the estimated transition matrices say of the noise, a row for each."""
    found = tables.context.get("estimates", [])
    if not found:
        return None
    return table("Estimated noise", [_estimate_row(entry, tables) for entry in found])


def _estimate_row(entry: dict[str, Any], tables: Tables) -> dict[str, Field]:
    error = entry["error"]
    return {
        **place(entry),
        "estimator": Field(entry["estimator"].replace("_", " ")),
        "n": Field(str(entry["n"])),
        "estimated share of wrong labels, %": Field(
            _mean_sd(entry["noise_rate_estimated"], _number(entry["noise_rate_std"]))
        ),
        "a point on noisy labels is": Field(_worth(entry["noise_rate_estimated"], len(entry["transition"]))),
        "error of T": Field(text.DASH if error is None else f"{error:.3f}"),
        "most frequent confusions": Field(_confusions(entry["transition"], tables, entry["dataset"])),
    }


def _worth(rate: float, n_classes: int) -> str:
    """Return what a gain of a point on noisy labels is on clean ones, for errors spread evenly over the classes."""
    kept = 1 - rate * n_classes / (n_classes - 1)
    return text.DASH if kept < LEAST_KEPT else f"{1 / kept:.2f} on clean ones"


def _confusions(matrix: list[list[float]], tables: Tables, dataset: str, most: int = 3) -> str:
    """Name the largest entries of T off its diagonal: true → observed, with the probability."""
    names = tables.context.get("datasets", {}).get(dataset, {}).get("class_names") or range(len(matrix))
    pairs = [(p, i, j) for i, row in enumerate(matrix) for j, p in enumerate(row) if i != j]
    largest = sorted(pairs, key=lambda pair: (-pair[0], pair[1:]))[:most]
    return ", ".join(f"“{names[i]}” as “{names[j]}” {text.percent(p)}" for p, i, j in largest)


def spread(tables: Tables) -> list[Table]:
    """Return the variance split and the α × rate interaction, where the grid's design allows them."""
    found = []
    variance = tables.variance
    if len(variance) and variance["std_labels"].notna().any():
        rows = variance[variance["std_labels"].notna()]
        found.append(table("Label luck and training luck", [_variance_row(row) for _, row in rows.iterrows()]))
    interaction = tables.interaction
    if len(interaction) and interaction["slope"].notna().any():
        rows = interaction[interaction["slope"].notna()]
        found.append(table("Does the gain grow with the rate?", [_interaction_row(row) for _, row in rows.iterrows()]))
    return found


def _variance_row(row: pd.Series) -> dict[str, Field]:
    return {
        "role": Field(_or_empty(row["role"])),
        **place(row),
        "method": Field(_loose_label(row)),
        "noise seeds × seeds": Field(f"{_number(row['n_noise_seeds']):.0f} × {_number(row['n_seeds']):.0f}"),
        "sd from labels, points": Field(text.size(_number(row["std_labels"]))),
        "sd from training, points": Field(text.size(_number(row["std_training"]))),
        "rest, points": Field(text.size(_number(row["std_residual"]))),
    }


def _interaction_row(row: pd.Series) -> dict[str, Field]:
    return {
        "data set": Field(_or_empty(row["dataset"])),
        "noise": Field(_or_empty(row["noise"])),
        "recipe": Field(_or_empty(row["recipe"])),
        "α": Field(text.plain(_number(row["alpha"]), 3)),
        "rates": Field(_or_empty(row["rates"])),
        "n": Field(_count(_number(row["n"]))),
        "gain per 10 points of rate": Field(text.points(_number(row["slope"]) / 10, 2)),
        "95 % interval": Field(text.interval(_number(row["ci_low"]) / 10, _number(row["ci_high"]) / 10)),
        "p (Holm)": Field(text.p_value(_number(row["p_holm"]))),
        "finding": Field(_or_empty(row["verdict"])),
    }


def _loose_label(row: pd.Series) -> str:
    keys = ("method", "alpha", "transition", "options")
    names = [f"{prefix}{key}" for prefix in ("", "teacher_") for key in keys]
    values = {name: _or_empty(row[name]) if not name.endswith("alpha") else _number(row[name]) for name in names}
    if row["role"] == "student":
        return f"student of {text.method_label(values, 'teacher_')}"
    return text.method_label(values)


def _or_empty(value: Any) -> str:
    return "" if pd.isna(value) else str(value)


def _number(value: Any) -> float:
    return math.nan if pd.isna(value) else float(value)


def absent(tables: Tables) -> list[Table]:
    """Return what is not there: cells that wait, and networks that diverged, with the reason."""
    found = []
    missing = tables.context.get("missing", [])
    if missing:
        shown = [_absent_row(entry) for entry in missing[:MOST_ABSENT]]
        more = f"The first {MOST_ABSENT} of {len(missing)}." if len(missing) > MOST_ABSENT else ""
        found.append(table(f"Missing ({len(missing)})", shown, more))
    diverged = tables.metrics[tables.metrics["status"] == "diverged"]
    if len(diverged):
        rows = [
            _where(row, row_label(row, row["role"])) | {"seed": Field(_count(row["seed"])), "why": Field(row["reason"])}
            for _, row in diverged.head(MOST_ABSENT).iterrows()
        ]
        found.append(table(f"Diverged ({len(diverged)})", rows))
    return found


def _absent_row(entry: dict[str, Any]) -> dict[str, Field]:
    keys = ("method", "transition", "options", "teacher_method", "teacher_transition", "teacher_options")
    texts = {key: entry.get(key) or "" for key in (*keys, "dataset", "noise", "recipe", "role", "student_labels")}
    numbers_ = {k: _number(entry.get(k)) for k in NUMBER_KEYS}
    row = pd.Series(texts | numbers_)
    extra = {"block": Field(str(entry["block"]))} if entry.get("block") else {}
    return _where(row, row_label(row, row["role"])) | extra | {"why": Field(str(entry.get("why", "")))}


def _where(row: pd.Series, label: str) -> dict[str, Field]:
    return {
        "role": Field(row["role"]),
        **place(row),
        "method": Field(label),
    }


def claims(context: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the computed claims of the paper with their numbers as text."""
    return [
        {
            "claim": claim["claim"],
            "source": claim.get("source", ""),
            "detail": claim.get("detail", ""),
            "measured": f"{claim['measured']:.3g}",
            "tolerance": f"{claim['tolerance']:.3g}",
            "holds": bool(claim["holds"]),
        }
        for claim in context.get("theory", [])
    ]


def cost(tables: Tables) -> Table | None:
    """Return jobs and time per stage, as the jobs' own records have them."""
    stages = tables.context.get("cost", [])
    if not stages:
        return None
    records = [
        {
            "stage": Field(str(stage["stage"])),
            "jobs": Field(f"{stage['jobs']} of {stage['of']}" if "of" in stage else str(stage["jobs"])),
            "wall time": Field(text.duration(_number(stage["seconds"]))),
        }
        for stage in stages
    ]
    total = {"stage": Field("all"), "jobs": Field(str(sum(s["jobs"] for s in stages)))}
    seconds = sum(_number(s["seconds"]) for s in stages)
    return table("Time", [*records, total | {"wall time": Field(text.duration(seconds))}])


def speed(tables: Tables) -> Table | None:
    """Return images per second and training time per recipe, role and device."""
    rows = tables.metrics[tables.metrics["images_per_second"] > 0]
    if not len(rows):
        return None
    records = [
        {
            "recipe": Field(recipe),
            "role": Field(role),
            "device": Field(f"{device} {precision}"),
            "networks": Field(str(len(group))),
            "images/s, median": Field(f"{group['images_per_second'].median():.0f}"),
            "training time, median": Field(text.duration(group["train_seconds"].median())),
        }
        for (recipe, role, device, precision), group in rows.groupby(
            ["recipe", "role", "device", "precision"], sort=False
        )
    ]
    return Table(
        "Speed", list(records[0]), [list(r.values()) for r in records], kinds=["", "", "", "num", "num", "num"]
    )


def settings(value: Any) -> list[tuple[str, str]]:
    """Flatten a setting into (path, text) pairs, in the order of the config."""
    return [(path, shown) for path, shown in _flat(value, "") if path]


def _flat(value: Any, path: str) -> list[tuple[str, str]]:
    if isinstance(value, dict) and value:
        return [pair for key, inner in value.items() for pair in _flat(inner, f"{path}.{key}" if path else str(key))]
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return [pair for i, inner in enumerate(value) for pair in _flat(inner, f"{path}.{i}")]
    if value is None or value in ("", [], {}):
        return []
    return [(path, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))]
