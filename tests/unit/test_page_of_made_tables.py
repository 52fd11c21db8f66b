"""Made grids with a known truth: what the page's first sentence, its questions and its tables say of each, together."""

import numpy as np
import pandas as pd
import pytest
from fake_grid import fake_context
from statistics_rows import frame, student, teacher

from smearlab.report.answer import Answer, answer
from smearlab.report.facts import facts
from smearlab.report.page import render, replies
from smearlab.report.questions import passing_on
from smearlab.report.sections import stopping as stopping_section
from smearlab.report.sections.glance import verdict_field
from smearlab.report.sections.spread import spread
from smearlab.report.sections.standing import standing
from smearlab.statistics.interaction import interaction
from smearlab.statistics.mitigation import mitigation
from smearlab.statistics.passed_on import passed_on
from smearlab.statistics.pooled import pooled
from smearlab.statistics.rivals import rivals
from smearlab.statistics.robustness import robustness
from smearlab.statistics.stopping import stopping
from smearlab.statistics.summary import summarise
from smearlab.store.tables import Tables, make_tables

LUCK = np.array([0.004, -0.002, 0.001, -0.003, 0.002, 0.0])
WOBBLE = np.array([0.0005, -0.0004, 0.0002, -0.0003, 0.0004, -0.0004])
PRIMARY = {"method": "label_smoothing", "alpha": 0.1}


def cells(gains, *, early=None, alpha=0.1, n=6, paired=True, clean=True, **place):
    """Cross-entropy and smoothing at some rates: gains in points by rate, each known to a twentieth of a point."""
    found = []
    for rate, gain in gains.items():
        base = 0.9 - 0.5 * (0.4 if rate is None else rate) + LUCK[:n]
        better = base + gain / 100 + np.roll(WOBBLE, round(10 * (rate or 0)))[:n]
        late = 0.0 if early is None else early[rate] / 100
        for method, strength, values in (("cross_entropy", None, base), ("label_smoothing", alpha, better)):
            stopped = base + 0.02 + (late + 3 * WOBBLE[:n] if method != "cross_entropy" else 0.0)
            first = 0 if paired or method == "cross_entropy" else n
            by = {((first + i if rate else 0), first + i): float(v) for i, v in enumerate(values)}
            rows = teacher(method, by, strength, noise_rate=rate, **place)
            for row, at in zip(rows, stopped, strict=True):
                row["test_accuracy_last"] = row["test_accuracy"]
                row["test_accuracy_selected"] = row["test_accuracy"] if early is None else float(at)
                if not clean:
                    row |= {"test_accuracy_noisy": row["test_accuracy"], "test_accuracy": None}
                    row |= {"test_accuracy_last": None, "test_accuracy_selected": None}
            found.append(rows)
    return found


def tables_of(*rows, primary=PRIMARY) -> Tables:
    """All tables of the page from the networks of a grid."""
    metrics = frame(*rows)
    datasets, noises = (tuple(dict.fromkeys(metrics[name])) for name in ("dataset", "noise"))
    summary = summarise(metrics, primary=primary, margin=0.5)
    return make_tables(
        metrics=metrics,
        summary=summary,
        history=pd.DataFrame(),
        curves=pd.DataFrame(),
        context=fake_context(datasets, noises, tuple(sorted(set(metrics["noise_rate"].dropna()))), [], bool, None),
        interaction=interaction(metrics),
        passed_on=passed_on(metrics),
        stopping=stopping(metrics, margin=0.5),
        mitigation=mitigation(metrics, summary),
        rivals=rivals(metrics, summary, margin=0.5),
        robustness=robustness(metrics, primary=primary, margin=0.5, chance=dict.fromkeys(datasets, 0.1)),
        pooled=pooled(metrics, margin=0.5),
    )


def said(tables: Tables) -> Answer:
    """The opening of a page that can be made; the question it asks says no other thing."""
    known = facts(tables)
    found = answer(tables.summary, known, tables.mitigation)
    assert found.headline in render(tables, []).replace("\u00a0", " ")
    if replied := replies(tables, known):
        assert replied[0].tone in (found.tone, "unknown")
    return found


EQUAL = {0.0: 3.0, 0.2: 3.0, 0.4: 3.0}


def test_a_gain_that_noise_has_no_part_in_is_no_yes_also_where_another_rate_is_undecided():
    assert said(tables_of(*cells(EQUAL))).headline.startswith("No: ")
    rows = [
        *cells({0.0: 3.0, 0.2: 3.0}),
        teacher("cross_entropy", [0.7, 0.72, 0.71], noise_rate=0.4),
        teacher("label_smoothing", [0.72, 0.71, 0.73], 0.1, noise_rate=0.4),
    ]
    found = said(tables_of(*rows))
    assert found.tone == "unshown" and found.headline.endswith(
        "helped at 20 % and is undecided at 40 %; where it helped, no more than without noise."
    )


def test_beside_a_loss_elsewhere_it_is_a_no():
    rows = cells(EQUAL, dataset="a") + cells(dict.fromkeys(EQUAL, -3.0), dataset="b")
    found = said(tables_of(*rows))
    assert (found.tone, found.headline) == (
        "no",
        "No: of 4 noisy settings, label smoothing with α = 0.1 helped in 2 and hurt in 2; where it helped, no more "
        "than without noise.",
    )


def test_a_gain_that_grows_is_mitigation_and_one_that_falls_is_not():
    assert said(tables_of(*cells({0.0: 0.0, 0.2: 2.0, 0.4: 4.0}))).headline.endswith("helped, more than without noise.")
    falls = said(tables_of(*cells({0.0: 4.0, 0.2: 3.0, 0.4: 1.0})))
    assert falls.tone == "no" and "mitigates" not in " ".join([falls.headline, *falls.sentences])


def test_where_the_rules_disagree_a_gain_that_is_no_mitigation_is_told_as_none():
    found = said(tables_of(*cells(EQUAL, early=dict.fromkeys(EQUAL, -2.0))))
    assert found.headline.startswith("It depends on when training stops: ")
    assert found.headline.endswith("; where it helped at the checkpoint reported, no more than without noise.")
    assert found.tone == "unshown"


def test_rules_that_find_neither_help_nor_harm_depend_on_nothing():
    rows = cells({0.2: 0.0, 0.4: 0.0}, early={0.2: 0.3, 0.4: 0.3})
    for cell in rows:
        for row in cell if cell[0]["method"] == "label_smoothing" else []:
            row["test_accuracy_selected"] += 0.01 * (row["seed"] % 3 - 1)
    found = said(tables_of(*rows))
    assert found.headline.startswith("Not shown, whenever training stops: on digits with symmetric noise, ")
    assert "made no practical difference" in found.headline and "undecided" in found.headline


def test_labels_without_a_rate_have_none_in_the_sentence():
    rows = cells({None: 3.0}, early={None: -2.0}, noise="human", dataset="c10")
    found = said(tables_of(*rows))
    assert "α = 0.1 helped at the last epoch; it hurt stopped early" in found.headline
    assert "as given" not in " ".join([found.headline, *found.sentences])


def test_clean_labels_here_and_unknown_ones_there_are_not_told_as_clean():
    rows = cells({0.0: 1.0}, dataset="a") + cells({None: 1.0}, dataset="own", noise="labels", clean=False)
    headline = said(tables_of(*rows)).headline
    assert (
        headline == "This grid cannot say what noise does: of own, whose labels are noisy, no true test label is known."
    )
    assert said(tables_of(*cells({0.0: 1.0}))).headline == "This grid says nothing about noise: its labels are clean."


def test_of_several_places_each_number_is_told_with_its_own():
    rows = cells({0.0: 0.0, 0.2: 2.0}, dataset="a") + cells({0.0: 0.0, 0.2: -2.0}, dataset="b")
    tables = tables_of(*rows)
    (sentence,) = [s for s in replies(tables, facts(tables))[0].sentences if s.startswith("Beside its gain")]
    assert "points on a with symmetric noise at 20 % (small)" in sentence and "mitigates" in sentence
    assert "points on b with symmetric noise at 20 % (small)" in sentence and "hurts, so does not mitigate" in sentence


def test_networks_without_a_replicate_in_common_are_not_compared():
    tables = tables_of(*cells(EQUAL, paired=False))
    found = said(tables)
    assert "has no replicate in common with cross-entropy, so is not compared" in " ".join(found.sentences)
    (sentence,) = stopping_section.sentences(tables, facts(tables))
    assert sentence.endswith(
        "has no replicate in common with label smoothing with α = 0.1, so is not compared with it."
    )
    assert verdict_field(tables.summary.iloc[1]).note == "n = 0 pairs"


def test_equal_differences_are_told_as_what_cannot_be_tested():
    rows = [
        cell
        for rate in (0.0, 0.4)
        for cell in (
            teacher("cross_entropy", {(i if rate else 0, i): 0.8 for i in range(5)}, noise_rate=rate),
            teacher("label_smoothing", {(i if rate else 0, i): 0.85 for i in range(5)}, 0.1, noise_rate=rate),
        )
    ]
    found = said(tables_of(*rows))
    assert found.tone == "unknown"
    assert "(+5.0 points, the same in all n = 5 pairs, no spread to test)" in found.sentences[0]


def test_smoothing_of_nothing_is_cross_entropy_everywhere():
    rows = cells({0.0: 0.0, 0.2: 2.0, 0.4: 4.0})
    rows += [[{**row, "method": "label_smoothing", "alpha": 0.0} for row in cell] for cell in rows[::2]]
    tables = tables_of(*rows)
    assert set(tables.pooled.loc[tables.pooled["alpha"] == 0.0, "verdict"]) == {"identical"}
    assert set(tables.interaction["alpha"]) == {0.1} and 0.0 not in set(tables.rivals["alpha"])
    stopped = tables.stopping.set_index(["noise_rate", "method", "alpha"])
    numbers = ["difference", "p_value", "p_holm", "ci_low_simultaneous", "ci_high_simultaneous"]
    plain = stopped.xs("cross_entropy", level="method")[numbers].to_numpy(float)
    other = stopped.xs(("label_smoothing", 0.0), level=("method", "alpha"))[numbers].to_numpy(float)
    assert plain == pytest.approx(other, nan_ok=True)


def test_two_guesses_are_no_comparison_and_one_is():
    both = tables_of(*[teacher(m, [None] * 3, a) for m, a in (("cross_entropy", None), ("label_smoothing", 0.1))])
    assert "diverged as chance" not in set(both.robustness["check"])
    one = tables_of(teacher("cross_entropy", [0.8, 0.81, 0.82]), teacher("label_smoothing", [None] * 3, 0.1))
    counted = one.robustness[one.robustness["check"] == "diverged as chance"]
    assert list(counted["verdict"]) == ["hurts"]


def test_what_is_left_of_a_diverged_comparison_is_in_no_range():
    rows = [
        teacher("cross_entropy", [0.8, 0.81, 0.82, 0.83, 0.81]),
        teacher("label_smoothing", [0.9, 0.9, None, 0.9, 0.9], 0.1),
    ]
    (table,) = [t for t in standing(tables_of(*rows)) if t.title == "Does the headline stand?"]
    (turns,) = [row for row in table.rows if any("in turn" in field.text for field in row)]
    (only,) = [field.text for name, field in zip(table.columns, turns, strict=True) if name == "difference"]
    assert only == "+8.8 to +8.8", "without the diverged replicate alone"


def test_a_missing_baseline_is_called_so_by_every_table():
    rows = [*cells({0.2: 2.0}), teacher("label_smoothing", [0.7, 0.71, 0.72], 0.1, noise_rate=0.4)]
    tables = tables_of(*rows)
    alone = tables.robustness[tables.robustness["noise_rate"] == 0.4]
    assert set(alone["verdict"]) == {"no baseline"}
    assert set(tables.summary.loc[tables.summary["noise_rate"] == 0.4, "verdict"]) == {"no baseline"}


def test_a_diverged_student_is_not_the_largest_difference():
    counts = ("both_memorised", "teacher_only_memorised", "student_only_memorised", "neither_memorised")
    rows = []
    for method, alpha, share in (
        ("cross_entropy", None, 60),
        ("label_smoothing", 0.1, 20),
        ("label_smoothing", 0.4, 40),
    ):
        cell = student(method, [0.7, 0.71, 0.72, 0.73], alpha)
        for row in cell:
            both = share + row["seed"]
            row |= dict(zip(counts, (both, 5, 5, 90 - both), strict=True))
        if alpha == 0.1:
            cell[0] |= {"status": "diverged", "test_accuracy": None, **dict.fromkeys(counts)}
        rows.append(cell)
    sentences = " ".join(passing_on.reply(tables_of(*rows)).sentences)
    assert "on digits with symmetric noise at 20 % (small) teacher (label smoothing with α = 0.4)" in sentences


def test_negative_smoothing_alone_is_not_told_as_none():
    tables = tables_of(*cells(EQUAL, alpha=-0.4), primary=None)
    assert "no network with label smoothing of a positive α" in replies(tables, facts(tables))[0].sentences[0]


def test_the_end_of_a_slope_that_leaves_0_out_keeps_its_sign():
    tables = tables_of(*cells({0.0: 0.0, 0.4: 2.0}))
    found = tables.interaction.assign(ci_low_simultaneous=1e-9)
    (table,) = [t for t in spread(Tables(**{**vars(tables), "interaction": found})) if "grow" in t.title]
    assert any(field.text.startswith("+0.0 to") for field in table.rows[0])
