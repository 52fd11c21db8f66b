"""The status says of each job where it is, by what lies on the disk, and writes nothing."""

import io
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from made_grid import begin, change_note, log, make, make_node, of, run_of

from configs import config
from smearlab.cli.parser import main
from smearlab.core.digest import ROOT
from smearlab.grid.cells import load_grid
from smearlab.grid.dag import nodes_of
from smearlab.host.runlock import _myself
from smearlab.store.files import write_sealed
from smearlab.watch.learnt import Learnt
from smearlab.watch.leftovers import _cores
from smearlab.watch.logs import failure, progress
from smearlab.watch.status import Status, look
from smearlab.watch.terminal import lines, watch

FIRST = (
    "replicate 1/2 (noise seed 0, seed 0): epoch 7/30, loss 0.9, train 0.9, validation 0.7, 5,867 images/s, 41 s left"
)
SECOND = "replicate 2/2 (noise seed 1, seed 1): epoch 3/30, step 4/11, 1 min 05 s left"


@pytest.fixture
def grid(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("config.yaml").write_text(yaml.safe_dump(config()), encoding="utf-8")
    return load_grid(config())


def lock(node, owner) -> Path:
    """Lay a run lock of an owner beside the checkpoint of a training."""
    path = Path(".smearlab/checkpoints", node.cell.key, f"{node.block}.checkpoint.lock")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(owner), encoding="utf-8")
    return path


def test_a_grid_that_was_never_run_waits_and_is_measured_by_the_plan(grid):
    status = look(grid)
    assert status.cells == {
        "total": 10,
        "done": 0,
        "running": 0,
        "waiting": 10,
        "failed": 0,
        "stale": 0,
        "diverged": 0,
    }
    assert status.time_left.source == "plan" and status.time_left.learnt == 0 and not status.complete


def test_a_finished_grid_is_complete(grid):
    make(grid)
    status = look(grid)
    assert status.cells["done"] == 10 and status.complete and not status.damaged and not status.stale
    assert all(counts["done"] == counts["total"] for counts in status.stages.values())
    assert lines(status)[-1] == "nothing is left to do"


def test_time_is_learnt_from_the_finished_runs_of_the_grid(grid):
    nodes = make(grid, lambda node: node.rule not in ("distill_student", "evaluate_student") and node.group != "tables")
    left = look(grid).time_left
    assert left.learnt == 0 and left.planned == left.jobs
    make_node(of(nodes, "distill_student"), 1_700_000_100)
    left = look(grid).time_left
    assert left.source == "finished runs and plan" and left.learnt == 1  # the other student: 12.5 s, as the first


def test_a_live_lock_is_a_running_block_with_its_place_in_the_training(grid, monkeypatch):
    node = of(nodes_of(grid), "train_teacher")
    lock(node, _myself())
    log(node, f"{FIRST}\n{SECOND}\n", 1_700_000_000)  # 1 min 05 s were left then
    monkeypatch.setattr("smearlab.watch.status.time.time", lambda: 1_700_000_020.0)
    (entry,) = look(grid).running
    assert (entry["replicate"], entry["replicates"], entry["epoch"], entry["epochs"]) == (2, 2, 3, 30)
    assert entry["images_per_second"] == 5867 and entry["seconds_left"] == 45
    assert entry["job"] == node.name and f"process {os.getpid()}" in entry["owner"]


def test_a_dead_owner_is_not_running(grid):
    node = of(nodes_of(grid), "train_teacher")
    lock(node, {**_myself(), "started": "1"})
    assert look(grid).running == []


@pytest.mark.parametrize("age, running", [(10, 1), (1000, 0)])
def test_an_owner_elsewhere_lives_while_it_renews_its_lock(grid, age, running):
    node = of(nodes_of(grid), "train_teacher")
    path = lock(node, {**_myself(), "host": "node7", "place": "node7 elsewhere", "slurm_job": "42"})
    os.utime(path, (time.time() - age,) * 2)
    assert len(look(grid).running) == running


@pytest.mark.parametrize(
    "text, error",
    [
        ("a line\nerror: the labels are not those\n", "error: the labels are not those"),
        (f"{FIRST}\nTraceback (most recent call last):\n  File x\nValueError: no\n", "ValueError: no"),
        (f"{FIRST}\n", None),
        ("stopped by a signal; the checkpoint is written, and the same command continues\n", None),
    ],
)
def test_a_failed_block_is_told_with_the_last_line_of_its_log(grid, text, error):
    node = of(nodes_of(grid), "train_teacher")
    log(node, text)
    status = look(grid)
    assert [entry["error"] for entry in status.failed] == ([error] if error else [])
    assert status.cells["failed"] == bool(error)


def test_an_error_that_is_older_than_the_outputs_is_over(grid):
    nodes = make(grid)
    node = of(nodes, "evaluate_teacher")
    log(node, "error: once\n", 1_000_000_000)
    Path(node.outputs[-1]).unlink()
    assert look(grid).failed == []


def test_what_other_code_made_is_stale_and_what_follows_too(grid):
    nodes = make(grid)
    node = of(nodes, "train_teacher", "label_smoothing-alpha=0.4")
    change_note(node, code="before")
    status = look(grid)
    assert status.cells["stale"] == 1 and status.cells["done"] == 9
    assert {entry["job"] for entry in status.stale if entry["stage"] != "tables"} == {node.name}
    assert status.stages["teachers"]["stale"] == status.stages["evaluations"]["stale"] == 1


def test_divergence_is_shown_with_its_reason(grid):
    nodes = make(grid)
    node = of(nodes, "train_teacher")
    when = os.stat(node.outputs[-1]).st_mtime
    write_sealed(node.outputs[-1], run_of(node, status="diverged", reason="the loss is not finite in epoch 3"))
    os.utime(node.outputs[-1], (when, when))
    status = look(grid)
    assert status.cells["diverged"] == 1 and status.cells["done"] == 10
    assert status.diverged[0]["reason"] == "the loss is not finite in epoch 3"


@pytest.mark.parametrize(
    "content", [b"", b"{", b'{"replicates": 3}', b"\xff\xfe", b'{"replicates": [], "checksum": "0"}']
)
def test_a_damaged_file_is_a_line(grid, content):
    nodes = make(grid)
    node = of(nodes, "train_teacher")
    Path(node.outputs[-1]).write_bytes(content)
    status = look(grid)
    assert [entry["path"] for entry in status.damaged] == [node.outputs[-1]]
    assert any(node.outputs[-1] in line for line in lines(status))


def test_a_job_without_a_lock_runs_while_its_snakemake_lives(grid, monkeypatch):
    node = of(nodes_of(grid), "evaluate_teacher")
    begin(node)
    log(node, "")
    assert look(grid).running == []
    monkeypatch.setattr("smearlab.watch.status.running_here", lambda folder: [1])
    assert [entry["job"] for entry in look(grid).running] == [node.name]


def test_nothing_is_written_and_torch_is_not_imported(grid):
    make(grid, lambda node: node.group != "students")
    before = {path: path.stat().st_mtime_ns for path in Path().rglob("*")}
    program = "import sys\nfrom smearlab.cli.parser import main\nmain(['status'])\nassert 'torch' not in sys.modules"
    done = subprocess.run(
        [sys.executable, "-c", program], env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True
    )
    assert done.returncode == 0 and done.stdout.startswith("tiny: "), done.stderr
    assert {path: path.stat().st_mtime_ns for path in Path().rglob("*")} == before


def test_json_has_the_documented_keys(grid, capsys):
    make(grid, lambda node: node.rule != "distill_student")
    assert main(["status", "tiny", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    text = (ROOT / "docs" / "status.md").read_text(encoding="utf-8")
    documented = set(re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE))
    assert documented == set(said)


def test_watching_ends_with_the_grid_and_tells_in_lines_where_there_is_no_terminal(grid, capsys):
    make(grid)
    watch(grid, pause=0)
    said = capsys.readouterr().out.splitlines()
    assert (said[0], said[-1]) == ("tiny: 10 of 10 cells done", "complete")


@pytest.mark.parametrize(
    ("command", "cores"),
    [
        ("snakemake --cores 3 --configfile c.yaml", 3),
        ("snakemake --cores=4", 4),
        ("snakemake -c2 all", 2),
        ("snakemake -c 5", 5),
        ("snakemake --cores all", len(os.sched_getaffinity(0))),
        ("snakemake --workflow-profile profiles/slurm", None),
    ],
)
def test_the_cores_of_a_run_are_those_it_was_given(command, cores):
    assert _cores(command.split()) == cores


def test_the_time_left_does_not_depend_on_how_many_jobs_are_seen_at_work(grid):
    nodes = [node for node in nodes_of(grid) if node.trains]
    moments = [Learnt([]).time_left(nodes[k:], [(node, None) for node in nodes[:k]], 2) for k in range(3)]
    assert len({moment.seconds for moment in moments}) == 1 and {moment.at_once for moment in moments} == {2}


def test_the_live_view_shows_names_as_they_are(grid):
    from rich.console import Console

    from smearlab.watch.terminal import _page

    node = of(nodes_of(grid), "train_teacher")
    log(node, "error: [red]a name[/nonsense]\n")
    console = Console(width=400, record=True, file=io.StringIO())
    console.print(_page(look(grid)))
    assert "error: [red]a name[/nonsense]" in console.export_text()


@pytest.mark.parametrize("width", [40, 65, 66, 80, 96, 120])
def test_the_live_view_says_every_stage_and_number_on_a_terminal_of_any_width(grid, width):
    from rich.console import Console

    from smearlab.watch.terminal import _page

    make(grid, lambda node: node.group not in ("students", "tables"))
    status = look(grid)
    console = Console(width=width, record=True, file=io.StringIO())
    console.print(_page(status, width))
    said = console.export_text()
    assert "…" not in said and all(len(line) <= width for line in said.splitlines())
    for stage, counts in status.stages.items():
        (line,) = (line for line in said.splitlines() if line.startswith(stage))
        assert set(re.findall(r"\d+", line)) - {"0"} == {str(n) for key, n in counts.items() if n and key != "begun"}


@given(st.text(max_size=300))
def test_any_log_is_read(tmp_path_factory, text):
    path = tmp_path_factory.mktemp("log") / "x.log"
    path.write_text(text, encoding="utf-8", errors="replace")
    progress(path)
    failure(path)


def test_a_status_is_plain_values():
    status = Status("x", {"total": 0, "done": 0}, {})
    assert json.loads(json.dumps(status.as_json()))["complete"] is True
