"""Does smoothing mitigate symmetric noise? The headline contrast, then all strengths tried."""

import pandas as pd

from smearlab.figures import _format as text
from smearlab.figures._cells import SMOOTHING
from smearlab.report import mitigation as mitigated
from smearlab.report.facts import Facts, quantity
from smearlab.report.phrases import clause, place_name, span, tally
from smearlab.report.primary import primary_rows
from smearlab.report.questions._reply import Reply, cannot
from smearlab.report.rules import told_apart
from smearlab.report.tone import SHORT
from smearlab.store.tables import CONDITION

QUESTION = "Does label smoothing mitigate symmetric label noise?"
EVIDENCE = ("accuracy_alpha", "alpha_rate", "memorised_recovered")
SYMMETRIC = ("symmetric", "uniform_redraw")


def reply(summary: pd.DataFrame, known: Facts, mitigation: pd.DataFrame | None = None) -> Reply:
    """Return what the grid's comparisons under symmetric noise say."""
    symmetric = summary[summary["noise"].map(lambda name: known.kinds.get(name, name)).isin(SYMMETRIC)]
    symmetric = symmetric[symmetric["noise_rate"] > 0]
    if not len(symmetric):
        return cannot(QUESTION, "it has no symmetric noise.", EVIDENCE)
    rows = _smoothing(symmetric, known)
    if not len(rows):
        negative = " of a positive α" if (symmetric["method"] == SMOOTHING).any() else ""
        return cannot(QUESTION, f"it trains no network with label smoothing{negative}.", EVIDENCE)
    more = mitigated.of(mitigation, rows)
    found = mitigated.tone(rows, more)
    first = _undecided(rows, known) if found == "unknown" else _counted(rows)
    said = [first, *mitigated.sentences(more), *told_apart(rows), *_all_strengths(symmetric)]
    return Reply(QUESTION, SHORT[found], said, found, EVIDENCE)


def _smoothing(symmetric: pd.DataFrame, known: Facts) -> pd.DataFrame:
    """The headline contrast where that is smoothing, else smoothing of the usual strength."""
    rows = primary_rows(symmetric, known)
    rows = rows[rows["method"] == SMOOTHING]
    return rows if len(rows) else primary_rows(symmetric[symmetric["method"] == SMOOTHING], Facts())


def _counted(rows: pd.DataFrame) -> str:
    settings = text.counted(len(rows), "noisy setting")
    return f"Smoothing with {_alpha(rows)} {tally(rows['verdict'])} of {settings}{span(rows)}."


def _undecided(rows: pd.DataFrame, known: Facts) -> str:
    told = rows[rows["difference"].notna()] if rows["difference"].notna().any() else rows
    said = clause(told.iloc[-1], quantity(rows, known))
    is_one_place = len(rows[CONDITION].drop_duplicates()) == 1
    where = f"at {text.rate(told['noise_rate'].iloc[-1])} noise" if is_one_place else f"on {place_name(told.iloc[-1])}"
    return f"This grid cannot say: {where} smoothing with {_alpha(rows)} {said}."


def _alpha(rows: pd.DataFrame) -> str:
    return f"α = {text.plain(rows['alpha'].iloc[0], 3)}"


def _all_strengths(symmetric: pd.DataFrame) -> list[str]:
    rows = symmetric[(symmetric["method"] == SMOOTHING) & (symmetric["role"] == "teacher") & (symmetric["alpha"] > 0)]
    if rows["alpha"].nunique() < 2:
        return []
    return [
        f"Over all strengths tried, α = {text.plain(rows['alpha'].min(), 3)} to {text.plain(rows['alpha'].max(), 3)}, "
        f"smoothing {tally(rows['verdict'])} of {len(rows)} comparisons."
    ]
