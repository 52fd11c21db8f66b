"""Parts of the report's sentences, each a pure function of the numbers: they say no more than these do."""

from collections import Counter

import numpy as np
import pandas as pd

from smearlab.figures import _cells as cells
from smearlab.figures import _format as text
from smearlab.statistics import given_labels
from smearlab.statistics import verdict as verdicts
from smearlab.statistics.paired import FEWEST

_UNTESTED = (*verdicts.OPEN, verdicts.NO_DIFFERENCE, given_labels.AS_MUCH)
TALLY = {
    verdicts.HELPS: "helped in",
    verdicts.HURTS: "hurt in",
    verdicts.NO_DIFFERENCE: "made no practical difference in",
    verdicts.IDENTICAL: "is the same as cross-entropy in",
    **{said: f"{said} in" for said in given_labels.AGREEMENT},
    **dict.fromkeys(verdicts.OPEN, "is undecided in"),
    verdicts.DIVERGED: "is not tested, because of divergence, in",
    verdicts.NO_BASELINE: "has nothing to be compared with in",
    verdicts.MISSING: "is not computed yet in",
}


def clause(row: pd.Series, measured: str = "test accuracy") -> str:
    """Return what one comparison shows, as the predicate of a sentence, with its interval and n."""
    match row["verdict"]:
        case verdicts.HELPS:
            return f"raised {measured} by {text.size(row['difference'])} points ({_full(row)})"
        case verdicts.HURTS:
            return f"lowered {measured} by {text.size(row['difference'])} points ({_full(row)})"
        case verdicts.NO_DIFFERENCE:
            said = f"made no practical difference to {measured}"
            return f"{said} ({text.points(row['difference'])} points{_within(row)}, {_full(row)})"
        case given_labels.AS_MUCH:
            return f"{given_labels.AS_MUCH} ({text.points(row['difference'])} points, {_full(row)})"
        case given_labels.MORE | given_labels.LESS:
            more = "more" if row["verdict"] == given_labels.MORE else "less"
            return f"agrees {text.size(row['difference'])} points {more} with the labels given ({_full(row)})"
        case verdicts.IDENTICAL:
            return "is the same computation as cross-entropy"
        case verdicts.DIVERGED:
            return f"is not tested, because training diverged ({_diverged(row)})"
        case verdicts.NO_BASELINE:
            return "has no cross-entropy to be compared with yet"
        case said if said in verdicts.OPEN and row["n_paired"] == 0:
            return "has no replicate in common with cross-entropy, so is not compared"
        case said if said in verdicts.OPEN:
            return f"shows no decided difference ({_known_difference(row)}{_full(row)}{_reach(row)})"
    return "is not computed yet" if not row["n"] > 0 else f"is not compared (n = {row['n']:.0f})"


def evidence(row: pd.Series) -> str:
    """Return the interval, where there is one, and the number of pairs of a comparison."""
    n = f"n = {row['n_paired']:.0f} pair{'' if row['n_paired'] == 1 else 's'}{_on_gold(row)}"
    interval = text.interval(*cells.ends_beside(row))
    if interval != text.DASH:
        return f"95 % interval {interval}, {n}"
    return f"the same in all {n}, no spread to test" if row.get("verdict", "") in _UNTESTED and _is_alike(row) else n


def _is_alike(row: pd.Series) -> bool:
    """Whether all differences are equal: enough pairs for a test, and none made."""
    return bool(row["n_paired"] >= FEWEST and not np.isnan(row["difference"]) and np.isnan(row.get("p_value", np.nan)))


def _within(row: pd.Series) -> str:
    margin = row.get("margin", np.nan)
    return "" if np.isnan(margin) else f", within ±{text.plain(margin)}"


def _full(row: pd.Series) -> str:
    """The evidence of a comparison, and what it would be for other examples than these."""
    ends = text.interval(row.get("ci_low_examples", np.nan), row.get("ci_high_examples", np.nan))
    return evidence(row) + ("" if ends == text.DASH else f"; {ends} for other examples of the kind")


def _reach(row: pd.Series) -> str:
    """What the test could have found; of accuracies no difference is larger than 1."""
    smallest = row.get("detectable", np.nan)
    if np.isnan(smallest):
        return ""
    found = f"{text.size(smallest)} points or more" if smallest <= 1 else "no difference"
    return f"; it finds {found} with 80 % power"


def _on_gold(row: pd.Series) -> str:
    n = row.get("n_gold", np.nan)
    return "" if np.isnan(n) else f" on {text.counted(int(n), 'gold example')}"


def _known_difference(row: pd.Series) -> str:
    return "" if np.isnan(row["difference"]) else f"{text.points(row['difference'])} points, "


def _diverged(row: pd.Series) -> str:
    """k of n; where this side finished, its baseline is the one that did not."""
    if not row["n_diverged"] > 0:
        return "in the networks it is compared with"
    return f"{row['n_diverged']:.0f} of {row['n']:.0f} replicates"


def tally(found: pd.Series) -> str:
    """Return how often each verdict was found: helped in 2 and hurt in 1."""
    counts = Counter(TALLY.get(verdict or verdicts.MISSING, "") for verdict in found)
    return text.listing([f"{words} {counts[words]}" for words in dict.fromkeys(TALLY.values()) if counts[words]])


def at_noise(rate: float, otherwise: str) -> str:
    """Return where a comparison was made, by its noise rate; `otherwise` where no rate was asked for."""
    return otherwise if np.isnan(rate) else f"at {text.rate(rate)} noise"


def place_name(row: pd.Series) -> str:
    """Return the data set, noise, rate and recipe of a row: digits with symmetric noise at 40 % (small)."""
    rate = "" if np.isnan(row["noise_rate"]) else f" at {text.rate(row['noise_rate'])}"
    return f"{row['dataset']} with {row['noise'].replace('_', ' ')} noise{rate} ({row['recipe']})"


def span(rows: pd.DataFrame, against: str = "against cross-entropy") -> str:
    """Return the range of the differences that are compared and of their n in brackets; "" where none is."""
    differences = cells.compared(rows)["difference"]
    if not len(differences):
        return ""
    n = rows.loc[differences.index, "n_paired"]
    least, most = int(n.min()), int(n.max())
    many = " each" if len(differences) > 1 else ""
    pairs = f"n = {least if least == most else f'{least} to {most}'}{many}"
    return f" ({extent(differences)} points {against}, {pairs})"


def extent(differences: pd.Series) -> str:
    """Return the smallest and the largest of some differences in points; the one itself where there is one."""
    low, high = text.points(differences.min()), text.points(differences.max())
    return low if low == high else f"{low} to {high}"
