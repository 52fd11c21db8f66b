"""A learning rate that stays."""


def factor(step: int, total: int, warm: int) -> float:
    """Return 1."""
    return 1.0
