"""Does what smoothing gains depend on the noise rate?"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from smearlab.core import columns
from smearlab.statistics import verdict as words
from smearlab.statistics.cells import Cell, Peers, Replicate, name_types, read, table, types_of
from smearlab.statistics.families import holm
from smearlab.statistics.given_labels import is_agreement
from smearlab.statistics.paired import FEWEST, Difference, by_replicate, is_crossed
from smearlab.statistics.simultaneous import simultaneous_of

SETTING = ("dataset", "noise", "recipe", "arch")
NAMES = (*SETTING, "alpha", "transition", "options")
GROWS = "grows with the rate"
FALLS = "falls with the rate"
COLUMNS = {**name_types(NAMES), **types_of(columns.INTERACTION)}


def interaction(metrics: pd.DataFrame) -> pd.DataFrame:
    """Return a row per data set, noise, recipe and α of smoothing, other than 0, that has two rates or more.

    In each replicate the difference to cross-entropy is regressed on the noise rate, and the slopes (accuracy
    in 0..1 per unit of rate) are tested against 0 with Student's t. A replicate is its own block, so nothing
    is assumed of the spread at each rate or of what the rates share. It sees a trend, not a hump.

    `n` counts the blocks that have every rate. A block is a training seed, which also pairs rate 0, where no
    labels are drawn, with the others. In a crossed design it is a noise seed (means over training seeds), and
    rates that are not crossed, rate 0 among them, stay out: `rates` lists those used. A family of Holm's is
    one data set, noise and recipe.
    """
    cells = [cell for cell in read(metrics) if cell.names["noise_rate"] is not None]
    peers = Peers(cells)
    groups: dict[tuple[Any, ...], list[Cell]] = {}
    for cell in cells:
        if cell.names["role"] == "teacher" and cell.names["method"] == "label_smoothing":
            groups.setdefault(cell.key(NAMES), []).append(cell)
    asked = {key: group for key, group in groups.items() if len(group) > 1 and not _is_none(group, peers)}
    found = [_row(group, peers) for group in asked.values()]
    tests = [(key[: len(SETTING)], key) for key in asked]
    p_values = {t: r["p_value"] for t, (r, _) in zip(tests, found, strict=True) if r["p_value"] is not None}
    adjusted = holm(p_values)
    for test, (row, slope) in zip(tests, found, strict=True):
        row["p_holm"] = adjusted.get(test)
        row |= simultaneous_of(p_values, test, slope, row["p_holm"])
        row["verdict"] = _verdict(row)
    return table((row for row, _ in found), COLUMNS)


def slopes(by_rate: Mapping[float, Mapping[int, float]]) -> Difference:
    """Return the least-squares slope on the rate of each block that has every rate."""
    rates = np.array(sorted(by_rate))
    if len(rates) < 2:
        return Difference(())
    blocks = sorted(set.intersection(*(set(values) for values in by_rate.values())))
    centred = rates - rates.mean()
    weights = centred / np.sum(centred**2)
    return Difference(tuple(float(sum(weights * [by_rate[r][block] for r in rates])) for block in blocks))


def _is_none(group: list[Cell], peers: Peers) -> bool:
    """Whether this is cross-entropy under another name, as smoothing of 0 is."""
    pairs = [(cell, peers.baseline(cell)) for cell in group]
    return all(baseline is not None and cell.same_computation(baseline) for cell, baseline in pairs)


def _row(group: list[Cell], peers: Peers) -> tuple[dict[str, Any], Difference]:
    pairs = [(cell, peers.baseline(cell)) for cell in group]
    compared = {c.names["noise_rate"]: by_replicate(c, b) if b else {} for c, b in pairs}
    crossed = any(is_crossed(values) for values in compared.values())
    used = {r: _blocks(v, crossed) for r, v in compared.items() if v and is_crossed(v) == crossed}
    found = slopes(used)
    diverged = sum(len(c.diverged) + len(b.diverged) for c, b in pairs if b)
    low, high = (found.interval() if not diverged else None) or (None, None)
    row = {
        **{column: group[0].names[column] for column in NAMES},
        "rates": ", ".join(f"{rate:g}" for rate in sorted(used)),
        "n": found.n,
        "slope": found.mean,
        "ci_low": low,
        "ci_high": high,
        "p_value": None if diverged else found.p_value,
        "measure": group[0].measure,
        "note": _note(found, diverged, sorted(compared.keys() - used.keys())),
    }
    return row, found


def _blocks(differences: Mapping[Replicate, float], crossed: bool) -> dict[int, float]:
    blocks: dict[int, list[float]] = {}
    for (noise_seed, seed), value in differences.items():
        blocks.setdefault(noise_seed if crossed else seed, []).append(value)
    return {block: float(np.mean(values)) for block, values in blocks.items()}


def _verdict(row: Mapping[str, Any]) -> str:
    if row["p_holm"] is None:
        return words.DIVERGED if (row["note"] or "").startswith(words.DIVERGED) else words.NOT_ENOUGH
    if row["p_holm"] >= words.LEVEL:
        return words.undecided(row["p_value"])
    found = GROWS if row["slope"] > 0 else FALLS
    return f"agreement with the labels given {found}" if is_agreement(row["measure"]) else found


def _note(found: Difference, diverged: int, unused: list[float]) -> str | None:
    notes = [f"{words.DIVERGED}: {diverged} networks"] if diverged else []
    if unused:
        notes.append("rates not used: " + ", ".join(f"{rate:g}" for rate in unused))
    if found.n < FEWEST:
        notes.append(f"{found.n} blocks; a test needs {FEWEST}")
    elif found.all_equal:
        notes.append("all slopes are equal: no spread to test")
    return "; ".join(notes) or None
