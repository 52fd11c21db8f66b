"""Asymmetric noise: a class becomes one that it is easily taken for, with probability `rate` (Patrini et al. 2017).

CIFAR-10: truck→automobile, bird→airplane, deer→horse, cat↔dog. CIFAR-100: the next class within the superclass.
MNIST and digits: 2→7, 3→8, 5↔6, 7→1. The other classes keep their label, so that `realised_noise_rate`, which
is over all examples, is below `rate`.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from smearlab.core.class_labels import class_order
from smearlab.core.errors import UserError
from smearlab.core.registry import suggestion
from smearlab.core.transition import flips
from smearlab.noises._class_maps import standard_map

GIVEN = "class_map"
FORMS = {
    "class_map": "give a list with one class for each class in order, [1, 0, 2] or [dog, cat, cow], or a mapping of "
    "class names for those that flip, {cat: dog} ({'3': '5'} where names are digits), or one of digits, mnist, "
    "cifar10, cifar100"
}


def transition(
    n_classes: int,
    dataset_kind: str,
    class_names: Sequence[str] | None = None,
    *,
    rate: float,
    class_map: str | list[int] | list[str] | dict | None = None,
) -> np.ndarray:
    """Return T, (L, L).

    `class_map` is a list of L classes (indices or names), class i flipping to class_map[i] (to itself: never), a
    mapping of the names of the classes that flip, or the name of a data set whose standard map is meant; without it
    the data set's own standard map is used. UserError where there is none, or where it does not fit the classes.
    """
    names = [str(i) for i in range(n_classes)] if class_names is None else list(class_names)
    chosen = _chosen(class_map, dataset_kind, names)
    where = class_map if isinstance(class_map, str) else "class_map" if class_map is not None else dataset_kind
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


def _chosen(
    class_map: str | Sequence[int] | Sequence[str] | Mapping[str, str] | None, dataset_kind: str, names: list[str]
) -> list[int] | None:
    if class_map is None or isinstance(class_map, str):
        return standard_map(class_map or dataset_kind)
    if isinstance(class_map, Mapping):
        moved = {_index(source, names): _index(target, names) for source, target in class_map.items()}
        return [moved.get(i, i) for i in range(len(names))]
    return [other if isinstance(other, int) else _index(other, names) for other in class_map]


def _index(name: object, names: list[str]) -> int:
    if not isinstance(name, str):
        raise UserError(f"noise 'asymmetric': class_map: {name!r} is no class name; {FORMS['class_map']}")
    if name not in names:
        near = suggestion(name, names[:20])
        raise UserError(
            f"noise 'asymmetric': class_map: {name!r} is no class{near}; the classes are {class_order(names)}"
        )
    return names.index(name)
