"""Check the CUDA path: recorded graphs against eager steps, lanes against one alone, and their speed.

    python benchmarks/cuda_check.py            # ResNet-32, 2 lanes, 300 steps; exit code 1 if anything differs

Compared are the losses of every step and the final weights of: one replicate eagerly; the same replicate from a
recorded graph; the same one beside others in lanes; and a graph that was stopped, saved and continued.
"""

import argparse
import sys
import time
from pathlib import Path
from typing import Any

import torch

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.throughput import recipe, training_data
from smearlab.core.errors import UserError
from smearlab.core.jobs import MethodSettings, RecipeSettings, Replicate
from smearlab.training.device import configure
from smearlab.training.lanes import CudaLane
from smearlab.training.student import Distillation, Teacher, train_student
from smearlab.training.teacher import train_teacher
from smearlab.training.trainee import Problem, Trainee, make_problem, weights_of


class Runner:
    """A network in training, its loop and its lane."""

    def __init__(
        self, problem: Problem, settings: RecipeSettings, method: MethodSettings, *, record: bool, **who: Any
    ) -> None:
        self.lane = CudaLane(problem.device, print, record=record)
        teacher = who.pop("teacher", None)
        observed = training_data().labels
        with self.lane.context():
            self.trainee = Trainee(problem, settings, method, observed=observed, taught=observed, lane=self.lane, **who)
            if teacher is None:
                self.loop = train_teacher(self.trainee)
            else:
                imitated = Teacher(settings.architecture, teacher, problem, settings.precision, "same")
                self.loop = train_student(self.trainee, imitated, Distillation(0.5, 4.0, 4.0))

    def step(self) -> None:
        with self.lane.context():
            next(self.loop)

    def loss(self) -> float:
        """Return the sum of the losses so far."""
        with self.lane.context():
            return self.trainee.loss_sum.item()


def drive(runners: list[Runner], steps: int, *, losses: bool) -> tuple[list[list[float]], float]:
    """Take turns for `steps` steps; return the summed losses after each (if wanted) and the seconds."""
    seen: list[list[float]] = [[] for _ in runners]
    torch.cuda.synchronize()
    start = time.perf_counter()
    for _ in range(steps):
        for runner in runners:
            runner.step()
        if losses:
            for values, runner in zip(seen, runners, strict=True):
                values.append(runner.loss())
    torch.cuda.synchronize()
    return seen, time.perf_counter() - start


def largest_difference(one: Runner, other: Runner) -> float:
    """Return the largest absolute difference of any weight."""
    a, b = weights_of(one.trainee.network), weights_of(other.trainee.network)
    return max((a[k].double() - b[k].double()).abs().max().item() for k in a)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--network", default="resnet32")
    parser.add_argument("--precision", choices=["bf16", "fp32"], default="bf16")
    parser.add_argument("--method", default="cross_entropy")
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--lanes", type=int, default=2)
    parser.add_argument("--batch-size", type=int, default=128)
    options = parser.parse_args()
    contestant = vars(options) | {"device": "cuda", "threads": 2}
    settings = recipe(contestant)
    problem = make_problem(training_data(), settings, 10, configure(settings, print))
    method = MethodSettings(options.method, alpha=0.1)
    transition = (0.8 * torch.eye(10) + 0.02).tolist()
    good = True

    def runner(record: bool, seed: int = 0, role: str = "teacher", **more: Any) -> Runner:
        who = {"role": role, "seeds": Replicate(0, seed), "transition": transition}
        return Runner(problem, settings, method, record=record, **who, **more)

    def report(what: str, one: Runner, other: Runner) -> None:
        nonlocal good
        gap = largest_difference(one, other)
        good &= gap == 0
        print(f"{what:44} largest difference of a weight {gap:.3g} {'ok' if gap == 0 else 'DIFFERS'}")

    eager, graph = runner(False), runner(True)
    (a, b), _ = drive([eager, graph], options.steps, losses=True)
    first = next((k for k, (x, y) in enumerate(zip(a, b, strict=True)) if x != y), None)
    print(f"losses of {options.steps} steps: {'identical' if first is None else f'differ from step {first}'}")
    report("graph against eager", graph, eager)
    print(f"recorded: {sorted(graph.lane.graphs)}, mean loss {a[-1] / options.steps:.4f}")

    alone = runner(True, seed=0)
    drive([alone], options.steps, losses=False)
    beside = [runner(True, seed=seed) for seed in range(options.lanes)]
    drive(beside, options.steps, losses=False)
    report(f"one of {options.lanes} lanes against alone", beside[0], alone)

    half = runner(True)
    drive([half], options.steps // 2, losses=False)
    with half.lane.context():
        tensors, values = half.trainee.state()
    resumed = runner(True)
    with resumed.lane.context():
        resumed.trainee.restore(tensors, values)
    drive([resumed], options.steps - options.steps // 2, losses=False)
    report("stopped and continued against unbroken", resumed, alone)

    teacher = weights_of(alone.trainee.network)
    students = [runner(record, role="student", teacher=teacher) for record in (False, True)]
    drive(students, options.steps // 2, losses=False)
    report("student: graph against eager", students[1], students[0])

    for lanes in (1, options.lanes):
        for record in (False, True):
            team = [runner(record, seed=seed) for seed in range(lanes)]
            drive(team, 20, losses=False)
            seconds = drive(team, options.steps, losses=False)[1]
            speed = lanes * options.steps * options.batch_size / seconds
            print(f"{'graph' if record else 'eager'}, {lanes} lane(s): {speed:,.0f} images/s")
    print(f"peak GPU memory {torch.cuda.max_memory_allocated() / 1e9:.2f} GB")
    return 0 if good else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except UserError as error:
        sys.exit(str(error))
