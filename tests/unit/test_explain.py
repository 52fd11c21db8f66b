"""Why a job would run again: the module, the parameter, the input, the missing file, in one place and in words."""

import json
import os
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from made_grid import begin, change_note, make, note_path, noted, of

from configs import config
from smearlab.cli.parser import main
from smearlab.grid.cells import load_grid
from smearlab.store.files import write_json
from smearlab.watch.codebook import is_of_0_1_0, recall, remember
from smearlab.watch.explain import explain, explain_path, near_paths
from smearlab.watch.reasons import changes
from smearlab.watch.rebuild import Rebuild
from smearlab.watch.records import Records

CE, SMOOTH = "rate=0.4/small-[^/]*/cross_entropy/paired-0", "label_smoothing-alpha=0.4"


@pytest.fixture
def grid(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("config.yaml").write_text(yaml.safe_dump(config()), encoding="utf-8")
    return load_grid(config())


@pytest.fixture
def nodes(grid):
    """The jobs of a finished grid."""
    return make(grid)


def told(node) -> list[str]:
    return explain_path(f"results/{node.name}")


def newer(path: str, text: str) -> None:
    Path(path).write_text(text, encoding="utf-8")


def test_a_finished_grid_would_not_run_again(grid, nodes):
    assert explain(grid) == ["tiny: nothing would run again"]
    assert noted(nodes[0].outputs[0])["rule"] == "make_dataset"


def test_a_grid_that_was_never_run(grid):
    said = explain(grid)
    assert said[0] == "not trained yet: 10 blocks" and "not made yet: 1 data set" in said


@pytest.mark.parametrize("rule", ["train_teacher", "evaluate_teacher", "make_labels", "collect"])
def test_the_module_is_named_by_what_was_noted_at_the_run(nodes, rule):
    node = of(nodes, rule)
    parts = json.loads(Path(".smearlab/code", f"{node.decide()['code']}.json").read_text())
    write_json(".smearlab/code/before.json", {**parts, "smearlab/store/files.py": "before"})
    change_note(node, code="before")
    assert "    changed: smearlab/store/files.py" in told(node)


def test_the_module_of_a_training_stands_in_its_run_too(grid):
    node = of(make(grid, codes=False), "train_teacher", SMOOTH)
    run = json.loads(Path(node.outputs[-1]).read_text())
    run = {**run, "code": "before", "code_parts": {**run["code_parts"], "torch": "1.0"}}
    when = os.stat(node.outputs[-1]).st_mtime
    write_json(node.outputs[-1], {k: v for k, v in run.items() if k != "checksum"})
    os.utime(node.outputs[-1], (when, when))
    change_note(node, code="before")
    assert explain(grid)[0] == "changed: torch: 1 block"
    assert explain(grid)[-1].startswith("made from these: 1 evaluation, 1 tables, 1 statistics, ")


def of_0_1_0() -> dict[str, str]:
    """Parts of code as that release noted them: whole modules, at other places, and the script of the rule."""
    return {"smearlab/files.py": "bce65a16f39a", "workflow/scripts/train_teacher.py": "93d3b8831abd", "torch": "2.9.1"}


@pytest.mark.parametrize("rule", ["train_teacher", "evaluate_teacher", "collect"])
def test_parts_of_0_1_0_are_not_compared_with_todays(nodes, rule):
    node = of(nodes, rule)
    change_note(node, code="before")
    write_json(".smearlab/code/before.json", of_0_1_0())
    said = told(node)
    assert "    made by the code of 0.1.0" in said and not any("changed: " in line for line in said)


def test_once_a_grid_was_run_the_module_is_named_also_of_results_of_0_1_0(grid, nodes):
    node = of(nodes, "train_teacher")
    digest = node.decide()["code"]
    write_json(f".smearlab/code/{digest}.json", of_0_1_0())  # the same digest, by its map: the same code
    remember()
    parts = recall(digest)
    assert parts and not is_of_0_1_0(parts)


def test_a_parameter_is_told_with_both_values(nodes):
    node = of(nodes, "summarise")
    change_note(node, margin=0.25)
    assert told(node)[:2] == ["statistics tiny/summary: will run again", "    parameter margin: 0.25 → 0.5"]


def test_an_input_is_told_in_words(nodes):
    node = of(nodes, "make_labels", "rate=0.4/seed=1")
    newer(node.outputs[-1], '{"other": "labels"}')
    trained = of(nodes, "train_teacher", "rate=0.4")
    assert f"    input changed: the labels of noise seed 1 ({node.outputs[-1]})" in told(trained)


def test_touching_is_no_change(grid, nodes):
    for path in Path("results").rglob("*"):
        os.utime(path)
    assert explain(grid) == ["tiny: nothing would run again"]


def test_teachers_that_train_again_take_their_students_along(nodes):
    teacher = of(nodes, "train_teacher", "rate=0.4")
    change_note(teacher, code="before")
    student = of(nodes, "distill_student", "rate=0.4")
    assert any(
        line.startswith(f"    made from what runs before it: training of {teacher.name} (") for line in told(student)
    )


def test_a_missing_file_counts_when_something_needs_it(grid, nodes):
    node = of(nodes, "train_teacher", SMOOTH)
    Path(node.outputs[0]).unlink()
    assert "nothing that would run needs it" in told(node)[1]
    change_note(of(nodes, "evaluate_teacher", SMOOTH), code="before")
    assert "missing: weights.safetensors: 1 block" in explain(grid)


def test_a_job_that_did_not_end(nodes):
    node = of(nodes, "evaluate_teacher")
    begin(node)
    assert "    its last run began and did not end" in told(node)


def test_results_without_a_note_are_kept(grid, nodes):
    node = of(nodes, "train_teacher")
    for path in node.outputs:
        note_path(path).unlink()
    assert "    Snakemake has no note of how, and keeps it as it is" in told(node)


def test_new_settings_are_compared_with_those_that_are_there(grid, nodes):
    Path("config.yaml").write_text(yaml.safe_dump(config(("recipes.small.epochs", 3))), encoding="utf-8")
    node = of(make(load_grid(config(("recipes.small.epochs", 3))), lambda node: False), "train_teacher")
    assert any(line == "    setting epochs: 2 → 3" for line in told(node))


@pytest.mark.parametrize("form", ["results/{}", "{}", "results/{}/paired-0", "./results/{}/", "{}/paired-0/run.json"])
def test_a_cell_is_found_in_every_spelling(nodes, form, capsys):
    cell = of(nodes, "train_teacher", SMOOTH).cell
    assert main(["explain", form.format(cell.key)]) == 0
    assert capsys.readouterr().out.startswith(f"training of {cell.key}/paired-0: up to date")


def test_a_wrong_path_is_one_line_with_the_nearest(nodes, capsys):
    node = of(nodes, "train_teacher", SMOOTH)
    assert main(["explain", node.cell.key.replace("alpha=0.4", "alpha=0.44")]) == 1
    printed = capsys.readouterr()
    assert printed.out == "" and len(printed.err.splitlines()) == 1
    assert f"near: {node.cell.key}" in printed.err


def test_what_no_config_names_is_said_to_be_that(nodes, capsys):
    Path("results/teachers/old-12345678").mkdir()
    assert main(["explain", "results/teachers/old-12345678"]) == 1
    assert "no config names it (any more)" in capsys.readouterr().err


def test_a_damaged_note_is_none(grid, nodes):
    node = of(nodes, "train_teacher")
    note_path(node.outputs[-1]).write_bytes(b"\xff{")
    assert not Rebuild(nodes, Records()).runs(node)


PLAIN = st.recursive(
    st.none() | st.integers() | st.text(max_size=5), lambda inner: st.dictionaries(st.text("ab", min_size=1), inner)
)


@given(PLAIN, PLAIN)
def test_values_differ_exactly_when_a_line_says_so(before, now):
    assert not changes(before, before)
    assert bool(changes(before, now)) == (before != now)


@given(st.text("ab/=.", max_size=20), st.lists(st.text("ab/=.", max_size=20), max_size=5))
def test_near_paths_are_beginnings_of_known_ones(wanted, known):
    assert all(any(f"{path}/".startswith(f"{near}/") for path in known) for near in near_paths(wanted, known))


def test_many_inputs_more_are_told_as_replicates_in_cells(grid, nodes):
    said = explain(load_grid(config(("replicates.blocks", 3))))
    added = [line for line in said if line.startswith("input added: ")]
    assert [line.partition(": ")[2].partition(":")[0] for line in added] == ["4 replicates more in 10 cells", "8 files"]
