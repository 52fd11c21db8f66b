"""CIFAR-100 by its 20 superclasses of five classes each, as different as baby and woman (Krizhevsky, 2009)."""

import dataclasses

import numpy as np

from smearlab.core.errors import UserError
from smearlab.core.superclasses import CIFAR100_SUPERCLASSES, SUPERCLASS_NAMES
from smearlab.datasets import _torchvision, cifar100
from smearlab.datasets._raw import RawData


def load() -> RawData:
    """Return CIFAR-100 from where `cifar100` finds it, labelled with the superclass of each image's class."""
    fine = cifar100.load()
    if fine.labels is None:
        raise UserError(f"{fine.source}: has no labels; cifar100_coarse needs those of the 100 classes")
    unused = ["noisy_labels in the file are not used: they are of the 100 classes"]
    return dataclasses.replace(
        fine,
        labels=_superclasses(fine.labels, fine.source),
        noisy_labels=None,
        class_names=class_names(),
        notes=[*fine.notes, *(unused if fine.noisy_labels is not None else [])],
    )


def _superclasses(labels: np.ndarray, source: str) -> np.ndarray:
    """Return the superclass of each label; UserError unless the labels are of the 100 classes."""
    lowest, highest = int(labels.min()), int(labels.max())
    if not (lowest >= 0 and len(SUPERCLASS_NAMES) <= highest < len(cifar100.class_names())):
        raise UserError(
            f"{source}: labels run from {lowest} to {highest}; cifar100_coarse needs those of the 100 classes, 0 to "
            "99, and finds the superclasses itself"
        )
    return superclass_of_class()[labels]


def superclass_of_class() -> np.ndarray:
    """Return the superclass, 0 to 19, of each of the 100 classes."""
    of_name = {name: i for i, members in enumerate(CIFAR100_SUPERCLASSES) for name in members.split()}
    return np.array([of_name[name] for name in cifar100.class_names()])


def class_names() -> list[str]:
    """Return the published names of the superclasses, by label."""
    return list(SUPERCLASS_NAMES)


def fingerprint() -> str:
    """Return the identity of the content: the user's own file if there is one."""
    return _torchvision.fingerprint("cifar100")


def sizes() -> tuple[int, int]:
    """Return the number of examples outside the test part, and of all."""
    return cifar100.sizes()


def at_hand() -> bool:
    """Whether the files are here already."""
    return cifar100.at_hand()
