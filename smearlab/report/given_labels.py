"""What the page says where no true test label is known: agreement with the labels given, and what would decide."""

import pandas as pd

from smearlab.figures import _format as text
from smearlab.report.facts import Facts
from smearlab.report.phrases import at_noise, clause
from smearlab.statistics import gold
from smearlab.statistics.given_labels import CANNOT
from smearlab.statistics.verdict import DECIDED

MOST_SAID = 3
WHY = (
    "Where labels are wrong for a reason that the examples show, a method that resists it agrees less with them "
    "because it is right more often; so agreement is no verdict."
)


def is_judged(rows: pd.DataFrame, known: Facts) -> pd.Series:
    """Return for each row whether true test labels of its data set are known."""
    return rows["dataset"].map(lambda name: known.clean.get(name, True)).astype(bool)


def judged(rows: pd.DataFrame, known: Facts) -> pd.DataFrame:
    """Return the rows of data sets of which true test labels are known."""
    return rows[is_judged(rows, known)]


def headline(rows: pd.DataFrame, name: str) -> str:
    """Return the first sentence of a grid without any true test label."""
    datasets = text.listing(list(dict.fromkeys(rows["dataset"])))
    return f"This data cannot tell what {name} does on {datasets}: no true test label is known."


def sentences(rows: pd.DataFrame, known: Facts) -> list[str]:
    """Say how far the headline's method agrees with the labels given, and what would decide; [] for no rows."""
    if not len(rows):
        return []
    return [_agreement(rows), WHY, *deciding(rows, known)]


def _agreement(rows: pd.DataFrame) -> str:
    parts = [_clause(row) for _, row in rows.head(MOST_SAID).iterrows()]
    more = f" ({len(rows) - MOST_SAID} more are below)" if len(rows) > MOST_SAID else ""
    return f"Compared with cross-entropy on the same labels, {'; '.join(parts)}{more}; {CANNOT}."


def _clause(row: pd.Series) -> str:
    where = at_noise(row["noise_rate"], "").strip()
    placed = f"on {row['dataset']}{f' {where}' if where else ''} ({row['recipe']})"
    return f"{placed} {text.method_phrase(row)} {clause(row, 'agreement with the labels given')}"


def deciding(rows: pd.DataFrame, known: Facts) -> list[str]:
    """Say how many true labels of test examples would decide, if the difference is as large as on the labels given."""
    measured = rows[rows["difference"].notna() & rows["cell"].isin(known.spreads)]
    command = f"python -m smearlab gold {known.name or 'NAME'} --n"
    if not len(measured):
        return [f"A gold set would decide: test examples with their true label, as “{command} 200” draws them."]
    row = measured.iloc[int(measured["difference"].abs().argmax())]
    return [_needed(row, known.spreads[row["cell"]], known, command)]


def gold_sentences(rows: pd.DataFrame, known: Facts) -> list[str]:
    """Say of how many test examples the true label is known, and how many more would decide what is open."""
    return [
        _gold(rows[rows["dataset"] == name], name, known) for name in known.n_gold if (rows["dataset"] == name).any()
    ]


def _gold(rows: pd.DataFrame, dataset: str, known: Facts) -> str:
    n, there = known.n_gold[dataset], known.n_test.get(dataset)
    of = f" of {text.whole(there)}" if there else ""
    said = (
        f"On {dataset} the true label is known of {text.whole(n)}{of} test examples; intervals there cover the drawing "
        "of these and of the replicates"
    )
    undecided = rows[~rows["verdict"].isin(DECIDED) & rows["examples_needed"].notna()]
    if not len(undecided):
        open_ones = rows[~rows["verdict"].isin(DECIDED) & rows["difference"].notna()]
        return f"{said}{'; what is open needs more replicates first' if len(open_ones) else ''}."
    more = max(1, int(undecided["examples_needed"].max()) - n)
    left = there - n if there else more
    command = f"python -m smearlab gold {known.name or 'NAME'} --n"
    said = f"{said}. About {text.whole(more)} more would decide, if the difference stays (80 % power)"
    if more <= left:
        return f"{said}: “{command} {more}”."
    rest = f"{text.whole(left)} are left (“{command} {left}”), and" if left else "none is left, and"
    return f"{said}; {rest} a test part of more examples could."


def _needed(row: pd.Series, spread: float, known: Facts, command: str) -> str:
    if spread == 0:
        return f"On {row['dataset']} the two predict the same for every test example: no label could decide."
    assumed = max(abs(row["difference"]), known.margin / 100)
    sign, decided = gold.for_the_sign(assumed, spread), gold.to_decide(assumed, spread)
    said = (
        f"A gold set would decide: if the difference on true labels were {text.size(assumed)} points either way, "
        f"{text.counted(sign, 'test example')} of {row['dataset']} with their true label would give its sign in "
        f"95 % of draws, and {text.whole(decided)} would decide it (80 % power)"
    )
    there = known.n_test.get(row["dataset"], decided)
    if decided <= there:
        return f"{said}: “{command} {decided}” draws them."
    least = gold.decided_by(there, spread)
    all_of = f"all {text.whole(there)} of the test part would decide {text.size(least)} points or more"
    return f"{said}; {all_of}: “{command} {there}” draws them."
