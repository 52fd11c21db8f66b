"""Results that travelled without their times are taken as made here where they fit, and refused by name where not."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from projects import ACCEPT, PLAIN, SUMMARY, TINY, Project, changed

CONFIG = "configs/tiny.yaml"
LABELS = "labels/*/symmetric*/rate=0.4"


@pytest.fixture
def travelled(project: Project) -> Project:
    """The finished grids as a copy leaves them that keeps no times: without Snakemake's notes, inputs newest."""
    shutil.rmtree(project.folder / ".snakemake")
    for place in ("results", "reports", "logs"):
        for k, path in enumerate(sorted((project.folder / place).rglob("*"))):
            os.utime(path, (1_500_000_000 - k,) * 2)
    return project


def one(project: Project, pattern: str) -> Path:
    """Return the first file or folder below results/ of a pattern."""
    return min(project.folder.glob(f"results/{pattern}"))


def below(project: Project, path: Path) -> str:
    return str(path.relative_to(project.folder))


def adopt(project: Project, code: int = 0) -> list[str]:
    done = project.smearlab("adopt", CONFIG)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout.splitlines()


def refused(told: list[str]) -> list[str]:
    """Return the files that are refused, by name."""
    return [line.strip().split(": ")[0] for line in told if line.startswith("    ")]


def test_nothing_runs_again_once_the_results_are_adopted(travelled):
    planned = travelled.plan()
    assert planned["train_teacher"] == 4 and planned["distill_student"] == 2 and planned["collect"] == 1
    told = adopt(travelled)
    assert told[0].startswith("tiny: 22 of 22 jobs adopted") and not refused(told), told
    assert travelled.plan() == {}
    assert travelled.smearlab("explain", CONFIG).stdout == "tiny: nothing would run again\n"


def test_another_grid_that_shares_files_is_adopted_after_it(travelled):
    adopt(travelled)
    assert travelled.smearlab("adopt", travelled.write(PLAIN)).returncode == 0
    assert [travelled.plan(grid) for grid in (PLAIN, TINY)] == [{}, {}]


def test_results_that_are_in_their_place_stay_as_they_are(project):
    adopt(project)
    assert [project.plan(grid) for grid in (TINY, PLAIN)] == [{}, {}]


def test_a_later_change_is_noticed_as_ever(travelled):
    adopt(travelled)
    assert travelled.plan(changed(margin=0.1)) == {k: v for k, v in SUMMARY.items() if k != "collect"}
    travelled.edit("smearlab/methods/label_smoothing.py", "return smoothed(", "return 1.0 * smoothed(")
    assert travelled.plan() == {"train_teacher": 2, "evaluate_teacher": 2, **SUMMARY}
    told = travelled.smearlab("explain", CONFIG).stdout.splitlines()
    assert told[0] == "changed: smearlab/methods/label_smoothing.py: 2 blocks"


def flip(path: Path, place: int = -1) -> None:
    """Change one bit of one byte."""
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)


def weights(project: Project) -> list[str]:
    path = one(project, "teachers/*/symmetric*/rate=0.4/*/label*/*/weights.safetensors")
    flip(path)
    return [below(project, path)]


def labels(project: Project) -> list[str]:
    path = one(project, f"{LABELS}/seed=1/audit.json")
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace('"noise_seed": 1', '"noise_seed": 2'), encoding="utf-8")
    return [below(project, path)]


def pictures(project: Project) -> list[str]:
    path = one(project, "data/*/training.npz")
    flip(path, path.stat().st_size // 2)
    return [below(project, path)]


def margins(project: Project) -> list[str]:
    path = one(project, "students/*/symmetric*/**/examples.npz")
    with zipfile.ZipFile(path) as archive:
        member = max(archive.infolist(), key=lambda member: member.compress_size)
    flip(path, member.header_offset + 100 + member.compress_size // 2)
    return [below(project, path)]


def table(project: Project) -> list[str]:
    path = one(project, "tiny/summary.csv")
    flip(path, 200)
    return [below(project, path)]


def exchanged(project: Project) -> list[str]:
    first, second = (one(project, f"{LABELS}/seed={seed}") for seed in (0, 1))
    first.rename(first.with_name("aside"))
    second.rename(first)
    first.with_name("aside").rename(second)
    return [f"{below(project, folder)}/audit.json" for folder in (first, second)]


@pytest.mark.parametrize("damage", [weights, labels, pictures, margins, table, exchanged], ids=lambda d: d.__name__)
def test_what_is_damaged_is_refused_by_name_and_nothing_else(travelled, damage):
    named = damage(travelled)
    assert refused(adopt(travelled, code=1)) == named
    told = travelled.smearlab("explain", CONFIG).stdout
    assert all(f"refused by adopt: {path}" in told for path in named)
    if damage in (labels, exchanged):  # other jobs would read them: nothing is planned before they are made anew
        stopped = travelled.snakemake("--dry-run", "--configfile", CONFIG)
        assert stopped.returncode == 1
        assert all(path in stopped.stdout + stopped.stderr for path in named)
        assert f"python -m smearlab repair {CONFIG}" in stopped.stdout + stopped.stderr
        return
    rule = {"weights": "train_teacher", "pictures": "make_dataset", "margins": "evaluate_student", "table": "summarise"}
    assert travelled.plan()[rule[damage.__name__]] == len(named)


def test_what_was_refused_is_made_anew_and_then_all_is_well(travelled):
    weights(travelled)
    adopt(travelled, code=1)
    assert travelled.plan() == {"train_teacher": 1, "evaluate_teacher": 1, **SUMMARY}
    travelled.run()
    assert travelled.plan() == {}
    assert not refused(adopt(travelled))


def test_what_other_code_made_is_refused_and_named_with_the_module(travelled):
    travelled.edit("smearlab/methods/label_smoothing.py", "return smoothed(", "return 1.0 * smoothed(")
    told = adopt(travelled)
    assert all(
        "made by other code (smearlab/methods/label_smoothing.py)" in line for line in told if "/run.json" in line
    )
    assert [path for path in refused(told) if path.endswith("/run.json")] == [
        below(travelled, path) for path in sorted(travelled.folder.glob("results/teachers/**/label*/*/run.json"))
    ]
    assert travelled.plan() == {"train_teacher": 2, "evaluate_teacher": 2, **SUMMARY}


def test_what_the_user_accepted_stays_accepted_in_its_place(project):
    project.edit("smearlab/methods/label_smoothing.py", "return smoothed(", "return 1.0 * smoothed(")
    project.run(TINY, *ACCEPT)
    told = adopt(project)
    assert refused(told) == ["results/tiny/context.json"] and "made by smearlab" in "".join(told)
    assert project.plan() == SUMMARY


def test_what_is_not_there_is_made_and_nothing_else(travelled):
    shutil.rmtree(travelled.folder / "reports")
    told = adopt(travelled)
    assert not refused(told) and told[-1] == "not there yet: 1 page"
    assert travelled.plan() == {"write_report": 1, "all": 1}


def test_weights_may_stay_behind(travelled):
    for path in travelled.folder.glob("results/**/weights.safetensors"):
        path.unlink()
    told = adopt(travelled)
    assert any(line.startswith("not there, and not checked: 6 files") for line in told)
    assert travelled.plan() == {}
    travelled.edit("smearlab/methods/label_smoothing.py", "return smoothed(", "return 1.0 * smoothed(")
    assert travelled.plan() == {"train_teacher": 2, "evaluate_teacher": 2, **SUMMARY}


def test_a_block_without_its_labels_is_refused(travelled):
    folder = one(travelled, f"{LABELS}/seed=1")
    shutil.rmtree(folder)
    told = adopt(travelled)
    assert len(refused(told)) == 2  # both teachers of that rate; what is made from them follows
    assert all(f"made from {below(travelled, folder)}/audit.json, which is not there" in t for t in told if "    " in t)
    assert travelled.plan()["make_labels"] == 1


def test_nothing_is_written_while_a_run_is_alive(travelled):
    script = travelled.folder / "snakemake"
    script.write_text("import time\nprint('up', flush=True)\ntime.sleep(60)\n", encoding="utf-8")
    before = times(travelled)
    with subprocess.Popen(
        [sys.executable, str(script)], cwd=travelled.folder, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None and process.stdout.readline() == "up\n"
        try:
            assert "a run is going on here" in travelled.smearlab("adopt", CONFIG).stderr
        finally:
            process.kill()
    assert times(travelled) == before and not (travelled.folder / ".snakemake").exists()


def times(project: Project) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in project.folder.glob("results/**/*")}
