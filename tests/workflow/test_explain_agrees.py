"""`explain` and `status` see the jobs that a dry run of Snakemake sees, whatever was changed."""

import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from projects import TINY, Project, changed

from smearlab.grid.cells import load_grid
from smearlab.grid.dag import nodes_of
from smearlab.watch.rebuild import Rebuild
from smearlab.watch.records import Records


def nothing(project: Project) -> None:
    pass


def the_weights(project: Project) -> None:
    for path in project.folder.glob("results/teachers/**/weights.safetensors"):
        path.unlink()


def the_report_and_what_one_cell_measured(project: Project) -> None:
    (project.folder / "reports" / "tiny.html").unlink()
    (project.folder / "results" / "tiny" / "metrics.csv").unlink()
    next(project.folder.glob("results/teachers/*/symmetric*/**/metrics.json")).unlink()


def the_tables_and_all_weights(project: Project) -> None:
    for path in project.folder.glob("results/tiny/*.*"):
        path.unlink()
    (project.folder / "reports" / "tiny.html").unlink()
    the_weights(project)


def other_labels(project: Project) -> None:
    path = next(project.folder.glob("results/labels/*/symmetric*/rate=0.4/seed=1/audit.json"))
    path.write_text(path.read_text(encoding="utf-8") + "\n", encoding="utf-8")


def another_teacher(project: Project) -> None:
    path = next(project.folder.glob("results/teachers/*/symmetric*/rate=0.4/*/cross_entropy/paired-0/run.json"))
    path.write_text(path.read_text(encoding="utf-8") + "\n", encoding="utf-8")


def all_times(project: Project) -> None:
    for path in project.folder.glob("results/**/*"):
        os.utime(path)


def notes_of_one_block(project: Project) -> None:
    for path in project.folder.glob(".snakemake/metadata/**/*"):
        if path.is_file() and '"rule": "evaluate_teacher"' in path.read_text(encoding="utf-8"):
            path.unlink()


def other_parameters_and_one_note_less(project: Project) -> None:
    """Without a note of every output Snakemake compares no parameters of a job."""
    notes = [path for path in sorted(project.folder.glob(".snakemake/metadata/**/*")) if path.is_file()]
    trained = [path for path in notes if '"rule": "train_teacher"' in path.read_text(encoding="utf-8")]
    for path in trained:
        path.write_text(path.read_text(encoding="utf-8").replace("'code': '", "'code': 'other-"), encoding="utf-8")
    trained[0].unlink()


CHANGES = [
    nothing,
    the_weights,
    the_report_and_what_one_cell_measured,
    the_tables_and_all_weights,
    other_labels,
    another_teacher,
    all_times,
    notes_of_one_block,
    other_parameters_and_one_note_less,
]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_after_a_change_of_files(project, monkeypatch, change: Callable[[Project], None]):
    change(project)
    assert ours(project, TINY, monkeypatch) == project.plan(TINY)


@pytest.mark.parametrize(
    "content",
    [
        changed(margin=0.7),
        changed(recipes__small__epochs=3),
        changed(students=[]),
        changed(replicates={"blocks": 2}, keep="teachers"),
        changed(keep="none"),
        changed(noises__symmetric__rates=[0, 0.2, 0.4], name="third"),
    ],
    ids=["margin", "epochs", "students", "blocks", "keep", "grid"],
)
def test_after_a_change_of_the_config(project, monkeypatch, content):
    assert ours(project, content, monkeypatch) == project.plan(content)


def test_after_an_edit_the_module_is_named_also_where_no_training_reaches_it(project):
    project.edit("smearlab/evaluation/block.py", "allow_tf32 = False", "allow_tf32 = bool(0)")
    told = project.smearlab("explain", "configs/tiny.yaml").stdout
    assert told.splitlines()[0] == "changed: smearlab/evaluation/block.py: 6 evaluations"


def ours(project: Project, content: dict, monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """Return how many jobs of each rule would run by our own reckoning, in the folder of the project."""
    monkeypatch.chdir(project.folder)
    monkeypatch.setattr("smearlab.core.registry.names", lambda kind: _names(project.folder, kind))
    reasons = Rebuild(nodes_of(load_grid(content)), Records()).reasons
    return dict(Counter(node.rule for node in reasons))


def _names(folder: Path, kind: str) -> tuple[str, ...]:
    return tuple(sorted(path.stem for path in (folder / "smearlab" / kind).glob("[a-z]*.py")))
