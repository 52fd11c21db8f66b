"""Plain lines in the log that say where a job is and how long it will still take."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from smearlab.host.durations import duration

if TYPE_CHECKING:
    from smearlab.training.trainee import Trainee


SECONDS_BETWEEN_LINES = 5.0


class ProgressLog:
    """Writes a line at the end of every epoch, and every few seconds inside long ones."""

    def __init__(self, log: Callable[[str], None], n_replicates: int) -> None:
        self.log, self.n_replicates = log, n_replicates
        self.began = self.last_line = time.monotonic()
        self.steps_here = 0
        self.steps_left: int | None = None
        self._before: dict[int, tuple[int, int]] = {}

    def started(self, position: int, trainee: Trainee) -> None:
        """Note where a replicate begins; those that have not begun are taken to be as long as this one."""
        self._before[position] = (trainee.done, trainee.at.epoch)
        if self.steps_left is None:
            self.steps_left = trainee.total * (self.n_replicates - position)
        self.steps_left -= trainee.done

    def stepped(self, position: int, trainee: Trainee) -> None:
        """Note a step (or a pause between two) and write a line when one is due."""
        done, epoch = self._before[position]
        self._before[position] = (trainee.done, trainee.at.epoch)
        self.steps_here += trainee.done - done
        now = time.monotonic()
        if trainee.at.epoch > epoch or trainee.at.status == "diverged":
            self._line(position, trainee, now, _of_epoch(trainee))
        elif now - self.last_line >= SECONDS_BETWEEN_LINES:
            inside = f"step {trainee.at.step}/{trainee.steps_of_epoch}" if trainee.in_epoch() else "measuring"
            self._line(position, trainee, now, f"epoch {trainee.at.epoch + 1}/{trainee.n_epochs}, {inside}")

    def _line(self, position: int, trainee: Trainee, now: float, what: str) -> None:
        seeds = trainee.seeds
        who = f"replicate {position + 1}/{self.n_replicates} (noise seed {seeds.noise_seed}, seed {seeds.seed})"
        self.log(f"{who}: {what}, {self._time_left(now)} left")
        self.last_line = now

    def _time_left(self, now: float) -> str:
        left = (self.steps_left or 0) - self.steps_here
        return duration((now - self.began) / max(1, self.steps_here) * max(0, left))


def _of_epoch(trainee: Trainee) -> str:
    if trainee.at.status == "diverged":
        return f"DIVERGED, {trainee.at.reason}"
    line = trainee.at.history[-1]
    speed = line["images_per_second"]
    parts = [f"epoch {line['epoch']}/{trainee.n_epochs}", f"loss {line['loss']:.4f}"]
    parts.append(f"train {line['train_accuracy_noisy']:.3f}")
    if line["validation_accuracy_noisy"] is not None:
        parts.append(f"validation {line['validation_accuracy_noisy']:.3f}")
    if speed is not None:
        parts.append(f"{speed:,.0f} images/s")
    return ", ".join(parts)
