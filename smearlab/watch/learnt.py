"""How long the jobs that are left will take: learnt from those of the same grid that are done, else from the plan."""

import os
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import mean

from smearlab.grid.dag import EVALUATIONS, Node
from smearlab.grid.plan import EVALUATION_SECONDS, JOB_SECONDS, training_minutes
from smearlab.store.benchmarks import seconds_taken

SAMPLE = 20  # finished jobs that are looked at for each kind
Kind = tuple[str, ...]


@dataclass(frozen=True)
class TimeLeft:
    """Seconds until the grid is done with so many jobs at once, and where that is known from."""

    seconds: float
    at_once: int
    jobs: int
    learnt: int  # of these jobs: expected from finished ones of the same kind
    planned: int  # of these jobs: expected from the plan

    @property
    def source(self) -> str:
        """Where it is known from: finished runs, plan, or both."""
        return "finished runs" if not self.planned else "plan" if not self.learnt else "finished runs and plan"


class Learnt:
    """The mean duration of each kind of job, from the benchmark files of finished ones.

    A kind is a rule, and for blocks the data set and the recipe as well. Where nothing of a kind is finished, the plan
    is scaled by how long the finished trainings took against it.
    """

    def __init__(self, done: Iterable[Node]) -> None:
        self.measured: dict[Kind, float] = {}
        samples: dict[Kind, list[Node]] = defaultdict(list)
        for node in done:
            if node.benchmark and len(samples[kind(node)]) < SAMPLE:
                samples[kind(node)].append(node)
        took = planned = 0.0
        for which, nodes in samples.items():
            seconds = [s for s in (seconds_taken(node.benchmark) for node in nodes) if s is not None]
            if seconds:
                self.measured[which] = mean(seconds)
                if nodes[0].trains:
                    took, planned = took + sum(seconds), planned + len(seconds) * expected(nodes[0])
        self.scale = took / planned if planned else 1.0

    def seconds(self, node: Node) -> tuple[float, bool]:
        """Return the expected seconds of a job, and whether they are learnt."""
        found = self.measured.get(kind(node))
        return (expected(node) * (self.scale if node.trains else 1.0), False) if found is None else (found, True)

    def time_left(
        self, waiting: Iterable[Node], running: Iterable[tuple[Node, float | None]], cores: int | None = None
    ) -> TimeLeft:
        """Return the time for the jobs that wait and those that run, each of these with what it says of its own.

        cores: those of the run; without them as many jobs are at work as are seen to be, which changes by the moment.
        """
        running = list(running)
        found = [self.seconds(node) for node in waiting]
        for node, left in running:
            seconds, learnt = self.seconds(node)
            found.append((seconds if left is None else left, learnt or left is not None))
        seen = sum(node.trains or node.group == EVALUATIONS for node, _ in running)
        at_once = cores or seen or len(os.sched_getaffinity(0))
        total, longest = sum(s for s, _ in found), max((s for s, _ in found), default=0.0)
        known = sum(is_learnt for _, is_learnt in found)
        return TimeLeft(max(total / at_once, longest), at_once, len(found), known, len(found) - known)


def kind(node: Node) -> Kind:
    """Return what jobs of about the same length have in common."""
    if node.cell is None:
        return (node.rule,)
    return (node.rule, node.cell.labels.dataset.id, node.cell.recipe.id)


def expected(node: Node) -> float:
    """Return the seconds that the plan expects of a job."""
    if node.rule == "all":
        return 0.0
    if node.trains and node.cell is not None:
        return 60 * training_minutes(node.cell)
    return EVALUATION_SECONDS if node.group == EVALUATIONS else JOB_SECONDS
