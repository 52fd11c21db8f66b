"""The warm process: a job in a fork of it is what it would be alone, however it or its client ends."""

import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from smearlab.host import server, warm

PATIENCE = 60.0
SERVER = """
import sys
from smearlab.host import server
server.HEAVY = ()
server.job.run = lambda call: exec(call["code"], {"call": call})
server.serve(sys.argv[1], int(sys.argv[2]))
"""
CLIENT = """
import socket, sys
from smearlab.host import warm
connection = socket.socket(socket.AF_UNIX)
connection.connect(sys.argv[1])
sys.exit(warm._waited(connection, warm._message({"code": sys.argv[2]})))
"""
ROOT = Path(__file__).parents[2]
SLEEP = "import os, time; open('job', 'w').write(str(os.getpid())); time.sleep(600)"


def until(met: Callable[[], object]) -> None:
    end = time.monotonic() + PATIENCE
    while not met():
        assert time.monotonic() < end, "it takes too long"
        time.sleep(0.01)


def python(program: str, *arguments: str, **options: object) -> "subprocess.Popen[str]":
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.Popen([sys.executable, "-c", program, *arguments], env=environment, text=True, **options)  # type: ignore[call-overload]


@pytest.fixture
def run() -> Iterator["subprocess.Popen[bytes]"]:
    """A process that stands for Snakemake."""
    process = subprocess.Popen(["sleep", "600"])
    yield process
    process.kill()
    process.wait()


@pytest.fixture
def place(tmp_path: Path, run: "subprocess.Popen[bytes]", monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The socket of a server that runs whatever code it is sent, in a working folder."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "warm").mkdir()
    process = python(SERVER, "warm/one.sock", str(run.pid))
    until(Path("warm/one.sock").exists)
    yield "warm/one.sock"
    run.kill()
    run.wait()
    assert process.wait(timeout=PATIENCE) == 0


def client(place: str, code: str) -> "subprocess.Popen[str]":
    return python(CLIENT, place, code, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def job() -> int:
    """Return the process of the job that says where it is, once it does."""
    until(lambda: Path("job").exists() and Path("job").read_text())
    return int(Path("job").read_text())


def gone(process: int) -> bool:
    try:
        return psutil.Process(process).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


@pytest.mark.parametrize(
    "code, returned",
    [
        ("pass", 0),
        ("import sys; sys.exit(75)", 75),
        ("raise SystemExit('no')", 1),
        ("1 / 0", 1),
        ("import os; os._exit(7)", 7),
    ],
    ids=["done", "interrupted", "refused", "failed", "left"],
)
def test_the_exit_code_is_the_job_s(place: str, code: str, returned: int) -> None:
    process = client(place, code)
    _, said = process.communicate(timeout=PATIENCE)
    assert process.returncode == returned
    assert ("ZeroDivisionError" in said) == (code == "1 / 0")


def test_what_a_job_says_and_sees_is_its_client_s(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEEN", "ä")
    code = "import os, sys; print(os.getcwd(), os.environ['SEEN']); print('to err', file=sys.stderr)"
    said, err = client(place, code).communicate(timeout=PATIENCE)
    assert said == f"{Path.cwd()} ä\n" and err == "to err\n"


def test_a_client_that_is_killed_takes_its_job_with_it(place: str) -> None:
    process = client(place, SLEEP)
    number = job()
    process.kill()
    until(lambda: gone(number))
    process.communicate()


def test_a_guard_that_is_killed_takes_its_job_with_it(place: str) -> None:
    process = client(place, SLEEP)
    number = job()
    guard = psutil.Process(number).parent()
    assert guard is not None
    guard.kill()
    until(lambda: gone(number))
    process.communicate(timeout=PATIENCE)
    assert process.returncode == 1  # a failed job, which nobody does any more


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGUSR1])
def test_signals_reach_the_job(place: str, number: signal.Signals) -> None:
    handler = "import signal, sys; [signal.signal(n, lambda *_: sys.exit(75)) for n in (2, 10, 15)]; "
    process = client(place, handler + SLEEP)
    job()
    process.send_signal(number)
    process.communicate(timeout=PATIENCE)
    assert process.returncode == 75


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_job_that_a_signal_ends_ends_its_client_by_the_same(place: str, number: signal.Signals) -> None:
    process = client(place, SLEEP)
    os.kill(job(), number)
    process.communicate(timeout=PATIENCE)
    assert process.returncode == -number


def test_a_signal_to_everybody_at_once_is_the_job_s_to_answer(place: str) -> None:
    process = client(place, "import signal, sys; signal.signal(15, lambda *_: sys.exit(75)); " + SLEEP)
    number = job()
    guard = psutil.Process(number).parent()
    assert guard is not None
    guard.send_signal(signal.SIGTERM)
    os.kill(number, signal.SIGTERM)
    process.communicate(timeout=PATIENCE)
    assert process.returncode == 75


def test_it_ends_with_its_run_and_leaves_a_job_to_its_client(place: str, run: "subprocess.Popen[bytes]") -> None:
    waiting = "while not os.path.exists('go'): time.sleep(0.01)"
    process = client(place, f"import os, time\nopen('begun', 'w').close()\n{waiting}")
    until(lambda: Path("begun").exists())
    run.kill()
    run.wait()
    until(lambda: not Path(place).exists())
    Path("go").touch()
    process.communicate(timeout=PATIENCE)
    assert process.returncode == 0


def test_nobody_else_can_ask(place: str) -> None:
    assert stat.S_IMODE(os.stat(place).st_mode) == 0o600


def test_jobs_do_not_share_what_they_change(place: str) -> None:
    changes = "import json; print(getattr(json, 'mark', 0)); json.mark = 1"
    said = [client(place, changes).communicate(timeout=PATIENCE)[0] for _ in range(2)]
    assert said == ["0\n", "0\n"]


def test_without_a_server_a_job_runs_where_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert warm.hand_over({"rule": "collect"}) is None  # no Snakemake above this process
    monkeypatch.setattr(warm, "snakemake_above", os.getpid)
    assert warm.hand_over({"rule": "collect"}) is None and not list(tmp_path.rglob("*.started"))
    (tmp_path / ".smearlab" / "warm" / f"{warm._key(os.getpid())}.sock").touch()  # what a dead one may leave
    monkeypatch.setattr(warm, "_start", lambda *_: None)
    assert warm.hand_over({"rule": "collect"}) is None


def test_what_json_would_alter_is_not_handed_over() -> None:
    assert warm._message({"job": (1, 2)}) is None and warm._message({"job": {1: 2}}) is None
    assert warm._message({"job": [1, 0.1, None, "ä"]})


def test_the_folder_of_the_sockets_is_one_s_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    warm._prepare(warm.PLACE / "key.sock", os.getpid())
    assert stat.S_IMODE(warm.PLACE.stat().st_mode) == 0o700


def test_in_a_slurm_job_the_sockets_lie_on_the_node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warm.tempfile, "gettempdir", lambda: str(tmp_path))
    monkeypatch.delenv("SLURM_JOB_ID", raising=False)
    assert warm._folder() == warm.PLACE
    monkeypatch.setenv("SLURM_JOB_ID", "7")
    monkeypatch.setattr(warm, "LONGEST", 1000)
    folder = warm._folder()
    assert folder is not None and folder.parent == tmp_path and stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert warm._folder() == folder
    monkeypatch.setattr(warm, "LONGEST", 1)
    assert warm._folder() == warm.PLACE  # the name of a socket is short


@pytest.mark.parametrize("taken", ["link", "file", "open to others", "nowhere"])
def test_a_folder_that_somebody_else_may_write_to_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, taken: str
) -> None:
    monkeypatch.setattr(warm.tempfile, "gettempdir", lambda: str(tmp_path / "gone" if taken == "nowhere" else tmp_path))
    monkeypatch.setenv("SLURM_JOB_ID", "7")
    monkeypatch.setattr(warm, "LONGEST", 1000)
    folder = tmp_path / f"smearlab-{os.getuid()}"
    if taken == "link":
        (tmp_path / "elsewhere").mkdir(mode=0o700)
        folder.symlink_to(tmp_path / "elsewhere")
    elif taken == "file":
        folder.touch(mode=0o600)
    elif taken == "open to others":
        folder.mkdir()
        folder.chmod(0o770)
    assert warm._folder() is None
    monkeypatch.setattr(warm, "snakemake_above", os.getpid)
    assert warm.hand_over({"rule": "collect"}) is None


def test_a_server_that_ends_before_it_listens_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(warm, "START", "{path!r}, {socket!r}, {run}")  # a program that ends
    place = tmp_path / "warm" / "one.sock"
    warm._start_and_wait(place, os.getpid())
    warm._start_and_wait(place, os.getpid())  # nor by those that did not start it
    assert not place.exists()


def test_a_server_that_a_scheduler_ends_leaves_nothing_but_its_jobs(
    tmp_path: Path, run: "subprocess.Popen[bytes]", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("warm").mkdir()
    server_ = python(SERVER, "warm/one.sock", str(run.pid))
    until(Path("warm/one.sock").exists)
    waiting = "while not os.path.exists('go'): time.sleep(0.01)"
    process = client("warm/one.sock", f"import os, time\nopen('begun', 'w').close()\n{waiting}")
    until(lambda: Path("begun").exists())
    server_.terminate()
    assert server_.wait(timeout=PATIENCE) == 0 and not list(Path("warm").iterdir())
    Path("go").touch()
    process.communicate(timeout=PATIENCE)
    assert process.returncode == 0


def test_a_server_that_is_gone_in_the_middle_is_a_failed_job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX)
    message = warm._message({"job": 1})
    assert message is not None
    theirs.shutdown(socket.SHUT_WR)
    assert warm._waited(ours, message) == 1
    ours.close()
    theirs.close()


def test_what_it_loads_starts_nothing_that_a_fork_would_lose() -> None:
    """No thread, no pool, no CUDA: in a process of its own, because this one has long computed."""
    code = (
        "import importlib; from smearlab.host import server\n"
        "for module in server.HEAVY: importlib.import_module(module)\n"
        "import torch; print(server._threads(), torch.cuda.is_initialized())"
    )
    environment = os.environ | {"PYTHONPATH": str(ROOT), **dict.fromkeys(warm.THREADS, "1")}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert done.stdout == "[] False\n", done.stderr
    assert server.HEAVY
