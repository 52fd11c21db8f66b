"""A stage runs again exactly when something it depends on changed: each change, and the jobs it plans."""

import json
import os
from pathlib import Path

import pandas as pd
import pytest
from projects import ACCEPT, PLAIN, SUMMARY, TINY, Project, changed

TEACHERS, STUDENTS = 4, 2  # blocks: two rates times two methods; the plain teacher's student under each rate


def test_a_second_run_has_nothing_to_do_also_under_another_name_of_the_folder(project):
    assert project.plan() == {}


def test_alternating_between_two_grids_runs_nothing(project):
    assert [project.plan(grid) for grid in (PLAIN, TINY, PLAIN)] == [{}, {}, {}]


class TestGrowing:
    """A larger grid runs what is new, and what summarises."""

    def test_one_more_alpha(self, project):
        methods = ["cross_entropy", {"name": "label_smoothing", "alphas": [0.1, 0.2]}]
        assert project.plan(changed(methods=methods)) == {"train_teacher": 2, "evaluate_teacher": 2, **SUMMARY}

    def test_one_more_block(self, project):
        assert project.plan(changed(replicates={"blocks": 2})) == {
            "make_labels": 2,  # two more noise seeds; no noise is drawn at rate 0
            "train_teacher": TEACHERS,
            "evaluate_teacher": TEACHERS,
            "distill_student": STUDENTS,
            "evaluate_student": STUDENTS,
            **SUMMARY,
        }

    def test_one_more_rate(self, project):
        assert project.plan(changed(noises__symmetric__rates=[0, 0.2, 0.4])) == {
            "make_labels": 2,
            "train_teacher": 2,
            "evaluate_teacher": 2,
            "distill_student": 1,
            "evaluate_student": 1,
            **SUMMARY,
        }

    def test_one_more_data_set(self, project):
        assert project.plan(changed(datasets__fewer={"kind": "digits", "subset": 100, "test_subset": 60})) == {
            "make_dataset": 1,
            "make_labels": 3,
            "train_teacher": TEACHERS,
            "evaluate_teacher": TEACHERS,
            "distill_student": STUDENTS,
            "evaluate_student": STUDENTS,
            **SUMMARY,
        }

    def test_one_more_temperature(self, project):
        students = [{"teachers": ["cross_entropy"], "temperatures": [1, 4]}]
        assert project.plan(changed(students=students)) == {"distill_student": 2, "evaluate_student": 2, **SUMMARY}

    def test_a_smaller_grid_only_summarises(self, project):
        assert project.plan(changed(students=[])) == SUMMARY

    def test_a_grid_of_another_name_shares_every_cell(self, project):
        assert project.plan(changed(name="third")) == SUMMARY


def test_swapped_values_are_a_change(project):
    """Snakemake forgets which value belonged to which name."""
    swapped = changed(datasets__digits={"kind": "digits", "subset": 60, "test_subset": 120})
    assert project.plan(swapped)["make_dataset"] == 1
    primary = {"method": "label_smoothing", "alpha": 0.1}
    assert project.plan(changed(margin=0.1)) == {k: v for k, v in SUMMARY.items() if k != "collect"}
    assert project.plan(changed(primary=primary, margin=0.5)) == {}


NEW_FILES = {
    "methods/scaled.py": "def loss(logits, labels, *, factor: float = 2.0):\n    return logits[:, 0] * factor\n",
    "noises/none.py": "def transition(n_classes: int, *, rate: float):\n    raise NotImplementedError\n",
    "networks/straight.py": "def build(n_classes: int, channels: int, size: int):\n    raise NotImplementedError\n",
    "estimators/guess.py": "def estimate(observed, probabilities):\n    raise NotImplementedError\n",
    "datasets/empty.py": "def load():\n    raise NotImplementedError\n",
}


def test_a_new_method_noise_network_estimator_or_data_set_is_a_file_that_disturbs_nothing(project):
    for name, text in NEW_FILES.items():
        (project.folder / "smearlab" / name).write_text(f'"""New."""\n\n{text}', encoding="utf-8")
    assert project.plan() == {}
    methods = ["cross_entropy", "scaled", {"name": "label_smoothing", "alphas": [0.1]}]
    assert project.plan(changed(methods=methods)) == {"train_teacher": 2, "evaluate_teacher": 2, **SUMMARY}


def test_a_new_metric_evaluates_and_trains_nothing(project):
    metric = '"""New."""\n\n\ndef measure(p):\n    return {"one": 1.0}\n'
    (project.folder / "smearlab" / "metrics" / "one.py").write_text(metric, encoding="utf-8")
    assert project.plan() == {"evaluate_teacher": TEACHERS, "evaluate_student": STUDENTS, **SUMMARY}


EVALUATED = {"evaluate_teacher": TEACHERS, "evaluate_student": STUDENTS, **SUMMARY}
UNSEEN = {  # edits that decide no number: a file, what stands there, and what does then
    "words of a log": ("training/block.py", "stopped by a signal;", "asked to stop;"),
    "words of an error": ("training/block.py", "out of GPU memory with", "no GPU memory is left with"),
    "a lock": ("host/runlock.py", "STALE = 180.0", "STALE = 300.0"),
    "a log": ("host/joblog.py", "error: ", "fault: "),
    "a docstring": ("training/block.py", '"""One job: its problem', '"""A job: its problem'),
    "the registry": ("core/registry.py", "return tuple(sorted(path.stem", "return tuple(sorted(path.name[:-3]"),
    "the checks of a config": ("grid/schema.py", "milestones must rise", "milestones have to rise"),
    "a key with a default": ("grid/schema.py", "    milestones: list[", "    cycles: int = 1\n    milestones: list["),
}
REACHED = {  # likewise, and what runs again
    "the optimiser": (
        ("optimisers/sgd.py", "lr=self.learning_rate, **", "lr=1.0 * self.learning_rate, **"),
        {"train_teacher": TEACHERS, "distill_student": STUDENTS, **EVALUATED},
    ),
    "a loss": (
        ("methods/label_smoothing.py", "return smoothed(", "return 1.0 * smoothed("),
        {"train_teacher": 2, "evaluate_teacher": 2, **SUMMARY},
    ),
    "the student's distance": (
        ("training/student.py", "log_target=True).sum(dim=1)", "log_target=True).sum(dim=1) * 1.0"),
        {"distill_student": STUDENTS, "evaluate_student": STUDENTS, **SUMMARY},
    ),
    "a metric": (("metrics/accuracy.py", "p.test.labels)", "p.test.labels, among=None)"), EVALUATED),
    "the evaluation": (("evaluation/block.py", "allow_tf32 = False", "allow_tf32 = bool(0)"), EVALUATED),
    "a figure": (
        ("figures/methods.py", "def draw(", "UNUSED = 1\n\n\ndef draw("),
        {"draw_figure": 1, "write_report": 1, "all": 1},
    ),
}


class TestEditing:
    """An edit reruns what reaches it."""

    @pytest.mark.parametrize("edit", UNSEEN.values(), ids=UNSEEN)
    def test_what_decides_no_number_runs_nothing(self, project, edit):
        path, old, new = edit
        project.edit(f"smearlab/{path}", old, new)
        assert project.plan() == {}

    def test_a_module_that_is_moved_and_renamed_runs_nothing(self, project):
        package = project.folder / "smearlab"
        (package / "training" / "schedule.py").rename(package / "core" / "rates.py")
        for file in package.rglob("*.py"):
            text = file.read_text(encoding="utf-8")
            file.write_text(text.replace("smearlab.training.schedule", "smearlab.core.rates"), encoding="utf-8")
        assert project.plan() == {}

    @pytest.mark.parametrize("edit, plan", REACHED.values(), ids=REACHED)
    def test_what_decides_numbers_runs_what_reaches_it(self, project, edit, plan):
        path, old, new = edit
        project.edit(f"smearlab/{path}", old, new)
        assert project.plan() == plan

    def test_a_loss_concerns_no_grid_without_it_and_is_named(self, project):
        project.edit("smearlab/methods/label_smoothing.py", "return smoothed(", "return 1.0 * smoothed(")
        assert project.plan(PLAIN) == {}
        told = project.smearlab("explain", "configs/tiny.yaml")
        assert told.stdout.splitlines()[0] == "changed: smearlab/methods/label_smoothing.py: 2 blocks", told.stderr

    def test_the_page(self, project):
        project.edit("smearlab/report/style.css", "{", "{\n")
        assert project.plan() == {"write_report": 1, "all": 1}

    def test_a_docstring_a_comment_and_the_layout(self, project):
        for file in [*project.folder.glob("smearlab/**/*.py"), *project.folder.glob("workflow/scripts/*.py")]:
            text = file.read_text(encoding="utf-8")
            if text.startswith('"""'):
                text = '"""Another sentence. ' + text[3:]
            file.write_text(f"# a comment\n\n{text}\n\n\n# the end\n", encoding="utf-8")
        for rules in project.folder.glob("workflow/rules/*.smk"):
            rules.write_text(rules.read_text(encoding="utf-8") + "\n# a comment\n", encoding="utf-8")
        assert project.plan() == {}


def test_touching_every_file_runs_nothing(project):
    for file in project.folder.rglob("*"):
        if file.is_file() and ".snakemake" not in file.parts:
            os.utime(file)
    assert project.plan() == {}


@pytest.mark.parametrize("package, reruns", [("pandas", False), ("torch", True)])
def test_only_libraries_that_decide_numbers_count(project, package, reruns):
    lock = project.folder / "requirements.lock"
    lines = lock.read_text(encoding="utf-8").splitlines(keepends=True)
    upgraded = [f"{package}==99.0 \\\n" if line.startswith(f"{package}==") else line for line in lines]
    assert upgraded != lines
    lock.write_text("".join(upgraded), encoding="utf-8")
    plan = project.plan()
    assert (plan.get("train_teacher"), plan.get("distill_student")) == (
        (TEACHERS, STUDENTS) if reruns else (None, None)
    )
    assert "make_dataset" not in plan and "make_labels" not in plan
    assert reruns or plan == {}


class TestPlaces:
    """Where jobs run, and in which environment, decides no result."""

    def test_slurm(self, project):
        assert project.plan(TINY, "--workflow-profile", "profiles/slurm") == {}

    def test_conda(self, project, tmp_path):
        assert project.plan(TINY, "--use-conda", path=fake_conda(tmp_path)) == {}

    def test_another_number_of_cores(self, project):
        assert project.plan(TINY, "--cores", "1") == {}


def fake_conda(folder: Path) -> Path:
    """Return a folder with a `conda` that answers what a dry run asks: where it is, and how old."""
    facts = {"conda_version": "25.1.0", "conda_prefix": str(folder), "root_prefix": str(folder), "platform": "linux-64"}
    (folder / "bin").mkdir()
    (folder / "bin" / "activate").touch()
    program = folder / "bin" / "conda"
    answers = {"info": json.dumps(facts), "config": json.dumps({"get": {"channel_priority": "strict"}})}
    cases = "".join(f"{command}) echo '{answer}' ;;\n" for command, answer in answers.items())
    program.write_text(f'#!/bin/sh\ncase "$1" in\n{cases}*) echo "conda 25.1.0" ;;\nesac\n', encoding="utf-8")
    program.chmod(0o755)
    return folder / "bin"


def test_results_are_accepted_after_an_edit_that_alters_nothing(project):
    project.edit("smearlab/methods/label_smoothing.py", "return smoothed(", "return 1.0 * smoothed(")
    before = table(project)
    project.run(TINY, *ACCEPT)
    assert project.plan() == SUMMARY
    project.run()
    assert project.plan() == {} and project.plan(PLAIN) == {}
    after = table(project)
    assert not before["accepted"].any()
    assert after["accepted"].tolist() == (after["method"] == "label_smoothing").tolist()
    pd.testing.assert_frame_equal(before.drop(columns="accepted"), after.drop(columns="accepted"))


def table(project: Project) -> pd.DataFrame:
    """Return the table of all networks of the tiny grid."""
    return pd.read_parquet(project.folder / "results" / "tiny" / "metrics.parquet")
