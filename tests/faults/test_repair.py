"""Files of a finished grid damaged or deleted: nothing that is finished is lost, and one command makes them anew."""

import errno
import json
import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from projects import TINY, Project, hashes

from smearlab.cli.repair import repair
from smearlab.cli.verify import faults
from smearlab.core.errors import UserError
from smearlab.grid.cells import Grid, load_grid
from smearlab.grid.dag import nodes_of
from smearlab.watch import aside, seals
from smearlab.watch.records import Records
from smearlab.watch.seals import check_seals, sealed_files

LABELS = "results/labels/*/symmetric-*/rate=0.4/seed=0"
TEACHER = "results/teachers/*/symmetric-*/rate=0.4/*/label_smoothing*/paired-0"
SEALED = (
    "results/data/*/training.json",
    "results/data/*/test.json",
    f"{LABELS}/audit.json",
    f"{TEACHER}/run.json",
    f"{TEACHER}/metrics.json",
    "results/students/*/symmetric-*/rate=0.4/*/*/*/*/paired-0/run.json",
    "results/theory/claims.json",
    "results/tiny/context.json",
    "results/tiny/summary.json",
    "results/tiny/figures/methods.json",
)
HASHED = (
    "results/data/*/training.npz",
    f"{LABELS}/labels.npz",
    f"{TEACHER}/weights.safetensors",
    f"{TEACHER}/history.csv",
    f"{TEACHER}/examples.npz",
    "results/tiny/metrics.parquet",
    "results/tiny/summary.csv",
    "results/tiny/figures/methods.svg",
    "reports/tiny.html",
)
BESIDE_RUN = ("weights.safetensors", "history.csv", "examples.npz")


def one_digit(path: Path) -> None:
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    at = next((i for i in range(middle, len(data)) if chr(data[i]).isdigit()), middle)
    data[at] ^= 1  # of a digit: another digit
    path.write_bytes(bytes(data))


def one_digit_at_its_time(path: Path) -> None:
    times = os.stat(path)
    one_digit(path)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def emptied(path: Path) -> None:
    path.write_bytes(b"")


DAMAGES = (one_digit, one_digit_at_its_time, cut, emptied)
Damage = Callable[[Path], None]


@pytest.fixture(scope="module")
def grid() -> Grid:
    return load_grid(TINY)


@pytest.fixture
def here(finished: Project, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a finished grid, in which the test works; of the two figures only, as the checkout has them."""
    monkeypatch.chdir(finished.folder)
    monkeypatch.setattr("smearlab.core.registry.names", named_here)
    return finished.folder


def named_here(kind: str) -> list[str]:
    folder = Path("smearlab") / kind
    return sorted(path.stem for path in folder.glob("[a-z]*.py"))


def contents(folder: Path) -> dict[str, bytes]:
    files = [path for top in ("results", "reports") for path in (folder / top).rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def only(pattern: str) -> Path:
    (path,) = Path().glob(pattern)
    return path


def told(grid: Grid) -> list[str]:
    return [fault.text for fault in faults(grid)]


def test_a_finished_grid_has_no_fault(here: Path, grid: Grid) -> None:
    assert told(grid) == []
    check_seals(nodes_of(grid), "x.yaml")
    assert {str(only(pattern)) for pattern in SEALED} <= set(sealed_files(nodes_of(grid)))


@pytest.mark.parametrize("damage", DAMAGES)
def test_every_damage_of_every_kind_of_file_is_named(damage: Damage, here: Path, grid: Grid) -> None:
    for pattern in (*SEALED, *HASHED):
        path = only(pattern)
        good = path.read_bytes()
        damage(path)
        assert [line.partition(":")[0] for line in told(grid)] == [str(path)], pattern
        path.write_bytes(good)
    assert told(grid) == []


def test_all_damaged_files_of_a_job_are_named(here: Path, grid: Grid) -> None:
    paths = [only(f"{TEACHER}/{name}") for name in ("weights.safetensors", "history.csv")]
    paths += [only(f"results/tiny/{name}") for name in ("metrics.csv", "history.parquet", "mitigation.csv")]
    for path in paths:
        cut(path)
    assert {line.partition(":")[0] for line in told(grid)} == set(map(str, paths))


def test_repair_reads_again_what_changed_and_what_verify_found_damaged(here: Path, grid: Grid) -> None:
    path = only(f"{TEACHER}/weights.safetensors")
    assert faults(grid, trusting=True) == []
    good = path.read_bytes()
    one_digit_at_its_time(path)
    mark = seals.mark_of(str(path))
    seals.VERIFIED.write_text(json.dumps({**seals.found_whole(), str(path): mark}))  # as if rot left no trace
    assert faults(grid, trusting=True) == []
    assert [fault.text.partition(":")[0] for fault in faults(grid)] == [str(path)]
    assert [fault.text.partition(":")[0] for fault in faults(grid, trusting=True)] == [str(path)]
    path.write_bytes(good)
    assert faults(grid, trusting=True) == []


def test_every_file_that_was_deleted_is_named(here: Path, grid: Grid) -> None:
    paths = [only(pattern) for pattern in (*SEALED, *HASHED)]
    for path in paths:
        path.unlink()
    assert {line for line in told(grid) if "missing" in line} == {f"{path}: is missing" for path in paths}


def test_files_in_each_other_s_place_are_named(here: Path, grid: Grid) -> None:
    one, other = (only(f"{TEACHER.replace('label_smoothing*', name)}/run.json") for name in ("cross_*", "label_*"))
    kept = one.read_bytes()
    one.write_bytes(other.read_bytes()), other.write_bytes(kept)
    assert {line.partition(":")[0] for line in told(grid)} == {str(one), str(other)}
    with pytest.raises(UserError, match="another one's place"):
        check_seals(nodes_of(grid), "x.yaml")


@pytest.mark.parametrize(
    "place",
    [
        "results/labels/*/{}/*/seed=0/labels.npz",
        *(f"results/teachers/*/{{}}/*/*/cross_entropy/paired-0/{name}" for name in BESIDE_RUN),
    ],
)
def test_large_files_in_each_other_s_place_are_named(place: str, here: Path, grid: Grid) -> None:
    one, other = (only(place.format(noise)) for noise in ("clean", "symmetric-*"))
    kept = one.read_bytes()
    one.write_bytes(other.read_bytes()), other.write_bytes(kept)
    assert {line.partition(":")[0] for line in told(grid)} == {str(one), str(other)}


@pytest.mark.parametrize("pattern", [SEALED[3], HASHED[2], HASHED[-1]], ids=["run.json", "weights", "page"])
def test_what_cannot_be_read_is_not_taken_for_damaged(
    pattern: str, here: Path, grid: Grid, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As another user than root meets it after `chmod 000`; root reads all the same."""
    path, before = only(pattern), contents(here)
    check_seals(nodes_of(grid), "x.yaml")
    path.chmod(0o000)
    opened = os.open
    monkeypatch.setattr(os, "open", lambda name, *more: refused(name) if name == str(path) else opened(name, *more))
    line = f"{path}: cannot be read (Permission denied): make it readable; nothing is known to be damaged, and"
    assert [fault.startswith(line) for fault in told(grid)] == [True]
    with pytest.raises(UserError, match="cannot be read"):
        list(repair(grid, Path("x.yaml")))
    if path.suffix == ".json":
        with pytest.raises(UserError) as error:
            check_seals(nodes_of(grid), "x.yaml")
        assert str(error.value).startswith(line) and "repair" not in str(error.value)
    path.chmod(0o644)
    assert contents(here) == before


def refused(name: str) -> int:
    raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), name)


def test_a_folder_or_a_pipe_in_a_file_s_place_is_told_and_left(here: Path, grid: Grid) -> None:
    folder, pipe = only(SEALED[3]), only(HASHED[2])
    for path in (folder, pipe):
        path.unlink()
    folder.mkdir(), os.mkfifo(pipe)
    found = told(grid)
    assert {line.partition(":")[0] for line in found} == {str(folder), str(pipe)}
    assert all("is no plain file: move away what stands there" in line for line in found)
    with pytest.raises(UserError, match="no plain file"):
        list(repair(grid, Path("x.yaml")))
    assert folder.is_dir() and pipe.is_fifo()


@pytest.mark.parametrize("damage", DAMAGES)
def test_before_anything_is_planned_every_damaged_seal_is_a_line(damage: Damage, here: Path, grid: Grid) -> None:
    nodes = nodes_of(grid)
    check_seals(nodes, "x.yaml")  # remembered as whole: each must be seen to have changed
    paths = [str(only(pattern)) for pattern in SEALED]
    for path in paths:
        damage(Path(path))
    before = contents(here)
    with pytest.raises(UserError) as error:
        check_seals(nodes, "x.yaml")
    *lines, last = str(error.value).splitlines()
    assert sorted(line.partition(":")[0] for line in lines) == sorted(paths)
    assert last.endswith("python -m smearlab repair x.yaml")
    assert contents(here) == before


def test_what_was_found_whole_is_not_read_again(here: Path, grid: Grid, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    monkeypatch.setattr(seals, "read_sealed", read.append)
    nodes = nodes_of(grid)
    seals.VERIFIED.write_text("{torn")
    check_seals(nodes, "x.yaml")
    assert sorted(read) == sorted(sealed_files(nodes))
    read.clear()
    os.utime(SEALED[-1])
    check_seals(nodes, "x.yaml")
    assert read == [SEALED[-1]]


def test_what_was_kept_comes_back_with_its_notes_unless_it_was_made_anew(here: Path, grid: Grid) -> None:
    before = contents(here)
    one, other, third = [node for node in nodes_of(grid) if node.trains][:3]
    aside.keep([one.outputs, other.outputs, third.outputs, ["results/not/there"]])
    noted = notes()
    for path in (*one.outputs, *other.outputs):  # as Snakemake does before a job, and after one that failed
        Path(path).unlink()
        Path(Records().note(path)).unlink()
    Path(one.outputs[0]).write_bytes(b"half of what is new")
    Path(Records().mark(one.outputs[0])).touch()
    for path in other.outputs:
        Path(path).write_bytes(b"new")
    aside.put_back()
    assert contents(here) == {**before, **dict.fromkeys(other.outputs, b"new")}
    assert noted - notes() == {Records().note(path) for path in other.outputs}
    assert Records().begun(one.outputs[0]) is None and not aside.ASIDE.exists()


def test_what_a_job_left_that_did_not_end_is_not_kept(here: Path, grid: Grid) -> None:
    node = next(node for node in nodes_of(grid) if node.trains)
    for path in node.outputs:
        Path(Records().mark(path)).touch()
    aside.keep([node.outputs])
    assert not aside.ASIDE.exists()


def notes() -> set[str]:
    return {str(path) for path in Path(".snakemake/metadata").rglob("*") if path.is_file()}


def test_what_was_not_kept_whole_is_not_put_back(here: Path, grid: Grid, monkeypatch: pytest.MonkeyPatch) -> None:
    before = contents(here)
    monkeypatch.setattr(aside, "write_json", lambda path, value: None)  # killed before it is written
    aside.keep(node.outputs for node in nodes_of(grid) if node.outputs)
    aside.put_back()
    assert contents(here) == before and not aside.ASIDE.exists()


def test_a_job_that_fails_does_not_cost_the_result_that_was_there(finished: Project) -> None:
    before = contents(finished.folder)
    finished.edit("smearlab/stages/evaluate_teacher.py", "inputs, outputs)", "inputs, {})")
    planned = finished.plan()
    failed = finished.snakemake("--cores", "2", "--configfile", finished.write(TINY))
    assert failed.returncode == 1 and "more in logs/evaluation/teachers" in failed.stdout + failed.stderr
    assert contents(finished.folder) == before
    assert planned["evaluate_teacher"] == 4 and finished.plan() == planned  # it is no less asked for than before


def test_a_damaged_grid_loses_nothing_and_is_repaired(finished: Project) -> None:
    folder, config = finished.folder, finished.write(TINY)
    good = contents(folder)
    (audit,) = folder.glob(f"{LABELS}/audit.json")
    (metrics,) = folder.glob(f"{TEACHER}/metrics.json")
    (labels,) = folder.glob("results/labels/*/clean/rate=0.0/seed=0/labels.npz")
    one_digit(audit), cut(metrics), labels.unlink()
    broken = contents(folder)

    stopped = finished.snakemake("--cores", "2", "--configfile", config)
    assert stopped.returncode != 0 and "Traceback" not in stopped.stderr
    assert f"python -m smearlab repair {config}" in stopped.stderr
    assert contents(folder) == broken

    assert finished.smearlab("verify", "tiny").returncode == 1
    repaired = finished.smearlab("repair", "tiny")
    assert repaired.returncode == 0, repaired.stdout + repaired.stderr
    assert "the same contents" in repaired.stdout and "rule train_" not in repaired.stdout + repaired.stderr
    assert contents(folder) == good
    assert finished.smearlab("verify", "tiny").returncode == 0
    assert finished.plan() == {}


def test_damaged_weights_are_trained_again_and_nothing_else(finished: Project) -> None:
    folder, config = finished.folder, finished.write(TINY)
    (weights,) = folder.glob("results/teachers/*/symmetric-*/rate=0.4/*/cross_*/paired-0/weights.safetensors")
    before, others = hashes(folder), times(folder, without=weights.parent)
    one_digit(weights)
    weights.chmod(0o400)
    repaired = finished.smearlab("repair", config)
    said = repaired.stdout + repaired.stderr
    assert repaired.returncode == 0, said
    assert f"{weights.relative_to(folder)}: does not match its SHA-256" in said and "the same contents" in said
    assert re.findall(r"^(\w+) +\d+$", said, re.MULTILINE) == ["train_teacher", "total"]
    assert hashes(folder) == before and times(folder, without=weights.parent) == others
    assert weights.stat().st_mode & 0o200 and finished.plan() == {}


def times(folder: Path, without: Path) -> dict[Path, int]:
    """When each result was written, but for those of one folder."""
    files = [path for path in (folder / "results").rglob("*") if path.is_file() and without not in path.parents]
    return {path: path.stat().st_mtime_ns for path in files}


def test_a_training_that_is_repeated_with_the_same_outcome_leaves_all_that_follows_valid(finished: Project) -> None:
    folder, config = finished.folder, finished.write(TINY)
    (run,) = folder.glob(f"{TEACHER.replace('label_smoothing*', 'cross_*')}/run.json")  # of students' teachers
    before, times = hashes(folder), run.with_name("timings.json").read_bytes()
    target = str(run.relative_to(folder))
    again = finished.snakemake("--cores", "2", "--configfile", config, "--force", target)
    assert again.returncode == 0, again.stdout + again.stderr
    assert hashes(folder) == before and run.with_name("timings.json").read_bytes() != times
    assert finished.plan() == {}


def test_what_cannot_be_made_anew_is_there_again(finished: Project) -> None:
    (audit,) = finished.folder.glob(f"{LABELS}/audit.json")
    one_digit(audit)
    broken = contents(finished.folder)
    finished.append("smearlab/stages/make_labels.py", "\nraise RuntimeError\n")
    failed = finished.smearlab("repair", "tiny")
    assert failed.returncode == 1 and "what was there is there again" in failed.stderr
    assert contents(finished.folder) == broken
