"""Training the replicates of a block in one job: in turn on the CPU, side by side on CUDA; and surviving kills.

The loops yield after every step. Here they are driven, and at those points the state of the whole block is
written down: at a wall-clock interval, when asked to stop, and at the end. SIGTERM, SIGINT and SIGUSR1 end the
step, write the checkpoint and leave with exit code 75 ("try again later"); a second SIGINT leaves at once.
"""

import hashlib
import json
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
import torch
from torch import Tensor

from smearlab.core.errors import UserError
from smearlab.core.jobs import TrainingJob, plain
from smearlab.host.progress import ProgressLog
from smearlab.store.files import sha256_array, sha256_file
from smearlab.training.checkpoint import Checkpoint
from smearlab.training.correction import Corrections
from smearlab.training.device import configure, libraries, machine, peak_memory_mb
from smearlab.training.lanes import Lane, lanes_at_once, make_lane
from smearlab.training.objective import adjusted_recipe
from smearlab.training.results import BlockResult, Finished, finished, never_started
from smearlab.training.stack import Guide, Member, Stack, train_stack
from smearlab.training.trainee import Examples, Trainee, make_problem, within

EXIT_INTERRUPTED = 75
DEFAULT_INTERVAL = 60.0
CHECKPOINT_FORMAT = 1
Log = Callable[[str], None]


class Interrupted(SystemExit):
    """The job was asked to stop and has written its checkpoint; the exit code is 75 (EX_TEMPFAIL)."""

    def __init__(self) -> None:
        super().__init__(EXIT_INTERRUPTED)


@dataclass
class Active:
    """A network in training, the loop that drives it (unless it is stacked), and whom it learns from."""

    trainee: Trainee
    loop: Iterator[None]
    guide: Guide | None = None


class Block:
    """One job: its problem, its replicates in training and finished, its checkpoint."""

    def __init__(
        self,
        job: TrainingJob,
        corrections: Corrections,
        training: Examples,
        observed: Sequence[np.ndarray],
        teachers: list[Path],
        checkpoint: Path,
        log: Log,
        interval: float | None,
    ) -> None:
        _check(job, training, observed)
        self.job, self.corrections, self.log = job, corrections, log
        self.recipe = adjusted_recipe(job.recipe, job.method)
        self.precision = self.recipe.precision
        self.device = configure(self.recipe, log)
        self.problem = make_problem(training, self.recipe, job.n_classes, self.device)
        self.interval = interval if interval is not None else _default_interval()
        self.checkpoint = Checkpoint(Path(checkpoint), _digest(job, corrections, training, observed, teachers), log)
        self.finished: dict[int, Finished] = {}
        self.active: dict[int, Active] = {}
        self._stacked: Iterator[None] | None = None
        self.progress = ProgressLog(log, len(job.replicates))

    def trainee(self, position: int, observed: np.ndarray, taught: np.ndarray) -> Trainee:
        """Return the network of a replicate of this block at its beginning."""
        return Trainee(
            self.problem,
            self.recipe,
            self.job.method,
            role=self.job.role,
            seeds=self.job.replicates[position],
            observed=observed,
            taught=taught,
            transition=self.corrections.transition(position),
            lane=self._lanes[position],
        )

    def refused(self, position: int) -> Finished | None:
        """Return the result of a replicate that has no T it could be trained with; None for any other."""
        reason = self.corrections.refusal(position)
        return None if reason is None else self.not_trained(position, reason)

    def not_trained(self, position: int, reason: str) -> Finished:
        """Return the result of a replicate that diverged before its first step."""
        seeds = self.job.replicates[position]
        return never_started(seeds, reason=reason, device=self.device.type, precision=self.precision)

    def train(self, start: Callable[[int], Active | Finished]) -> BlockResult:
        """Drive all replicates to their end, from the checkpoint if there is one."""
        count = len(self.job.replicates)
        self._lanes: list[Lane] = [make_lane(self.device, self.log) for _ in range(count)]
        width = lanes_at_once(self.device, count)
        if self.recipe.stacked:
            self._lanes, width = [self._lanes[0]] * count, count
        try:
            with stop_signals() as stop:
                self._run(start, width, stop)
        except torch.OutOfMemoryError as error:
            raise UserError(
                f"out of GPU memory with {len(self.active)} replicate(s) side by side: set SMEARLAB_LANES=1 (or "
                "another number below that) in the environment, or choose a smaller batch_size in the recipe"
            ) from error
        return self._result()

    def _run(self, start: Callable[[int], Active | Finished], width: int, stop: threading.Event) -> None:
        saved = self._restore_finished()
        waiting = [k for k in range(len(self.job.replicates)) if k not in self.finished]
        written = time.monotonic()
        while waiting or self.active:
            while waiting and len(self.active) < width:
                self._start(start, waiting.pop(0), saved)
            self._advance_all()
            if stop.is_set():
                self._save()
                self.log("stopped by a signal; the checkpoint is written, and the same command continues")
                raise Interrupted
            if time.monotonic() - written >= self.interval:
                self._save()
                written = time.monotonic()
        if saved is None or saved[1]["active"]:
            self._save()

    def _start(self, start: Callable[[int], Active | Finished], position: int, saved: Any) -> None:
        with self._lanes[position].context():
            begun = start(position)
            if isinstance(begun, Finished):
                self.finished[position] = begun
                self.log(f"replicate {position + 1}: not trained, {begun.entry['reason']}")
                return
            trainee = begun.trainee
            if saved is not None and str(position) in saved[1]["active"]:
                tensors, values = saved
                trainee.restore(within(tensors, f"active/{position}/"), values["active"][str(position)])
                self.log(f"replicate {position + 1}: continues at step {trainee.done} of {trainee.total}")
        self.active[position] = begun
        self.progress.started(position, trainee)

    def _advance_all(self) -> None:
        if self.recipe.stacked and self.active:
            self._advance_stack()
        else:
            for position in list(self.active):
                self._advance(position)

    def _advance_stack(self) -> None:
        """Take one step of all replicates as one network."""
        with self._lanes[0].context():
            if self._stacked is None:
                members = {k: Member(a.trainee, a.guide) for k, a in self.active.items()}
                self._stacked = train_stack(Stack(members, len(self.job.replicates)))
            next(self._stacked, None)
        for position, active in list(self.active.items()):
            self.progress.stepped(position, active.trainee)
            if active.trainee.at.status != "training":
                self._finish(position)

    def _advance(self, position: int) -> None:
        active = self.active[position]
        active.trainee.side_by_side = len(self.active)
        with self._lanes[position].context():
            over = next(active.loop, _END) is _END
        self.progress.stepped(position, active.trainee)
        if over:
            self._finish(position)

    def _finish(self, position: int) -> None:
        self.finished[position] = finished(
            self.active.pop(position).trainee,
            device=self.device.type,
            precision=self.precision,
            peak_memory_mb=peak_memory_mb(self.device),
        )

    def _save(self) -> None:
        tensors: dict[str, Tensor] = {}
        values: dict[str, dict[str, Any]] = {"finished": {}, "active": {}}
        for position, result in self.finished.items():
            values["finished"][str(position)] = {"entry": result.entry, "history": result.history}
            tensors |= {f"finished/{position}/{name}": t for name, t in result.weights.items()}
        for position, active in self.active.items():
            with self._lanes[position].context():
                state, values["active"][str(position)] = active.trainee.state()
            tensors |= {f"active/{position}/{name}": t for name, t in state.items()}
        self.checkpoint.save(tensors, values)

    def _restore_finished(self) -> Any:
        saved = self.checkpoint.load()
        if saved is not None:
            tensors, values = saved
            for position, result in values["finished"].items():
                self.finished[int(position)] = Finished(
                    result["entry"], result["history"], within(tensors, f"finished/{position}/")
                )
            self.log(f"checkpoint: {len(self.finished)} of {len(self.job.replicates)} replicates are finished")
        return saved

    def _result(self) -> BlockResult:
        return BlockResult(
            replicates=[self.finished[k] for k in range(len(self.job.replicates))],
            recipe=self.recipe,
            method=self.job.method,
            environment=libraries(self.device),
            machine=machine(self.device),
        )


_END = object()


@contextmanager
def stop_signals() -> Iterator[threading.Event]:
    """Within this context SIGTERM, SIGINT and SIGUSR1 set the event that it gives; a second SIGINT interrupts.

    Outside the main thread, where Python takes no signals, the event is never set.
    """
    stop = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return

    def ask(number: int, frame: FrameType | None) -> None:
        stop.set()
        if number == signal.SIGINT:
            signal.signal(signal.SIGINT, signal.default_int_handler)

    before = {n: signal.signal(n, ask) for n in (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _default_interval() -> float:
    return float(os.environ.get("SMEARLAB_CHECKPOINT_SECONDS", DEFAULT_INTERVAL))


def _digest(
    job: TrainingJob,
    corrections: Corrections,
    training: Examples,
    observed: Sequence[np.ndarray],
    teachers: Sequence[Path],
) -> str:
    arrays = [training.images, training.labels, training.part, *observed]
    named = {
        "format": CHECKPOINT_FORMAT,
        "job": plain(job),
        "corrections": plain(corrections),
        "arrays": [sha256_array(np.asarray(array)) for array in arrays],
        "teachers": [sha256_file(path) for path in teachers],
        "torch": torch.__version__,
    }
    return hashlib.sha256(json.dumps(named, sort_keys=True).encode()).hexdigest()


def _check(job: TrainingJob, training: Examples, observed: Sequence[np.ndarray]) -> None:
    if len(observed) != len(job.replicates):
        raise UserError(f"{job.cell}: {len(observed)} label files for {len(job.replicates)} replicates")
    for labels in observed:
        if labels.shape != training.labels.shape:
            raise UserError(f"{job.cell}: {labels.shape} observed labels for {len(training.images)} images")
        if labels.min() < 0 or labels.max() >= job.n_classes:
            raise UserError(f"{job.cell}: observed labels must lie in 0..{job.n_classes - 1}")
