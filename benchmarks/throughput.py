"""Images per second of our training loop against the loop people use: same network, batch and data.

The other loop: torchvision transforms (pad-crop, flip, to tensor, normalise) in a DataLoader with two worker
processes, fp32, NCHW, torch.optim.SGD. Ours: the teacher's loop as a job runs it. Every contestant lives in
a process of its own and rests while another runs; they take turns, and the median over the turns counts.

    python benchmarks/throughput.py            # ResNet-32, batch 128, two cores (and CUDA where there is one)
    python benchmarks/throughput.py --check    # exit code 1 below the targets

The last line has the ratios. Needs a quiet machine: two-thread contestants suffer most from a third process.
"""

import argparse
import multiprocessing
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from smearlab.core import registry  # noqa: E402
from smearlab.core.jobs import MethodSettings, RecipeSettings, Replicate, typed  # noqa: E402
from smearlab.training.batches import input_shape  # noqa: E402
from smearlab.training.device import configure, peak_memory_mb  # noqa: E402
from smearlab.training.lanes import make_lane  # noqa: E402
from smearlab.training.teacher import train_teacher  # noqa: E402
from smearlab.training.trainee import Trainee, make_problem  # noqa: E402

TARGETS = {"bf16": 3.0, "fp32": 1.0}
Contestant = dict[str, Any]


def training_data() -> SimpleNamespace:
    """CIFAR-10's training images from data/cifar10.npz, or random ones of the same shape."""
    path = ROOT / "data" / "cifar10.npz"
    if path.exists():
        with np.load(path) as arrays:
            train = arrays["split"] == "train"
            images, labels = arrays["images"][train], arrays["labels"][train].astype(np.int64)
    else:
        rng = np.random.default_rng(0)
        images = rng.integers(0, 256, (50_000, 32, 32, 3), dtype=np.uint8)
        labels = rng.integers(0, 10, 50_000)
    return SimpleNamespace(images=images, labels=labels, part=np.zeros(len(images), dtype=np.uint8))


def recipe(contestant: Contestant) -> RecipeSettings:
    """Return the recipe of He et al. with the contestant's precision, device and threads."""
    plain = {
        "architecture": {"name": contestant["network"]},
        "epochs": 1000,
        "steps": None,
        "batch_size": contestant["batch_size"],
        "optimiser": {
            "name": "sgd",
            "learning_rate": 0.1,
            "momentum": 0.9,
            "nesterov": True,
            "weight_decay": 1e-4,
        },
        "schedule": {"name": "constant", "milestones": [], "factor": 0.1, "warmup": 0.0},
        "augmentation": {"crop": 4, "flip": True},
        "precision": contestant["precision"],
        "device": contestant["device"],
        "threads": contestant["threads"],
        "block_size": 1,
        "checkpoint": "last",
        "snapshots": 0,
        "loss_scale": 1.0,
        "clip_norm": None,
        "history_examples": 1,
    }
    return typed(RecipeSettings, plain)


def our_loop(contestant: Contestant) -> Iterator[None]:
    """Yield after every step (of every lane) of the teacher's loop."""
    settings, training = recipe(contestant), training_data()
    device = configure(settings, lambda line: None)
    problem = make_problem(training, settings, 10, device)
    lanes = [make_lane(device, print) for _ in range(contestant["lanes"])]
    loops = []
    for seed, lane in enumerate(lanes):
        with lane.context():
            trainee = Trainee(
                problem,
                settings,
                MethodSettings("cross_entropy"),
                role="teacher",
                seeds=Replicate(0, seed),
                observed=training.labels,
                taught=training.labels,
                transition=None,
                lane=lane,
            )
        loops.append((lane, train_teacher(trainee)))
    while True:
        for lane, loop in loops:
            with lane.context():
                next(loop)
        yield


class Images(torch.utils.data.Dataset):
    """Images and labels through torchvision's transforms, one at a time."""

    def __init__(self, training: SimpleNamespace) -> None:
        from torchvision import transforms

        self.images, self.labels = training.images, training.labels
        self.transform = transforms.Compose(
            [
                transforms.ToPILImage(),
                transforms.RandomCrop(32, padding=4),
                transforms.RandomHorizontalFlip(),
                transforms.ToTensor(),
                transforms.Normalize((0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)),
            ]
        )

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, place: int) -> tuple[torch.Tensor, int]:
        return self.transform(self.images[place]), int(self.labels[place])


def usual_loop(contestant: Contestant) -> Iterator[None]:
    """Yield after every step of the loop that most published code has."""
    torch.set_num_threads(contestant["threads"])
    device = torch.device(contestant["device"])
    training = training_data()
    network = registry.build("networks", {"name": contestant["network"]}, 10, *input_shape(training.images)).to(device)
    optimiser = torch.optim.SGD(network.parameters(), 0.1, momentum=0.9, nesterov=True, weight_decay=1e-4)
    loader = torch.utils.data.DataLoader(
        Images(training),
        contestant["batch_size"],
        shuffle=True,
        num_workers=2,
        drop_last=True,
        pin_memory=device.type == "cuda",
    )
    while True:
        for images, labels in loader:
            images, labels = images.to(device, non_blocking=True), labels.to(device, non_blocking=True)
            optimiser.zero_grad()
            F.cross_entropy(network(images), labels).backward()
            optimiser.step()
            yield


def contest(contestant: Contestant, orders: Connection) -> None:
    """Do as many steps as ordered and answer with the seconds they took, until told 0."""
    loop = usual_loop(contestant) if contestant["usual"] else our_loop(contestant)
    wait: Callable[[], None] = torch.cuda.synchronize if contestant["device"] == "cuda" else lambda: None
    while steps := orders.recv():
        start = time.perf_counter()
        for _ in range(steps):
            next(loop)
        wait()
        orders.send(time.perf_counter() - start)
    orders.send(peak_memory_mb(torch.device(contestant["device"])))


class Team:
    """One contestant, or several running at once, and their images per second turn by turn."""

    def __init__(self, name: str, contestant: Contestant, processes: int = 1) -> None:
        self.name, self.contestant, self.speeds = name, contestant, []
        context = multiprocessing.get_context("spawn")
        self.pipes, self.processes = [], []
        for _ in range(processes):
            ours, theirs = context.Pipe()
            process = context.Process(target=contest, args=(contestant, theirs))
            process.start()
            self.pipes.append(ours)
            self.processes.append(process)

    def turn(self, steps: int) -> float:
        """Run `steps` steps in every process at once; return images per second of the team."""
        for pipe in self.pipes:
            pipe.send(steps)
        images = steps * self.contestant["batch_size"] * self.contestant["lanes"]
        return sum(images / pipe.recv() for pipe in self.pipes)

    def leave(self) -> float:
        """End the processes and return the largest peak memory, in MB."""
        for pipe in self.pipes:
            pipe.send(0)
        peaks = [pipe.recv() for pipe in self.pipes]
        for process in self.processes:
            process.join()
        return max(peaks)


def teams(device: str, network: str, batch_size: int, lanes: int) -> list[Team]:
    """Return the contestants for a device, the usual loop first."""
    plain = {"network": network, "batch_size": batch_size, "device": device, "threads": 2, "lanes": 1}
    usual = Team("usual loop, fp32", plain | {"usual": True})
    ours = plain | {"usual": False}
    found = [usual, Team("ours, fp32", ours | {"precision": "fp32"}), Team("ours, bf16", ours | {"precision": "bf16"})]
    if device == "cpu":
        single = ours | {"precision": "bf16", "threads": 1}
        found.append(Team("ours, bf16, 2 one-thread jobs", single, processes=2))
    elif lanes > 1:
        found.append(Team(f"ours, bf16, {lanes} lanes", ours | {"precision": "bf16", "lanes": lanes}))
    return found


def measure(found: list[Team], rounds: int, steps: int) -> dict[str, float]:
    """Let the teams take turns and return the median images per second of each; ends the run if one of them fails."""
    try:
        return take_turns(found, rounds, steps)
    except EOFError:
        for process in (process for team in found for process in team.processes):
            process.kill()  # or they would wait for orders for ever
        sys.exit("a contestant ended with the error above")


def take_turns(found: list[Team], rounds: int, steps: int) -> dict[str, float]:
    """Let the teams take turns, saying what each did, and return the median images per second of each."""
    for team in found:
        print(f"{team.name:32} first steps: {team.turn(max(5, steps // 4)):10,.0f} images/s", flush=True)
    for turn in range(rounds):
        for team in found:
            team.speeds.append(team.turn(steps))
            print(f"{team.name:32} turn {turn + 1} of {rounds}: {team.speeds[-1]:10,.0f} images/s", flush=True)
    for team in found:
        spread = f"{min(team.speeds):,.0f} to {max(team.speeds):,.0f}"
        middle = statistics.median(team.speeds)
        print(f"{team.name:32} {middle:10,.0f} images/s ({spread}), {team.leave():,.0f} MB", flush=True)
    return {team.name: statistics.median(team.speeds) for team in found}


def ratios(speeds: dict[str, float]) -> dict[str, float]:
    """Return our speed by precision, in the best packing, over the usual loop's."""
    usual = speeds["usual loop, fp32"]
    return {
        precision: max(v for name, v in speeds.items() if name.startswith(f"ours, {precision}")) / usual
        for precision in TARGETS
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="exit with 1 below the targets")
    parser.add_argument("--network", default="resnet32")
    parser.add_argument("--batch-size", type=int, default=128)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=None, help="steps of a turn (10 on the CPU, 200 on CUDA)")
    parser.add_argument("--lanes", type=int, default=5, help="replicates side by side on CUDA")
    parser.add_argument("--device", choices=["cpu", "cuda"], default=None, help="default: both where both are")
    options = parser.parse_args()
    found = [options.device] if options.device else ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]
    lines, good = [], True
    for device in found:
        print(f"{device}: {options.network}, batch {options.batch_size}")
        steps = options.steps or (200 if device == "cuda" else 10)
        speeds = measure(teams(device, options.network, options.batch_size, options.lanes), options.rounds, steps)
        if device == "cpu":
            jobs = speeds["ours, bf16, 2 one-thread jobs"] / speeds["ours, bf16"]
            alone = speeds["ours, bf16"] / speeds["usual loop, fp32"]
            lines.append(f"2 one-thread jobs / 1 two-thread job {jobs:.2f}, cpu bf16 as 1 two-thread job {alone:.2f}")
        for precision, ratio in ratios(speeds).items():
            good &= ratio >= TARGETS[precision]
            lines.append(f"{device} {precision} {ratio:.2f} (target {TARGETS[precision]:.1f})")
    print("ratios to the usual loop: " + ", ".join(lines))
    return 1 if options.check and not good else 0


if __name__ == "__main__":
    sys.exit(main())
