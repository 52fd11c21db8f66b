"""The one table of columns: what stands in each table of a grid, with type, unit and meaning.

Types of the files, orders, the columns that name a cell, those that the statistics group by, and the reference page
derive from it. FURTHER describes what the metrics that come along measure; a user's own joins metrics.* as a number
under its own name, and needs no line here.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

TEXT, NUMBER, WHOLE, FLAG = "text", "number", "whole number", "truth value"
TALLY = "count"  # a whole number that is never empty
# Groups of the columns of metrics.*; all but the last three name a cell together.
CONDITION, RECIPE, TREATMENT, TEACHER, STUDENT = NAMING = ("condition", "recipe", "treatment", "teacher", "student")
REPLICATE, MEASURED, REMARK = "replicate", "measured", "remark"
SHARE, DIFFERENCE, POINTS = "0 to 1", "-1 to 1", "points"


@dataclass(frozen=True)
class Column:
    """One column: its name, type and group, what it means, its unit, and the sign that stands for it on the page."""

    name: str
    type: str
    group: str
    meaning: str
    unit: str = ""
    sign: str = ""


METRICS = (
    Column("dataset", TEXT, CONDITION, "the data set's name in the config"),
    Column("noise", TEXT, CONDITION, "the noise's name in the config"),
    Column("noise_rate", NUMBER, CONDITION, "the rate that was asked for; empty for a noise without one", SHARE),
    Column("noise_seed", WHOLE, REPLICATE, "what drew the labels"),
    Column("realised_noise_rate", NUMBER, REPLICATE, "wrong labels among the training examples", SHARE),
    Column("recipe", TEXT, RECIPE, "the recipe's name in the config"),
    Column("arch", TEXT, RECIPE, "the network"),
    Column("role", TEXT, RECIPE, "teacher or student"),
    Column("method", TEXT, TREATMENT, "how the loss treats a label"),
    Column("alpha", NUMBER, TREATMENT, "the strength of a smoothing", sign="α"),
    Column("transition", TEXT, TREATMENT, "the transition matrix that a corrected loss is given"),
    Column("options", TEXT, TREATMENT, "further options of the method, as JSON"),
    Column("teacher_method", TEXT, TEACHER, "of a student: its teacher's method"),
    Column("teacher_alpha", NUMBER, TEACHER, "of a student: its teacher's strength"),
    Column("teacher_transition", TEXT, TEACHER, "of a student: its teacher's transition matrix"),
    Column("teacher_options", TEXT, TEACHER, "of a student: its teacher's further options"),
    Column("teacher_recipe", TEXT, STUDENT, "of a student: its teacher's recipe"),
    Column("temperature", NUMBER, STUDENT, "of a student: the temperature of its teacher's outputs", sign="τ"),
    Column("beta", NUMBER, STUDENT, "of a student: the weight of its teacher; the rest is the labels'", SHARE, "β"),
    Column("student_labels", TEXT, STUDENT, "of a student: the labels it sees: noisy, clean, none"),
    Column("view", TEXT, STUDENT, "of a student: what its teacher is shown: the same batch, or the fixed images"),
    Column("student_temperature", NUMBER, STUDENT, "of a student: its own temperature, if another", sign="own τ"),
    Column("seed", WHOLE, REPLICATE, "what drew initialisation, order and augmentation"),
    Column("status", TEXT, REPLICATE, "finished or diverged"),
    Column("test_accuracy", NUMBER, MEASURED, "on true test labels, at the reported checkpoint", SHARE),
    Column("test_accuracy_last", NUMBER, MEASURED, "the same at the last epoch; empty on a gold set", SHARE),
    Column("test_accuracy_selected", NUMBER, MEASURED, "the same at the epoch best on noisy validation labels", SHARE),
    Column("test_accuracy_label_wave", NUMBER, MEASURED, "the same at the epoch that Label Wave picks", SHARE),
    Column("test_accuracy_noisy", NUMBER, MEASURED, "on the noisy test labels that came with the data", SHARE),
    Column("test_nll", NUMBER, MEASURED, "negative log-likelihood of the true test labels", "nats"),
    Column("test_brier", NUMBER, MEASURED, "squared distance of the probabilities to the true test labels", "0 to 2"),
    Column("test_ece", NUMBER, MEASURED, "expected calibration error, 15 bins of equal width", SHARE),
    Column("test_ece_floor", NUMBER, MEASURED, "the ECE expected of calibrated networks on as many images", SHARE),
    Column("train_accuracy_noisy", NUMBER, MEASURED, "on the observed training labels", SHARE),
    Column("memorised", NUMBER, MEASURED, "of the wrongly labelled training examples: predicted as labelled", SHARE),
    Column("recovered", NUMBER, MEASURED, "of the same examples: predicted as what they are", SHARE),
    Column("best_on_test_accuracy", NUMBER, MEASURED, "the best over the snapshots, chosen on the test set", SHARE),
    Column("epochs", WHOLE, MEASURED, "epochs trained"),
    Column("train_seconds", NUMBER, REMARK, "empty since 0.2.0: times stand in each block's timings.json", "s"),
    Column("images_per_second", NUMBER, REMARK, "empty since 0.2.0, likewise", "1/s"),
    Column("device", TEXT, MEASURED, "cpu or cuda"),
    Column("precision", TEXT, MEASURED, "fp32 or bf16"),
    Column("n_snapshots", WHOLE, REMARK, "snapshots behind best_on_test_accuracy"),
    Column("transition_error", NUMBER, REMARK, "of the T that was given: mean total variation to the true one", SHARE),
    Column("transition_condition", NUMBER, REMARK, "of the same T: its condition number"),
    Column("accepted", FLAG, REMARK, "other code than today's made it, and the user took it as it is"),
    Column("reason", TEXT, REMARK, "why it diverged"),
    Column("cell", TEXT, REMARK, "the computation: equal in rows of one computation under several names"),
)

SPLIT = "split_seed"  # stands in metrics.* where every replicate drew its own split: the seed of that
INSIDE, CHOSEN_BY, TAKEN_OVER = "inside", "to choose by", "taken over"
FURTHER = (  # what the metrics that come along measure besides; in metrics.* they stand by the alphabet
    Column("best_on_test_balanced_accuracy", NUMBER, CHOSEN_BY, "as best_on_test_accuracy, balanced", SHARE),
    Column("best_on_test_epoch", NUMBER, CHOSEN_BY, "the epoch behind best_on_test_accuracy"),
    Column("best_on_test_macro_f1", NUMBER, CHOSEN_BY, "as best_on_test_accuracy, macro-F1", SHARE),
    Column("both_memorised", NUMBER, TAKEN_OVER, "of a student: wrong labels that it and its teacher predict"),
    Column("choice_accuracy_noisy", NUMBER, CHOSEN_BY, "on noisy validation labels at even positions", SHARE),
    Column("choice_balanced_accuracy_noisy", NUMBER, CHOSEN_BY, "the same, balanced accuracy", SHARE),
    Column("choice_macro_f1_noisy", NUMBER, CHOSEN_BY, "the same, macro-F1", SHARE),
    Column("feature_tightness", NUMBER, INSIDE, "spread of features within classes over that between"),
    Column("fitted_temperature", NUMBER, INSIDE, "the temperature that fits noisy validation labels best"),
    Column("fitted_temperature_estimated_t", NUMBER, INSIDE, "the same through a T counted on the validation part"),
    Column("fitted_temperature_true_t", NUMBER, INSIDE, "the same through the true T"),
    Column("head_weight_norm", NUMBER, INSIDE, "Euclidean norm of the last layer's weights"),
    Column("heldout_accuracy_noisy", NUMBER, CHOSEN_BY, "on noisy validation labels at odd positions", SHARE),
    Column("heldout_balanced_accuracy_noisy", NUMBER, CHOSEN_BY, "the same, balanced accuracy", SHARE),
    Column("heldout_macro_f1_noisy", NUMBER, CHOSEN_BY, "the same, macro-F1", SHARE),
    Column("logit_norm", NUMBER, INSIDE, "mean Euclidean norm of the test logits", "logits"),
    Column("logit_spread", NUMBER, INSIDE, "mean standard deviation of an example's test logits", "logits"),
    Column("margin_right_part", NUMBER, INSIDE, "mean margin of right training labels", "logits"),
    Column("margin_wrong_part", NUMBER, INSIDE, "mean margin of wrong training labels", "logits"),
    Column("memorisation_odds_ratio", NUMBER, TAKEN_OVER, "of a student: above 1, it memorises what its teacher did"),
    Column("neither_memorised", NUMBER, TAKEN_OVER, "of a student: wrong labels that neither predicts"),
    Column("omega", NUMBER, INSIDE, "the regulariser of label smoothing, at least L log L"),
    Column("student_only_memorised", NUMBER, TAKEN_OVER, "of a student: wrong labels that it alone predicts"),
    Column("student_teacher_agreement", NUMBER, INSIDE, "of a student: test predictions equal to its teacher's", SHARE),
    Column("teacher_only_memorised", NUMBER, TAKEN_OVER, "of a student: wrong labels that its teacher alone predicts"),
    Column("test_aurc", NUMBER, MEASURED, "area under risk and coverage: mean error of the most confident", SHARE),
    Column("test_balanced_accuracy", NUMBER, MEASURED, "mean recall of the classes, true test labels", SHARE),
    Column("test_balanced_accuracy_label_wave", NUMBER, MEASURED, "the same at the epoch that Label Wave picks", SHARE),
    Column("test_balanced_accuracy_last", NUMBER, MEASURED, "the same at the last epoch", SHARE),
    Column("test_balanced_accuracy_noisy", NUMBER, MEASURED, "the same on the noisy test labels", SHARE),
    Column("test_balanced_accuracy_selected", NUMBER, MEASURED, "at the epoch best on noisy validation labels", SHARE),
    Column("test_confidence", NUMBER, INSIDE, "mean top probability on test", SHARE),
    Column("test_ece_scaled", NUMBER, INSIDE, "test_ece after scaling by fitted_temperature", SHARE),
    Column("test_ece_scaled_estimated_t", NUMBER, INSIDE, "by fitted_temperature_estimated_t", SHARE),
    Column("test_ece_scaled_true_t", NUMBER, INSIDE, "by fitted_temperature_true_t", SHARE),
    Column("test_excess_aurc", NUMBER, MEASURED, "test_aurc above that of a perfect order of the examples", SHARE),
    Column("test_lowest_recall", NUMBER, MEASURED, "recall of the worst class", SHARE),
    Column("test_macro_f1", NUMBER, MEASURED, "mean F1 of the classes, true test labels", SHARE),
    Column("test_macro_f1_label_wave", NUMBER, MEASURED, "the same at the epoch that Label Wave picks", SHARE),
    Column("test_macro_f1_last", NUMBER, MEASURED, "the same at the last epoch", SHARE),
    Column("test_macro_f1_noisy", NUMBER, MEASURED, "the same on the noisy test labels", SHARE),
    Column("test_macro_f1_selected", NUMBER, MEASURED, "at the epoch best on noisy validation labels", SHARE),
    Column("test_majority_share", NUMBER, MEASURED, "accuracy of saying the largest class of every example", SHARE),
    Column("test_nll_scaled", NUMBER, INSIDE, "test_nll after scaling by fitted_temperature", "nats"),
    Column("test_nll_scaled_estimated_t", NUMBER, INSIDE, "by fitted_temperature_estimated_t", "nats"),
    Column("test_nll_scaled_true_t", NUMBER, INSIDE, "by fitted_temperature_true_t", "nats"),
    Column("train_accuracy_clean", NUMBER, INSIDE, "on true training labels", SHARE),
    Column("train_accuracy_right_part", NUMBER, INSIDE, "on training examples whose label is right", SHARE),
    Column("train_accuracy_wrong_part", NUMBER, INSIDE, "on those whose label is wrong: agreement with it", SHARE),
    Column("train_right_confidence", NUMBER, INSIDE, "mean top probability where the label is right", SHARE),
    Column("train_wrong_confidence", NUMBER, INSIDE, "the same where it is wrong", SHARE),
    Column("validation_accuracy_clean", NUMBER, CHOSEN_BY, "on true validation labels", SHARE),
    Column("validation_accuracy_noisy", NUMBER, CHOSEN_BY, "on noisy validation labels", SHARE),
    Column("validation_balanced_accuracy_noisy", NUMBER, CHOSEN_BY, "the same, balanced accuracy", SHARE),
    Column("validation_macro_f1_noisy", NUMBER, CHOSEN_BY, "the same, macro-F1", SHARE),
    Column("weight_norm", NUMBER, INSIDE, "Euclidean norm of all trained parameters"),
)

LEARNING = "of training"
HISTORY = (
    Column("noise_seed", WHOLE, REPLICATE, "what drew the labels"),
    Column("seed", WHOLE, REPLICATE, "what drew initialisation, order and augmentation"),
    Column("epoch", WHOLE, LEARNING, "epochs completed"),
    Column("learning_rate", NUMBER, LEARNING, "of the epoch's last step"),
    Column("loss", NUMBER, LEARNING, "mean training loss of the epoch"),
    Column("train_accuracy_noisy", NUMBER, LEARNING, "on observed labels, of the training examples looked at", SHARE),
    Column("validation_accuracy_noisy", NUMBER, LEARNING, "on observed labels of the validation part", SHARE),
    Column("validation_accuracy_clean", NUMBER, LEARNING, "on true labels of the validation part", SHARE),
    Column("memorised", NUMBER, LEARNING, "of the wrongly labelled examples looked at", SHARE),
    Column("recovered", NUMBER, LEARNING, "of the same examples", SHARE),
    Column("prediction_changes", NUMBER, LEARNING, "examples looked at, now predicted otherwise", SHARE),
)

COUNT, ANSWER, BESIDE = "count", "answer", "beside"
STOPPED = {  # the stopping rules: what measures a network there, and in words
    "last": ("test_accuracy_last", "at the last epoch"),
    "selected": ("test_accuracy_selected", "at the epoch best on noisy validation labels"),
    "label_wave": ("test_accuracy_label_wave", "at the epoch that Label Wave picks without validation labels"),
}


def _at(rule: str, when: str) -> tuple[Column, ...]:
    """Return the columns of the comparison at one stopping rule."""
    return (
        Column(f"mean_{rule}", NUMBER, ANSWER, f"mean accuracy {when}; empty on a gold set", SHARE),
        Column(
            f"difference_{rule}", NUMBER, ANSWER, f"mean paired difference to the baseline, both {when}", DIFFERENCE
        ),
        Column(f"ci_low_{rule}", NUMBER, ANSWER, "lower end of its 95 % interval", DIFFERENCE),
        Column(f"ci_high_{rule}", NUMBER, ANSWER, "upper end", DIFFERENCE),
        Column(
            f"ci_low_simultaneous_{rule}", NUMBER, ANSWER, "lower end of the one that holds for its family", DIFFERENCE
        ),
        Column(f"ci_high_simultaneous_{rule}", NUMBER, ANSWER, "upper end", DIFFERENCE),
        Column(f"p_value_{rule}", NUMBER, ANSWER, "of its paired t-test", SHARE),
        Column(f"p_holm_{rule}", NUMBER, ANSWER, "the same after Holm's correction within the family", SHARE),
        Column(f"verdict_{rule}", TEXT, ANSWER, f"the verdict {when}"),
    )


SUMMARY = (
    Column("cell", TEXT, COUNT, "the computation"),
    Column("n", TALLY, COUNT, "replicates with a result, diverged ones among them"),
    Column("n_diverged", TALLY, COUNT, "replicates that diverged"),
    Column("mean", NUMBER, ANSWER, "mean accuracy of the finished replicates", SHARE),
    Column("std", NUMBER, ANSWER, "their standard deviation", SHARE),
    Column("baseline", TEXT, ANSWER, "what it is compared with"),
    Column("difference", NUMBER, ANSWER, "mean paired difference to the baseline", DIFFERENCE),
    Column("ci_low", NUMBER, ANSWER, "lower end of its 95 % interval", DIFFERENCE),
    Column("ci_high", NUMBER, ANSWER, "upper end", DIFFERENCE),
    Column("ci_low_simultaneous", NUMBER, ANSWER, "lower end of the one that holds for its Holm family", DIFFERENCE),
    Column("ci_high_simultaneous", NUMBER, ANSWER, "upper end", DIFFERENCE),
    Column("ci_low_examples", NUMBER, ANSWER, "lower end of that with test examples drawn as well", DIFFERENCE),
    Column("ci_high_examples", NUMBER, ANSWER, "upper end", DIFFERENCE),
    Column("p_value", NUMBER, ANSWER, "of the paired t-test", SHARE),
    Column("p_holm", NUMBER, ANSWER, "the same in its Holm family; empty for a lone headline", SHARE),
    Column("margin", NUMBER, ANSWER, "the difference that makes none in practice, as in the config", POINTS),
    Column("margin_share", NUMBER, ANSWER, "the same in the unit of the differences beside it", SHARE),
    Column("verdict", TEXT, ANSWER, "see statistics.md"),
    Column("primary", FLAG, ANSWER, "whether it is the headline contrast"),
    Column("n_paired", TALLY, ANSWER, "independent differences behind the test"),
    Column("n_gold", WHOLE, BESIDE, "test examples with a known true label, where not all have one"),
    Column("examples_needed", WHOLE, BESIDE, "such examples in all that a decision would need at the spread seen"),
    Column("detectable", NUMBER, BESIDE, "smallest true difference found with 80 % power at this n and spread", SHARE),
    Column("replicates_for_margin", WHOLE, BESIDE, "pairs that find a true difference of the margin, likewise"),
    Column("difference_to_teacher", NUMBER, BESIDE, "of a student: to its own teacher", DIFFERENCE),
    Column("ci_low_to_teacher", NUMBER, BESIDE, "lower end of its interval", DIFFERENCE),
    Column("ci_high_to_teacher", NUMBER, BESIDE, "upper end", DIFFERENCE),
    Column("difference_to_plain", NUMBER, BESIDE, "of a student: to plain cross-entropy", DIFFERENCE),
    Column("ci_low_to_plain", NUMBER, BESIDE, "lower end of its interval", DIFFERENCE),
    Column("ci_high_to_plain", NUMBER, BESIDE, "upper end", DIFFERENCE),
    Column("measure", TEXT, BESIDE, "the column of metrics that is compared"),
    Column("note", TEXT, BESIDE, "why there is no test"),
    *(column for rule, (_, when) in STOPPED.items() for column in _at(rule, when)),
)

TESTED = (  # the numbers of any paired difference that is tested, behind the difference itself
    Column("ci_low", NUMBER, ANSWER, "lower end of its 95 % interval", DIFFERENCE),
    Column("ci_high", NUMBER, ANSWER, "upper end", DIFFERENCE),
    Column("ci_low_simultaneous", NUMBER, ANSWER, "lower end of the one that holds for its Holm family", DIFFERENCE),
    Column("ci_high_simultaneous", NUMBER, ANSWER, "upper end", DIFFERENCE),
    Column("p_value", NUMBER, ANSWER, "of the paired t-test", SHARE),
    Column("p_holm", NUMBER, ANSWER, "the same after Holm's correction within the family", SHARE),
)
COMPUTATION = Column("cell", TEXT, COUNT, "the computation")
MARGIN = tuple(column for column in SUMMARY if column.name in ("margin", "margin_share"))
VERDICT = Column("verdict", TEXT, ANSWER, "see statistics.md")
MEASURE = Column("measure", TEXT, BESIDE, "the column of metrics that is compared")
NOTE = Column("note", TEXT, BESIDE, "why there is no test, or what it lacks")
SEEDS = tuple(column for column in METRICS if column.name in ("noise_seed", "seed"))

VARIANCE = (
    COMPUTATION,
    Column("n_noise_seeds", TALLY, COUNT, "noise seeds in use"),
    Column("n_seeds", TALLY, COUNT, "training seeds in use"),
    Column("n_left_out", TALLY, COUNT, "finished networks of other seeds"),
    Column("std_labels", NUMBER, ANSWER, "standard deviation from the drawing of labels", SHARE),
    Column("std_training", NUMBER, ANSWER, "the same from the training", SHARE),
    Column("std_residual", NUMBER, ANSWER, "the same from both together", SHARE),
    Column("share_labels", NUMBER, ANSWER, "part of the variance from labels", SHARE),
    Column("share_training", NUMBER, ANSWER, "part from the training", SHARE),
    Column("share_residual", NUMBER, ANSWER, "part from both together", SHARE),
    MEASURE,
)
SLOPE = "accuracy per unit of rate"
INTERACTION = (
    Column("rates", TEXT, COUNT, "the noise rates used"),
    Column("n", TALLY, COUNT, "blocks that have every rate"),
    Column("slope", NUMBER, ANSWER, "of the difference to cross-entropy on the rate", SLOPE),
    *(replace(column, unit=SLOPE if column.unit == DIFFERENCE else column.unit) for column in TESTED),
    Column("verdict", TEXT, ANSWER, "whether the difference grows or falls with the rate"),
    MEASURE,
    NOTE,
)
CHOICE = (
    Column("n", TALLY, COUNT, "replicates that have every candidate"),
    Column("n_incomplete", TALLY, COUNT, "replicates that lack some"),
    Column("n_diverged", TALLY, COUNT, "candidates' networks that diverged"),
    Column("n_candidates", TALLY, COUNT, "cells that could be chosen"),
    Column("n_oracles", TALLY, COUNT, "cells that know what a user cannot"),
    Column("chosen", TEXT, ANSWER, "each cell chosen and in how many replicates, as JSON"),
    Column("advice", TEXT, ANSWER, "the cell chosen most often"),
    Column("gain", NUMBER, ANSWER, "chosen minus plain cross-entropy", DIFFERENCE),
    Column("ci_low", NUMBER, ANSWER, "lower end of its 95 % interval", DIFFERENCE),
    Column("ci_high", NUMBER, ANSWER, "upper end", DIFFERENCE),
    Column("p_value", NUMBER, ANSWER, "of the paired t-test, one a family", SHARE),
    *MARGIN,
    VERDICT,
    Column("best_in_hindsight", TEXT, BESIDE, "the cell with the best mean"),
    Column("cost", NUMBER, BESIDE, "that cell minus the chosen one", DIFFERENCE),
    Column("ci_low_cost", NUMBER, BESIDE, "lower end of its 95 % interval", DIFFERENCE),
    Column("ci_high_cost", NUMBER, BESIDE, "upper end", DIFFERENCE),
    Column("optimism_of_best_on_test", NUMBER, BESIDE, "the best score minus the same cell's elsewhere", DIFFERENCE),
    Column("optimism_of_best_checkpoint", NUMBER, BESIDE, "best_on_test_accuracy minus test_accuracy", DIFFERENCE),
    MEASURE,
    NOTE,
)
PASSED_ON = (
    COMPUTATION,
    Column("n", TALLY, COUNT, "replicates with wrong labels"),
    Column("both_memorised", TALLY, TAKEN_OVER, "over all replicates: wrong labels that both predict"),
    Column("teacher_only_memorised", TALLY, TAKEN_OVER, "those that its teacher alone predicts"),
    Column("student_only_memorised", TALLY, TAKEN_OVER, "those that the student alone predicts"),
    Column("neither_memorised", TALLY, TAKEN_OVER, "those that neither predicts"),
    Column("where_teacher_did", NUMBER, ANSWER, "memorised of those that its teacher memorised", SHARE),
    Column("where_teacher_did_not", NUMBER, ANSWER, "memorised of the others", SHARE),
    Column("n_odds", TALLY, COUNT, "independent odds ratios"),
    Column("odds_ratio", NUMBER, ANSWER, "their geometric mean"),
    Column("odds_low", NUMBER, ANSWER, "lower end of its 95 % interval"),
    Column("odds_high", NUMBER, ANSWER, "upper end"),
    Column("passed_on", NUMBER, ANSWER, "of all wrong labels: memorised by both", SHARE),
    Column("difference", NUMBER, ANSWER, "passed_on minus that of a plain teacher's student", DIFFERENCE),
    *TESTED,
    Column("n_paired", TALLY, ANSWER, "independent differences behind the test"),
    Column("where_teacher_did_difference", NUMBER, BESIDE, "the same difference of where_teacher_did", DIFFERENCE),
    Column("where_teacher_did_low", NUMBER, BESIDE, "lower end of its 95 % interval", DIFFERENCE),
    Column("where_teacher_did_high", NUMBER, BESIDE, "upper end", DIFFERENCE),
    Column("finding", TEXT, ANSWER, "fewer or more, or why neither"),
    NOTE,
)
STOPPING = (
    Column("rule", TEXT, COUNT, "what stops the plain network: selected, label_wave"),
    Column("n", TALLY, COUNT, "pairs of replicates"),
    Column("mean", NUMBER, ANSWER, "mean accuracy of this cell at its last epoch", SHARE),
    Column("mean_stopped", NUMBER, ANSWER, "of plain cross-entropy stopped by the rule", SHARE),
    Column("difference", NUMBER, ANSWER, "mean_stopped minus mean, paired", DIFFERENCE),
    *TESTED,
    *MARGIN,
    VERDICT,
    NOTE,
)
MITIGATION = (
    Column("n", TALLY, COUNT, "training seeds with both gains"),
    Column("gain", NUMBER, ANSWER, "over cross-entropy on the same noisy labels", DIFFERENCE),
    Column("gain_without_noise", NUMBER, ANSWER, "over cross-entropy without noise", DIFFERENCE),
    Column("difference", NUMBER, ANSWER, "gain minus gain_without_noise, paired", DIFFERENCE),
    *TESTED,
    Column("lost_to_noise", NUMBER, BESIDE, "what noise costs cross-entropy", DIFFERENCE),
    Column("share_recovered", NUMBER, BESIDE, "gain over that loss; below 0 or above 1 where it is so"),
    Column("finding", TEXT, ANSWER, "whether it mitigates, only helps, or neither: see statistics.md"),
    MEASURE,
    NOTE,
)
RIVALS = (
    *(
        Column(f"headline_{column.name}", column.type, ANSWER, f"of the headline: {column.meaning}")
        for column in METRICS
        if column.group == TREATMENT
    ),
    Column("n", TALLY, COUNT, "pairs of replicates"),
    Column("difference", NUMBER, ANSWER, "the headline minus this method, paired", DIFFERENCE),
    *TESTED,
    *MARGIN,
    VERDICT,
    MEASURE,
    NOTE,
)
OWN_TREATMENT = (
    Column("twin", TEXT, ANSWER, "the same student with plain cross-entropy, which it is compared with"),
    Column("n", TALLY, COUNT, "pairs of replicates"),
    Column("difference", NUMBER, ANSWER, "the student minus its twin, paired", DIFFERENCE),
    *TESTED,
    *MARGIN,
    VERDICT,
    MEASURE,
    NOTE,
)
ROBUSTNESS = (
    Column("check", TEXT, COUNT, "what is done otherwise: see statistics.md"),
    Column("n", TALLY, COUNT, "independent differences behind the test"),
    Column("difference", NUMBER, ANSWER, "to the baseline, as in summary.csv", DIFFERENCE),
    *TESTED,
    VERDICT,
    MEASURE,
)
POOLED = (
    Column("rates", TEXT, COUNT, "the noise rates pooled"),
    Column("n", TALLY, COUNT, "replicates that have every rate"),
    Column("difference", NUMBER, ANSWER, "mean gain over cross-entropy over these rates", DIFFERENCE),
    *TESTED,
    Column("std_replicates", NUMBER, BESIDE, "standard deviation of the gain among replicates", SHARE),
    Column("std_rest", NUMBER, BESIDE, "of what is left", SHARE),
    *MARGIN,
    VERDICT,
    MEASURE,
    NOTE,
)
OURS, THEIRS = "ours", "theirs"
REFERENCE = (
    Column("n", TALLY, OURS, "networks"),
    Column("mean", NUMBER, OURS, "their mean accuracy", SHARE),
    Column("std", NUMBER, OURS, "their standard deviation", SHARE),
    Column("ours_is", TEXT, OURS, "which of our accuracies: reported, last, selected, best_on_test"),
    Column("paper", TEXT, THEIRS, "who published the number"),
    Column("place", TEXT, THEIRS, "where in the paper"),
    Column("protocol", TEXT, THEIRS, "of which epoch it is"),
    Column("their_n", WHOLE, THEIRS, "networks, where it is stated"),
    Column("their_mean", NUMBER, THEIRS, "their mean accuracy", SHARE),
    Column("their_std", NUMBER, THEIRS, "their standard deviation, where it is stated", SHARE),
    Column("source", TEXT, THEIRS, "where the number was read"),
    Column("confidence", TEXT, THEIRS, "in the number: high, medium, low"),
    Column("note", TEXT, THEIRS, "what else the source says"),
    Column("difference", NUMBER, BESIDE, "ours minus theirs", DIFFERENCE),
    Column("standard_errors", NUMBER, BESIDE, "the difference divided by its standard error"),
    Column("differs", TEXT, BESIDE, "in what the cell is another experiment; then no difference is counted"),
)
CURVES = (
    COMPUTATION,
    *SEEDS,
    Column("curve", TEXT, MEASURED, "the curve's name"),
    Column("point", WHOLE, MEASURED, "the point's place on it, from 0"),
    Column("quantity", TEXT, MEASURED, "which of the point's numbers"),
    Column("value", NUMBER, MEASURED, "that number"),
)
GOLD = (
    COMPUTATION,
    *SEEDS,
    Column("example", WHOLE, COUNT, "the test example's row in the data set"),
    Column("stratum", WHOLE, COUNT, "what it was drawn from, from 0"),
    Column("of", WHOLE, COUNT, "examples in that stratum"),
    Column("right", FLAG, MEASURED, "whether the network predicts its true label"),
)
_PLACE = tuple(c for c in METRICS if c.name in ("dataset", "noise", "noise_rate", "recipe"))
SUSPECTS = (
    *_PLACE,
    Column("row", WHOLE, COUNT, "the training example's row in the data set, from 0"),
    Column("name", TEXT, COUNT, "its file, where the data is a folder"),
    Column("given", TEXT, COUNT, "the label given, by its class name; of the first replicate where labels are drawn"),
    Column("predicted", TEXT, ANSWER, "what out-of-sample networks say on average"),
    Column("score", NUMBER, ANSWER, "normalised margin of the label given: 0 surely wrong, 1 surely right", SHARE),
    Column("agreement", NUMBER, ANSWER, "replicates with this label that predict another", SHARE),
    Column("true", TEXT, BESIDE, "the true label, where it is known"),
)
SUSPECTS_BY_NOISE = (
    *_PLACE,
    Column("kind", TEXT, CONDITION, "the noise's kind; clean at rate 0"),
    Column("n", TALLY, COUNT, "training examples with a known true label"),
    Column("n_wrong", TALLY, COUNT, "of these with a wrong label"),
    Column("share_wrong", NUMBER, COUNT, "the same as a share; what a random order would find", SHARE),
    Column("n_doubted", TALLY, ANSWER, "training labels that the networks' mean contradicts"),
    Column("precision_at_100", NUMBER, ANSWER, "wrong among the 100 most suspect", SHARE),
    Column("precision_at_wrong", NUMBER, ANSWER, "wrong among as many of the most suspect as are wrong", SHARE),
    Column("auc", NUMBER, ANSWER, "chance that a wrong label is more suspect than a right one", SHARE),
)


def names(columns: Iterable[Column], *groups: str, type: str | None = None) -> tuple[str, ...]:
    """Return the names of those columns that are of some groups (of any for none) and of a type."""
    return tuple(c.name for c in columns if (not groups or c.group in groups) and type in (None, c.type))


def numbers(columns: Iterable[Column], *groups: str) -> tuple[str, ...]:
    """Return the names of the columns with numbers, whole ones too."""
    return tuple(c.name for c in columns if (not groups or c.group in groups) and c.type in (NUMBER, WHOLE, TALLY))


NAMES = names(METRICS, *NAMING)  # of a cell
