"""A config is expanded once: equal computations are one cell, with the same path for ever."""

import itertools
import json
import random
import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from configs import TINY, config
from smearlab.grid.cells import Cell, Grid, Replicate, load_grid, rate_folder
from smearlab.grid.jobs import training_job

SAFE = re.compile(r"[A-Za-z0-9_.=+-]{1,200}")


def teachers(grid: Grid, rate: float | None = None) -> dict[tuple[str, float | None, str | None], str]:
    """Return (method, alpha, transition) -> path of the computation, of the teachers under a noise rate."""
    return {
        (row.naming.method.name, row.naming.method.alpha, row.naming.method.transition): row.cell.key
        for row in grid.rows
        if row.cell.role == "teacher" and row.cell.labels.rate == rate
    }


class TestEqualComputations:
    """What is the same computation is one cell, shown under each of its names."""

    @pytest.mark.parametrize(
        "method",
        [
            {"name": "label_smoothing", "alphas": [0]},
            {"name": "label_smoothing", "alphas": [-0.0]},
            {"name": "forward", "transition": "alpha", "alphas": [0]},
            {"name": "backward", "transition": "alpha", "alphas": [0], "clip": None},
            {"name": "cross_entropy", "warm_up": 0.5},
        ],
    )
    @pytest.mark.parametrize("rate", [0, 0.4])
    def test_alpha_0_is_cross_entropy_at_every_rate(self, method, rate):
        grid = load_grid(config(("methods", ["cross_entropy", method]), ("noises.symmetric.rates", [rate])))
        assert len(set(teachers(grid, rate).values())) == 1
        assert len([row for row in grid.rows if row.cell.role == "teacher"]) == 2

    @pytest.mark.parametrize("method", [{"name": "forward"}, {"name": "backward", "clip": None}])
    @pytest.mark.parametrize("transition", ["true", "matched", "perturbed(0)"])
    def test_a_correction_without_noise_is_cross_entropy(self, method, transition):
        grid = load_grid(config(("methods", ["cross_entropy", {**method, "transition": transition}])))
        assert len(set(teachers(grid, 0).values())) == 1
        assert len(set(teachers(grid, 0.4).values())) == 2

    def test_a_clipped_correction_without_noise_is_a_computation_of_its_own(self):
        backward = {"name": "backward", "transition": "true", "clip": [1e-7, None]}
        grid = load_grid(config(("methods", ["cross_entropy", backward])))
        assert len({row.cell.key for row in grid.rows if row.cell.labels.rate == 0 and row.cell.role == "teacher"}) == 2
        assert len({row.cell.key for row in grid.rows if row.cell.labels.rate and row.cell.role == "teacher"}) == 3

    @pytest.mark.parametrize("kind", ["symmetric", "uniform_redraw"])
    def test_matched_is_true_for_a_symmetric_noise(self, kind):
        noises = {"noise": {"kind": kind, "rates": [0.3]}}
        forward = {"name": "forward", "transition": ["true", "matched"]}
        assert len(set(teachers(load_grid(config(("noises", noises), ("methods.2", forward))), 0.3).values())) == 5

    def test_matched_is_not_true_for_another_noise(self):
        noises = {"noise": {"kind": "pair_flip", "rates": [0.3]}}
        forward = {"name": "forward", "transition": ["true", "matched"]}
        assert len(set(teachers(load_grid(config(("noises", noises), ("methods.2", forward))), 0.3).values())) == 6

    def test_a_student_of_beta_1_sees_no_labels(self):
        changes = [
            ("noises.symmetric.rates", [0.4]),
            ("students.0.betas", [1]),
            ("students.0.labels", ["noisy", "clean", "none"]),
            ("students.0.methods", ["cross_entropy", {"name": "label_smoothing", "alphas": [0.1]}]),
        ]
        students = [row for row in load_grid(config(*changes)).rows if row.cell.role == "student"]
        assert len(students) == 6 and len({row.cell.key for row in students}) == 1

    def test_clean_and_noisy_labels_are_the_same_without_noise(self):
        grid = load_grid(config(("students.0.labels", ["noisy", "clean"])))
        students = {(r.cell.labels.rate, r.naming.student_labels): r.cell.key for r in grid.rows if r.cell.teacher}
        assert students[0, "noisy"] == students[0, "clean"]
        assert students[0.4, "noisy"] != students[0.4, "clean"]

    def test_rate_0_is_one_computation_for_every_noise(self):
        noises = {"a": {"kind": "symmetric", "rates": [0]}, "b": {"kind": "pair_flip", "rates": [0]}}
        grid = load_grid(config(("noises", noises), ("methods", ["cross_entropy"]), ("students", [])))
        assert [row.naming.noise.name for row in grid.rows] == ["a", "b"] and len(grid.cells) == 1

    @pytest.mark.parametrize("key", ["datasets", "noises", "recipes"])
    def test_two_names_for_one_definition(self, key):
        definition = next(iter(TINY[key].values()))
        grid = load_grid(config((f"{key}.again", definition)))
        alone = load_grid(config())
        assert list(grid.cells) == list(alone.cells) and len(grid.rows) == 2 * len(alone.rows)

    def test_a_default_written_out_is_the_same_definition(self):
        written = config(
            ("recipes.small.checkpoint", "last"),
            ("recipes.small.augmentation", {}),
            ("recipes.small.optimiser", {"momentum": 0.9}),
            ("datasets.digits.split_seed", 0),
            ("students.0.labels", ["noisy"]),
            ("students.0.views", "fixed"),
            ("students.0.student_temperature", 4),
        )
        assert list(load_grid(written).cells) == list(load_grid(config()).cells)

    def test_groups_of_students_may_overlap(self):
        wider = {**TINY["students"][0], "betas": [0.5, 0.9]}
        grid = load_grid(config(("students", [TINY["students"][0], wider])))
        assert set(grid.cells) == set(load_grid(config(("students", [wider]))).cells)
        assert len(grid.rows) == len(set(grid.rows))

    def test_a_place_in_the_file_system_is_no_part_of_a_definition(self, tmp_path):
        arrays = {"images": np.arange(40 * 16, dtype=np.uint8).reshape(40, 4, 4), "labels": np.arange(40) % 2}
        keys = []
        for name in ("a.npz", "b.npz"):
            np.savez(tmp_path / name, **arrays)
            own = {"kind": "arrays", "path": str(tmp_path / name)}
            keys.append(list(load_grid(config(("datasets", {"own": own}))).cells))
        np.savez(tmp_path / "b.npz", **{**arrays, "labels": 1 - arrays["labels"]})
        changed = list(load_grid(config(("datasets", {"own": own}))).cells)
        assert keys[0] == keys[1] and not set(keys[0]) & set(changed)

    def test_equal_cells_have_equal_jobs(self):
        """Grids that share results must agree on what a cell is, to the last value."""
        one, other = load_grid(config()), load_grid(config(("name", "other"), ("methods.1.alphas", [0.4, 0.7])))
        for key in one.cells.keys() & other.cells.keys():
            assert training_job(one.cells[key], "paired-0") == training_job(other.cells[key], "paired-0")


@pytest.mark.parametrize(
    "path, value",
    [
        ("datasets.digits.subset", 201),
        ("datasets.digits.split_seed", 1),
        ("noises.symmetric.rates", [0.1, 0.3]),
        ("recipes.small.epochs", 3),
        ("recipes.small.batch_size", 31),
        ("recipes.small.architecture.width", 9),
        ("recipes.small.optimiser", {"learning_rate": 0.2}),
        ("recipes.small.optimiser", {"momentum": 0.8}),
        ("recipes.small.schedule", {"warmup": 0.1}),
        ("recipes.small.augmentation", {"crop": 1}),
        ("recipes.small.precision", "bf16"),
        ("recipes.small.threads", 2),
        ("recipes.small.block_size", 3),
        ("recipes.small.checkpoint", "selected"),
        ("recipes.small.label_wave", True),
        ("recipes.small.mixup", 0.2),
        ("recipes.small.sam_radius", 0.05),
        ("recipes.small.snapshots", 3),
        ("recipes.small.loss_scale", 3.0),
        ("recipes.small.clip_norm", 1.0),
    ],
)
def test_different_definitions_never_share_a_path(path, value):
    assert not set(load_grid(config()).folders()) & set(load_grid(config((path, value))).folders())


class TestReplicates:
    """Block k always holds the same replicates, in every grid."""

    @staticmethod
    def cell(size: int = 3, rate: float = 0.4, design: str = "paired") -> tuple[Cell, list[str]]:
        grid = load_grid(
            config(
                ("recipes.small.block_size", size),
                ("noises.symmetric.rates", [rate]),
                ("replicates", {"design": design, "blocks": 2}),
            )
        )
        cell = next(iter(grid.cells.values()))
        return cell, grid.blocks(cell)

    def test_paired(self):
        cell, blocks = self.cell()
        assert blocks == ["paired-0", "paired-1"]
        assert [cell.replicates(block) for block in blocks] == [
            [Replicate(0, 0), Replicate(1, 1), Replicate(2, 2)],
            [Replicate(3, 3), Replicate(4, 4), Replicate(5, 5)],
        ]

    def test_crossed_has_one_noise_seed_a_block(self):
        cell, blocks = self.cell(design="crossed")
        assert blocks == ["crossed-0", "crossed-1"]
        assert cell.replicates("crossed-1") == [Replicate(1, 0), Replicate(1, 1), Replicate(1, 2)]

    @pytest.mark.parametrize("design", ["paired", "crossed"])
    def test_without_noise_to_draw_every_replicate_is_another_computation(self, design):
        cell, blocks = self.cell(rate=0, design=design)
        found = [replicate for block in blocks for replicate in cell.replicates(block)]
        assert blocks == ["paired-0", "paired-1"]
        assert found == [Replicate(0, seed) for seed in range(6)]

    def test_labels_that_come_with_the_data_are_not_drawn(self):
        grid = load_grid(config(("noises", {"theirs": {"kind": "labels"}}), ("methods", ["cross_entropy"])))
        cell = next(iter(grid.cells.values()))
        assert cell.labels.rate is None and rate_folder(None) in cell.key
        assert {replicate.noise_seed for replicate in cell.replicates("paired-0")} == {0}

    @given(size=st.integers(1, 7), asked=st.integers(1, 5), design=st.sampled_from(["paired", "crossed"]))
    @settings(max_examples=30, deadline=None)
    def test_blocks_are_disjoint_and_a_larger_grid_keeps_them(self, size, asked, design):
        def blocks(count: int) -> list[list[Replicate]]:
            replicates = {"design": design, "blocks": count}
            content = config(("recipes.small.block_size", size), ("replicates", replicates))
            grid = load_grid(content)
            cell = list(grid.cells.values())[-1]
            return [cell.replicates(block) for block in grid.blocks(cell)]

        found = [replicate for block in blocks(asked) for replicate in block]
        assert len(found) == len(set(found)) == size * asked
        assert blocks(asked + 1)[:asked] == blocks(asked)


class TestPaths:
    """Paths are safe, stable and tell computations apart."""

    def test_known_paths(self):
        """Results lie under these names; a change here loses them all."""
        assert list(load_grid(config(("students", []))).cells)[-1] == (
            "teachers/digits-e8f7ab45/symmetric-740fc364/rate=0.4/small-f92d1352/backward-transition=true"
        )

    def test_every_component_is_safe(self):
        changes = [
            ("methods.2.transition", ["true", "estimated(anchor)", "perturbed(0.1)"]),
            ("methods.1.alphas", [0.1, 1 / 3, -1e-9, -1e300]),
            ("noises.symmetric.rates", [0, 1e-9, 1 / 3]),
        ]
        parts = {part for folder in load_grid(config(*changes)).folders() for part in folder.split("/")}
        assert all(SAFE.fullmatch(part) for part in parts)

    def test_close_numbers_are_told_apart(self):
        alphas = [0.1, float(np.nextafter(0.1, 1))]
        grid = load_grid(config(("methods", [{"name": "label_smoothing", "alphas": alphas}]), ("students", [])))
        assert len(grid.cells) == 4

    @given(seed=st.integers(0, 2**32))
    @settings(max_examples=30, deadline=None)
    def test_the_order_of_keys_does_not_matter(self, seed):
        shuffled = _shuffled(config(("primary", {"method": "label_smoothing", "alpha": 0.1})), random.Random(seed))
        assert set(load_grid(shuffled).folders()) == set(load_grid(config()).folders())

    def test_integers_and_floats_are_the_same_numbers(self):
        text = json.dumps(config(("noises.symmetric.rates", [0.0, 0.4]), ("students.0.temperatures", [4.0])))
        assert list(load_grid(json.loads(text)).cells) == list(load_grid(config()).cells)


def _shuffled(value: Any, rng: random.Random) -> Any:
    if isinstance(value, dict):
        keys = list(value)
        rng.shuffle(keys)
        return {key: _shuffled(value[key], rng) for key in keys}
    return [_shuffled(item, rng) for item in value] if isinstance(value, list) else value


class TestOrder:
    """Rows come in the order of the config."""

    def test_rows_follow_the_config(self):
        grid = load_grid(config())
        named = [
            (row.cell.role, row.cell.labels.rate, row.naming.method.name, row.naming.method.alpha) for row in grid.rows
        ]
        methods = [("cross_entropy", None), ("label_smoothing", 0.1), ("label_smoothing", 0.4), ("forward", None)]
        methods.append(("backward", None))
        expected = [("teacher", rate, *method) for rate, method in itertools.product([0.0, 0.4], methods)]
        assert named == [*expected, *(("student", rate, "cross_entropy", None) for rate in (0.0, 0.4))]

    def test_adding_a_value_moves_no_other_row(self):
        rows = [row.columns for row in load_grid(config()).rows]
        wider = [row.columns for row in load_grid(config(("methods.1.alphas", [0.1, 0.2, 0.4]))).rows]
        assert [row for row in wider if row["alpha"] != 0.2] == rows

    def test_teachers_come_before_their_students(self):
        seen = set()
        for cell in load_grid(config()).cells.values():
            assert cell.teacher is None or cell.teacher.key in seen
            seen.add(cell.key)


def test_growing_a_grid_keeps_every_cell():
    smaller = set(load_grid(config()).folders())
    for change in (
        ("methods.1.alphas", [0.1, 0.2, 0.4]),
        ("noises.symmetric.rates", [0, 0.2, 0.4]),
        ("noises.pairs", {"kind": "pair_flip", "rates": [0.2]}),
        ("datasets.fewer", {"kind": "digits", "subset": 100}),
        ("recipes.longer", {**TINY["recipes"]["small"], "epochs": 3}),
        ("replicates.blocks", 2),
        ("students.0.temperatures", [1, 4]),
        ("students.0.teachers", ["cross_entropy", "forward"]),
    ):
        assert smaller < set(load_grid(config(change)).folders())


def test_the_view_follows_the_augmentation():
    still = next(c for c in load_grid(config()).cells.values() if c.teacher)
    moving = next(
        c for c in load_grid(config(("recipes.small.augmentation", {"flip": True}))).cells.values() if c.teacher
    )
    assert (still.view, moving.view) == ("fixed", "same")


def test_students_of_another_recipe_keep_their_teachers():
    other = {**TINY["recipes"]["small"], "epochs": 5, "students_only": True}
    grid = load_grid(config(("recipes.other", other), ("students.0.recipe", "other")))
    students = [row for row in grid.rows if row.cell.role == "student"]
    assert {row.columns["recipe"] for row in students} == {"other"}
    assert {row.columns["teacher_recipe"] for row in students} == {"small"}
    assert set(grid.cells) - set(load_grid(config()).cells) == {row.cell.key for row in students}
