"""The answer of a grid: its statistics, from its table to its summary files."""

from pathlib import Path
from typing import Any

import pandas as pd

from smearlab.core.jobs import StatisticsJob
from smearlab.reference.compare import beside
from smearlab.reference.nearby import nearby
from smearlab.statistics.drawn import hits_of
from smearlab.statistics.families import with_families
from smearlab.statistics.interaction import interaction
from smearlab.statistics.mitigation import mitigation
from smearlab.statistics.own_treatment import own_treatment
from smearlab.statistics.passed_on import passed_on
from smearlab.statistics.pooled import pooled
from smearlab.statistics.rivals import rivals
from smearlab.statistics.robustness import robustness
from smearlab.statistics.selection import choose_on_validation
from smearlab.statistics.stopping import stopping
from smearlab.statistics.summary import summarise
from smearlab.statistics.variance import variance_split
from smearlab.store.correct import read_correct
from smearlab.store.files import check_files, read_sealed, sha256_file, write_sealed, write_text
from smearlab.store.inputs import Files
from smearlab.store.measure import ACCURACY, judged_by, renamed


def summarise_grid(folder: Path, job: StatisticsJob) -> None:
    """Write summary.csv and the tables of the further statistics beside metrics.parquet.

    These are variance.csv, interaction.csv, choice.csv, passed_on.csv, stopping.csv, mitigation.csv, rivals.csv,
    own_treatment.csv, robustness.csv, pooled.csv and reference.csv; summary.json holds the hashes of all. The job's
    measure is what everything is judged by; published numbers are accuracies, and stand beside no other one.
    """
    primary, margin, measure = job.primary, job.margin, job.measure
    context = read_sealed(folder / "context.json", "cells")
    check_files(folder, context.get("sha256", {}), "context.json")
    hits = hits_of(read_gold_rows(folder))
    metrics = with_families(judged_by(pd.read_parquet(folder / "metrics.parquet"), measure), job.named_families)
    whole = metrics[~metrics["cell"].isin(hits)]  # what takes the test examples for given says nothing on a gold set
    if measure != ACCURACY:  # of which only the hits of each example are stored
        metrics.loc[metrics["cell"].isin(hits), "test_accuracy"] = pd.NA
        hits = {}
    named = with_families(pd.DataFrame(context["cells"]), job.named_families)
    right = read_correct(folder / "correct.npz") if measure == ACCURACY else {}
    summary = summarise(
        metrics, primary=primary, margin=margin, cells=named, correct=right, hits=hits, redrawn=redrawn_ratio(context)
    )
    tables = {
        "summary": summary,
        "reference": _reference(summary if measure == ACCURACY else summary.iloc[:0], metrics, context),
        "variance": variance_split(metrics),
        "interaction": interaction(whole),
        "choice": choose_on_validation(metrics, margin=margin, hits=hits),
        "passed_on": passed_on(metrics),
        "stopping": stopping(whole, margin=margin),
        "mitigation": mitigation(whole, summary),
        "rivals": rivals(whole, summary, margin=margin),
        "own_treatment": own_treatment(whole, margin=margin),
        "robustness": robustness(whole, primary=primary, margin=margin, chance=_chance(context)),
        "pooled": pooled(whole, margin=margin),
    }
    for name, table in tables.items():
        write_text(folder / f"{name}.csv", renamed(table, measure).to_csv(index=False, lineterminator="\n"))
    hashes = {f"{name}.csv": sha256_file(folder / f"{name}.csv") for name in tables}
    write_sealed(folder / "summary.json", {"sha256": hashes})


def read_gold_rows(folder: Path) -> pd.DataFrame:
    """Return gold.parquet of a grid; empty where tables of an earlier version lack it."""
    path = folder / "gold.parquet"
    return pd.read_parquet(path) if path.is_file() else pd.DataFrame()


def _reference(summary: pd.DataFrame, metrics: pd.DataFrame, context: dict[str, Any]) -> pd.DataFrame:
    """Return published numbers that cells match, and below them those that are only near."""
    tables = [table for of in (beside, nearby) if len(table := of(summary, metrics, context))]
    return pd.concat(tables, ignore_index=True) if tables else beside(summary.iloc[:0], metrics, context)


def _chance(context: dict[str, Any]) -> dict[str, float]:
    """Return by data set the accuracy of guessing, where the number of classes is known."""
    known = {name: said.get("n_classes") for name, said in context.get("datasets", {}).items()}
    return {name: 1 / n for name, n in known.items() if n}


def redrawn_ratio(context: dict[str, Any]) -> dict[str, float]:
    """Return by data set its test examples per other example, if every replicate drew its own split."""
    if context.get("config", {}).get("replicates", {}).get("splits") != "redrawn":
        return {}
    sizes = {name: (said.get("n_test"), said.get("n")) for name, said in context["datasets"].items()}
    return {name: n_test / n for name, (n_test, n) in sizes.items() if n_test and n}


def run(job: StatisticsJob, inputs: Files, outputs: Files) -> None:
    """Compare every cell with its baseline and write the tables of the statistics."""
    summarise_grid(Path(outputs["summary"]).parent, job)
