"""A killed run, continued, ends bit-identical to an unbroken one, wherever and however it was killed."""

import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import tiny_training as tiny
import torch

from smearlab.core.jobs import Replicate
from smearlab.training import block, checkpoint, student_block, teacher_block
from smearlab.training.checkpoint import Checkpoint, DamagedError, packed, unpacked

CASES = {
    "teacher": tiny.job(),
    "smoothed after a warm-up": tiny.job(method=tiny.method("label_smoothing", alpha=0.3, warm_up=0.4)),
    "method with state": tiny.job(method=tiny.method("elr")),
    "AdamW": tiny.job(recipe=tiny.recipe(optimiser=tiny.ADAMW)),
    "AdamW without decay, in steps, after a rise": tiny.job(
        recipe=tiny.recipe(
            epochs=None,
            steps=8,
            optimiser={**tiny.ADAMW, "weight_decay": 0.0},
            schedule={"name": "step", "milestones": [0.5], "factor": 0.1, "warmup": 0.3},
        )
    ),
    "bf16 on a residual network": tiny.job(
        count=1, recipe=tiny.recipe(precision="bf16", architecture={"name": "resnet8", "width": 4})
    ),
    "Label Wave": tiny.job(recipe=tiny.recipe(epochs=7, label_wave=True)),
    "mixup, sharpness-aware, method with state": tiny.job(
        method=tiny.method("elr"), recipe=tiny.recipe(mixup=0.4, sam_radius=0.1)
    ),
    "student": tiny.job("student"),
    "student of mixed images": tiny.job("student", count=1, recipe=tiny.recipe(mixup=1.0)),
    "student by AdamW": tiny.job("student", recipe=tiny.recipe(optimiser=tiny.ADAMW)),
    "student with state, fixed view": tiny.job("student", method=tiny.method("elr"), view="fixed"),
}


class Killed(BaseException):
    """The process is gone: nothing below catches this."""


class Killer:
    """Wraps a loop so that everything dies at its n-th yield, counted over all replicates."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, action: Any) -> None:
        self.action, self.yields, self.at = action, 0, -1
        for module, name in ((teacher_block, "train_teacher"), (student_block, "train_student")):
            monkeypatch.setattr(module, name, self.wrapped(getattr(module, name)))

    def wrapped(self, loop: Any) -> Any:
        def driven(*arguments: Any) -> Iterator[None]:
            for _ in loop(*arguments):
                if self.yields == self.at:
                    self.at = -1
                    self.action()
                self.yields += 1
                yield

        return driven


def die() -> None:
    raise Killed


class Clock:
    """A clock that advances by one second whenever it is read."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        self.now += 1
        return self.now


@pytest.fixture(scope="module")
def teachers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("teachers")
    tiny.train(tiny.job(), folder)
    return folder


@pytest.mark.parametrize("case", CASES)
def test_killed_at_random_steps_and_continued(
    case: str, teachers: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    killer = Killer(monkeypatch, die)
    tiny.train(CASES[case], tmp_path / "unbroken", teachers)
    total = killer.yields
    monkeypatch.setattr(block, "time", Clock())
    draw = random.Random(case)
    for kills, interval in ((1, 0.0), (1, 3.0), (2, 0.0), (2, 3.0), (3, 2.0)):
        folder = tmp_path / f"{kills}-{interval}"
        for _ in range(kills):
            killer.yields, killer.at = 0, draw.randrange(total // kills)
            with pytest.raises(Killed):
                tiny.train(CASES[case], folder, teachers, interval=interval)
        tiny.train(CASES[case], folder, teachers, interval=interval)
        assert tiny.outcome(folder) == tiny.outcome(tmp_path / "unbroken")


@pytest.mark.parametrize("stage", ["half written", "before the old one is moved", "between the two renames"])
@pytest.mark.parametrize("nth", [1, 2, 5])
def test_killed_while_writing_a_checkpoint(
    stage: str, nth: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny.train(CASES["method with state"], tmp_path / "unbroken")
    with monkeypatch.context() as patched:
        _die_while_writing(patched, stage, nth)
        with pytest.raises(Killed):
            tiny.train(CASES["method with state"], tmp_path / "killed", interval=0.0)
    lines: list[str] = []
    tiny.train(CASES["method with state"], tmp_path / "killed", log=lines.append)
    assert tiny.outcome(tmp_path / "killed") == tiny.outcome(tmp_path / "unbroken")
    assert nth == 1 or any("continues at step" in line for line in lines)


def _die_while_writing(monkeypatch: pytest.MonkeyPatch, stage: str, nth: int) -> None:
    written, replace, count = checkpoint.write_bytes, os.replace, [0]

    def torn(path: Path, data: bytes) -> None:
        count[0] += 1
        if count[0] == nth and stage == "half written":
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            Path(path).write_bytes(data[: len(data) // 2])
            raise Killed
        written(path, data)
        if count[0] == nth and stage == "before the old one is moved":
            raise Killed

    def renamed(source: Path, target: Path) -> None:
        if count[0] >= nth and stage == "between the two renames" and str(target).endswith("checkpoint"):
            raise Killed
        replace(source, target)

    monkeypatch.setattr(checkpoint, "write_bytes", torn)
    monkeypatch.setattr(checkpoint.os, "replace", renamed)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGUSR1])
@pytest.mark.parametrize("role", ["teacher", "student"])
def test_a_signal_ends_the_step_and_leaves_a_checkpoint(
    number: signal.Signals, role: str, teachers: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = tiny.job(role)
    killer = Killer(monkeypatch, lambda: os.kill(os.getpid(), number))
    tiny.train(job, tmp_path / "unbroken", teachers)
    before = signal.getsignal(number)
    killer.yields, killer.at = 0, 7
    with pytest.raises(SystemExit) as stopped:
        tiny.train(job, tmp_path / "stopped", teachers)
    assert stopped.value.code == 75
    assert signal.getsignal(number) is before
    _, values = unpacked((tmp_path / "stopped" / "checkpoint").read_bytes())
    assert sum(len(a["history"]) * 3 + a["step"] for a in values["active"].values()) > 0
    tiny.train(job, tmp_path / "stopped", teachers)
    assert tiny.outcome(tmp_path / "stopped") == tiny.outcome(tmp_path / "unbroken")


def test_killed_by_sigkill_in_another_process(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; import tiny_training as tiny; import test_resume as t\n"
        "import os, signal, pytest\n"
        "killer = t.Killer(pytest.MonkeyPatch(), lambda: os.kill(os.getpid(), signal.SIGKILL))\n"
        "killer.at = int(sys.argv[2])\n"
        "tiny.train(tiny.job(), Path(sys.argv[1]), interval=0.0)\n"
    )
    paths = os.pathsep.join([str(Path(__file__).parents[2]), str(Path(__file__).parent)])
    command = [sys.executable, "-c", script, str(tmp_path / "killed"), "11"]
    done = subprocess.run(command, env=os.environ | {"PYTHONPATH": paths}, capture_output=True)
    assert done.returncode == -signal.SIGKILL
    tiny.train(tiny.job(), tmp_path / "unbroken")
    tiny.train(tiny.job(), tmp_path / "killed")
    assert tiny.outcome(tmp_path / "killed") == tiny.outcome(tmp_path / "unbroken")


def test_a_finished_job_rebuilds_its_outputs_without_training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tiny.train(tiny.job(), tmp_path)
    before = [(tmp_path / name).read_bytes() for name in ("weights.safetensors", "history.csv", "run.json")]
    for name in ("weights.safetensors", "history.csv", "run.json"):
        (tmp_path / name).unlink()
    monkeypatch.setattr(teacher_block, "train_teacher", lambda run: pytest.fail("trained again"))
    tiny.train(tiny.job(), tmp_path)
    after = [(tmp_path / name).read_bytes() for name in ("weights.safetensors", "history.csv", "run.json")]
    assert after == before


@pytest.mark.parametrize(
    "change",
    [{"code": "1"}, {"recipe": tiny.recipe(epochs=2)}, {"replicates": [Replicate(5, 0)] * 2}],
    ids=["code", "recipe", "labels"],
)
def test_the_checkpoint_of_another_job_is_ignored_aloud(change: dict[str, Any], tmp_path: Path) -> None:
    tiny.train(tiny.job(), tmp_path / "a")
    tiny.train(tiny.job(**change), tmp_path / "fresh")
    lines: list[str] = []
    tiny.train(tiny.job(**change), tmp_path / "a", log=lines.append)
    assert any("IS NOT OF THIS JOB" in line for line in lines)
    assert tiny.outcome(tmp_path / "a") == tiny.outcome(tmp_path / "fresh")


@pytest.mark.parametrize("damage", ["truncated", "flipped", "empty", "foreign"])
def test_a_damaged_checkpoint_falls_back_to_the_one_before(damage: str, tmp_path: Path) -> None:
    lines: list[str] = []
    saved = Checkpoint(tmp_path / "c", "digest", lines.append)
    saved.save({"a": torch.zeros(100)}, {"step": 1})
    saved.save({"a": torch.ones(100)}, {"step": 2})
    data = bytearray((tmp_path / "c").read_bytes())
    flipped = data[:-50] + bytes([data[-50] ^ 1]) + data[-49:]
    damaged = {"truncated": data[:-7], "flipped": flipped, "empty": b"", "foreign": b"\x80\x04pickle"}
    (tmp_path / "c").write_bytes(damaged[damage])
    tensors, values = saved.load()
    assert values == {"step": 1}
    assert not tensors["a"].any()
    assert any("damaged" in line for line in lines)


def test_both_damaged_means_a_fresh_start(tmp_path: Path) -> None:
    saved = Checkpoint(tmp_path / "c", "digest", lambda line: None)
    (tmp_path / "c").write_bytes(b"x")
    (tmp_path / "c.previous").write_bytes(b"y")
    assert saved.load() is None


def test_a_checkpoint_gives_back_what_was_packed() -> None:
    tensors = {"a": torch.arange(5), "b": torch.tensor(float("nan")), "c": torch.linspace(0, 1, 3).bfloat16()}
    values = {"accuracy": 0.1 + 0.2, "nothing": None, "rows": [{"x": 1}]}
    again, same = unpacked(packed(tensors, values))
    assert same == values
    assert all(torch.equal(again[k].view(torch.uint8), tensors[k].view(torch.uint8)) for k in ("a", "c"))
    assert again["b"].isnan()


def test_a_forged_checkpoint_with_a_right_hash_is_refused() -> None:
    import hashlib

    for body in (b"", b"\xff" * 40, (5).to_bytes(8, "little") + b"[1,2]"):
        with pytest.raises(DamagedError):
            unpacked(hashlib.sha256(body).hexdigest().encode() + b"\n" + body)


def test_a_full_disk_does_not_stop_the_training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, data: bytes) -> None:
        raise OSError(28, "No space left on device")

    tiny.train(tiny.job(), tmp_path / "unbroken")
    monkeypatch.setattr(checkpoint, "write_bytes", full)
    lines: list[str] = []
    tiny.train(tiny.job(), tmp_path / "full", interval=0.0, log=lines.append)
    assert any("No space left on device" in line for line in lines)
    assert tiny.outcome(tmp_path / "full") == tiny.outcome(tmp_path / "unbroken")


def test_run_json_is_plain_and_names_its_weights(tmp_path: Path) -> None:
    tiny.train(tiny.job(), tmp_path)
    run = json.loads((tmp_path / "run.json").read_text())
    assert [r["status"] for r in run["replicates"]] == ["finished", "finished"]
    assert len(run["weights_sha256"]) == 64
