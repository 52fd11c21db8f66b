"""MNIST: 70,000 handwritten digits of 28×28 pixels in 10 classes (LeCun, Cortes and Burges, 1998)."""

from smearlab.datasets import _torchvision
from smearlab.datasets._raw import RawData

CLASS_NAMES = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]


def load() -> RawData:
    """Return `data/mnist.npz` if it is there, else the published files, checked by MD5."""
    return _torchvision.load_mnist("mnist", class_names(), "MNIST")


def class_names() -> list[str]:
    """Return the published class names, by label."""
    return list(CLASS_NAMES)


def fingerprint() -> str:
    """Return the identity of the content: the user's own file if there is one."""
    return _torchvision.fingerprint("mnist")


def sizes() -> tuple[int, int]:
    """Return the number of examples outside the test part, and of all."""
    return _torchvision.sizes("mnist", (60_000, 70_000))


def at_hand() -> bool:
    """Whether the files are here already."""
    return _torchvision.mnist_at_hand("mnist", "MNIST")
