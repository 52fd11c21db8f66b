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

from smearlab.errors import UserError
from smearlab.files import sha256_array, sha256_file
from smearlab.training.checkpoint import Checkpoint
from smearlab.training.device import configure, environment, peak_memory_mb
from smearlab.training.lanes import Lane, lanes_at_once, make_lane
from smearlab.training.objective import adjusted_recipe
from smearlab.training.progress import ProgressLog
from smearlab.training.replicate import (
    TRAIN,
    Replicate,
    TrainingData,
    make_problem,
    within,
)
from smearlab.training.results import BlockResult, Finished, finished, never_started, read_weights
from smearlab.training.student import Distillation, Teacher, train_student
from smearlab.training.teacher import train_teacher

EXIT_INTERRUPTED = 75
DEFAULT_INTERVAL = 60.0
CHECKPOINT_FORMAT = 1
Log = Callable[[str], None]
Job = dict[str, Any]


class Interrupted(SystemExit):
    """The job was asked to stop and has written its checkpoint; the exit code is 75 (EX_TEMPFAIL)."""

    def __init__(self) -> None:
        super().__init__(EXIT_INTERRUPTED)


@dataclass
class Trainee:
    """A replicate in training and the loop that drives it."""

    run: Replicate
    loop: Iterator[None]


def train_teacher_block(
    job: Job,
    training: TrainingData,
    observed: Sequence[np.ndarray],
    *,
    checkpoint: Path,
    log: Log,
    interval: float | None = None,
) -> BlockResult:
    """Train (or finish training) the teachers of a block and return their results.

    job: plain values (cell, replicates, recipe, method, transitions, n_classes, code, …). observed: labels
    (N,) with their noise, one array per replicate. checkpoint: a file outside the job's outputs. interval:
    seconds between checkpoints (default: SMEARLAB_CHECKPOINT_SECONDS, else 60). Raises UserError for
    input that cannot be trained on and Interrupted (exit code 75) after a signal.
    """
    block = _Block(job, training, observed, [], checkpoint, log, interval)

    def start(position: int) -> Trainee | Finished:
        if (refused := block.refused(position)) is not None:
            return refused
        run = block.replicate(position, observed[position], observed[position])
        return Trainee(run, train_teacher(run))

    return block.train(start)


def train_student_block(
    job: Job,
    training: TrainingData,
    observed: Sequence[np.ndarray],
    teacher_weights: Path | Sequence[Path],
    *,
    checkpoint: Path,
    log: Log,
    interval: float | None = None,
) -> BlockResult:
    """Train (or finish training) the students of a block, each on the teacher of its own (noise seed, seed).

    teacher_weights: weights.safetensors of the teacher's block, with run.json beside it, or several where the
    teacher's blocks are smaller than the student's. The teacher's checkpoint is the one its recipe reports. A
    student whose teacher diverged is `diverged` too. The rest is as for train_teacher_block.
    """
    paths = [Path(teacher_weights)] if isinstance(teacher_weights, str | Path) else list(teacher_weights)
    block = _Block(job, training, observed, paths, checkpoint, log, interval)
    distillation = _distillation(job)

    def start(position: int) -> Trainee | Finished:
        if (refused := block.refused(position)) is not None:
            return refused
        weights = _teacher_of(paths, job["replicates"][position], job["teacher_recipe"]["checkpoint"])
        if weights is None:
            return block.not_trained(position, "its teacher diverged")
        teacher = Teacher(job["teacher_recipe"]["architecture"], weights, block.problem, block.precision, job["view"])
        taught = _taught_labels(job, training, observed[position])
        run = block.replicate(position, observed[position], taught)
        return Trainee(run, train_student(run, teacher, distillation))

    return block.train(start)


class _Block:
    """One job: its problem, its replicates in training and finished, its checkpoint."""

    def __init__(
        self,
        job: Job,
        training: TrainingData,
        observed: Sequence[np.ndarray],
        teachers: list[Path],
        checkpoint: Path,
        log: Log,
        interval: float | None,
    ) -> None:
        _check(job, training, observed)
        self.job, self.log = job, log
        self.recipe = adjusted_recipe(job["recipe"], job["method"])
        self.precision = self.recipe["precision"]
        self.device = configure(self.recipe, log)
        self.problem = make_problem(training, self.recipe, job["n_classes"], self.device)
        self.interval = interval if interval is not None else _default_interval()
        self.checkpoint = Checkpoint(Path(checkpoint), _digest(job, training, observed, teachers), log)
        self.finished: dict[int, Finished] = {}
        self.active: dict[int, Trainee] = {}
        self.progress = ProgressLog(log, len(job["replicates"]))

    def replicate(self, position: int, observed: np.ndarray, taught: np.ndarray) -> Replicate:
        """Return a replicate of this block at its beginning."""
        transitions = self.job.get("transitions")
        return Replicate(
            self.problem,
            self.recipe,
            self.job["method"],
            role=self.job["role"],
            observed=observed,
            taught=taught,
            transition=transitions[position] if transitions is not None else None,
            lane=self._lanes[position],
            **self.job["replicates"][position],
        )

    def refused(self, position: int) -> Finished | None:
        """Return the result of a replicate that has no T it could be trained with; None for any other."""
        refusals = self.job.get("refusals")
        reason = refusals[position] if refusals is not None else None
        return None if reason is None else self.not_trained(position, reason)

    def not_trained(self, position: int, reason: str) -> Finished:
        """Return the result of a replicate that diverged before its first step."""
        seeds = self.job["replicates"][position]
        return never_started(**seeds, reason=reason, device=self.device.type, precision=self.precision)

    def train(self, start: Callable[[int], Trainee | Finished]) -> BlockResult:
        """Drive all replicates to their end, from the checkpoint if there is one."""
        count = len(self.job["replicates"])
        self._lanes: list[Lane] = [make_lane(self.device, self.log) for _ in range(count)]
        try:
            with stop_signals() as stop:
                self._run(start, lanes_at_once(self.device, count), stop)
        except torch.OutOfMemoryError as error:
            raise UserError(
                f"out of GPU memory with {len(self.active)} replicate(s) side by side: set SMEARLAB_LANES=1 (or "
                "another number below that) in the environment, or choose a smaller batch_size in the recipe"
            ) from error
        return self._result()

    def _run(self, start: Callable[[int], Trainee | Finished], width: int, stop: threading.Event) -> None:
        saved = self._restore_finished()
        waiting = [k for k in range(len(self.job["replicates"])) if k not in self.finished]
        written = time.monotonic()
        while waiting or self.active:
            while waiting and len(self.active) < width:
                self._start(start, waiting.pop(0), saved)
            for position in list(self.active):
                self._advance(position)
            if stop.is_set():
                self._save()
                self.log("stopped by a signal; the checkpoint is written, and the same command continues")
                raise Interrupted
            if time.monotonic() - written >= self.interval:
                self._save()
                written = time.monotonic()
        if saved is None or saved[1]["active"]:
            self._save()

    def _start(self, start: Callable[[int], Trainee | Finished], position: int, saved: Any) -> None:
        with self._lanes[position].context():
            trainee = start(position)
            if isinstance(trainee, Finished):
                self.finished[position] = trainee
                self.log(f"replicate {position + 1}: not trained, {trainee.entry['reason']}")
                return
            if saved is not None and str(position) in saved[1]["active"]:
                tensors, values = saved
                trainee.run.restore(within(tensors, f"active/{position}/"), values["active"][str(position)])
                self.log(f"replicate {position + 1}: continues at step {trainee.run.done} of {trainee.run.total}")
        self.active[position] = trainee
        self.progress.started(position, trainee.run)

    def _advance(self, position: int) -> None:
        trainee = self.active[position]
        trainee.run.side_by_side = len(self.active)
        with self._lanes[position].context():
            over = next(trainee.loop, _END) is _END
        self.progress.stepped(position, trainee.run)
        if over:
            self.finished[position] = finished(
                trainee.run,
                device=self.device.type,
                precision=self.precision,
                peak_memory_mb=peak_memory_mb(self.device),
            )
            del self.active[position]

    def _save(self) -> None:
        tensors, values = {}, {"finished": {}, "active": {}}
        for position, result in self.finished.items():
            values["finished"][str(position)] = {"entry": result.entry, "history": result.history}
            tensors |= {f"finished/{position}/{name}": t for name, t in result.weights.items()}
        for position, trainee in self.active.items():
            with self._lanes[position].context():
                state, values["active"][str(position)] = trainee.run.state()
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
            self.log(f"checkpoint: {len(self.finished)} of {len(self.job['replicates'])} replicates are finished")
        return saved

    def _result(self) -> BlockResult:
        return BlockResult(
            replicates=[self.finished[k] for k in range(len(self.job["replicates"]))],
            recipe=self.recipe,
            method=self.job["method"],
            environment=environment(self.device),
            code=self.job["code"],
            code_parts=self.job.get("code_parts", {}),
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


def _digest(job: Job, training: TrainingData, observed: Sequence[np.ndarray], teachers: Sequence[Path]) -> str:
    arrays = [training.images, training.labels, training.part, *observed]
    named = {
        "format": CHECKPOINT_FORMAT,
        "job": job,
        "arrays": [sha256_array(np.asarray(array)) for array in arrays],
        "teachers": [sha256_file(path) for path in teachers],
        "torch": torch.__version__,
    }
    return hashlib.sha256(json.dumps(named, sort_keys=True).encode()).hexdigest()


def _check(job: Job, training: TrainingData, observed: Sequence[np.ndarray]) -> None:
    if len(observed) != len(job["replicates"]):
        raise UserError(f"{job['cell']}: {len(observed)} label files for {len(job['replicates'])} replicates")
    for labels in observed:
        if labels.shape != training.labels.shape:
            raise UserError(f"{job['cell']}: {labels.shape} observed labels for {len(training.images)} images")
        if labels.min() < 0 or labels.max() >= job["n_classes"]:
            raise UserError(f"{job['cell']}: observed labels must lie in 0..{job['n_classes'] - 1}")


def _distillation(job: Job) -> Distillation:
    if job["student_labels"] == "none" and job["beta"] != 1:
        raise UserError(f"{job['cell']}: a student without labels needs beta 1, not {job['beta']}")
    own = job.get("student_temperature")
    temperature = job["temperature"]
    return Distillation(job["beta"], temperature, own if own is not None else temperature)


def _taught_labels(job: Job, training: TrainingData, observed: np.ndarray) -> np.ndarray:
    if job["student_labels"] != "clean":
        return observed
    if (training.labels[training.part == TRAIN] < 0).any():
        raise UserError(f"{job['cell']}: student_labels clean, but the clean labels are not known")
    return training.labels


def _teacher_of(paths: Sequence[Path], seeds: dict[str, int], checkpoint: str) -> Any:
    for path in paths[:-1]:
        try:
            return read_weights(path, **seeds, checkpoint=checkpoint)
        except UserError:
            continue
    return read_weights(paths[-1], **seeds, checkpoint=checkpoint)
