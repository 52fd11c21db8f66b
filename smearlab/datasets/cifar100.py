"""CIFAR-100: 60,000 colour photographs of 32×32 pixels in 100 classes (Krizhevsky, 2009)."""

from smearlab.datasets import _torchvision
from smearlab.datasets._raw import RawData

CLASS_NAMES = """
apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus butterfly camel
can castle caterpillar cattle chair chimpanzee clock cloud cockroach couch crab crocodile cup dinosaur
dolphin elephant flatfish forest fox girl hamster house kangaroo keyboard lamp lawn_mower leopard lion
lizard lobster man maple_tree motorcycle mountain mouse mushroom oak_tree orange orchid otter palm_tree
pear pickup_truck pine_tree plain plate poppy porcupine possum rabbit raccoon ray road rocket rose sea
seal shark shrew skunk skyscraper snail snake spider squirrel streetcar sunflower sweet_pepper table tank
telephone television tiger tractor train trout tulip turtle wardrobe whale willow_tree wolf woman worm
"""


def load() -> RawData:
    """Return `data/cifar100.npz` if it is there, else the published files, checked by MD5."""
    return _torchvision.load_cifar("cifar100", class_names(), "CIFAR100")


def class_names() -> list[str]:
    """Return the published class names, by label."""
    return CLASS_NAMES.split()


def fingerprint() -> str:
    """Return the identity of the content: the user's own file if there is one."""
    return _torchvision.fingerprint("cifar100")


def sizes() -> tuple[int, int]:
    """Return the number of examples outside the test part, and of all."""
    return _torchvision.sizes("cifar100", (50_000, 60_000))


def at_hand() -> bool:
    """Whether the files are here already."""
    return _torchvision.cifar_at_hand("cifar100", "CIFAR100")
