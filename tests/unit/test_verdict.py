"""The verdict words stand in one place: whoever reads or writes one takes it from there."""

import ast

import pytest

from smearlab.core.digest import ROOT
from smearlab.report.fields import CHIPS
from smearlab.statistics import verdict as verdicts

WORDS = {*verdicts.DECIDED, *verdicts.UNDECIDED, verdicts.IDENTICAL, verdicts.BASELINE}
OTHER_USES = {verdicts.MISSING, verdicts.BASELINE}  # also an entry of context.json, a column of the summary
READERS = ("report", "figures", "reference", "statistics")
FILES = sorted(path for folder in READERS for path in (ROOT / "smearlab" / folder).rglob("*.py"))
STYLE = (ROOT / "smearlab" / "report" / "style.css").read_text(encoding="utf-8")


def literals(path):
    return {node.value for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Constant)}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_other_file_spells_a_verdict(path):
    spelled = literals(path) & WORDS
    assert spelled == WORDS if path.name == "verdict.py" else spelled <= OTHER_USES


def test_every_verdict_has_a_chip_and_every_chip_a_style():
    assert CHIPS.keys() == WORDS
    assert all(f".v-{slug}{{" in STYLE or f".v-{slug}::" in STYLE for slug in CHIPS.values())
