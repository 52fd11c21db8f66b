"""What the estimated transition matrices say of the noise."""

import itertools
from typing import Any

from smearlab.figures import _format as text
from smearlab.report.fields import mean_sd, number_of, place, words
from smearlab.report.table import Field, Table, table
from smearlab.store.tables import Tables

LEAST_KEPT = 0.05  # below this, noisy labels say too little to be turned into clean accuracy
MOST_CONFUSIONS = 3
WORTH = "a point on noisy labels is"
MOST_CONTRADICTED = 0.5  # of the labels: networks that contradict more may be what is wrong
APART = 0.1  # estimators of one entry of T further apart than this disagree
PLACE = ("dataset", "noise", "noise_rate", "recipe")
Entry = dict[str, Any]


def estimates(tables: Tables) -> Table | None:
    """Return a row for each estimated matrix; None where there is none."""
    found = _entries(tables)
    if not found:
        return None
    records = [_row(entry, _class_names(tables, entry), _contradicted(tables, entry)) for entry in found]
    if not worth_known(tables):
        for record in records:
            del record[WORTH]
    return table("Estimated noise", records)


def sentences(tables: Tables) -> list[str]:
    """Say how many labels are wrong at least, and on which confusions the estimators disagree, place by place."""
    return [
        said
        for _, entries in _places(tables)
        for said in _said(entries, _class_names(tables, entries[0]), _contradicted(tables, entries[0]))
    ]


def worth_known(tables: Tables) -> bool:
    """Whether some noise was drawn by class alone, so that its share says what a gain on noisy labels is worth."""
    return any(entry.get("by_class") for entry in _entries(tables))


def _entries(tables: Tables) -> list[Entry]:
    found: list[Entry] = tables.context.get("estimates", [])
    return found


def _places(tables: Tables) -> list[tuple[tuple[Any, ...], list[Entry]]]:
    """Return the estimates of each data set, noise, rate and recipe."""
    groups: dict[tuple[Any, ...], list[Entry]] = {}
    for entry in _entries(tables):
        groups.setdefault(tuple(entry[key] for key in PLACE), []).append(entry)
    return list(groups.items())


def _contradicted(tables: Tables, entry: Entry) -> float | None:
    """Return the share of the labels that the networks behind an estimate, which did not see them, contradict."""
    for held in tables.context.get("suspects", []):
        if all(held[key] == entry[key] or held[key] is entry[key] is None for key in PLACE) and held.get("n_labels"):
            return float(held["n_doubted"] / held["n_labels"])
    return None


def _is_bound(contradicted: float | None) -> bool:
    """Whether networks are right so often that a share of wrong labels by them is rather too small than too large."""
    return contradicted is None or contradicted < MOST_CONTRADICTED


def _said(entries: list[Entry], names: list[Any], contradicted: float | None) -> list[str]:
    known = entries[0]["error"] is not None
    said = [] if known else [_share_said(entries, contradicted)]
    return [*said, *_disagreement(entries, names)]


def _where(entry: Entry) -> str:
    return f"{entry['dataset']}, noise {str(entry['noise']).replace('_', ' ')} ({entry['recipe']})"


def _share_said(entries: list[Entry], contradicted: float | None) -> str:
    rates = [entry["noise_rate_estimated"] for entry in entries]
    span = f" ({text.percent(min(rates))} to {text.percent(max(rates))} by estimator)" if len(rates) > 1 else ""
    share = f"{text.percent(min(rates))} of the labels are wrong by estimate{span}"
    if not _is_bound(contradicted):
        return (
            f"On {_where(entries[0])} {share}, which is no bound: the networks behind it contradict "
            f"{text.percent(contradicted or 0)} of the labels, which they did not see, and what they get wrong "
            "themselves counts as noise."
        )
    seen = "" if contradicted is None else f"; they contradict {text.percent(contradicted)} of the labels"
    return (
        f"On {_where(entries[0])} at least {share}, as far as the networks behind it are right themselves{seen}. How "
        "many more are wrong for a reason that the examples show, no estimate from these labels can tell."
    )


def _disagreement(entries: list[Entry], names: list[Any]) -> list[str]:
    """Name the confusions of which one estimator finds far more than another."""
    if len(entries) < 2:
        return []
    classes = range(len(entries[0]["transition"]))
    pairs = [(i, j, _found(entries, i, j)) for i, j in itertools.product(classes, classes) if i != j]
    apart = [(high - low, i, j, found) for i, j, found in pairs if (high := max(found)) - (low := min(found)) > APART]
    if not apart:
        return []
    shown = sorted(apart, key=lambda entry: (-entry[0], entry[1:3]))[:MOST_CONFUSIONS]
    parts = [f"“{names[i]}” as “{names[j]}” {_extent(entries, found)}" for _, i, j, found in shown]
    more = f", and of {len(apart) - len(shown)} more confusions" if len(apart) > len(shown) else ""
    return [f"The estimators disagree on {_where(entries[0])}: of {'; of '.join(parts)}{more}."]


def _found(entries: list[Entry], i: int, j: int) -> list[float]:
    return [entry["transition"][i][j] for entry in entries]


def _extent(entries: list[Entry], found: list[float]) -> str:
    low, high = (found.index(end(found)) for end in (min, max))
    ends = [f"{text.percent(found[k])} by {words(entries[k]['estimator']).text}" for k in (low, high)]
    return " and ".join(ends)


def _row(entry: Entry, class_names: list[Any], contradicted: float | None) -> dict[str, Field]:
    error, rate = entry["error"], entry["noise_rate_estimated"]
    return {
        **place(entry),
        "estimator": words(entry["estimator"]),
        "n": Field(str(entry["n"])),
        "estimated share of wrong labels, %": _share(rate, error, contradicted),
        "sd over replicates (no precision), points": Field(text.size(number_of(entry["noise_rate_std"]))),
        WORTH: Field(_worth(rate, len(entry["transition"])) if entry.get("by_class") else text.DASH),
        "error of T": Field(text.DASH if error is None else f"{error:.3f}"),
        "most frequent confusions": Field(_confusions(entry["transition"], class_names)),
    }


def _share(rate: float, error: float | None, contradicted: float | None) -> Field:
    """Return an estimated share: at least so much, where nobody knows the true one and networks are good enough."""
    share = mean_sd(rate, float("nan"))
    return Field(f"at least {share.text}") if error is None and _is_bound(contradicted) else share


def _class_names(tables: Tables, entry: Entry) -> list[Any]:
    known = tables.context.get("datasets", {}).get(entry["dataset"], {}).get("class_names")
    return known or list(range(len(entry["transition"])))


def _worth(rate: float, n_classes: int) -> str:
    """Return what a gain of a point on noisy labels is on clean ones, for errors spread evenly over the classes."""
    kept = 1 - rate * n_classes / (n_classes - 1)
    return text.DASH if kept < LEAST_KEPT else f"{1 / kept:.2f} on clean ones"


def _confusions(matrix: list[list[float]], names: list[Any]) -> str:
    """Name the largest entries of T off its diagonal: true → observed, with the probability."""
    pairs = [(p, i, j) for i, row in enumerate(matrix) for j, p in enumerate(row) if i != j]
    largest = sorted(pairs, key=lambda pair: (-pair[0], pair[1:]))[:MOST_CONFUSIONS]
    return ", ".join(f"“{names[i]}” as “{names[j]}” {text.percent(p)}" for p, i, j in largest)
