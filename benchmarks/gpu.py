"""Check and measure on one GPU all that training claims there, in under four minutes; exit 1 on a miss.

    python benchmarks/gpu.py [--against PATH]      # PATH: a checkout of 0.1.0, measured in the same run
    python benchmarks/gpu.py --pretend             # the same checks in small on the CPU, without targets of speed

A line for each claim, as it is known: what was asked, what was found. Checked: stacked and separate training agree;
a stacked replicate keeps its bytes whatever stands beside it, and after a stop; students too; weights that are cast
together give the bytes of autocast. Measured, in images/s: one replicate, five in lanes, five stacked; kernels in a
step; and, in seconds, the evaluation of a block of three with twelve checkpoints.
What has begun when the budget of four minutes is spent is ended, and counts as a miss.
"""

import argparse
import json
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.throughput import recipe, training_data
from smearlab.core.jobs import MethodSettings, RecipeSettings, Replicate, TrainingJob
from smearlab.evaluation.block import Trained, evaluate_block
from smearlab.store.dataset import HeldOutData, TrainingData
from smearlab.training.device import configure
from smearlab.training.lanes import make_lane
from smearlab.training.stack import Member, Stack, train_stack
from smearlab.training.student import Distillation, Guide, Teacher
from smearlab.training.teacher import train_teacher
from smearlab.training.trainee import Problem, Trainee, make_problem, weights_of

COUNT = 5
TARGETS = {"five replicates": 2.0, "one replicate": 1.3}  # times the images/s of 0.1.0
STEPS_AGREED, STEPS_TIMED, WARM_UP = 10, 300, 20
STEPS_PRETENDED, PRETENDED_IMAGES = 2, 300
EVALUATED, CHECKPOINTS, EVALUATION_SECONDS = 3, 12, 6.0
BUDGET = 240  # seconds on the card
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
        self.batch = 8 if options.pretend else 128
        self.steps = STEPS_PRETENDED if options.pretend else STEPS_AGREED
        self.timed = 1 if options.pretend else STEPS_TIMED
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
    bench.drive([(alone, train_teacher(alone))], bench.steps)
    team = bench.trainees(precision, list(range(COUNT)))
    bench.drive([(team[0], bench.stacked(team))], bench.steps)
    apart = distance(team[0], alone)
    table.say(f"{precision}: stacked against separate, {bench.steps} steps", f"{apart:.2g}", apart <= NEAR[precision])


def check_independence(bench: Bench, table: Table) -> None:
    """A replicate has the same bytes whatever stands beside it."""
    found = []
    for seeds, kept in (([0, 1, 2, 3, 4], range(COUNT)), ([0, 7, 8, 9, 6], range(COUNT)), ([0, 1, 2, 3, 4], (0, 3))):
        team = bench.trainees(bench.precision, seeds)
        with team[0].lane.context():
            loop = bench.stacked(team, {k: team[k] for k in kept})
        bench.drive([(team[0], loop)], bench.steps)
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
        bench.drive([(whole[0], bench.stacked(whole, **teacher))], bench.steps)
        bench.drive([(half[0], bench.stacked(half, **teacher))], bench.steps // 2)
        for trainee, before in zip(resumed, half, strict=True):
            trainee.restore(*before.state())
        bench.drive([(resumed[0], bench.stacked(resumed, **teacher))], bench.steps - bench.steps // 2)
        apart = max(map(distance, resumed, whole))
        table.say(f"{role}s stopped and continued", f"{apart:.2g}", apart == 0)


def check_casts(bench: Bench, table: Table) -> None:
    """Casting all weights together gives the bytes of autocast; says how many kernels a step has."""
    together, one_by_one = (bench.trainees("bf16", [0])[0] for _ in range(2))
    one_by_one.forward.names = []  # left to autocast
    kernels = [kernels_of(bench, trainee) for trainee in (together, one_by_one)]
    apart = distance(together, one_by_one)
    table.say("bf16: weights cast together against one by one", f"{apart:.2g}", apart == 0)
    table.say("bf16: kernels in a step, cast together and one by one", " and ".join(map(str, kernels)))


def kernels_of(bench: Bench, trainee: Trainee) -> int:
    """Return how many kernels (on the CPU: operations) one eager step has, after a first one."""
    loop = [(trainee, train_teacher(trainee))]
    bench.drive(loop, 1)
    cuda = bench.device == "cuda"
    activity = torch.profiler.ProfilerActivity.CUDA if cuda else torch.profiler.ProfilerActivity.CPU
    with torch.profiler.profile(activities=[activity]) as profile:
        bench.drive(loop, 1)
    events = profile.events() or []
    kind = torch.autograd.DeviceType.CUDA if cuda else torch.autograd.DeviceType.CPU
    return sum(event.device_type == kind and event.cpu_parent is None for event in events)


def check_evaluation(bench: Bench, table: Table) -> None:
    """The evaluation of a block takes a few seconds; all of its networks are measured."""
    settings, _ = bench.problem(bench.precision)
    training, test = held(bench.images)
    weights = {
        f"{i}/{name}/{key}": value.contiguous().clone()
        for i, trainee in enumerate(bench.trainees(bench.precision, list(range(EVALUATED))))
        for name in ("last", "selected", *(f"epoch-{k}" for k in range(1, CHECKPOINTS - 1)))
        for key, value in weights_of(trainee.network).items()
    }
    replicates = [Replicate(0, seed) for seed in range(EVALUATED)]
    account = [{"noise_seed": 0, "seed": r.seed, "status": "ok"} for r in replicates]
    method = MethodSettings("cross_entropy")
    job = TrainingJob("teachers/bench", "paired-0", "teacher", replicates, settings, method, 10, [], "")
    with tempfile.TemporaryDirectory() as folder:
        save_file(weights, path := Path(folder) / "weights.safetensors")
        began = time.perf_counter()
        found, _ = evaluate_block(
            job, training, test, [training.labels] * EVALUATED, [None] * EVALUATED, Trained(path, account)
        )
        bench.wait()
    took = time.perf_counter() - began
    measured = all(one["metrics"].get("n_snapshots") == CHECKPOINTS - 2 for one in found["replicates"])
    limit = f" (at most {EVALUATION_SECONDS:.0f})" if bench.device == "cuda" else ""
    in_time = bench.device != "cuda" or took <= EVALUATION_SECONDS
    name = f"evaluation of {EVALUATED} networks, {CHECKPOINTS} checkpoints each"
    table.say(name, f"{took:.1f} s{limit}", measured and in_time)


def held(images: SimpleNamespace) -> tuple[TrainingData, HeldOutData]:
    """Return the images as a training part, of which a tenth is for validation, and a fifth of them as a test part."""
    n = len(images.labels)
    part = (np.arange(n) % 10 == 0).astype(np.uint8)
    few = slice(0, n // 5)
    training = TrainingData(images.images, images.labels, None, part, np.arange(n), {})
    return training, HeldOutData(images.images[few], images.labels[few], None, np.arange(n // 5), {})


def speed(bench: Bench, make: Callable[[], list[tuple[Trainee, Iterator[None]]]], count: int) -> float:
    """Return images per second after the first steps."""
    loops = make()
    bench.drive(loops, min(WARM_UP, bench.timed))
    return bench.timed * bench.batch * count / bench.drive(loops, bench.timed)


def measure(bench: Bench, table: Table, options: argparse.Namespace) -> None:
    """Measure one replicate, five in lanes and five stacked, beside another version if one is given."""

    def lanes(count: int) -> list[tuple[Trainee, Iterator[None]]]:
        return [(t, train_teacher(t)) for t in bench.trainees(bench.precision, list(range(count)), lanes=True)]

    def stack() -> list[tuple[Trainee, Iterator[None]]]:
        team = bench.trainees(bench.precision, list(range(COUNT)))
        return [(team[0], bench.stacked(team))]

    found = {
        "one replicate": speed(bench, lambda: lanes(1), 1),
        "five in lanes": speed(bench, lambda: lanes(COUNT), COUNT),
        "five replicates": speed(bench, stack, COUNT),
    }
    for name, images in found.items():
        table.say(f"{name}{', stacked' if name == 'five replicates' else ''}", f"{images:,.0f} images/s")
    if options.against and not options.pretend:
        given = {"root": str(options.against.resolve()), "network": bench.network, "count": COUNT}
        program = OTHER.format(**given, warm=WARM_UP, steps=bench.timed)
        said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
        for name, before in zip(("one replicate", "five replicates"), json.loads(said.splitlines()[-1]), strict=True):
            ratio = found[name] / before
            table.say(
                f"{name} / {options.against} ({before:,.0f})",
                f"{ratio:.2f} (at least {TARGETS[name]})",
                ratio >= TARGETS[name],
            )


def out_of_time(number: int, frame: Any) -> None:
    """End the run: what has not been said by now is not known to hold."""
    sys.exit(f"MISS: not done within {BUDGET} s")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--against", type=Path, help="a checkout of another version")
    parser.add_argument("--network", default="resnet32")
    parser.add_argument("--pretend", action="store_true", help="in small on the CPU, to see that it runs")
    options = parser.parse_args()
    if not options.pretend and not torch.cuda.is_available():
        sys.exit("no CUDA device is there; --pretend runs the checks in small on the CPU")
    if not options.pretend:
        signal.signal(signal.SIGALRM, out_of_time)
        signal.alarm(BUDGET)
    bench, table, began = Bench(options), Table(), time.perf_counter()
    for precision in dict.fromkeys(("fp32", bench.precision)):
        check_agreement(bench, table, precision)
    check_independence(bench, table)
    check_stop(bench, table)
    check_casts(bench, table)
    check_evaluation(bench, table)
    measure(bench, table, options)
    table.say("all of it", f"{time.perf_counter() - began:.0f} s")
    return 0 if table.good else 1


if __name__ == "__main__":
    sys.exit(main())
