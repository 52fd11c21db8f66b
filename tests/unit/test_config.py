"""Every fault of a config is one line that says where it is, what stands there and what is allowed."""

import math
import os
from pathlib import Path

import numpy as np
import pytest
import yaml

from configs import TINY, config
from smearlab.core import registry
from smearlab.core.digest import ROOT
from smearlab.core.errors import UserError
from smearlab.core.jobs import Augmentation
from smearlab.grid.cells import load_grid
from smearlab.grid.load import MAX_BYTES, MAX_DEPTH, read_config
from smearlab.grid.resolve import MAX_CELLS

SHIPPED = [ROOT / "config.yaml", *sorted((ROOT / "configs").glob("*.yaml"))]


def faults(*changes) -> list[str]:
    """Return the lines with which a changed config is refused."""
    with pytest.raises(UserError) as caught:
        load_grid(config(*changes))
    return str(caught.value).splitlines()


BACKWARD = {"name": "backward", "transition": "matched"}


@pytest.mark.parametrize("method", [BACKWARD, {"name": "elr"}], ids=["backward", "elr"])
@pytest.mark.parametrize(
    ("clip", "said"),
    [
        (0.5, "0.5: should be less than 0.5"),
        (0, "0: should be greater than 0"),
        (-1e-7, "-1e-07: should be greater than 0"),
        ([1e-7, 0.6], "0.6: should be less than 0.5"),
        (1.0, "1.0: should be less than 0.5"),
        (float("nan"), "nan: must be a finite number"),
        (False, "False: should be a number"),
        ("off", "'off' is text, not a number"),
    ],
)
def test_a_clip_outside_0_and_one_half_is_refused_in_one_line(method, clip, said):
    assert faults(("methods.3", {**method, "clip": clip})) == [f"config: methods.3.clip: {said}"]


def test_negative_smoothing_goes_as_low_as_published_after_a_warm_up():
    published = {"name": "label_smoothing", "alphas": [-6.0, -0.4], "warm_up": 0.5}
    found = load_grid(config(("methods.1", published))).cells.values()
    assert {(c.method.alpha, c.method.warm_up) for c in found if c.method.name == "label_smoothing"} == {
        (-6.0, 0.5),
        (-0.4, 0.5),
    }


@pytest.mark.parametrize(
    "path, value, line",
    [
        ("metohds", 1, "unknown key metohds; did you mean 'methods'?"),
        ("datasets.digits.subste", 30, "unknown key datasets.digits.subste"),
        ("noises.symmetric.rate", 0.1, "unknown key noises.symmetric.rate"),
        ("recipes.small.batch_sise", 8, "unknown key recipes.small.batch_sise; did you mean 'batch_size'?"),
        ("recipes.small.optimiser.lr", 1.0, "unknown key recipes.small.optimiser.lr; allowed: name, learning_rate"),
        ("recipes.small.optimiser.momentun", 0.9, "unknown key recipes.small.optimiser.momentun; did you mean"),
        ("recipes.small.schedule.warm", 0.1, "unknown key recipes.small.schedule.warm; did you mean 'warmup'?"),
        ("recipes.small.augmentation.flop", True, "unknown key recipes.small.augmentation.flop; did you mean 'flip'?"),
        ("recipes.small.architecture.widht", 8, "unknown key recipes.small.architecture.widht; did you mean 'width'?"),
        ("methods.1.alpha", 0.1, "unknown key methods.1.alpha"),
        ("students.0.teacher", "forward", "unknown key students.0.teacher; did you mean 'teachers'?"),
        ("replicates.seeds", 3, "unknown key replicates.seeds; allowed: design, blocks"),
        ("primary", {"method": "label_smoothing", "alhpa": 0.1}, "unknown key primary.alhpa; did you mean 'alpha'?"),
    ],
)
def test_an_unknown_key_is_refused_at_every_level(path, value, line):
    assert any(fault.startswith(f"config: {line}") for fault in faults((path, value)))


@pytest.mark.parametrize(
    "path, value, line",
    [
        ("datasets.digits.kind", "digit", "datasets.digits: unknown dataset 'digit'; did you mean 'digits'?"),
        ("noises.symmetric.kind", "symetric", "noises.symmetric: unknown noise 'symetric'; did you mean 'symmetric'?"),
        ("recipes.small.architecture", "cn", "recipes.small.architecture: unknown network 'cn'; did you mean 'cnn'?"),
        ("methods.2.name", "forwrad", "methods.2: unknown method 'forwrad'; did you mean 'forward'?"),
        ("methods.2.transition", "macthed", "methods.2.transition.0: 'macthed': allowed: true, matched, alpha"),
        ("methods.2.transition", "estimated(anchr)", "methods.2.transition: unknown estimator 'anchr'; did you mean"),
        ("methods.2.transition", "perturbed(1.5)", "methods.2.transition.0: 'perturbed(1.5)': allowed: true, matched"),
        ("students.0.teachers", ["forwad"], "students.0.teachers.0: 'forwad' is not among the grid's methods; did you"),
        ("students.0.recipe", "smal", "students.0.recipe: unknown recipe 'smal'; did you mean 'small'?"),
        ("students.0.labels", "noissy", "students.0.labels.0: 'noissy': should be 'noisy', 'clean' or 'none'"),
        ("keep", "weigths", "keep: 'weigths': should be 'weights', 'teachers' or 'none'"),
        ("replicates.design", "pared", "replicates.design: 'pared': should be 'paired' or 'crossed'"),
        ("primary", {"method": "smoothing"}, "primary: smoothing is not among the grid's methods; did you mean"),
    ],
)
def test_a_wrong_name_is_refused_with_the_nearest_or_all(path, value, line):
    assert any(fault.startswith(f"config: {line}") for fault in faults((path, value)))


@pytest.mark.parametrize(
    "path, value, line",
    [
        (
            "recipes.small.optimiser.weight_decay",
            "1e-05",
            "recipes.small.optimiser.weight_decay: '1e-05' is text, not a number (YAML wants a point: write 1.0e-05)",
        ),
        ("noises.symmetric.rates", ["0.2"], "noises.symmetric.rates.0: '0.2' is text, not a number"),
        ("noises.symmetric.rates", [True], "noises.symmetric.rates.0: True: should be a number"),
        ("recipes.small.epochs", 2.0, "recipes.small.epochs: 2.0: should be a whole number"),
        ("recipes.small.epochs", "2", "recipes.small.epochs: '2' is text, not a number (write it without quotes"),
        ("recipes.small.epochs", 10**400, "recipes.small.epochs: "),
        ("margin", math.nan, "margin: nan: must be a finite number"),
        ("margin", math.inf, "margin: inf: must be a finite number"),
        ("recipes.small.loss_scale", math.inf, "recipes.small.loss_scale: inf: must be a finite number"),
        ("students.0.student_temperature", math.inf, "students.0.student_temperature: inf: must be a finite number"),
        ("methods.1.alphas", [-math.inf], "methods.1.alphas.0: -inf: must be a finite number"),
        ("methods.1.alphas", [1], "methods.1.alphas.0: 1: should be less than 1"),
        ("methods.1.alphas", [1.5], "methods.1.alphas.0: 1.5: should be less than 1"),
        ("noises.symmetric.rates", [-0.1], "noises.symmetric.rates.0: -0.1: should be greater than or equal to 0"),
        (
            "noises.symmetric.rates",
            [0.95],
            "noises.symmetric.rates: 0.95: symmetric with 10 classes allows 0 <= rate < 0.9",
        ),
        ("students.0.temperatures", [0], "students.0.temperatures.0: 0: should be greater than 0"),
        ("students.0.betas", [1.5], "students.0.betas.0: 1.5: should be less than or equal to 1"),
        ("replicates.blocks", 0, "replicates.blocks: 0: should be greater than or equal to 1"),
    ],
)
def test_a_number_out_of_range_or_spelled_as_text_is_refused(path, value, line):
    assert any(fault.startswith(f"config: {line}") for fault in faults((path, value)))


@pytest.mark.parametrize(
    "path, line",
    [
        ("noises.symmetric.rates", "noises.symmetric.rates: an empty list; give at least one value"),
        ("methods", "methods: an empty list; give at least one value"),
        ("methods.1.alphas", "methods.1.alphas: an empty list; give at least one value"),
        ("students.0.teachers", "students.0.teachers: an empty list; give at least one value"),
        ("students.0.temperatures", "students.0.temperatures: an empty list; give at least one value"),
    ],
)
def test_an_empty_list_is_refused(path, line):
    assert f"config: {line}" in faults((path, []))


@pytest.mark.parametrize("key", ["datasets", "noises", "recipes"])
def test_an_empty_mapping_is_refused(key):
    assert any(fault.startswith(f"config: {key}: ") for fault in faults((key, {})))


@pytest.mark.parametrize("key", ["name", "datasets", "noises", "recipes", "methods"])
def test_a_missing_key_is_named(key):
    assert faults((f"{key}-", None)) == [f"config: {key} is missing"]


@pytest.mark.parametrize(
    "path, value, line",
    [
        ("noises.symmetric.rates", [0.2, 0.2], "noises.symmetric.rates: [0.2, 0.2]: 0.2 stands here twice"),
        ("noises.symmetric.rates", [0, 0.0], "noises.symmetric.rates: [0, 0.0]: 0.0 stands here twice"),
        ("noises.symmetric.rates", [0.0, -0.0], "noises.symmetric.rates: [0.0, -0.0]: 0.0 stands here twice"),
        ("methods.1.alphas", [0.1, 0.10], "methods.1.alphas: [0.1, 0.1]: 0.1 stands here twice"),
        ("students.0.betas", [0.5, 0.5], "students.0.betas: [0.5, 0.5]: 0.5 stands here twice"),
        ("students", TINY["students"] * 2, "students: "),
        ("methods", ["cross_entropy", "cross_entropy"], "methods: ['cross_entropy', 'cross_entropy']: "),
        (
            "methods",
            ["cross_entropy", *({"name": "label_smoothing", "alphas": alphas} for alphas in ([0.1, 0.2], [0.2]))],
            "methods: label_smoothing-alpha=0.2 stands twice",
        ),
    ],
)
def test_a_duplicate_is_refused(path, value, line):
    assert any(fault.startswith(f"config: {line}") for fault in faults((path, value)))


@pytest.mark.parametrize("name", ["", ".", "..", "../x", "a/b", "a b", "a;b", "$(x)", "a\n", "ä", "_a", "-a", "x" * 41])
@pytest.mark.parametrize("key", ["name", "datasets", "noises", "recipes"])
def test_a_name_that_is_not_safe_in_a_path_is_refused(key, name):
    value = name if key == "name" else {name: next(iter(TINY[key].values()))}
    (line,) = faults((key, value))
    assert line.startswith(f"config: {key}: ") and repr(name)[:20] in line


@pytest.mark.parametrize("name", ["data", "labels", "teachers", "students", "theory"])
def test_a_grid_may_not_take_the_place_of_a_stage(name):
    assert faults(("name", name)) == [f"config: name: {name!r} is taken by results/{name}/; choose another"]


def test_all_faults_are_reported_at_once():
    lines = faults(("keep", "all"), ("margin", "half"), ("recipes.small.precision", "fp8"))
    assert len(lines) == 3
    assert all(line.startswith("config: ") for line in lines)


@pytest.mark.parametrize("wrong", [[], "text", 3, None, True])
@pytest.mark.parametrize(
    "key", ["datasets", "noises", "recipes", "datasets.digits", "noises.symmetric", "recipes.small"]
)
def test_what_must_be_a_mapping_is_said_to_be_one(key, wrong):
    assert faults((key, wrong)) == [f"config: {key}: {wrong!r}: should be a mapping (key: value)"]


class TestAcrossFields:
    """Rules that need several parts of a config together."""

    def test_alphas_are_asked_for_where_a_method_needs_them(self):
        assert "config: methods.1.alphas is missing; label_smoothing needs at least one" in faults(
            ("methods.1.alphas", None)
        )
        assert "config: methods.0.alphas: cross_entropy has no alpha" in faults(("methods.0.alphas", [0.1]))

    def test_forward_needs_an_alpha_that_is_not_negative(self):
        wrong = {"name": "forward", "transition": "alpha", "alphas": [0.1, -0.1]}
        (line,) = faults(("methods.2", wrong))
        assert line.startswith("config: methods: forward-transition=alpha-alpha=-0.1: ")
        assert line.endswith("0 <= alpha < 1")

    def test_backward_may_have_a_negative_alpha(self):
        load_grid(config(("methods.3", {"name": "backward", "transition": "alpha", "alphas": [-0.1]})))

    @pytest.mark.parametrize("where", ["methods.3", "students.0.methods"])
    def test_an_ill_conditioned_transition_is_refused_with_its_condition_number(self, where):
        backward = {"name": "backward", "transition": "true"}
        lines = faults((where, backward), ("noises.symmetric.rates", [0.9 - 1e-9]))
        assert any("noises.symmetric.rates: 0.899999999" in line and "condition number 9e+08" in line for line in lines)

    def test_a_singular_transition_is_refused(self, tmp_path):
        np.savez(tmp_path / "T.npz", transition=np.full((10, 10), 0.1))
        np.savetxt(tmp_path / "T.csv", np.full((10, 10), 0.1), delimiter=",")
        lines = faults(
            ("noises", {"given": {"kind": "matrix", "path": str(tmp_path / "T.csv")}}),
            ("methods.3.transition", "true"),
        )
        assert any("condition number infinite (singular)" in line for line in lines)

    def test_the_rate_is_bounded_by_the_kind(self):
        load_grid(config(("noises.symmetric", {"kind": "uniform_redraw", "rates": [0.95]})))
        assert faults(("noises.symmetric", {"kind": "symmetric", "rates": [0.9]}))

    def test_a_noise_without_rates_refuses_them(self):
        assert "config: noises.labels.rates: labels noise has no rate; leave it out" in faults(
            ("noises", {"labels": {"kind": "labels", "rates": [0.1]}})
        )

    def test_a_rated_noise_asks_for_rates(self):
        assert faults(("noises.symmetric.rates-", None)) == [
            "config: noises.symmetric.rates is missing; symmetric noise needs at least one rate"
        ]

    def test_the_name_clean_is_taken(self):
        assert faults(("noises", {"clean": {"kind": "symmetric", "rates": [0.1]}}))[0].startswith(
            "config: noises.clean"
        )

    def test_a_teacher_must_be_in_the_grid(self):
        wrong = {"name": "label_smoothing", "alphas": [0.9]}
        (line,) = faults(("students.0.teachers", [wrong]))
        assert line.startswith(
            "config: students.0.teachers.0: label_smoothing-alpha=0.9 is not among the grid's methods"
        )

    def test_the_primary_contrast_must_be_in_the_grid(self):
        (line,) = faults(("primary", {"method": "label_smoothing", "alpha": 0.7}))
        assert line.startswith("config: primary: label_smoothing with alpha 0.7 is not among the grid's methods")

    def test_teacher_and_student_recipes_share_the_block_size(self):
        other = {**TINY["recipes"]["small"], "block_size": 3, "students_only": True}
        (line,) = faults(("recipes.other", other), ("students.0.recipe", "other"))
        assert line.startswith("config: students.0.recipe: other has block_size 3") and "small has 2" in line

    def test_some_recipe_trains_teachers(self):
        assert "at least one must train teachers" in faults(("recipes.small.students_only", True))[0]

    def test_a_student_without_labels_needs_beta_1(self):
        assert "needs beta 1" in faults(("students.0.labels", "none"))[0]
        load_grid(config(("students.0.labels", "none"), ("students.0.betas", 1)))

    def test_epochs_or_steps(self):
        assert "give either epochs or steps" in faults(("recipes.small.steps", 10))[0]
        assert "give either epochs or steps" in faults(("recipes.small.epochs", None))[0]

    def test_a_network_that_is_reported_must_be_kept(self):
        assert "checkpoint label_wave needs label_wave: true" in faults(("recipes.small.checkpoint", "label_wave"))[0]

    @pytest.mark.parametrize(
        "dataset",
        [
            {"kind": "arrays", "path": "nowhere.npz"},
            {"kind": "arrays", "path": "/"},
            {"kind": "folder", "path": "nowhere"},
        ],
    )
    def test_an_absent_file_is_named(self, dataset):
        (line,) = faults(("datasets", {"own": dataset}))
        assert line.startswith("config: datasets.own: ") and dataset["path"] in line

    def test_an_absent_file_of_a_noise_is_named(self):
        (line,) = faults(("noises", {"human": {"kind": "human", "path": "nowhere.pt", "column": "worse"}}))
        assert "nowhere.pt" in line

    @pytest.mark.parametrize(
        "inner", [3, {}, {"kind": "symetric"}, {"kind": "matched_twin", "of": {"kind": "symmetric"}}]
    )
    def test_a_noise_made_of_another_checks_that_one(self, inner):
        assert faults(("noises", {"twin": {"kind": "matched_twin", "of": inner, "rates": [0.1]}}))


class TestHostile:
    """What is refused before it can cost time or memory."""

    def test_deep_nesting(self):
        value: list = []
        for _ in range(10_000):
            value = [value]
        content = config()
        content["title"] = value
        with pytest.raises(UserError, match=f"nested more than {MAX_DEPTH} deep"):
            load_grid(content)

    def test_aliases_that_repeat_themselves(self):
        value = ["x"] * 10
        for _ in range(8):
            value = [value] * 10
        content = config()
        content["title"] = value
        with pytest.raises(UserError, match="more than 100000 values"):
            load_grid(content)

    def test_a_grid_that_no_machine_plans(self):
        alphas = [i / 10_000 for i in range(1, 9_000)]
        rates = [i / 1_000 for i in range(100)]
        lines = faults(("methods.1.alphas", alphas), ("noises.symmetric.rates", rates))
        assert lines == [f"config: 900200 teachers with 1 students each; at most {MAX_CELLS} cells"]

    @pytest.mark.parametrize("value", ["a\0b", "\ud800"])
    def test_text_that_no_file_can_hold(self, value):
        assert "holds a character that no file can hold" in faults(("title", value))[0]

    def test_keys_that_are_not_text(self):
        assert "key 1 is not a short printable text" in faults(("datasets", {1: {"kind": "digits"}}))[0]

    def test_dates(self):
        content = config()
        content["title"] = yaml.safe_load("2020-01-01")
        with pytest.raises(UserError, match=r"config: title: .*needs quotes"):
            load_grid(content)


class TestFiles:
    """What a config file may hold."""

    @pytest.mark.parametrize(
        "text, told",
        [
            ("- a\n- b\n", "must be a mapping with the keys name, title"),
            ("", "must be a mapping"),
            ("a: [", "not YAML"),
            ("a: b: c", "not YAML"),
            ("\tname: x", "not YAML"),
            ("a: !!python/object/apply:os.system [id]", "not YAML"),
            ("a: 2020-99-99", "not YAML"),
            ("? [a]\n: b", "not YAML"),
            ("--- a\n--- b", "not YAML"),
            ("a: *b", "not YAML"),
            ("name: x\nname: y\n", "line 2: key 'name' stands twice"),
            ("a:\n  b: 1\n  c: 2\n  b: 3\n", "line 4: key 'b' stands twice"),
            ("a: [{b: 1, b: 1}]", "line 1: key 'b' stands twice"),
            ("[" * 5000, "nested too deeply"),
        ],
    )
    def test_what_is_not_a_config_is_one_line(self, tmp_path, text, told):
        path = tmp_path / "config.yaml"
        path.write_text(text)
        with pytest.raises(UserError) as caught:
            read_config(path)
        assert told in str(caught.value) and str(path) in str(caught.value)
        assert len(str(caught.value).splitlines()) == 1

    def test_an_absent_file(self, tmp_path):
        with pytest.raises(UserError, match="No such file"):
            read_config(tmp_path / "absent.yaml")

    def test_bytes_that_are_not_text(self, tmp_path):
        path = tmp_path / "config.yaml"
        path.write_bytes(b"name: \xff\xfe")
        with pytest.raises(UserError, match="not YAML"):
            read_config(path)

    def test_merge_keys_repeat_no_key(self, tmp_path):
        path = tmp_path / "config.yaml"
        path.write_text("a: &a {x: 1, y: 1}\nc:\n  d:\n    b: &b {<<: *a, x: 2}\ne: {<<: *b, x: 3}\n")
        assert read_config(path)["e"] == {"x": 3, "y": 1}

    def test_json_with_tabs(self, tmp_path):
        path = tmp_path / "config.json"
        path.write_text('{\n\t"name": "x"\n}')
        assert read_config(path) == {"name": "x"}
        path.write_text('{"name": "x", "a": {"b": 1, "b": 2}}')
        with pytest.raises(UserError, match="key 'b' stands twice"):
            read_config(path)


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.name)
def test_a_shipped_config_stands_alone(path):
    content = read_config(str(path))
    definitions = [*content["datasets"].values(), *content["noises"].values()]
    if all(Path(d.get("path", ".")).exists() and Path(d.get("of", {}).get("path", ".")).exists() for d in definitions):
        grid = load_grid(content)
        assert grid.cells and grid.name == content["name"]


def test_defaults_are_filled():
    recipe = load_grid(config()).definitions.recipes[0].settings
    assert recipe.optimiser == {
        "name": "sgd",
        "learning_rate": 0.1,
        "momentum": 0.9,
        "nesterov": True,
        "weight_decay": 0.0,
    }
    assert recipe.augmentation == Augmentation(crop=0, flip=False)
    assert recipe.steps is None and recipe.checkpoint == "last"


def test_one_value_may_stand_for_a_list():
    one = config(("methods.1.alphas", 0.1), ("noises.symmetric.rates", 0.4), ("students.0.temperatures", 4))
    many = config(("methods.1.alphas", [0.1]), ("noises.symmetric.rates", [0.4]), ("students.0.temperatures", [4.0]))
    assert list(load_grid(one).cells) == list(load_grid(many).cells)


def test_every_registered_name_is_allowed_by_the_schema():
    from smearlab.cli.schema import schema_text

    assert all(
        f'"{name}"' in schema_text() for kind in ("noises", "methods", "networks") for name in registry.names(kind)
    )


def test_a_file_that_cannot_be_a_config_is_refused_at_once(tmp_path):
    pipe, huge = tmp_path / "pipe.yaml", tmp_path / "huge.yaml"
    os.mkfifo(pipe)
    huge.write_bytes(b"#" * (MAX_BYTES + 1))
    for path, said in ((pipe, "not a plain file"), (huge, "larger than 512 KiB"), ("/dev/zero", "not a plain file")):
        with pytest.raises(UserError, match=said):
            read_config(path)


@pytest.mark.parametrize("number", ["3_2", "1_0.5", "010", "0x10", "0b11", "1:30", "1:30.5", "-007", "+0_1"])
def test_a_number_that_yaml_reads_as_another_is_refused(tmp_path, number):
    path = tmp_path / "odd.yaml"
    path.write_text(f"name: odd\nmargin: {number}\n", encoding="utf-8")
    with pytest.raises(UserError, match=r"odd\.yaml, line 2: .*plain decimal digits"):
        read_config(path)


@pytest.mark.parametrize(
    "number", ["0", "-0", "10", "+3", "1_000", "12_345_678", "0.5", "00.5", "1.0e3", "-0.1", ".inf"]
)
def test_a_plain_number_is_read_as_it_stands(tmp_path, number):
    path = tmp_path / "plain.yaml"
    path.write_text(f"margin: {number}\n", encoding="utf-8")
    assert read_config(path)["margin"] == yaml.safe_load(number)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("title", "a\x1b[31mred"), "title: 'a\\x1b[31mred': holds a control character"),
        (("title", "bell\a"), "holds a control character"),
        (
            ("datasets", {"own": {"kind": "arrays", "path": "x" * 6000}}),
            "is longer than any path or title (4095 bytes)",
        ),
    ],
)
def test_text_that_a_terminal_or_a_disk_takes_ill_is_refused(change, said):
    (line,) = faults(change)
    assert said in line and "\x1b" not in line
