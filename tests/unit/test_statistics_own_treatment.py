"""What a student's own treatment is worth, and that asking it changes nothing else."""

import pandas as pd
import pytest
from fake_grid import fake_tables, student, teacher

from smearlab.core import columns
from smearlab.report.page import render
from smearlab.report.sections.glance import glances
from smearlab.statistics.own_treatment import COLUMNS, own_treatment

SMOOTHED = {"method": "label_smoothing", "alpha": 0.4}
TEACHERS = [teacher("cross_entropy"), teacher("label_smoothing", 0.1)]
PLAIN = [student("cross_entropy", 4.0), student("label_smoothing", 4.0, 0.1)]
TREATED = [{**cell, **SMOOTHED} for cell in PLAIN]


def metrics(gain: float, *, diverged: bool = False, cells: list[dict] | None = None) -> pd.DataFrame:
    """Return five replicates of students, those with smoothing of their own better by a gain that varies a little."""
    rows = []
    for cell in cells or [*TEACHERS, *PLAIN, *TREATED]:
        treated = cell["role"] == "student" and cell["method"] != "cross_entropy"
        for seed in range(5):
            lost = diverged and treated and seed == 2
            accuracy = 0.7 + 0.01 * seed + (gain + 0.001 * (seed - 2) if treated else 0.0)
            place = {"dataset": "digits", "noise": "symmetric", "noise_rate": 0.2, "recipe": "small", "arch": "cnn"}
            said = {"status": "diverged" if lost else "finished", "test_accuracy": None if lost else accuracy}
            rows.append({**place, **cell, "noise_seed": seed, "seed": seed, "cell": str(sorted(cell.items())), **said})
    return pd.DataFrame(rows)


@pytest.mark.parametrize(("gain", "verdict"), [(0.05, "helps"), (-0.05, "hurts"), (0.0, "no practical difference")])
def test_a_treated_student_is_compared_with_its_untreated_twin(gain: float, verdict: str) -> None:
    found = own_treatment(metrics(gain), margin=0.5)
    assert found["teacher_method"].tolist() == ["cross_entropy", "label_smoothing"]
    assert found["difference"].tolist() == pytest.approx([gain, gain], abs=1e-9)
    assert set(found["verdict"]) == {verdict} and set(found["n"]) == {5}
    assert found["margin_share"].tolist() == [0.005, 0.005]
    assert "student of label_smoothing 0.1 (cross_entropy" in found["twin"].iloc[1]


def test_its_family_is_the_students_of_that_place_with_such_a_treatment() -> None:
    both, alone = (
        own_treatment(metrics(0.002, cells=cells), margin=0.1) for cells in (None, [*PLAIN[:1], *TREATED[:1]])
    )
    assert both["p_holm"].iloc[0] == pytest.approx(2 * both["p_value"].iloc[0])
    assert alone["p_holm"].iloc[0] == pytest.approx(alone["p_value"].iloc[0])


def test_without_a_twin_or_with_a_diverged_one_nothing_is_judged() -> None:
    assert list(own_treatment(metrics(0.05, cells=TREATED), margin=0.5)) == list(COLUMNS)
    assert not len(own_treatment(metrics(0.05, cells=[*TEACHERS, *TREATED]), margin=0.5))
    found = own_treatment(metrics(0.05, diverged=True), margin=0.5)
    assert set(found["verdict"]) == {"diverged"} and found["p_value"].isna().all()


def test_the_page_shows_it_where_the_student_of_a_plain_teacher_would_read_baseline() -> None:
    tables = fake_tables(cells=[*TEACHERS, *PLAIN, *TREATED], rates=(0.2,))
    without = dict(glances(tables)[1].rows)
    smoothed = [label for label in without if label.startswith("cross-entropy →") and "0.4" in label]
    assert len(smoothed) == 1 and without[smoothed[0]][0].text != "baseline"
    assert "against the same student without it" in without[smoothed[0]][0].note
    others = [fields[0].text for label, fields in without.items() if label.startswith("cross-entropy →")]
    assert others.count("baseline") == 1
    assert "Students with a treatment of their own" in render(tables, [])
    assert set(columns.names(columns.OWN_TREATMENT)) <= set(tables.own_treatment)
