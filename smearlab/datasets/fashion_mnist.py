"""Fashion-MNIST: 70,000 grey pictures of clothes, 28×28 pixels, 10 classes (Xiao, Rasul, Vollgraf, 2017)."""

from smearlab.datasets import _torchvision
from smearlab.datasets._raw import RawData

CLASS_NAMES = [
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
]


def load() -> RawData:
    """Return `data/fashion_mnist.npz` if it is there, else the published files, checked by MD5."""
    return _torchvision.load_mnist("fashion_mnist", class_names(), "FashionMNIST")


def class_names() -> list[str]:
    """Return the published class names, by label."""
    return list(CLASS_NAMES)


def fingerprint() -> str:
    """Return the identity of the content: the user's own file if there is one."""
    return _torchvision.fingerprint("fashion_mnist")


def sizes() -> tuple[int, int]:
    """Return the number of examples outside the test part, and of all."""
    return _torchvision.sizes("fashion_mnist", (60_000, 70_000))


def at_hand() -> bool:
    """Whether the files are here already."""
    return _torchvision.mnist_at_hand("fashion_mnist", "FashionMNIST")
