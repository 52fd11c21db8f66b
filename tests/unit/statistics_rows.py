"""Rows of a metrics table, made by hand."""

import pandas as pd

SETTING = {"dataset": "digits", "noise": "symmetric", "noise_rate": 0.2, "recipe": "small", "arch": "cnn"}
OPTIONAL = dict.fromkeys(
    "alpha transition teacher_method teacher_alpha teacher_transition teacher_options teacher_recipe "
    "temperature beta student_labels view test_accuracy_noisy".split()
)


def teacher(method="cross_entropy", accuracies=(), alpha=None, **columns):
    """Rows of a teacher cell: accuracies of replicates (0,0), (1,1), …, or by replicate; None is diverged."""
    names = {**SETTING, **OPTIONAL, "role": "teacher", "method": method, "alpha": alpha, "options": "", **columns}
    names.setdefault("cell", path(names))
    return rows(names, accuracies)


def student(teacher_method="cross_entropy", accuracies=(), teacher_alpha=None, method="cross_entropy", **columns):
    """Rows of a student cell of the teacher `small`."""
    distilled = {"teacher_recipe": "small", "temperature": 2.0, "beta": 0.5, "student_labels": "noisy", "view": "same"}
    names = {**SETTING, **OPTIONAL, "role": "student", "method": method, "options": "", **distilled, **columns}
    names |= {"teacher_method": teacher_method, "teacher_alpha": teacher_alpha, "teacher_options": ""}
    names.setdefault("cell", path(names))
    return rows(names, accuracies)


def path(names):
    """The folder of a computation: any text that differs where the names differ."""
    return "/".join(f"{value}" for value in names.values())


def rows(names, accuracies):
    """A row per replicate."""
    if not isinstance(accuracies, dict):
        accuracies = {(i, i): accuracy for i, accuracy in enumerate(accuracies)}
    return [
        {**names, "noise_seed": n, "seed": t, "status": "diverged" if a is None else "finished", "test_accuracy": a}
        for (n, t), a in accuracies.items()
    ]


def frame(*cells):
    """One table of the rows of several cells."""
    return pd.DataFrame([row for cell in cells for row in cell])
