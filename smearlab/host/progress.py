"""Plain lines in the log that say where a job is and how long it will still take."""

import time
from collections.abc import Callable

from smearlab.host.durations import duration
from smearlab.training.replicate import Replicate

SECONDS_BETWEEN_LINES = 5.0


class ProgressLog:
    """Writes a line at the end of every epoch, and every few seconds inside long ones."""

    def __init__(self, log: Callable[[str], None], n_replicates: int) -> None:
        self.log, self.n_replicates = log, n_replicates
        self.began = self.last_line = time.monotonic()
        self.steps_here = 0
        self.steps_left: int | None = None
        self._before: dict[int, tuple[int, int]] = {}

    def started(self, position: int, run: Replicate) -> None:
        """Note where a replicate begins; those that have not begun are taken to be as long as this one."""
        self._before[position] = (run.done, run.at.epoch)
        if self.steps_left is None:
            self.steps_left = run.total * (self.n_replicates - position)
        self.steps_left -= run.done

    def stepped(self, position: int, run: Replicate) -> None:
        """Note a step (or a pause between two) and write a line when one is due."""
        done, epoch = self._before[position]
        self._before[position] = (run.done, run.at.epoch)
        self.steps_here += run.done - done
        now = time.monotonic()
        if run.at.epoch > epoch or run.at.status == "diverged":
            self._line(position, run, now, _of_epoch(run))
        elif now - self.last_line >= SECONDS_BETWEEN_LINES:
            inside = f"step {run.at.step}/{run.steps_of_epoch}" if run.in_epoch() else "measuring"
            self._line(position, run, now, f"epoch {run.at.epoch + 1}/{run.n_epochs}, {inside}")

    def _line(self, position: int, run: Replicate, now: float, what: str) -> None:
        who = f"replicate {position + 1}/{self.n_replicates} (noise seed {run.noise_seed}, seed {run.seed})"
        self.log(f"{who}: {what}, {self._time_left(now)} left")
        self.last_line = now

    def _time_left(self, now: float) -> str:
        left = (self.steps_left or 0) - self.steps_here
        return duration((now - self.began) / max(1, self.steps_here) * max(0, left))


def _of_epoch(run: Replicate) -> str:
    if run.at.status == "diverged":
        return f"DIVERGED, {run.at.reason}"
    line = run.at.history[-1]
    speed = line["images_per_second"]
    parts = [f"epoch {line['epoch']}/{run.n_epochs}", f"loss {line['loss']:.4f}"]
    parts.append(f"train {line['train_accuracy_noisy']:.3f}")
    if line["validation_accuracy_noisy"] is not None:
        parts.append(f"validation {line['validation_accuracy_noisy']:.3f}")
    if speed is not None:
        parts.append(f"{speed:,.0f} images/s")
    return ", ".join(parts)
