"""Families that a config names: fixed before the run, refused where they overlap, and deaf to what is added outside."""

import numpy as np
import pytest
from statistics_rows import frame, student, teacher

from configs import config
from smearlab.cli.foresee import hypotheses
from smearlab.core.errors import UserError
from smearlab.core.jobs import StatisticsJob, plain, typed
from smearlab.grid.cells import load_grid
from smearlab.grid.jobs import statistics_job
from smearlab.grid.registration import terms
from smearlab.statistics.families import with_families
from smearlab.statistics.mitigation import mitigation
from smearlab.statistics.pooled import pooled
from smearlab.statistics.rivals import rivals
from smearlab.statistics.robustness import robustness
from smearlab.statistics.stopping import stopping
from smearlab.statistics.summary import summarise

SWEEP = [{"name": "label_smoothing", "alphas": [0.1]}]


def refused(families):
    with pytest.raises(UserError) as error:
        load_grid(config(("families", families)))
    return str(error.value)


@pytest.mark.parametrize(
    ("families", "said"),
    [
        ({}, "config: families: an empty mapping; give at least one value"),
        ({"a": []}, "config: families.a: an empty list; give at least one value"),
        (
            {"a": ["forwards"]},
            "families.a.0: 'forwards' is not among the grid's methods; did you mean 'forward'?",
        ),
        ({"a": ["gce"]}, "config: families.a.0: 'gce' is not among the grid's methods"),
        ({"a": [{"name": "label_smoothing", "alphas": [0.3]}]}, "not among the grid's methods; add it there too"),
        (
            {"a": ["cross_entropy"]},
            "families.a: cross_entropy is what every method is compared with; leave it out",
        ),
        ({"a": ["forward"], "b": ["backward", "forward"]}, "stands in a and in b; name it once"),
        ({"a": ["label_smoothing"], "b": SWEEP}, "stands in a and in b; name it once"),
        ({"a": ["forward", "forward"]}, "'forward'} stands here twice"),
        ({"(a)": ["forward"]}, "config: families: '(a)': must be letters, digits"),
        (["forward"], "config: families: ['forward']: should be a mapping"),
        ({"a": {"b": "forward"}}, "config: families.a.0"),
    ],
)
def test_what_is_wrong_with_families_is_said_in_one_line_before_anything_runs(families, said):
    found = refused(families)
    assert said in found and "\n" not in found


def test_methods_that_are_one_computation_stand_in_one_family():
    both = [{"name": "cross_entropy"}, {"name": "forward", "transition": ["true", "matched"]}]
    changes = (("methods", both), ("students", []), ("families", {"a": [{"name": "forward", "transition": "true"}]}))
    with pytest.raises(UserError, match=r"are one computation under noise symmetric; one family each$"):
        load_grid(config(*changes))
    assert load_grid(config(*changes[:2], ("families", {"a": ["forward"]})))


def test_without_families_every_job_and_the_registered_config_are_as_they_were():
    grid, named = load_grid(config()), load_grid(config(("families", {"sweep": SWEEP})))
    assert "named_families" not in plain(statistics_job(grid)) and not grid.families
    assert terms(grid)["families"] == {"corrections": ["backward", "forward"], "smoothing": ["label_smoothing"]}
    assert terms(named)["config_sha256"] != terms(grid)["config_sha256"]
    assert [node.path for node in named.cells.values()] == [node.path for node in grid.cells.values()]


def test_the_config_hash_of_a_grid_without_families_is_that_of_0_2_0():
    assert terms(load_grid(config()))["config_sha256"].startswith("5ecc750b35f9")


def test_families_are_registered_with_every_variant_and_what_none_names():
    found = terms(load_grid(config(("families", {"sweep": SWEEP, "T": ["forward", "backward"]}))))["families"]
    assert list(found) == ["T", "label_smoothing (in no family)", "sweep"]
    assert found["sweep"] == ["label_smoothing-alpha=0.1"] and len(found["T"]) == 2


def test_what_the_plan_tests_is_what_the_statistics_test():
    grid = load_grid(config(("families", {"sweep": SWEEP, "T": ["forward", "backward"]})))
    kinds = {test[0][-1] for test in hypotheses(grid) if test[0] != ("headlines",)}
    assert {"T", "label_smoothing (in no family)"} <= kinds
    job = typed(StatisticsJob, plain(statistics_job(grid)))
    assert job.named_families == statistics_job(grid).named_families
    assert job.named_families["sweep"] == [["label_smoothing", 0.1, None, ""]]


# Made tables: nothing that is added outside of a family changes a verdict in it.

NAMED = {
    "sweep": [["label_smoothing", 0.1, None, ""], ["label_smoothing", 0.2, None, ""]],
    "T": [["forward", None, "true", ""]],
}
OUTSIDE = {"robust": [["gce", None, None, ""]], "label_smoothing (in no family)": [["label_smoothing", 0.8, None, ""]]}
RULES = ("test_accuracy_last", "test_accuracy_selected")


def made(seed, *further):
    """Teachers and their students at three rates, five replicates, with some effects."""
    draw, cells = np.random.default_rng(seed), []
    methods = [("cross_entropy", None, None), ("label_smoothing", 0.1, None), ("label_smoothing", 0.2, None)]
    for rate in (0.0, 0.2, 0.4):
        for method, alpha, transition in [*methods, ("forward", None, "true"), *further]:
            gain = 0.0 if method == "cross_entropy" else 0.02
            values = 0.8 - rate / 2 + gain + draw.normal(0, 0.012, 5)
            rows = teacher(method, values, alpha, transition=transition, noise_rate=rate)
            taught = student(method, values, alpha, teacher_transition=transition, noise_rate=rate)
            cells += [[{**row, **dict.fromkeys(RULES, row["test_accuracy"])} for row in rows], taught]
    return frame(*cells)


def statistics(metrics, named):
    given = with_families(metrics, named)
    whole = summarise(given, margin=0.5)
    tables = {
        "summary": whole,
        "mitigation": mitigation(given, whole),
        "rivals": rivals(given, whole, margin=0.5),
        "robustness": robustness(given, primary=None, margin=0.5, chance={}),
        "stopping": stopping(given, margin=0.5),
        "pooled": pooled(given, margin=0.5),
    }
    return {name: table.astype(str).set_index(keys(table)).sort_index() for name, table in tables.items()}


def keys(table):
    known = ("role", "noise_rate", "method", "alpha", "transition", "teacher_method", "teacher_alpha", "rule", "check")
    return [key for key in known if key in table]


def test_what_is_added_outside_of_the_families_changes_no_old_number():
    before = statistics(made(1), NAMED)
    metrics = made(1)
    more = made(1, ("gce", None, None), ("label_smoothing", 0.8, None))
    new = more[~more["cell"].isin(metrics["cell"])]
    after = statistics(frame(*[metrics.to_dict("records"), new.to_dict("records")]), {**NAMED, **OUTSIDE})
    for name, table in before.items():
        assert len(after[name]) > len(table) or name == "robustness", name
        assert after[name].loc[table.index].equals(table), name


def test_a_variant_added_to_a_kind_does_change_them_which_is_why_one_names_families():
    before, after = statistics(made(1), None), statistics(made(1, ("label_smoothing", 0.8, None)), None)
    common = before["pooled"].index
    assert not after["pooled"].loc[common, "p_holm"].equals(before["pooled"]["p_holm"])


def test_a_student_is_corrected_with_its_teachers_family():
    found = with_families(made(2), NAMED)
    students = found[found["role"] == "student"]
    assert set(students.loc[students["teacher_method"] == "forward", "family"]) == {"T"}
    assert students.loc[students["teacher_method"] == "cross_entropy", "family"].isna().all()


def test_in_made_grids_without_effect_named_families_keep_their_level():
    """200 grids of six paired replicates: the sweep of two is wrong somewhere in 5 %, the headline stands apart."""
    draw, false = np.random.default_rng(5), []
    for _ in range(200):
        cells = []
        for method, alpha, transition in [
            ("cross_entropy", None, None),
            *(method[:3] for methods in NAMED.values() for method in methods),
        ]:
            cells.append(teacher(method, draw.normal(0.7, 0.01, 6), alpha, transition=transition))
        found = summarise(with_families(frame(*cells), NAMED), margin=0.01, primary={"method": "forward"})
        false.append(found["verdict"].isin(["helps", "hurts"]) & ~found["primary"])
    assert np.mean([grid.any() for grid in false]) <= 0.05 + 2 * (0.05 * 0.95 / 200) ** 0.5
