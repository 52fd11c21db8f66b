"""Whatever stops a job, the terminal gets one line that says what to do, and the log gets the rest."""

import errno
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import tiny_training as tiny
import torch

from smearlab.core.errors import UserError
from smearlab.host.joblog import job_log, reason
from smearlab.training import teacher_block

FAULTS = [
    (UserError("data.npz: images are float32"), "smearlab: data.npz: images are float32\n"),
    (OSError(errno.ENOSPC, "No space left on device", "a.json"), "a.json: No space left on device: free some space"),
    (OSError(errno.EDQUOT, "Disk quota exceeded"), "smearlab: Disk quota exceeded: free some space"),
    (OSError(errno.EROFS, "Read-only file system", "a.json"), "a.json: Read-only file system: make it writable"),
    (PermissionError(errno.EACCES, "Permission denied", "a.json"), "a.json: Permission denied: make it writable"),
    (MemoryError("Unable to allocate 9 GiB"), "out of memory (Unable to allocate 9 GiB): give the job more memory"),
    (
        ModuleNotFoundError("No module named 'x'", name="torchvision"),
        "the package torchvision is not installed here: `make setup` installs all that is needed",
    ),
    (KeyError("a\nb"), "smearlab: KeyError: 'a\\nb' (more in "),
    (ValueError(""), "smearlab: ValueError: no more is said"),
]


@pytest.mark.parametrize(("fault", "said"), FAULTS, ids=lambda value: type(value).__name__)
def test_a_fault_is_one_line(fault: Exception, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped, job_log(tmp_path / "job.log"):
        raise fault
    assert stopped.value.code == 1
    err = capsys.readouterr().err
    assert said in err and err.count("\n") == 1 and "Traceback" not in err
    assert type(fault).__name__ in (tmp_path / "job.log").read_text() or isinstance(fault, UserError)


def test_ctrl_c_ends_any_job_without_a_traceback(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped, job_log(tmp_path / "job.log"):
        raise KeyboardInterrupt
    assert stopped.value.code == 1 and capsys.readouterr().err == ""
    assert (tmp_path / "job.log").read_text() == "stopped by Ctrl-C\n"


def test_a_job_that_succeeds_says_nothing_on_the_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with job_log(tmp_path / "logs" / "job.log"):
        print("epoch 1")
    assert capsys.readouterr() == ("", "")
    assert (tmp_path / "logs" / "job.log").read_text() == "epoch 1\n"


def test_a_gpu_without_memory_is_told_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def out_of_memory(run: object) -> Iterator[None]:
        yield
        raise torch.OutOfMemoryError("CUDA out of memory.")

    monkeypatch.setattr(teacher_block, "train_teacher", out_of_memory)
    with pytest.raises(UserError, match=r"out of GPU memory with 1 replicate.* set SMEARLAB_LANES=1"):
        tiny.train(tiny.job(), tmp_path)


def test_a_conda_environment_is_not_sent_to_make_setup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "conda-meta").mkdir()
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    what, remedy = reason(ModuleNotFoundError("No module named 'x'", name="scipy")).split(": ", 1)
    assert what == "the package scipy is not installed here"
    assert remedy == f"remove the environment {tmp_path}, and snakemake --use-conda makes it anew"
