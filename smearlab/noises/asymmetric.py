"""Asymmetric noise: a class becomes one that it is easily taken for, with probability `rate` (Patrini et al. 2017).

CIFAR-10: truck→automobile, bird→airplane, deer→horse, cat↔dog. CIFAR-100: the next class within the superclass.
MNIST and digits: 2→7, 3→8, 5↔6, 7→1. The other classes keep their label, so that `realised_noise_rate`, which
is over all examples, is below `rate`.
"""

from typing import cast

import numpy as np

from smearlab.core.errors import UserError
from smearlab.core.transition import flips
from smearlab.noises._class_maps import standard_map


def transition(
    n_classes: int, dataset_kind: str, *, rate: float, class_map: str | list[int] | None = None
) -> np.ndarray:
    """Return T, (L, L).

    `class_map` is a list of L classes, class i flipping to class_map[i] (to itself: never), or the name of a
    data set whose standard map is meant; without it the data set's own standard map is used. UserError where
    there is none, or where it does not fit the number of classes.
    """
    if isinstance(class_map, list):
        chosen, where = cast(list[int] | None, class_map), "class_map"
    else:
        where = class_map or dataset_kind
        chosen = standard_map(where)
    if chosen is None:
        raise UserError(
            f"noise 'asymmetric': no standard class map for data set {where!r}; give class_map, a list of "
            f"{n_classes} classes, or one of digits, mnist, cifar10, cifar100"
        )
    if len(chosen) != n_classes or not all(0 <= other < n_classes for other in chosen):
        raise UserError(
            f"noise 'asymmetric': {where}: {len(chosen)} classes are mapped; needed are {n_classes}, "
            f"each to one of 0..{n_classes - 1}"
        )
    return flips(n_classes, rate, chosen)
