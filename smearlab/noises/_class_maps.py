"""The standard class maps of asymmetric noise: class i is confused with class_map[i].

Sources: Patrini et al. 2017 for MNIST, CIFAR-10 and (next class within the superclass) CIFAR-100; the classes
of the CIFAR-100 superclasses are those of Krizhevsky 2009, in the alphabetical order of their indices.
"""

CIFAR10 = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
CIFAR10_PAIRS = {
    "truck": "automobile",
    "bird": "airplane",
    "deer": "horse",
    "cat": "dog",
    "dog": "cat",
}
DIGIT_PAIRS = {2: 7, 3: 8, 5: 6, 6: 5, 7: 1}
CIFAR100_SUPERCLASSES = (
    "beaver dolphin otter seal whale",
    "aquarium_fish flatfish ray shark trout",
    "orchid poppy rose sunflower tulip",
    "bottle bowl can cup plate",
    "apple mushroom orange pear sweet_pepper",
    "clock keyboard lamp telephone television",
    "bed chair couch table wardrobe",
    "bee beetle butterfly caterpillar cockroach",
    "bear leopard lion tiger wolf",
    "bridge castle house road skyscraper",
    "cloud forest mountain plain sea",
    "camel cattle chimpanzee elephant kangaroo",
    "fox porcupine possum raccoon skunk",
    "crab lobster snail spider worm",
    "baby boy girl man woman",
    "crocodile dinosaur lizard snake turtle",
    "hamster mouse rabbit shrew squirrel",
    "maple_tree oak_tree palm_tree pine_tree willow_tree",
    "bicycle bus motorcycle pickup_truck train",
    "lawn_mower rocket streetcar tank tractor",
)


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
