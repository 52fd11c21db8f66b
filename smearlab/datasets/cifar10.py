"""CIFAR-10: 60,000 colour photographs of 32×32 pixels in 10 classes (Krizhevsky, 2009)."""

from smearlab.datasets import _torchvision
from smearlab.datasets._raw import RawData

CLASS_NAMES = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]


def load() -> RawData:
    """Return `data/cifar10.npz` if it is there, else the published files, checked by MD5."""
    return _torchvision.load_cifar("cifar10", class_names(), "CIFAR10")


def class_names() -> list[str]:
    """Return the published class names, by label."""
    return list(CLASS_NAMES)


def fingerprint() -> str:
    """Return the identity of the content: the user's own file if there is one."""
    return _torchvision.fingerprint("cifar10")


def sizes() -> tuple[int, int]:
    """Return the number of examples outside the test part, and of all."""
    return _torchvision.sizes("cifar10", (50_000, 60_000))


def at_hand() -> bool:
    """Whether the files are here already."""
    return _torchvision.cifar_at_hand("cifar10", "CIFAR10")
