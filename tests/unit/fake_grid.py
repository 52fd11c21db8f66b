"""Tables of a grid that was never run, with known effects, in the form that collect and statistics write."""

import itertools
import zlib
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from smearlab.core import registry
from smearlab.figures._save import to_svg
from smearlab.metrics._teacher import memorisation_table
from smearlab.report.drawings import figure_names
from smearlab.statistics.interaction import interaction
from smearlab.statistics.mitigation import mitigation
from smearlab.statistics.own_treatment import own_treatment
from smearlab.statistics.passed_on import passed_on
from smearlab.statistics.pooled import pooled
from smearlab.statistics.rivals import rivals
from smearlab.statistics.robustness import robustness
from smearlab.statistics.selection import choose_on_validation
from smearlab.statistics.stopping import stopping
from smearlab.statistics.summary import summarise
from smearlab.statistics.variance import variance_split
from smearlab.store.tables import CELL, Tables, make_tables

SMOOTHINGS = (0.1, 0.2, 0.4, 0.6, 0.8)
EPOCHS = 30
THEORY = [
    {
        "name": "margin_losses",
        "claim": "Smoothing bounds the loss from below.",
        "source": "the paper, section 3",
        "measured": 2e-16,
        "tolerance": 1e-9,
        "holds": True,
        "detail": "Two classes.",
        "curves": {
            "losses": [
                {"loss": loss, "margin": float(z), "value": float(np.log1p(np.exp(-z)) + slope * z)}
                for loss, slope in (("plain", 0.0), ("smoothing", 0.1), ("backward", -0.1))
                for z in range(-6, 7)
            ]
        },
    },
    {
        "name": "linear_separator",
        "claim": "Noise on one class moves a separator; smoothing moves it back.",
        "source": "the paper",
        "measured": 0.5,
        "tolerance": 0.0,
        "holds": False,
        "detail": "Two Gaussians.",
        "curves": {
            "separators": [
                {"treatment": t, "strength": s, "offset_mean": 0.6 - 0.3 * s, "offset_std": 0.1}
                for t in ("smoothing", "l2", "l2_free_offset")
                for s in (0.0, 0.5)
            ],
            "example_points": [
                {"x": 0.1 * k, "y": 0.2 * (k % 5), "label": k % 2, "observed": int(k % 4 == 3)} for k in range(20)
            ],
            "example_lines": [
                {"treatment": t, "strength": s, "w_x": 1.0, "w_y": 1.0, "w_0": -0.5 + s}
                for t in ("smoothing", "l2")
                for s in (0.0, 0.5)
            ],
        },
    },
]


def teacher(method: str, alpha: float | None = None, transition: str | None = None) -> dict[str, Any]:
    """The method columns of a teacher cell."""
    return {"role": "teacher", "method": method, "alpha": alpha, "transition": transition}


def student(
    teacher_method: str, tau: float, alpha: float | None = None, transition: str | None = None
) -> dict[str, Any]:
    """The method columns of a student cell with plain student training."""
    return {
        "role": "student",
        "method": "cross_entropy",
        "teacher_method": teacher_method,
        "teacher_alpha": alpha,
        "teacher_transition": transition,
        "teacher_recipe": "small",
        "temperature": tau,
        "beta": 0.5,
        "student_labels": "noisy",
        "view": "fixed",
    }


DIGITS_CELLS = [
    teacher("cross_entropy"),
    *(teacher("label_smoothing", alpha) for alpha in SMOOTHINGS),
    teacher("forward", transition="matched"),
    teacher("backward", transition="matched"),
    *(
        student(*arguments)
        for tau in (1.0, 4.0)
        for arguments in (("cross_entropy", tau), ("label_smoothing", tau, 0.1), ("forward", tau, None, "matched"))
    ),
]


def effect(cell: dict[str, Any], rate: float) -> float:
    """The true gain of a cell over cross-entropy, as a share."""
    prefix = "teacher_" if cell["role"] == "student" else ""
    method, alpha = cell[f"{prefix}method"], cell.get(f"{prefix}alpha") or 0.0
    if method == "label_smoothing":
        gain = rate * 0.35 * alpha * (1.6 - alpha) - 0.01 * alpha
    else:
        gain = {"forward": 0.16, "backward": 0.07}.get(method, 0.0) * rate
    return gain if cell["role"] == "teacher" else 0.3 * gain + 0.04 * rate


def replicate(cell: dict[str, Any], rate: float, seed: int, clean: bool) -> dict[str, Any]:
    """One network's numbers: the same seed shares its luck over all cells, which is what pairing uses."""
    luck = np.random.default_rng([7, seed, round(rate * 100)]).normal(0, 0.008)
    own = np.random.default_rng([8, seed, round(rate * 100), zlib.crc32(str(sorted(cell.items(), key=str)).encode())])
    gain = effect(cell, rate)
    accuracy = float(np.clip(0.975 - 0.28 * rate + gain + luck + own.normal(0, 0.003), 0, 1))
    memorised = float(np.clip(0.62 - 3.2 * gain + own.normal(0, 0.02), 0.02, 1)) if rate else None
    numbers = {
        "test_accuracy": accuracy,
        "test_accuracy_last": accuracy,
        "test_accuracy_selected": accuracy + abs(own.normal(0, 0.002)),
        "test_accuracy_label_wave": accuracy,
        "validation_accuracy_noisy": accuracy * (1 - rate) + own.normal(0, 0.004),
        "best_on_test_accuracy": accuracy + 0.01 * rate + abs(own.normal(0, 0.004)),
        "test_nll": 0.1 + rate,
        "test_brier": 0.05 + 0.3 * rate,
        "test_ece": 0.02 + 0.2 * rate - 0.3 * gain,
        "memorised": memorised,
        "recovered": None if memorised is None else (1 - memorised) * 0.85,
        **_inside(memorised, own),
        **(_taken_over(memorised, own) if cell["role"] == "student" else {}),
    }
    if not clean:
        numbers = dict.fromkeys(numbers) | {"validation_accuracy_noisy": numbers["validation_accuracy_noisy"]}
    return numbers | {
        "test_accuracy_noisy": accuracy * (1 - rate),
        "train_accuracy_noisy": 0.99 - 0.3 * rate,
        "epochs": EPOCHS,
        "status": "finished",
        "reason": None,
        "realised_noise_rate": rate + 0.002 * (seed - 2) if rate else 0.0,
    }


def _inside(memorised: float | None, rng: np.random.Generator) -> dict[str, float | None]:
    """Sizes inside a network: larger where it memorises more."""
    size = 1 + (memorised or 0) + rng.normal(0, 0.01)
    return {
        "train_accuracy_right_part": 0.98,
        "train_accuracy_wrong_part": memorised,
        "train_accuracy_clean": 0.9,
        "margin_right_part": 5 * size,
        "margin_wrong_part": None if memorised is None else 6 * (memorised - 0.4),
        "logit_norm": 8 * size,
        "logit_spread": 2 * size,
        "omega": 25 * size,
        "weight_norm": 12 * size,
        "head_weight_norm": 3 * size,
        "feature_tightness": 0.3 * size,
        "test_confidence": 0.8,
        "train_right_confidence": 0.9,
        "train_wrong_confidence": None if memorised is None else 0.5 + 0.4 * memorised,
        "test_ece_scaled": 0.02,
        "fitted_temperature": 1.3,
        "test_nll_scaled": 0.1,
    }


def _taken_over(memorised: float | None, rng: np.random.Generator) -> dict[str, float | None]:
    """A student and a teacher that memorise the same share of 1,000 wrong labels, most of them the same ones."""
    if memorised is None:
        return {"student_teacher_agreement": 0.97, **memorisation_table(np.zeros(0, bool), np.zeros(0, bool))}
    taught = rng.uniform(size=1000) < memorised
    own = np.where(rng.uniform(size=1000) < 0.8, taught, rng.uniform(size=1000) < memorised)
    return {"student_teacher_agreement": 0.9, **memorisation_table(own, taught)}


def cell_path(cell: dict[str, Any]) -> str:
    """A computation's folder: one text per cell."""
    return "teachers/" + "/".join(str(value) for value in cell.values() if value is not None)


def fake_tables(
    *,
    cells: list[dict[str, Any]] | None = None,
    datasets: tuple[str, ...] = ("digits",),
    noises: tuple[str, ...] = ("symmetric",),
    rates: tuple[float, ...] = (0.0, 0.2, 0.4),
    seeds: int = 5,
    clean: bool = True,
    keep: Any = lambda cell: True,
    diverged: Any = lambda cell: False,
    class_names: list[str] | None = None,
    details: bool = True,
) -> Tables:
    """Tables of a whole grid.

    keep: which cells are computed; diverged: which cells diverge in every replicate; details: with history and curves.
    """
    grid = [
        {"dataset": d, "noise": noise, "noise_rate": rate, "recipe": "small", "arch": "cnn"} | _blank() | cell
        for d, noise, rate, cell in itertools.product(datasets, noises, rates, cells or DIGITS_CELLS)
    ]
    rows, histories, curves = [], [], []
    for cell in filter(keep, grid):
        for seed in range(seeds):
            keys = {**cell, "noise_seed": seed if cell["noise_rate"] else 0, "seed": seed}
            numbers = replicate(cell, cell["noise_rate"], seed, clean)
            if diverged(cell):
                numbers = dict.fromkeys(numbers) | {"status": "diverged", "reason": "the loss is not finite in epoch 3"}
            rows.append(keys | numbers | {"device": "cpu", "precision": "fp32", "cell": cell_path(cell)})
            if details and not diverged(cell):
                run = {"cell": cell_path(cell), "noise_seed": keys["noise_seed"], "seed": seed}
                histories += _history(run, numbers)
                curves += _curves(run, numbers, cell["noise_rate"]) if clean else []
    metrics = pd.DataFrame(rows, columns=None if rows else [*CELL, "cell", "status", "noise_seed", "seed"])
    cells_named = pd.DataFrame([{**cell, "cell": cell_path(cell)} for cell in grid])
    primary = {"method": "label_smoothing", "alpha": 0.1}
    summary = summarise(metrics, primary=primary, margin=0.5, cells=cells_named)
    return make_tables(
        metrics=metrics,
        summary=summary,
        variance=variance_split(metrics),
        interaction=interaction(metrics),
        choice=choose_on_validation(metrics),
        passed_on=passed_on(metrics),
        stopping=stopping(metrics, margin=0.5),
        mitigation=mitigation(metrics, summary),
        rivals=rivals(metrics, summary, margin=0.5),
        robustness=robustness(metrics, primary=primary, margin=0.5, chance={}),
        own_treatment=own_treatment(metrics, margin=0.5),
        pooled=pooled(metrics, margin=0.5),
        history=pd.DataFrame(histories),
        curves=pd.DataFrame(curves),
        context=fake_context(datasets, noises, rates, grid, keep, class_names),
    )


def fake_context(
    datasets: tuple[str, ...],
    noises: tuple[str, ...],
    rates: tuple[float, ...],
    grid: list[dict[str, Any]],
    keep: Any,
    class_names: list[str] | None,
) -> dict[str, Any]:
    """What the collect step writes beside the tables."""
    names = class_names or [str(k) for k in range(10)]
    config = {
        "name": "digits",
        "title": None,
        "datasets": {d: {"kind": "digits", "validation": 0.1, "test": 0.25, "split_seed": 0} for d in datasets},
        "noises": {n: {"kind": n, "rates": list(rates)} for n in noises},
        "recipes": {
            "small": {
                "architecture": {"name": "cnn", "width": 16},
                "epochs": EPOCHS,
                "batch_size": 64,
                "optimiser": {"name": "sgd", "learning_rate": 0.05, "momentum": 0.9, "weight_decay": 0.0},
                "augmentation": {"crop": 0, "flip": False},
                "precision": "fp32",
                "checkpoint": "last",
                "snapshots": 10,
            }
        },
        "methods": [{"name": "cross_entropy"}, {"name": "label_smoothing", "alphas": list(SMOOTHINGS)}],
        "replicates": {"design": "paired", "blocks": 1},
        "primary": {"method": "label_smoothing", "alpha": 0.1, "transition": None},
        "margin": 0.5,
        "keep": "weights",
    }
    missing = [{**cell, "why": "not computed yet"} for cell in grid if not keep(cell)]
    part = {"n_train": 1212, "n_validation": 135, "n_test": 450, "n_classes": len(names)}
    return {
        "name": "digits",
        "title": None,
        "config": config,
        "datasets": {d: part | {"class_names": names, "notes": [], "shape": [8, 8, 1]} for d in datasets},
        "noises": [
            {"dataset": d, "noise": n, "rate": r, "realised": r * 1.003}
            for d in datasets
            for n in noises
            for r in rates
        ],
        "environment": {"python": "3.11.7", "torch": "2.9.1", "numpy": "2.4.0", "processor": "x86_64, 2 cores"},
        "code_version": "0.1.0 (1f2e3d4)",
        "missing": missing,
        "accepted": 0,
        "theory": THEORY,
        "made": None,
    }


def _blank() -> dict[str, Any]:
    texts = ("transition", "options", "teacher_method", "teacher_transition", "teacher_options", "teacher_recipe")
    numbers = ("alpha", "teacher_alpha", "temperature", "student_temperature", "beta", "student_labels", "view")
    return dict.fromkeys([*texts, *numbers])


def _history(keys: dict[str, Any], numbers: dict[str, Any]) -> list[dict[str, Any]]:
    rows = []
    for epoch in range(1, EPOCHS + 1):
        grown = 1 - np.exp(-epoch / 8)
        late = max(0.0, epoch / EPOCHS - 0.3)
        row = {"epoch": epoch, "loss": 2.3 * np.exp(-epoch / 9), "train_accuracy_noisy": 0.9 * grown}
        accuracy = numbers["test_accuracy_noisy"] * grown - 0.05 * late * (numbers["memorised"] or 0)
        row |= {"validation_accuracy_noisy": accuracy, "validation_accuracy_clean": None, "memorised": None}
        if numbers["test_accuracy"] is not None:
            row["validation_accuracy_clean"] = numbers["test_accuracy"] * grown - 0.1 * late
        if numbers["memorised"] is not None:
            row |= {"memorised": numbers["memorised"] * grown**2, "recovered": numbers["recovered"] * grown}
        rows.append(keys | row)
    return rows


def _curves(keys: dict[str, Any], numbers: dict[str, Any], rate: float) -> list[dict[str, Any]]:
    centres = (np.arange(15) + 0.5) / 15
    gap = numbers["test_ece"]
    points = [
        {"bin": k, "confidence": c, "accuracy": float(np.clip(c - gap * 1.5 * c, 0, 1)), "count": int(5 + 8 * k)}
        for k, c in enumerate(centres)
    ]
    edges = np.sinh(np.linspace(-4.5, 4.5, 61))
    wrong_peak = 6 * ((numbers["memorised"] or 0) - 0.4)
    densities = [
        {
            "low": low,
            "high": high,
            "right": float(stats.norm.pdf((low + high) / 2, 7, 3)),
            "wrong": float(stats.norm.pdf((low + high) / 2, wrong_peak, 3)) if rate else None,
        }
        for low, high in itertools.pairwise(edges)
    ]
    tops = [
        {
            "low": k / 20,
            "high": (k + 1) / 20,
            **{group: float(k / 9.5) for group in ("test", "train_right")},
            "train_wrong": 1.0 if rate else None,
        }
        for k in range(20)
    ]
    places = [{"class": k % 3, "x": float(k % 3), "y": float(k % 3 == 2) + 0.01 * k} for k in range(30)]
    scaled = [point | {"accuracy": point["confidence"]} for point in points]
    drawn = (
        *(("reliability", points), ("reliability_scaled", scaled), ("margins", densities)),
        *((("confidence", tops), ("projection", places)) if keys["seed"] == 0 else ()),  # one is enough to draw
    )
    return [
        keys | {"curve": name, "point": i, "quantity": quantity, "value": value}
        for name, values in drawn
        for i, point in enumerate(values)
        for quantity, value in point.items()
    ]


def draw_figures(tables: Tables) -> list[dict[str, str]]:
    """Draw every registered figure that has something to show, in their order."""
    drawn = [(name, registry.load("figures", name).draw(tables)) for name in figure_names()]
    return [
        {"name": name, "svg": to_svg(d), "title": d.title, "caption": d.caption, "alt": d.alt}
        for name, d in drawn
        if d is not None
    ]
