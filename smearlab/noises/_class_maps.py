"""The standard class maps of asymmetric noise: class i is confused with class_map[i].

Sources: Patrini et al. 2017 for MNIST, CIFAR-10 and (next class within the superclass) CIFAR-100.
"""

from smearlab.core.superclasses import CIFAR100_SUPERCLASSES

CIFAR10 = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
CIFAR10_PAIRS = {
    "truck": "automobile",
    "bird": "airplane",
    "deer": "horse",
    "cat": "dog",
    "dog": "cat",
}
DIGIT_PAIRS = {2: 7, 3: 8, 5: 6, 6: 5, 7: 1}


def standard_map(dataset_kind: str) -> list[int] | None:
    """Return the class map of a data set with a standard one, else None."""
    match dataset_kind:
        case "digits" | "mnist":
            return [DIGIT_PAIRS.get(digit, digit) for digit in range(10)]
        case "cifar10":
            return [CIFAR10.index(CIFAR10_PAIRS.get(name, name)) for name in CIFAR10]
        case "cifar100":
            return _next_in_superclass()
    return None


def _next_in_superclass() -> list[int]:
    groups = [sorted(names.split()) for names in CIFAR100_SUPERCLASSES]
    classes = sorted(name for group in groups for name in group)
    following = {name: group[(i + 1) % 5] for group in groups for i, name in enumerate(group)}
    return [classes.index(following[name]) for name in classes]
