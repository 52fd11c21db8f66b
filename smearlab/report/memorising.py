"""Whether plain training memorises wrong labels, which is what smoothing is said to work against."""

import pandas as pd

from smearlab.figures import _format as text
from smearlab.figures._cells import PLAIN
from smearlab.statistics.cells import each_network
from smearlab.store.tables import Tables

HARDLY, MOST = 0.15, 0.5
MOST_SAID = 6
UNLIKELY = " Whatever a method gains here, it is hardly by keeping networks from memorising."


def sentences(tables: Tables) -> list[str]:
    """Say for each data set and recipe how much of the wrong labels plain training memorises; [] if none is known."""
    rows = tables.metrics
    plain = rows[(rows["role"] == "teacher") & (rows["method"] == PLAIN) & rows["memorised"].notna()]
    plain = each_network(plain)
    return [_sentence(group) for _, group in plain.groupby(["dataset", "recipe"], sort=False)]


def _sentence(plain: pd.DataFrame) -> str:
    groups = plain.groupby(["noise", "noise_rate"], sort=False, dropna=False)
    shares = groups[["memorised", "recovered"]].mean().reset_index()
    most = shares["memorised"].max()
    said = "hardly memorises" if most < HARDLY else "memorises most of" if most >= MOST else "memorises a part of"
    parts = [_share(row) for _, row in shares.head(MOST_SAID).iterrows()]
    more = f", and {len(shares) - MOST_SAID} noises more (figures)" if len(shares) > MOST_SAID else ""
    return (
        f"On {plain['dataset'].iloc[0]} ({plain['recipe'].iloc[0]}) plain training {said} its wrong labels: at the "
        f"reported checkpoint cross-entropy predicts the wrong label itself on {text.listing(parts)}{more}."
        f"{UNLIKELY if most < HARDLY else ''}"
    )


def _share(row: pd.Series) -> str:
    where = row["noise"].replace("_", " ") + ("" if pd.isna(row["noise_rate"]) else f" {text.rate(row['noise_rate'])}")
    true = text.percent(row["recovered"], 0)
    return f"{text.percent(row['memorised'], 0)} of them with {where} noise (the true one on {true})"
