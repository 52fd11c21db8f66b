"""Each job has a GPU of its own: with pretended GPUs, several processes, and kill -9."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from smearlab.core.errors import UserError
from smearlab.host import gpus
from smearlab.host.gpus import own_gpu

ROOT = Path(__file__).parents[2]
HOLDER = """
import os, sys, time
from smearlab.host.gpus import own_gpu
with own_gpu("auto", lambda line: print("said", line, flush=True)):
    assert "torch" not in sys.modules
    print("has", os.environ.get("CUDA_VISIBLE_DEVICES"), flush=True)
    sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("CUDA_VISIBLE_DEVICES", "CUDA_DEVICE_ORDER", "SLURM_JOB_ID", "SMEARLAB_JOBS_PER_GPU"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(gpus, "POLL", 0.02)


@pytest.fixture
def holders() -> Iterator[list[subprocess.Popen[str]]]:
    started: list[subprocess.Popen[str]] = []
    yield started
    for process in started:
        with process:  # closes its pipes
            process.kill()


def hold(holders: list[subprocess.Popen[str]], pretended: str, **environment: str) -> subprocess.Popen[str]:
    """Start a process that takes a GPU and keeps it until its input ends."""
    values = os.environ | {"SMEARLAB_PRETENDED_GPUS": pretended, "PYTHONPATH": str(ROOT)} | environment
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER], env=values, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    holders.append(process)
    return process


def held(process: subprocess.Popen[str]) -> str:
    """Wait until a holder has its GPU and return its name."""
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("has "):
            return line.split()[1]
    raise AssertionError("the holder ended without a GPU")


def take_now(monkeypatch: pytest.MonkeyPatch, pretended: str) -> str | None:
    """The GPU that this process would get at once, or None where it would have to wait."""
    monkeypatch.setenv("SMEARLAB_PRETENDED_GPUS", pretended)
    taken = gpus._take(gpus._token_folder(), gpus.visible_gpus(), gpus.jobs_per_gpu())
    if taken is None:
        return None
    os.close(taken[1])
    return taken[0]


def test_jobs_that_start_at_once_get_different_gpus_and_the_next_one_waits(
    holders: list[subprocess.Popen[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    started = [hold(holders, "0,1,2") for _ in range(3)]
    assert sorted(held(process) for process in started) == ["0", "1", "2"]
    assert take_now(monkeypatch, "0,1,2") is None
    waiting = hold(holders, "0,1,2")
    assert waiting.stdout is not None and "waiting for one" in waiting.stdout.readline()
    assert started[1].stdin is not None
    started[1].stdin.close()  # its work is done
    assert held(waiting) in ("0", "1", "2")


def test_a_killed_job_frees_its_gpu(holders: list[subprocess.Popen[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    process = hold(holders, "0")
    assert held(process) == "0"
    assert take_now(monkeypatch, "0") is None
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert take_now(monkeypatch, "0") == "0"


def test_jobs_share_gpus_evenly_up_to_the_number_allowed(
    holders: list[subprocess.Popen[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SMEARLAB_JOBS_PER_GPU", "2")
    first = [held(hold(holders, "0,1")) for _ in range(2)]
    second = [held(hold(holders, "0,1")) for _ in range(2)]
    assert sorted(first) == sorted(second) == ["0", "1"]
    assert take_now(monkeypatch, "0,1") is None


def test_only_gpus_of_cuda_visible_devices_are_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMEARLAB_PRETENDED_GPUS", "0,1,2,3")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2,3")
    with own_gpu("cuda", print) as name:
        assert name == "2"
        assert os.environ["CUDA_VISIBLE_DEVICES"] == "2"


@given(st.lists(st.uuids(version=4).map(lambda uuid: f"GPU-{uuid}"), min_size=1, unique=True))
@example(["GPU-1f3c-1", "GPU-8d2e7a10-1111-4b1d-a-1"])
@example(["MIG-5c1b3d0e-1a2b-5f10-b1c2-10aa-1bb", "MIG-GPU-8d2e7a10-12aa-1111/1/0"])
def test_gpus_named_by_uuid_are_all_seen(uuids: list[str]) -> None:
    assert gpus._seen_by_cuda(",".join(uuids)) == uuids
    assert gpus._seen_by_cuda(f" {' , '.join(uuids)},-1,{uuids[0]}") == uuids


@pytest.mark.parametrize(
    ("text", "seen"),
    [("0,-1,1", ["0"]), ("2,3", ["2", "3"]), ("-1,0", []), ("0,none,1", ["0"]), ("0,,1", ["0"]), ("NoDevFiles", [])],
)
def test_nothing_is_seen_from_an_item_on_that_names_no_gpu(text: str, seen: list[str]) -> None:
    assert gpus._seen_by_cuda(text) == seen


def test_tokens_are_a_group_s_whatever_the_umask() -> None:
    before = os.umask(0o077)
    try:
        folder = gpus._token_folder()
        os.close(gpus._take(folder, ["GPU-1-1"], 1)[1])
    finally:
        os.umask(before)
    (token,) = folder.iterdir()
    assert token.stat().st_mode & 0o777 == 0o664
    assert [place.stat().st_mode & 0o7777 for place in (folder, folder.parent)] == [0o2775, 0o2775]


@pytest.mark.parametrize("hidden", ["", "-1", " ,"])
def test_no_visible_gpu_is_said(hidden: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMEARLAB_PRETENDED_GPUS", "0")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", hidden)
    said: list[str] = []
    with own_gpu("auto", said.append) as name:
        assert name is None
    assert "NO GPU" in said[0] and "CUDA_VISIBLE_DEVICES" in said[0]


def test_without_a_gpu_it_is_said_and_nothing_is_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMEARLAB_PRETENDED_GPUS", "")
    said: list[str] = []
    with own_gpu("auto", said.append) as name:
        assert name is None and "CUDA_VISIBLE_DEVICES" not in os.environ
    assert said == ["device: NO GPU for this job: no GPU was found"]


def test_a_job_for_the_cpu_takes_no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMEARLAB_PRETENDED_GPUS", "0")
    with own_gpu("cpu", print) as name, own_gpu("auto", print) as other:
        assert name is None and other == "0"


def test_the_gpu_that_slurm_gave_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLURM_JOB_ID", "7")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    with own_gpu("auto", print) as name, own_gpu("auto", print) as again:  # no token: both would not fit
        assert name == again == "1"


@pytest.mark.parametrize("text", ["0", "-1", "two", "1.5", ""])
def test_jobs_per_gpu_is_a_whole_number(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMEARLAB_JOBS_PER_GPU", text)
    with pytest.raises(UserError, match="SMEARLAB_JOBS_PER_GPU"):
        gpus.jobs_per_gpu()


def test_the_installed_torch_is_told_without_loading_it() -> None:
    code = "import sys; from smearlab.host.gpus import describe; print(describe()); assert 'torch' not in sys.modules"
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    import torch

    assert f"torch {torch.__version__}" in run.stdout
    assert ("CPU build" in run.stdout) == (torch.version.cuda is None)
