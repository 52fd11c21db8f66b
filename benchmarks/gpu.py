"""Check and measure on one GPU all that training claims there, in under four minutes; exit 1 on a miss.

    python benchmarks/gpu.py [--against PATH]      # PATH: a checkout of 0.1.0, measured in the same run
    python benchmarks/gpu.py --pretend             # the same checks in small on the CPU, without targets of speed

A line for each claim, as it is known: what was asked, what was found. Checked: stacked and separate training agree;
a stacked replicate keeps its bytes whatever stands beside it, and after a stop; students too. Measured, in images/s:
one replicate, five in lanes, five stacked; and the evaluation of a block.
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.throughput import recipe, training_data
from smearlab.core.jobs import MethodSettings, RecipeSettings, Replicate
from smearlab.training.device import configure
from smearlab.training.lanes import make_lane
from smearlab.training.stack import Member, Stack, train_stack
from smearlab.training.student import Distillation, Guide, Teacher
from smearlab.training.teacher import train_teacher
from smearlab.training.trainee import Problem, Trainee, make_problem, weights_of

COUNT = 5
TARGETS = {"five replicates": 2.0, "one replicate": 1.3}  # times the images/s of 0.1.0
STEPS_AGREED, STEPS_TIMED, WARM_UP = 10, 300, 20
PRETENDED_IMAGES = 600
NEAR = {"fp32": 2e-2, "bf16": 2e-1}  # relative distance of all weights after STEPS_AGREED steps at a rate of 0.1
OTHER = """
import json, sys, time, torch
sys.path.insert(0, {root!r})
from benchmarks.throughput import our_loop
base = {{"network": {network!r}, "batch_size": 128, "device": "cuda", "threads": 2, "usual": False}}
found = []
for lanes in (1, {count}):
    loop = our_loop(base | {{"lanes": lanes, "precision": "bf16"}})
    for _ in range({warm}): next(loop)
    torch.cuda.synchronize(); began = time.perf_counter()
    for _ in range({steps}): next(loop)
    torch.cuda.synchronize(); found.append({steps} * 128 * lanes / (time.perf_counter() - began))
print(json.dumps(found))
"""


class Table:
    """The claims so far, printed as they are known."""

    def __init__(self) -> None:
        self.good = True

    def say(self, claim: str, found: str, holds: bool | None = None) -> None:
        """Print one line; a claim that does not hold makes the run fail."""
        self.good &= holds is not False
        print(f"{claim:58} {found:>22}  {'' if holds is None else 'ok' if holds else 'MISS'}", flush=True)


class Bench:
    """The problem and the ways to train on it."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.device = "cpu" if options.pretend else "cuda"
        self.network = "resnet8" if options.pretend else options.network
        self.batch = 16 if options.pretend else 128
        self.precision = "fp32" if options.pretend else "bf16"
        self.images = training_data()
        if options.pretend:
            few = {name: value[:PRETENDED_IMAGES] for name, value in vars(self.images).items()}
            self.images = SimpleNamespace(**few)
        self.problems: dict[str, tuple[RecipeSettings, Problem]] = {}

    def problem(self, precision: str) -> tuple[RecipeSettings, Problem]:
        """Return the recipe of a precision and the images on the device."""
        if precision not in self.problems:
            asked = {"network": self.network, "batch_size": self.batch, "device": self.device, "threads": 2}
            settings = replace(recipe(asked | {"precision": precision}), block_size=COUNT, stacked=True)
            device = configure(settings, lambda line: None)
            self.problems[precision] = settings, make_problem(self.images, settings, 10, device)
        return self.problems[precision]

    def trainees(
        self, precision: str, seeds: list[int], role: str = "teacher", *, lanes: bool = False
    ) -> list[Trainee]:
        """Return replicates at their beginning, on one lane or each on its own."""
        settings, problem = self.problem(precision)
        shared, observed = make_lane(problem.device, print), self.images.labels
        found = []
        for seed in seeds:
            lane = make_lane(problem.device, print) if lanes else shared
            with lane.context():
                found.append(
                    Trainee(
                        problem,
                        settings,
                        MethodSettings("label_smoothing", alpha=0.1),
                        role=role,
                        seeds=Replicate(0, seed),
                        observed=observed,
                        taught=observed,
                        transition=None,
                        lane=lane,
                    )
                )
        return found

    def stacked(
        self, trainees: list[Trainee], places: dict[int, Trainee] | None = None, **taught: Any
    ) -> Iterator[None]:
        """Return the loop of these replicates as one network."""
        members = places if places is not None else dict(enumerate(trainees))
        return train_stack(Stack({k: Member(trainee, **taught) for k, trainee in members.items()}, COUNT))

    def wait(self) -> None:
        """Wait for the device."""
        if self.device == "cuda":
            torch.cuda.synchronize()

    def drive(self, loops: list[tuple[Trainee, Iterator[None]]], steps: int) -> float:
        """Take turns; return the seconds."""
        self.wait()
        began = time.perf_counter()
        for _ in range(steps):
            for trainee, loop in loops:
                with trainee.lane.context():
                    next(loop)
        self.wait()
        return time.perf_counter() - began


def distance(one: Trainee, other: Trainee) -> float:
    """Return the distance of all weights of two networks, relative to their norm."""
    pairs = [(a.double(), weights_of(other.network)[k].double()) for k, a in weights_of(one.network).items()]
    apart = sum(float((a - b).square().sum()) for a, b in pairs)
    return (apart / max(1e-30, sum(float(a.square().sum()) for a, _ in pairs))) ** 0.5


def check_agreement(bench: Bench, table: Table, precision: str) -> None:
    """Stacked replicates are what separate ones are, within rounding."""
    alone = bench.trainees(precision, [0])[0]
    bench.drive([(alone, train_teacher(alone))], STEPS_AGREED)
    team = bench.trainees(precision, list(range(COUNT)))
    bench.drive([(team[0], bench.stacked(team))], STEPS_AGREED)
    apart = distance(team[0], alone)
    table.say(f"{precision}: stacked against separate, {STEPS_AGREED} steps", f"{apart:.2g}", apart <= NEAR[precision])


def check_independence(bench: Bench, table: Table) -> None:
    """A replicate has the same bytes whatever stands beside it."""
    found = []
    for seeds, kept in (([0, 1, 2, 3, 4], range(COUNT)), ([0, 7, 8, 9, 6], range(COUNT)), ([0, 1, 2, 3, 4], (0, 3))):
        team = bench.trainees(bench.precision, seeds)
        with team[0].lane.context():
            loop = bench.stacked(team, {k: team[k] for k in kept})
        bench.drive([(team[0], loop)], STEPS_AGREED)
        found.append(team[0])
    apart = max(distance(found[0], other) for other in found[1:])
    table.say("bytes of a replicate beside others, or carried places", f"{apart:.2g}", apart == 0)


def check_stop(bench: Bench, table: Table) -> None:
    """Stopped and continued is unbroken, for teachers and for students of the same images."""
    for role in ("teacher", "student"):
        teacher: dict[str, Any] = {}
        if role == "student":
            settings, problem = bench.problem(bench.precision)
            taught = weights_of(bench.trainees(bench.precision, [9])[0].network)
            own = Teacher(settings.architecture, taught, problem, settings.precision, "fixed")
            teacher = {"guide": Guide(own, Distillation(0.5, 4.0, 4.0))}
        whole, half, resumed = (bench.trainees(bench.precision, list(range(COUNT)), role) for _ in range(3))
        bench.drive([(whole[0], bench.stacked(whole, **teacher))], STEPS_AGREED)
        bench.drive([(half[0], bench.stacked(half, **teacher))], STEPS_AGREED // 2)
        for trainee, before in zip(resumed, half, strict=True):
            trainee.restore(*before.state())
        bench.drive([(resumed[0], bench.stacked(resumed, **teacher))], STEPS_AGREED - STEPS_AGREED // 2)
        apart = max(map(distance, resumed, whole))
        table.say(f"{role}s stopped and continued", f"{apart:.2g}", apart == 0)


def speed(bench: Bench, steps: int, make: Callable[[], list[tuple[Trainee, Iterator[None]]]], count: int) -> float:
    """Return images per second after the first steps."""
    loops = make()
    bench.drive(loops, min(WARM_UP, steps))
    return steps * bench.batch * count / bench.drive(loops, steps)


def measure(bench: Bench, table: Table, options: argparse.Namespace) -> None:
    """Measure one replicate, five in lanes and five stacked, beside another version if one is given."""
    steps = 3 if options.pretend else STEPS_TIMED

    def lanes(count: int) -> list[tuple[Trainee, Iterator[None]]]:
        return [(t, train_teacher(t)) for t in bench.trainees(bench.precision, list(range(count)), lanes=True)]

    def stack() -> list[tuple[Trainee, Iterator[None]]]:
        team = bench.trainees(bench.precision, list(range(COUNT)))
        return [(team[0], bench.stacked(team))]

    found = {
        "one replicate": speed(bench, steps, lambda: lanes(1), 1),
        "five in lanes": speed(bench, steps, lambda: lanes(COUNT), COUNT),
        "five replicates": speed(bench, steps, stack, COUNT),
    }
    for name, images in found.items():
        table.say(f"{name}{', stacked' if name == 'five replicates' else ''}", f"{images:,.0f} images/s")
    if options.against and not options.pretend:
        given = {"root": str(options.against.resolve()), "network": bench.network, "count": COUNT}
        program = OTHER.format(**given, warm=WARM_UP, steps=steps)
        said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
        for name, before in zip(("one replicate", "five replicates"), json.loads(said.splitlines()[-1]), strict=True):
            ratio = found[name] / before
            table.say(
                f"{name} / {options.against} ({before:,.0f})",
                f"{ratio:.2f} (at least {TARGETS[name]})",
                ratio >= TARGETS[name],
            )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--against", type=Path, help="a checkout of another version")
    parser.add_argument("--network", default="resnet32")
    parser.add_argument("--pretend", action="store_true", help="in small on the CPU, to see that it runs")
    options = parser.parse_args()
    if not options.pretend and not torch.cuda.is_available():
        sys.exit("no CUDA device is there; --pretend runs the checks in small on the CPU")
    bench, table, began = Bench(options), Table(), time.perf_counter()
    for precision in dict.fromkeys(("fp32", bench.precision)):
        check_agreement(bench, table, precision)
    check_independence(bench, table)
    check_stop(bench, table)
    measure(bench, table, options)
    table.say("all of it", f"{time.perf_counter() - began:.0f} s")
    return 0 if table.good else 1


if __name__ == "__main__":
    sys.exit(main())
