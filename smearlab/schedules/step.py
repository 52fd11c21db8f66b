"""A learning rate that drops at milestones."""

import bisect


def factor(step: int, total: int, warm: int, *, milestones: list[float], factor: float) -> float:
    """Return factor^k after k of the milestones, which are fractions of the whole training."""
    return factor ** bisect.bisect_right([round(m * total) for m in sorted(milestones)], step)
