"""How long the jobs that are left will take: learnt from those of the same grid that are done, else from the plan."""

import os
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import mean

from smearlab.grid.dag import EVALUATIONS, Node
from smearlab.grid.plan import EVALUATION_SECONDS, JOB_SECONDS, training_minutes
from smearlab.host.benchmarks import seconds_taken

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
        for job in done:
            if job.benchmark and len(samples[kind(job)]) < SAMPLE:
                samples[kind(job)].append(job)
        took = planned = 0.0
        for which, jobs in samples.items():
            seconds = [s for s in (seconds_taken(job.benchmark) for job in jobs) if s is not None]
            if seconds:
                self.measured[which] = mean(seconds)
                if jobs[0].trains:
                    took, planned = took + sum(seconds), planned + len(seconds) * expected(jobs[0])
        self.scale = took / planned if planned else 1.0

    def seconds(self, job: Node) -> tuple[float, bool]:
        """Return the expected seconds of a job, and whether they are learnt."""
        found = self.measured.get(kind(job))
        return (expected(job) * (self.scale if job.trains else 1.0), False) if found is None else (found, True)

    def time_left(self, waiting: Iterable[Node], running: Iterable[tuple[Node, float | None]]) -> TimeLeft:
        """Return the time for the jobs that wait and those that run, each of these with what it says of its own."""
        running = list(running)
        found = [self.seconds(job) for job in waiting]
        for job, left in running:
            seconds, learnt = self.seconds(job)
            found.append((seconds if left is None else left, learnt or left is not None))
        at_once = sum(job.trains or job.group == EVALUATIONS for job, _ in running) or len(os.sched_getaffinity(0))
        total, longest = sum(s for s, _ in found), max((s for s, _ in found), default=0.0)
        learnt = sum(known for _, known in found)
        return TimeLeft(max(total / at_once, longest), at_once, len(found), learnt, len(found) - learnt)


def kind(job: Node) -> Kind:
    """Return what jobs of about the same length have in common."""
    if job.cell is None:
        return (job.rule,)
    return (job.rule, job.cell.labels.dataset.id, job.cell.recipe.id)


def expected(job: Node) -> float:
    """Return the seconds that the plan expects of a job."""
    if job.rule == "all":
        return 0.0
    if job.trains and job.cell is not None:
        return 60 * training_minutes(job.cell)
    return EVALUATION_SECONDS if job.group == EVALUATIONS else JOB_SECONDS
