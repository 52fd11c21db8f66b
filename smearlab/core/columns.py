"""The one table of columns: what stands in metrics.*, history.parquet and summary.csv, with type, unit and meaning.

Types of the files, orders, the columns that name a cell, those that the statistics group by, and the reference page
derive from it. Columns that registered metrics measure stand here only where something refers to them by name; any
other joins the table behind these, as a number.
"""

from collections.abc import Iterable
from dataclasses import dataclass

TEXT, NUMBER, WHOLE, FLAG = "text", "number", "whole number", "truth value"
# Groups of the columns of metrics.*; all but the last three name a cell together.
CONDITION, RECIPE, TREATMENT, TEACHER, STUDENT = NAMING = ("condition", "recipe", "treatment", "teacher", "student")
REPLICATE, MEASURED, REMARK = "replicate", "measured", "remark"
SHARE, POINTS = "0 to 1", "points"


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
    Column("test_accuracy_last", NUMBER, MEASURED, "the same at the last epoch", SHARE),
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
        Column(f"mean_{rule}", NUMBER, ANSWER, f"mean accuracy {when}", SHARE),
        Column(f"difference_{rule}", NUMBER, ANSWER, f"mean paired difference to the baseline, both {when}", SHARE),
        Column(f"ci_low_{rule}", NUMBER, ANSWER, "lower end of its 95 % interval", SHARE),
        Column(f"ci_high_{rule}", NUMBER, ANSWER, "upper end", SHARE),
        Column(f"ci_low_simultaneous_{rule}", NUMBER, ANSWER, "lower end of the one that holds for its family", SHARE),
        Column(f"ci_high_simultaneous_{rule}", NUMBER, ANSWER, "upper end", SHARE),
        Column(f"p_value_{rule}", NUMBER, ANSWER, "of its paired t-test", SHARE),
        Column(f"p_holm_{rule}", NUMBER, ANSWER, "the same after Holm's correction within the family", SHARE),
        Column(f"verdict_{rule}", TEXT, ANSWER, f"the verdict {when}"),
    )


SUMMARY = (
    Column("cell", TEXT, COUNT, "the computation"),
    Column("n", WHOLE, COUNT, "replicates with a result, diverged ones among them"),
    Column("n_diverged", WHOLE, COUNT, "replicates that diverged"),
    Column("mean", NUMBER, ANSWER, "mean accuracy of the finished replicates", SHARE),
    Column("std", NUMBER, ANSWER, "their standard deviation", SHARE),
    Column("baseline", TEXT, ANSWER, "what it is compared with"),
    Column("difference", NUMBER, ANSWER, "mean paired difference to the baseline", SHARE),
    Column("ci_low", NUMBER, ANSWER, "lower end of its 95 % interval", SHARE),
    Column("ci_high", NUMBER, ANSWER, "upper end", SHARE),
    Column("ci_low_simultaneous", NUMBER, ANSWER, "lower end of the one that holds for its Holm family", SHARE),
    Column("ci_high_simultaneous", NUMBER, ANSWER, "upper end", SHARE),
    Column("ci_low_examples", NUMBER, ANSWER, "lower end of that with test examples drawn as well", SHARE),
    Column("ci_high_examples", NUMBER, ANSWER, "upper end", SHARE),
    Column("p_value", NUMBER, ANSWER, "of the paired t-test", SHARE),
    Column("p_holm", NUMBER, ANSWER, "the same in its Holm family; empty for a lone headline", SHARE),
    Column("margin", NUMBER, ANSWER, "the difference that makes none in practice, from the config", POINTS),
    Column("verdict", TEXT, ANSWER, "see statistics.md"),
    Column("primary", FLAG, ANSWER, "whether it is the headline contrast"),
    Column("n_paired", WHOLE, ANSWER, "independent differences behind the test"),
    Column("n_gold", WHOLE, BESIDE, "test examples with a known true label, where not all have one"),
    Column("examples_needed", WHOLE, BESIDE, "such examples in all that a decision would need at the spread seen"),
    Column("detectable", NUMBER, BESIDE, "smallest true difference found with 80 % power at this n and spread", SHARE),
    Column("replicates_for_margin", WHOLE, BESIDE, "pairs that find a true difference of the margin, likewise"),
    Column("difference_to_teacher", NUMBER, BESIDE, "of a student: to its own teacher", SHARE),
    Column("ci_low_to_teacher", NUMBER, BESIDE, "lower end of its interval", SHARE),
    Column("ci_high_to_teacher", NUMBER, BESIDE, "upper end", SHARE),
    Column("difference_to_plain", NUMBER, BESIDE, "of a student: to plain cross-entropy", SHARE),
    Column("ci_low_to_plain", NUMBER, BESIDE, "lower end of its interval", SHARE),
    Column("ci_high_to_plain", NUMBER, BESIDE, "upper end", SHARE),
    Column("measure", TEXT, BESIDE, "the column of metrics that is compared"),
    Column("note", TEXT, BESIDE, "why there is no test"),
    *(column for rule, (_, when) in STOPPED.items() for column in _at(rule, when)),
)
COMPARED = (  # the numbers of any comparison
    *("difference", "ci_low", "ci_high", "ci_low_simultaneous", "ci_high_simultaneous", "p_value", "p_holm"),
)
NEVER_NULL = ("n", "n_diverged", "n_paired")


def names(columns: Iterable[Column], *groups: str, type: str | None = None) -> tuple[str, ...]:
    """Return the names of those columns that are of some groups (of any for none) and of a type."""
    return tuple(c.name for c in columns if (not groups or c.group in groups) and type in (None, c.type))


def numbers(columns: Iterable[Column], *groups: str) -> tuple[str, ...]:
    """Return the names of the columns with numbers, whole ones too."""
    return tuple(c.name for c in columns if (not groups or c.group in groups) and c.type in (NUMBER, WHOLE))


NAMES = names(METRICS, *NAMING)  # of a cell
