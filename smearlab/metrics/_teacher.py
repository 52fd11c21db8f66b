"""A student beside its teacher: do they agree, and did the student take over memorised wrong labels?"""

import numpy as np


def agreement(predicted: np.ndarray, teacher_predicted: np.ndarray) -> float:
    """Return the share of examples on which both predict the same class, in [0, 1]; int (N,) each."""
    return float(np.mean(predicted == teacher_predicted))


def memorisation_table(memorised: np.ndarray, teacher_memorised: np.ndarray) -> dict[str, float | int | None]:
    """Count wrong-label examples by whether the teacher and the student predict the wrong label.

    memorised, teacher_memorised: bool (M,), over the wrong-label training examples. The odds ratio is above
    1 when the student memorises more often where its teacher did; 1/2 is added to every count (Haldane 1956),
    so that it is finite. All null when no label is wrong.
    """
    counts = {
        "both_memorised": teacher_memorised & memorised,
        "teacher_only_memorised": teacher_memorised & ~memorised,
        "student_only_memorised": ~teacher_memorised & memorised,
        "neither_memorised": ~teacher_memorised & ~memorised,
    }
    if not len(memorised):
        return {**dict.fromkeys(counts), "memorisation_odds_ratio": None}
    table = {name: int(examples.sum()) for name, examples in counts.items()}
    if any(who.all() or not who.any() for who in (memorised, teacher_memorised)):
        return {**table, "memorisation_odds_ratio": None}
    both, teacher_only, student_only, neither = (n + 0.5 for n in table.values())
    return {**table, "memorisation_odds_ratio": both * neither / (teacher_only * student_only)}
