"""The grid's accuracies beside published ones."""

import math

import pandas as pd

from smearlab.figures import _format as text
from smearlab.report.fields import count, mean_sd, noise, number_of, row_label, text_of, words
from smearlab.report.table import Field, Table, table
from smearlab.store.tables import NUMBER_KEYS, TEXT_KEYS, Tables

EPOCHS = {"last": "last", "selected": "selected on validation data", "best_on_test": "best on test"}
PUBLIC = ("mnist", "fashion_mnist", "cifar10", "cifar100", "cifar100_coarse")
DIFFERS = "what else differs"


def published(tables: Tables) -> Table | None:
    """Return a row for each cell and published number that it matches; None where none does."""
    reference = tables.reference
    if not len(reference):
        return None
    rows = [_row(row) for _, row in reference.iterrows()]
    if not any(row[DIFFERS].text for row in rows):
        rows = [{name: field for name, field in row.items() if name != DIFFERS} for row in rows]
    return table("Ours and theirs", rows)


def unknown(tables: Tables) -> list[str]:
    """Say of which public data sets of the grid no published number is known for its noises and methods."""
    kinds = {name: said["kind"] for name, said in tables.config.get("datasets", {}).items()}
    beside = set(tables.reference["dataset"]) if len(tables.reference) else set()
    missing = [f"{name} ({kind})" for name, kind in kinds.items() if kind in PUBLIC and name not in beside]
    return [f"Of {text.listing(missing)} no published number for these noises and methods is known."] if missing else []


def _row(row: pd.Series) -> dict[str, Field]:
    ours = mean_sd(number_of(row["mean"]), number_of(row["std"])).text
    return {
        **noise(row),
        "network": Field(text_of(row["arch"])),
        "method": Field(row_label(_regular(row), row["role"])),
        "ours, %": Field(ours, note=words(row["ours_is"]).text),
        "n": count(number_of(row["n"])),
        "theirs, %": mean_sd(number_of(row["their_mean"]), number_of(row["their_std"])),
        "their n": count(number_of(row["their_n"])),
        "difference": Field(text.points(number_of(row["difference"]))),
        "in standard errors": Field(_errors(number_of(row["standard_errors"]))),
        DIFFERS: Field(text_of(row.get("differs"))),
        "their epoch": Field(EPOCHS.get(row["protocol"], "not stated")),
        "from": Field(f"{text_of(row['paper'])}, {text_of(row['place'])}", note=text_of(row["note"])),
        "confidence": Field(text_of(row["confidence"]), note=text_of(row["source"])),
    }


def _regular(row: pd.Series) -> pd.Series:
    """Return a row with the keys that names are made of: texts without nulls, numbers with NaN."""
    texts = {key: text_of(row.get(key, "")) for key in TEXT_KEYS}
    numbers = {key: number_of(row.get(key, math.nan)) for key in NUMBER_KEYS}
    return pd.Series({**texts, **numbers}, dtype=object)


def _errors(value: float) -> str:
    return text.DASH if math.isnan(value) else f"{value:+.1f}".replace("-", text.MINUS)
