"""The report's sentences: they say what the numbers say, and no more."""

import fake_grid
import numpy as np
import pandas as pd
import pytest
from fake_grid import DIGITS_CELLS, fake_tables, teacher
from hypothesis import given, settings
from hypothesis import strategies as st

from smearlab.report.answer import answer
from smearlab.report.facts import Facts, facts
from smearlab.report.page import replies
from smearlab.report.phrases import clause
from smearlab.report.primary import primary_rows
from smearlab.report.questions import loss_corrections, shrinkage, student, symmetric_noise
from smearlab.report.sections import stopping
from smearlab.report.sections.glance import verdict_field
from smearlab.report.sections.reading import binomial_errors
from smearlab.store.tables import NUMBER_KEYS, SUMMARY_NUMBERS, SUMMARY_TEXTS, TEXT_KEYS, cell_keys, regular

VERDICTS = [
    "helps",
    "hurts",
    "no practical difference",
    "not enough data",
    "not decided",
    "identical",
    "diverged",
    "missing",
]


def frame(*rows):
    """A summary frame of these rows, each a small dictionary over a default row."""
    default = {"dataset": "digits", "noise": "symmetric", "recipe": "small", "role": "teacher", "n": 5, "n_paired": 5}
    default |= {"n_diverged": 0, "margin": 0.5, "mean": 0.9}
    found = regular(pd.DataFrame([default | row for row in rows]), SUMMARY_NUMBERS, [*TEXT_KEYS, *SUMMARY_TEXTS])
    return found.assign(key=cell_keys(found), n_finished=found["n"] - found["n_diverged"])


def smoothing(rate, verdict, difference=np.nan, alpha=0.1, **more):
    row = {"method": "label_smoothing", "alpha": alpha, "noise_rate": rate, "verdict": verdict}
    if verdict == "missing":
        return row | {"n": 0, "n_paired": 0, "mean": np.nan} | more
    low, high = difference - 0.01, difference + 0.01
    return row | {"difference": difference, "ci_low": low, "ci_high": high} | more


def plain(rate, **more):
    return {"method": "cross_entropy", "noise_rate": rate, "verdict": "baseline"} | more


def correction(rate, difference, verdict="helps", method="forward", half=0.01):
    row = {"method": method, "transition": "true", "noise_rate": rate, "verdict": verdict, "difference": difference}
    return row | {"ci_low": difference - half, "ci_high": difference + half}


def said(summary, **known):
    found = answer(summary, Facts(**known))
    return found.headline, " ".join(found.sentences), found.tone


@pytest.mark.parametrize(
    ("verdict", "difference", "headline", "tone"),
    [
        ("helps", 0.021, "Yes: on digits with symmetric noise, label smoothing with α = 0.1 helped.", "yes"),
        ("hurts", -0.021, "No: on digits with symmetric noise, label smoothing with α = 0.1 hurt.", "no"),
        (
            "no practical difference",
            0.001,
            "No: on digits with symmetric noise, label smoothing with α = 0.1 made no practical difference.",
            "no",
        ),
        (
            "not enough data",
            0.021,
            "This grid cannot say whether label smoothing with α = 0.1 helps on digits with symmetric noise.",
            "unknown",
        ),
        (
            "diverged",
            np.nan,
            "This grid cannot say whether label smoothing with α = 0.1 helps on digits with symmetric noise.",
            "unknown",
        ),
        (
            "missing",
            np.nan,
            "This grid cannot say yet whether label smoothing with α = 0.1 helps on digits with symmetric noise.",
            "unknown",
        ),
    ],
)
def test_one_rate_gives_the_headline_of_its_verdict(verdict, difference, headline, tone):
    found = said(frame(plain(0.2), smoothing(0.2, verdict, difference)))
    assert (found[0], found[2]) == (headline, tone)


def test_sentence_holds_difference_interval_n_and_rate_of_the_row():
    _, sentences, _ = said(frame(plain(0.4), smoothing(0.4, "helps", 0.0312, n_paired=7)))
    assert "at 40 % noise" in sentences
    assert "raised test accuracy by 3.1 points (95 % interval +2.1 to +4.1, n = 7 pairs)" in sentences


def test_mixed_rates_are_named_one_by_one():
    rows = [plain(0.2), plain(0.4), smoothing(0.2, "not enough data", 0.01), smoothing(0.4, "helps", 0.03)]
    headline, _, tone = said(frame(*rows))
    assert (
        headline.endswith("label smoothing with α = 0.1 is undecided at 20 % and helped at 40 %.") and tone == "partly"
    )


def test_harm_at_one_rate_and_doubt_at_another_is_not_called_partial_success():
    headline, _, tone = said(frame(smoothing(0.2, "hurts", -0.02), smoothing(0.4, "not enough data", 0.01)))
    assert headline.startswith("Not shown") and tone == "unshown"


def at_rules(rate, last, stopped, leading="last", **more):
    """A smoothing row with a verdict at either stopping rule, one of them leading."""
    row = smoothing(rate, last if leading == "last" else stopped, 0.03 if leading == "last" else 0.01, **more)
    row |= {"difference_last": 0.03, "difference_selected": 0.01}
    return row | {"verdict_last": last, "verdict_selected": stopped}


@pytest.mark.parametrize("leading", ["last", "selected"])
def test_where_the_stopping_rules_disagree_the_first_sentence_says_so(leading):
    rows = [at_rules(0.2, "helps", "helps", leading), at_rules(0.4, "helps", "hurts", leading)]
    headline, _, tone = said(frame(*rows))
    assert headline == (
        "It depends on when training stops: on digits with symmetric noise, label smoothing with α = 0.1 helped at "
        "20 % and 40 % at the last epoch; it helped at 20 % and hurt at 40 % stopped early."
    )
    assert tone == "partly"
    many = [at_rules(0.2, "helps", "helps", leading), at_rules(0.2, "helps", "hurts", leading, dataset="other")]
    assert said(frame(*many))[0] == (
        "It depends on when training stops: of 2 noisy settings, label smoothing with α = 0.1 helped in 2 at the last "
        "epoch; it helped in 1 and hurt in 1 stopped early."
    )


def test_label_wave_is_told_where_it_was_measured():
    rows = [at_rules(0.4, "helps", "helps") | {"difference_label_wave": 0.0, "verdict_label_wave": "hurts"}]
    assert said(frame(*rows))[0] == (
        "It depends on when training stops: on digits with symmetric noise, label smoothing with α = 0.1 helped at "
        "40 % at the last epoch; it helped at 40 % stopped early; it hurt at 40 % stopped by Label Wave."
    )
    note = verdict_field(frame(*rows).iloc[0]).note
    assert note == "+3.0, n = 5; stopped early +1.0, helps; stopped by Label Wave 0.0, hurts"


def test_question_one_is_no_plain_yes_where_the_rules_disagree():
    reply = symmetric_noise.reply(frame(at_rules(0.2, "helps", "not enough data")), Facts())
    assert (reply.tone, reply.short) == ("partly", "In part")
    assert "at the last epoch it helped in 1; stopped early it is undecided in 1" in reply.sentences[1]


def test_rules_that_agree_are_not_mentioned():
    assert said(frame(at_rules(0.2, "helps", "helps")))[0].startswith("Yes: ")
    clean = [at_rules(0.0, "helps", "hurts"), at_rules(0.2, "helps", "helps")]
    assert said(frame(*clean))[0].startswith("Yes: ")


@pytest.mark.parametrize("dataset", ["digits", "other"])
def test_rules_that_leave_it_undecided_in_other_words_agree(dataset):
    """Not decided and not enough data are both told as undecided: nothing depends on when training stops."""
    rows = [at_rules(0.2, "not decided", "not enough data")]
    rows.append(at_rules(0.4, "not enough data", "not enough data", dataset=dataset))
    assert "depends" not in said(frame(*rows))[0]


def test_rules_that_find_as_much_in_other_places_are_said_to():
    rows = [at_rules(0.2, "helps", "hurts"), at_rules(0.2, "hurts", "helps", dataset="other")]
    assert said(frame(*rows))[0] == (
        "It depends on when training stops: of 2 noisy settings, label smoothing with α = 0.1 helped in 1 and hurt "
        "in 1 by each stopping rule, but not in the same ones."
    )


@pytest.mark.parametrize(
    ("leading", "note"),
    [("last", "+3.0, n = 5; stopped early +1.0, hurts"), ("selected", "+1.0, n = 5; at the last epoch +3.0, helps")],
)
def test_a_field_at_a_glance_shows_the_other_rule_too(leading, note):
    assert verdict_field(frame(at_rules(0.2, "helps", "hurts", leading)).iloc[0]).note == note


def test_stopping_is_told_by_its_table():
    tables = fake_tables(rates=(0.0, 0.4), details=False)
    sentence, *_ = stopping.sentences(tables, facts(tables))
    rows = tables.stopping.query("noise_rate == 0.4")
    plain, smoothed = rows.iloc[0], rows.query("alpha == 0.1").iloc[0]
    told = [f"{100 * row['difference']:+.1f} points".replace("-", "−") for row in (plain, smoothed)]
    assert all(words in sentence for words in told)
    assert "On digits with symmetric noise at 40 %" in sentence
    assert "against label smoothing with α = 0.1 at its last epoch" in sentence
    assert len(stopping.stopping(tables).rows) == len(tables.stopping)


def mitigating(*rows):
    """A table of mitigation for rows of the summary, each (row, finding)."""
    names = [frame(row)[[*TEXT_KEYS, *NUMBER_KEYS]].iloc[0].to_dict() for row, _ in rows]
    numbers = {"n": 5, "difference": 0.02, "ci_low": 0.01, "ci_high": 0.03, "share_recovered": 0.25}
    return pd.DataFrame([name | numbers | {"finding": word} for name, (_, word) in zip(names, rows, strict=True)])


NO_MORE = "helps, but no more than without noise"


@pytest.mark.parametrize(
    ("findings", "headline", "tone"),
    [
        (("mitigates", "mitigates"), "Yes: ON helped, more than without noise.", "yes"),
        ((NO_MORE, NO_MORE), "No: ON helped, but no more than without noise.", "no"),
        (
            (NO_MORE, "mitigates"),
            "In part: ON helped: no more than without noise at 20 % and more than without noise at 40 %.",
            "partly",
        ),
        (
            ("not enough data",) * 2,
            "In part: ON helped, whether more than without noise is not decided.",
            "partly",
        ),
    ],
)
def test_helping_alike_with_and_without_noise_is_no_yes(findings, headline, tone):
    rows = [smoothing(0.2, "helps", 0.03), smoothing(0.4, "helps", 0.03)]
    table = mitigating(*zip(rows, findings, strict=True))
    found = answer(frame(*rows), Facts(), table)
    assert found.headline == headline.replace("ON", "on digits with symmetric noise, label smoothing with α = 0.1")
    assert found.tone == tone and "25 % of what noise costs cross-entropy" in " ".join(found.sentences)
    assert symmetric_noise.reply(frame(*rows), Facts(), table).tone == tone


def test_clean_labels_alone_say_nothing_about_noise():
    headline, sentences, tone = said(frame(plain(0.0), smoothing(0.0, "hurts", -0.01)))
    assert "says nothing about noise" in headline and tone == "unknown"
    assert "Without noise it lowered test accuracy by 1.0 points" in sentences


def test_a_grid_without_smoothing_cannot_say():
    assert said(frame(plain(0.2), correction(0.2, 0.05)))[0] == "This grid cannot say."
    assert said(frame().head(0))[0] == "This grid cannot say."


def test_best_in_hindsight_is_named_as_such_and_not_when_it_is_the_headline_itself():
    rows = [plain(0.2), smoothing(0.2, "helps", 0.02, mean=0.92), smoothing(0.2, "helps", 0.05, alpha=0.8, mean=0.95)]
    assert "picked in hindsight, is that of label smoothing with α = 0.8 (+5.0 points" in said(frame(*rows))[1]
    assert "it also has the highest mean, 92.0 %" in said(frame(*rows[:2]))[1]


def test_diverged_replicates_are_counted():
    _, sentences, _ = said(frame(smoothing(0.2, "diverged", n_diverged=2)))
    assert "diverged (2 of 5 replicates)" in sentences


def test_noisy_test_labels_are_named():
    _, sentences, _ = said(frame(smoothing(0.2, "helps", 0.02)), clean={"digits": False})
    assert "agree" in sentences and "for true labels this data cannot tell" in sentences


def test_many_settings_are_counted():
    rows = [smoothing(0.2, v, d, dataset=name) for name, v, d in (("a", "helps", 0.03), ("b", "hurts", -0.02))]
    headline, sentences, _ = said(frame(*rows))
    assert headline == "In part: of 2 noisy settings, label smoothing with α = 0.1 helped in 1 and hurt in 1."
    assert "Best for it is a" in sentences and "Worst for it is b" in sentences


def test_the_flag_of_the_table_decides_which_contrast_is_the_headline():
    rows = frame(smoothing(0.2, "helps", 0.03), smoothing(0.2, "hurts", -0.03, alpha=0.6))
    assert said(rows.assign(primary=[False, True]))[2] == "no"
    assert said(rows)[2] == "yes"


def test_without_a_named_contrast_it_is_the_smoothing_nearest_a_tenth():
    rows = frame(*(smoothing(0.2, "helps", 0.02, alpha=a) for a in (-0.1, 0.05, 0.2, 0.4)))
    assert list(primary_rows(rows, Facts())["alpha"]) == [0.05]


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from([0.0, 0.1, 0.2, 0.4]), st.sampled_from(VERDICTS), st.floats(-0.3, 0.3)),
        min_size=1,
        max_size=4,
        unique_by=lambda row: row[0],
    )
)
def test_success_is_claimed_only_where_a_noisy_row_helps(rows):
    summary = frame(*(smoothing(rate, verdict, difference) for rate, verdict, difference in rows))
    headline, _, tone = said(summary)
    noisy = {verdict for rate, verdict, _ in rows if rate > 0}
    assert ("helped" in headline) == ("helps" in noisy)
    assert (tone == "yes") == (noisy == {"helps"})
    reply = symmetric_noise.reply(summary, Facts())
    assert (reply.tone == "yes") == (noisy == {"helps"})


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(VERDICTS), st.floats(-0.5, 0.5))
def test_raised_and_lowered_follow_the_verdict(verdict, difference):
    found = clause(frame(smoothing(0.2, verdict, difference)).iloc[0])
    assert ("raised" in found) == (verdict == "helps")
    assert ("lowered" in found) == (verdict == "hurts")


def test_question_one_needs_symmetric_noise():
    rows = frame(smoothing(0.2, "helps", 0.02, noise="mine"))
    assert symmetric_noise.reply(rows, Facts(kinds={"mine": "pair_flip"})).tone == "unknown"
    assert symmetric_noise.reply(rows, Facts(kinds={"mine": "uniform_redraw"})).tone == "yes"


def test_question_one_counts_all_strengths():
    rows = frame(*(smoothing(0.2, v, d, alpha=a) for a, v, d in ((0.1, "helps", 0.02), (0.4, "hurts", -0.02))))
    reply = symmetric_noise.reply(rows, Facts())
    assert "helped in 1 and hurt in 1 of 2 comparisons" in " ".join(reply.sentences)


@pytest.mark.parametrize(
    ("differences", "short", "tone"),
    [
        ((0.05, 0.06), "At α = 0.1: behind them", "partly"),
        ((-0.05, -0.01), "At α = 0.1: ahead of them", "partly"),
        ((0.05, -0.05), "At α = 0.1: among them", "partly"),
        ((0.021, 0.019), "At α = 0.1: not told apart", "unshown"),
    ],
)
def test_question_two_rests_on_the_paired_contrasts_not_on_overlap(differences, short, tone):
    # all intervals against cross-entropy overlap: each is wider than any difference between two methods
    rows = [correction(0.2, d, method=m, half=0.2) for d, m in zip(differences, ("forward", "backward"), strict=True)]
    table = pd.DataFrame([against(row, 0.02 - row["difference"]) for row in rows])
    summary = frame(plain(0.2), smoothing(0.2, "helps", 0.02, mean=0.9), *rows)
    reply = loss_corrections.reply(summary, Facts(), table)
    assert (reply.short, reply.tone) == (short, tone)
    assert f"{100 * (0.02 - differences[0]):+.1f} points".replace("-", "−") in reply.sentences[-1]
    assert "overlap" not in " ".join(reply.sentences)


def against(row, difference):
    """A row of rivals.csv: the headline minus a correction, decided from a point on."""
    names = {key: row.get(key) for key in ("method", "transition", "noise_rate")}
    place = {"dataset": "digits", "noise": "symmetric", "recipe": "small", "arch": "cnn"}
    verdict = "not enough data" if abs(difference) < 0.01 else "helps" if difference > 0 else "hurts"
    numbers = {"n": 5, "difference": difference, "ci_low": difference - 0.005, "ci_high": difference + 0.005}
    return place | names | numbers | {"verdict": verdict}


def test_question_two_needs_a_correction_under_noise():
    rows = frame(smoothing(0.2, "helps", 0.02), correction(0.0, 0.1))
    assert loss_corrections.reply(rows, Facts()).tone == "unknown"


def pupil(rate, verdict, difference=np.nan, teacher_method="label_smoothing", alpha=0.1):
    row = smoothing(rate, verdict, difference) | {"role": "student", "method": "cross_entropy", "alpha": np.nan}
    return row | {"teacher_method": teacher_method, "teacher_alpha": alpha, "temperature": 4.0, "beta": 0.5}


def test_question_three_looks_at_students_of_smoothed_teachers_only():
    rows = frame(pupil(0.2, "helps", 0.03), pupil(0.2, "hurts", -0.03, "forward", np.nan))
    reply = student.reply(rows)
    assert reply.tone == "yes" and "helped in 1 of 1 noisy setting" in reply.sentences[0]


def test_question_three_keeps_the_clean_case_apart():
    reply = student.reply(frame(pupil(0.2, "helps", 0.03), pupil(0.0, "hurts", -0.02)))
    assert reply.tone == "yes" and reply.sentences[-1] == "Without noise it hurt in 1 of 1."


def test_question_three_without_students():
    assert student.reply(frame(smoothing(0.2, "helps", 0.02))).tone == "unknown"
    assert student.reply(frame(pupil(0.2, "missing"))).tone == "unknown"


def decay(verdict, difference, strength=0.01):
    row = {"method": "weight_decay", "options": f'{{"weight_decay": {strength}}}', "noise_rate": 0.2}
    return row | {"verdict": verdict, "difference": difference, "ci_low": -0.1, "ci_high": 0.1}


@pytest.mark.parametrize(
    ("smoothed", "decayed", "tone", "phrase"),
    [
        ("helps", "helps", "partly", "does not prove it"),
        ("helps", "hurts", "no", "speaks against the ℓ2 reading"),
        ("helps", "not enough data", "unknown", "not decided"),
        ("hurts", "helps", "unknown", "nothing needs explaining"),
    ],
)
def test_question_four_weighs_smoothing_against_decay(smoothed, decayed, tone, phrase):
    reply = shrinkage.reply(frame(smoothing(0.2, smoothed, 0.02), decay(decayed, 0.01)), Facts())
    assert reply.tone == tone and phrase in reply.sentences[0]


def test_question_four_needs_a_decay_sweep_and_reports_the_spread_it_has():
    rows = frame(plain(0.2), smoothing(0.2, "helps", 0.02))
    metrics = pd.DataFrame({"key": list(rows["key"]) * 2, "logit_spread": [4.0, 2.0, 6.0, 3.0]})
    reply = shrinkage.reply(rows, Facts(), metrics)
    assert reply.tone == "unknown"
    assert "2.5 with label smoothing with α = 0.1 (n = 2) and 5 with cross-entropy (n = 2)" in reply.sentences[-1]


def test_binomial_error_is_that_of_the_plain_accuracy():
    (sentence,) = binomial_errors(frame(plain(0.2, mean=0.8)), Facts(n_test={"digits": 400}))
    assert "accuracy of 80.0 % measured on 400 test examples has a binomial standard error of 2.0 points" in sentence


def test_answers_follow_a_whole_grid():
    tables = fake_tables()
    known = facts(tables)
    headline = answer(tables.summary, known).headline
    noisy = primary_rows(tables.summary, known).query("noise_rate > 0")["verdict"]
    assert headline.startswith("Yes") == (set(noisy) == {"helps"})
    assert len(replies(tables, known)) == 4


@pytest.mark.parametrize("cells", [[teacher("cross_entropy")], [fake_grid.student("cross_entropy", 1.0)], DIGITS_CELLS])
@pytest.mark.parametrize("keep", [lambda cell: False, lambda cell: cell["noise_rate"] == 0])
def test_every_half_filled_grid_gets_all_its_sentences(cells, keep):
    tables = fake_tables(cells=cells, keep=keep, details=False)
    known = facts(tables)
    found = [answer(tables.summary, known), *replies(tables, known)]
    for item in found:
        assert item.sentences and all("nan" not in sentence for sentence in item.sentences)
        assert item.tone != "yes"


def compared_without_noise(*rows, found):
    """The answer where mitigation.csv was made with the findings of some of the rows."""
    return answer(frame(*rows), Facts(), mitigating(*found) if found else pd.DataFrame())


def test_a_gain_that_nothing_without_noise_stands_beside_is_no_yes():
    rows = [smoothing(0.2, "helps", 0.03), smoothing(0.4, "helps", 0.03)]
    found = compared_without_noise(*rows, found=[])
    assert (found.tone, found.headline[:9]) == ("partly", "In part: ")
    assert found.headline.endswith("helped, whether more than without noise was not compared.")
    assert "was not compared at 20 % noise and at 40 % noise." in found.sentences[1]
    assert symmetric_noise.reply(frame(*rows), Facts(), pd.DataFrame()).tone == "partly"


def test_one_of_two_settings_compared_without_noise_does_not_speak_for_the_other():
    rows = [smoothing(0.2, "helps", 0.03, dataset=name) for name in "ab"]
    found = compared_without_noise(*rows, found=[(rows[0], "mitigates")])
    assert found.tone == "partly"
    assert found.headline.endswith(
        "helped in 2, more than without noise in 1, whether more than without noise was not compared in 1."
    )
    alike = compared_without_noise(*rows, found=[(row, NO_MORE) for row in rows])
    assert alike.headline.endswith("helped in 2, no more than without noise in 2.") and alike.tone == "no"


def test_a_method_is_not_said_to_have_diverged_where_its_baseline_did():
    rows = [smoothing(0.2, "helps", 0.03), smoothing(0.4, "diverged", 0.08)]
    headline, sentences, _ = said(frame(*rows))
    assert "diverged at" not in headline and "is not tested, because of divergence, at 40 %" in headline
    assert "because training diverged (in the networks it is compared with)" in sentences
    assert "8.0" not in sentences, "the gain of the replicates left is a selection's"


def test_a_headline_that_the_grid_does_not_have_is_named_beside_other_smoothings():
    rows = [plain(0.2), smoothing(0.2, "helps", 0.03)]
    _, sentences, tone = said(frame(*rows), primary={"method": "gce", "alpha": None})
    assert "of generalised cross-entropy, is not among its comparisons" in sentences and tone == "unknown"
    assert "no smoothing" in said(frame(plain(0.2), correction(0.2, 0.05)))[1]


def test_another_method_as_the_headline_is_not_told_as_smoothing():
    rows = [
        {**smoothing(0.2, "helps", 0.05), "method": "weight_decay", "alpha": np.nan, "primary": True},
        {**smoothing(0.2, "hurts", -0.02), "primary": False},
        correction(0.2, 0.05),
    ]
    reply = symmetric_noise.reply(frame(*rows), Facts())
    assert reply.tone == "no" and reply.sentences[0].startswith("Smoothing with α = 0.1 hurt in 1 of 1")
    assert "and that is no smoothing" in loss_corrections.reply(frame(*rows), Facts()).sentences[0]


def test_means_of_unequal_replicates_are_not_ranked():
    rows = [
        plain(0.2, mean=0.8),
        smoothing(0.2, "helps", 0.02, mean=0.82),
        smoothing(0.2, "helps", 0.2, alpha=0.4, mean=0.99, n=3),
    ]
    _, sentences, _ = said(frame(*rows))
    assert "at 20 % noise among those finished in all 5 replicates it also has the highest mean, 82.0 %" in sentences
    rows[1] |= {"n": 3}
    assert "highest mean" not in said(frame(*rows))[1], "the headline itself has fewer"


def test_what_no_accuracies_can_differ_by_is_no_detectable_difference():
    undecided = smoothing(0.2, "not enough data", 0.5)
    assert "finds 90.0 points or more" in said(frame(undecided | {"detectable": 0.9}))[1]
    assert "it finds no difference with 80 % power" in said(frame(undecided | {"detectable": 1.12}))[1]


def test_where_every_network_diverged_no_true_label_is_said_to_be_missing():
    two = [teacher("cross_entropy"), teacher("label_smoothing", 0.1)]
    tables = fake_tables(cells=two, rates=(0.0, 0.4), seeds=3, details=False, diverged=lambda cell: True)
    known = facts(tables)
    assert (
        known.clean == {}
        and facts(fake_tables(cells=two, seeds=1, details=False, clean=False)).clean["digits"] is False
    )
    found = answer(tables.summary, known, tables.mitigation)
    assert found.headline.startswith("This grid cannot say whether") and found.tone == "unknown"
    assert verdict_field(tables.summary.iloc[0]).note == "–, n = 0; 3 of 3 diverged"
