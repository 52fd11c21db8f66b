import json

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statistics_rows import frame, student, teacher

from smearlab.statistics.selection import COLUMNS, choose_on_validation

PLAIN = (0.80, 0.82, 0.78, 0.81)
LITTLE = (0.83, 0.83, 0.82, 0.85)
MUCH = (0.84, 0.81, 0.83, 0.83)
ON_VALIDATION = {
    "plain": (0.60, 0.64, 0.60, 0.60),
    "little": (0.61, 0.62, 0.63, 0.61),
    "much": (0.62, 0.61, 0.62, 0.60),
}


def scored(rows, validation, **columns):
    """Rows with a validation accuracy each, and further columns likewise."""
    for i, row in enumerate(rows):
        row |= {"validation_accuracy_noisy": validation[i], **{name: values[i] for name, values in columns.items()}}
    return rows


def cells():
    return [
        scored(teacher(accuracies=PLAIN), ON_VALIDATION["plain"]),
        scored(teacher("label_smoothing", LITTLE, 0.1), ON_VALIDATION["little"]),
        scored(teacher("label_smoothing", MUCH, 0.4), ON_VALIDATION["much"]),
    ]


def choose(*found, **options):
    return choose_on_validation(frame(*found), **options).iloc[0]


def test_the_choice_is_made_on_validation_and_judged_on_test():
    row = choose(*cells())
    # chosen by validation: much, plain, little, little
    gains = np.subtract((0.84, 0.82, 0.82, 0.85), PLAIN)
    expected = stats.ttest_1samp(gains, 0)
    assert row["gain"] == pytest.approx(gains.mean())
    assert (row["ci_low"], row["ci_high"]) == pytest.approx(tuple(expected.confidence_interval()))
    assert row["p_value"] == pytest.approx(expected.pvalue)
    counts = {"label_smoothing 0.1": 2, "cross_entropy": 1, "label_smoothing 0.4": 1}
    assert json.loads(row["chosen"]) == counts
    assert row["advice"] == "label_smoothing 0.1"
    assert (row["n"], row["n_candidates"], row["verdict"], row["measure"]) == (4, 3, "not enough data", "test_accuracy")


def test_the_cost_is_against_the_best_fixed_cell():
    row = choose(*cells())
    cost = np.subtract(LITTLE, (0.84, 0.82, 0.82, 0.85))
    assert row["best_in_hindsight"] == "label_smoothing 0.1"
    assert row["cost"] == pytest.approx(cost.mean())
    assert row["ci_low_cost"] == pytest.approx(stats.ttest_1samp(cost, 0).confidence_interval().low)


def test_the_optimism_of_quoting_the_best_of_the_test_set():
    # best on test: much, little, much, little; each against its mean in the other three replicates
    quoted = np.array([0.84, 0.83, 0.83, 0.85])
    elsewhere = np.array([(0.81 + 0.83 + 0.83), (0.83 + 0.82 + 0.85), (0.84 + 0.81 + 0.83), (0.83 + 0.83 + 0.82)]) / 3
    assert choose(*cells())["optimism_of_best_on_test"] == pytest.approx((quoted - elsewhere).mean())


def test_the_optimism_of_the_best_checkpoint_of_the_chosen():
    found = cells()
    for rows, more in zip(found, (0.01, 0.02, 0.03), strict=True):
        for row in rows:
            row["best_on_test_accuracy"] = row["test_accuracy"] + more
    assert choose(*found)["optimism_of_best_checkpoint"] == pytest.approx((0.03 + 0.01 + 0.02 + 0.02) / 4)


@pytest.mark.parametrize(
    "accuracies, verdict",
    [
        ((0.86, 0.87, 0.85, 0.86), "helps"),
        ((0.76, 0.77, 0.73, 0.75), "hurts"),
        ((0.801, 0.8205, 0.781, 0.8115), "no practical difference"),
        ((0.90, 0.80, 0.80, 0.79), "not enough data"),
    ],
)
def test_verdicts(accuracies, verdict):
    found = [
        scored(teacher(accuracies=PLAIN), [0.5] * 4),
        scored(teacher("label_smoothing", accuracies, 0.1), [0.6] * 4),
    ]
    assert choose(*found)["verdict"] == verdict


def test_always_choosing_cross_entropy_makes_no_difference():
    found = [scored(teacher(accuracies=PLAIN), [0.6] * 4), scored(teacher("label_smoothing", MUCH, 0.4), [0.6] * 4)]
    row = choose(*found)
    assert (row["gain"], row["verdict"], row["advice"]) == (0, "no practical difference", "cross_entropy")
    assert np.isnan(row["p_value"])


def test_ties_go_to_the_plainer_cell_whatever_the_order():
    validation = [0.6] * 4
    found = [
        scored(teacher("label_smoothing", MUCH, -0.4), validation),
        scored(teacher("label_smoothing", LITTLE, 0.1), validation),
        scored(teacher(accuracies=PLAIN), [0.5] * 4),
    ]
    for order in (found, found[::-1]):
        assert choose(*order)["advice"] == "label_smoothing 0.1"


@pytest.mark.parametrize("transition, excluded", [("true", 1), ("matched", 1), ("perturbed(0.1)", 1), ("alpha", 0)])
def test_what_only_the_maker_of_the_noise_knows_is_no_candidate(transition, excluded):
    oracle = scored(teacher("forward", MUCH, transition=transition), [0.99] * 4)
    row = choose(*cells(), oracle)
    assert (row["n_oracles"], row["n_candidates"]) == (excluded, 4 - excluded)
    assert (row["advice"] == f"forward {transition}") == (not excluded)


def test_a_method_with_an_estimated_transition_is_a_candidate():
    assert (
        choose(*cells(), scored(teacher("forward", MUCH, transition="estimated(anchor)"), [0.99] * 4))["n_oracles"] == 0
    )


def test_students_compete_with_the_network_trained_without_a_teacher():
    plain = scored(teacher(accuracies=PLAIN), [0.6] * 4)
    found = [
        scored(student("label_smoothing", MUCH, 0.1), [0.65] * 4),
        scored(student("label_smoothing", (0.99,) * 4, 0.1, student_labels="clean"), [0.9] * 4),
    ]
    table = choose_on_validation(frame(plain, *found))
    row = table[table["role"] == "student"].iloc[0]
    assert (row["n_candidates"], row["n_oracles"]) == (2, 1)
    assert row["gain"] == pytest.approx(np.mean(MUCH) - np.mean(PLAIN))
    alone = choose_on_validation(frame(*found)).iloc[0]
    assert (alone["verdict"], alone["note"]) == ("not enough data", "plain cross-entropy is missing")


def test_students_of_a_recipe_without_teachers_are_compared_with_the_plain_one():
    plain = scored(student(accuracies=PLAIN), ON_VALIDATION["plain"])
    smoothed = scored(student("label_smoothing", LITTLE, 0.1), ON_VALIDATION["little"])
    row = choose(plain, smoothed)
    gains = np.subtract((0.83, 0.82, 0.82, 0.85), PLAIN)  # chosen by validation: little, plain, little, little
    assert row["gain"] == pytest.approx(gains.mean())
    assert (
        row["n_candidates"] == 2
        and row["note"] == "against the student of a plain teacher: this recipe has no teachers"
    )


def test_without_clean_labels_one_half_of_validation_chooses_and_the_noisy_test_part_judges():
    found = frame(*cells())
    found["test_accuracy_noisy"] = found["test_accuracy"] - 0.3
    found["test_accuracy"] = None
    found["choice_accuracy_noisy"] = found["validation_accuracy_noisy"]
    found["validation_accuracy_noisy"] = [0.9] * 4 + [0.1] * 8  # would choose cross-entropy throughout
    found["heldout_accuracy_noisy"] = 0.5
    row = choose_on_validation(found).iloc[0]
    assert row["measure"] == "test_accuracy_noisy"
    # chosen: much, plain, little, little
    assert row["gain"] == pytest.approx(np.mean(np.subtract((0.84, 0.82, 0.82, 0.85), PLAIN)))
    assert np.isnan(row["optimism_of_best_checkpoint"])


def test_a_clean_test_set_judges_a_choice_on_the_whole_validation_part():
    found = frame(*cells()).assign(heldout_accuracy_noisy=0.5, choice_accuracy_noisy=0.5, test_accuracy_noisy=0.1)
    row = choose_on_validation(found).iloc[0]
    assert (row["measure"], row["advice"]) == ("test_accuracy", "label_smoothing 0.1")


@pytest.mark.parametrize("known", ["clean", "noisy"])
def test_of_twelve_equal_cells_none_is_found_to_help(known):
    """200 grids without any effect: the word `helps` at its level, no gain on average."""
    rng = np.random.default_rng(9)
    cells_ = [teacher("label_smoothing", [0.5] * 5, alpha) for alpha in np.linspace(0.05, 0.6, 11)]
    one = frame(teacher(accuracies=[0.5] * 5), *cells_)
    grids = pd.concat([one.assign(dataset=f"grid {k}") for k in range(200)], ignore_index=True)
    halves = {name: rng.binomial(70, 0.6, len(grids)) / 70 for name in ("choice", "heldout")}
    columns = {f"{name}_accuracy_noisy": values for name, values in halves.items()}
    columns["validation_accuracy_noisy"] = sum(halves.values()) / 2
    columns |= {"test_accuracy": None, "test_accuracy_noisy": rng.binomial(400, 0.6, len(grids)) / 400}
    if known == "clean":
        columns["test_accuracy"] = columns["test_accuracy_noisy"]
    found = choose_on_validation(grids.assign(**columns))
    assert len(found) == 200 and (found["n_candidates"] == 12).all()
    assert (found["verdict"] == "helps").sum() <= 11  # 2.5 % are 5; more than 11 have a chance below 1 %
    assert abs(found["gain"].mean()) < 0.004  # two standard errors


def test_a_diverged_network_is_not_chosen():
    found = cells()
    found[2][0] |= {"status": "diverged", "test_accuracy": None, "validation_accuracy_noisy": None}
    row = choose(*found)
    assert json.loads(row["chosen"]) == {"label_smoothing 0.1": 3, "cross_entropy": 1}
    assert (row["n"], row["n_diverged"]) == (4, 1)


def test_without_the_plain_network_of_a_replicate_nothing_is_tested():
    found = cells()
    found[0][0] |= {"status": "diverged", "test_accuracy": None, "validation_accuracy_noisy": None}
    row = choose(*found)
    assert (row["verdict"], row["note"]) == ("not enough data", "plain cross-entropy diverged in some replicate")
    assert row[["ci_low", "p_value"]].isna().all()


def test_a_replicate_in_which_all_diverged():
    found = cells()
    for rows in found:
        rows[0] |= {"status": "diverged", "test_accuracy": None, "validation_accuracy_noisy": None}
    assert choose(*found)["note"] == "in some replicate every candidate diverged"


def test_hindsight_is_silent_when_every_candidate_diverged_somewhere():
    found = cells()
    for i, rows in enumerate(found):
        rows[i] |= {"status": "diverged", "test_accuracy": None, "validation_accuracy_noisy": None}
    row = choose(*found)
    assert row[["best_in_hindsight", "cost"]].isna().all()


def test_only_replicates_with_every_candidate_count():
    found = cells()
    found[2] = found[2][:3]
    row = choose(*found)
    assert (row["n"], row["n_incomplete"]) == (3, 1)
    assert json.loads(row["chosen"]) == {"cross_entropy": 1, "label_smoothing 0.1": 1, "label_smoothing 0.4": 1}


def test_without_validation_there_is_no_choice():
    found = frame(*cells()).drop(columns="validation_accuracy_noisy")
    row = choose_on_validation(found).iloc[0]
    assert (row["n"], row["n_incomplete"], row["verdict"]) == (0, 4, "not enough data")
    assert row["note"] == "no replicate has every candidate"


def test_a_crossed_design_counts_noise_seeds():
    rng = np.random.default_rng(0)
    plain, better = rng.normal(0.8, 0.01, (3, 2)), rng.normal(0.83, 0.01, (3, 2))
    tables = [dict(np.ndenumerate(values)) for values in (plain, better)]
    row = choose(
        scored(teacher(accuracies=tables[0]), [0.6] * 6),
        scored(teacher("label_smoothing", tables[1], 0.1), [0.7] * 6),
    )
    assert row["p_value"] == pytest.approx(stats.ttest_rel(better.mean(1), plain.mean(1)).pvalue)
    top = np.where(better > plain, better, plain)
    elsewhere = [
        (better if better[n, t] > plain[n, t] else plain)[np.arange(3) != n].mean() for n, t in np.ndindex(3, 2)
    ]
    assert row["optimism_of_best_on_test"] == pytest.approx(top.mean() - np.mean(elsewhere))


def test_an_empty_table_and_a_single_replicate():
    assert list(choose_on_validation(pd.DataFrame()).columns) == list(COLUMNS)
    row = choose(*(rows[:1] for rows in cells()))
    assert (row["verdict"], row["note"]) == ("not enough data", "1 independent replicates; a test needs 3")
    assert np.isnan(row["optimism_of_best_on_test"])


def test_the_optimism_of_a_crossed_design_is_against_other_labels():
    """Replicates that share their noisy labels are no others: what is best there is best by the same luck."""
    seeds = [(0, 0), (0, 1), (1, 0), (1, 1)]
    plain = teacher(accuracies=dict(zip(seeds, (0.80, 0.90, 0.70, 0.70), strict=True)))
    other = teacher("label_smoothing", dict(zip(seeds, (0.95, 0.60, 0.50, 0.50), strict=True)), 0.1)
    row = choose(scored(plain, [0.6] * 4), scored(other, [0.5] * 4))
    expected = np.mean([0.95 - 0.50, 0.90 - 0.70, 0.70 - 0.85, 0.70 - 0.85])
    assert row["optimism_of_best_on_test"] == pytest.approx(expected)
