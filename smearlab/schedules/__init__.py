"""How the learning rate moves over training: every file here is one schedule.

`factor(step, total, warm, *, …) -> float` is what the recipe's learning rate is multiplied by at a step in
warm..total-1; the first `warm` steps rise linearly and are not asked for. A pure function of the step, so that a
resumed run needs no state. The keyword-only parameters are keys of the recipe's `schedule`.
"""
