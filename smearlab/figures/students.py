"""Students beside their teachers: does what the teacher gained survive distillation?"""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from smearlab.figures import _cells as cells
from smearlab.figures import _format as text
from smearlab.figures import _style as look
from smearlab.figures._drawing import Drawing
from smearlab.figures._hover import say
from smearlab.store.tables import Tables

ORDER = 40
MOST_PANELS = 6
MOST_TEACHERS = 16
MARKERS = "oD^vsPXph*"


def draw(tables: Tables) -> Drawing | None:
    """Draw teacher and student accuracies per teacher method; None while no student is evaluated."""
    shown, total = cells.select(tables, "student", most=MOST_PANELS)
    shown = [panel for panel in shown if panel.summary["mean"].notna().any()]
    if not shown:
        return None
    rows = pd.concat([panel.summary for panel in shown])
    teachers = cells.thin(_teacher_names(rows), MOST_TEACHERS)
    kinds = list(dict.fromkeys(rows.apply(text.student_label, axis=1)))
    columns = min(3, len(shown))
    with look.style():
        height = 0.85 + len(teachers) * max(0.34, 0.13 * (1 + len(kinds)))
        figure, grid = look.panels(-(-len(shown) // columns), columns, height=height, key=_handles(kinds), sharey=True)
        axes = [ax for line in grid for ax in line]
        for ax, panel in zip(axes, shown, strict=False):
            _panel(ax, panel, teachers, kinds, tables)
        for ax in axes[len(shown) :]:
            ax.remove()
    return Drawing(figure, "Students and their teachers", _caption(shown, total, tables), _alt(shown))


def _teacher_names(rows: pd.DataFrame) -> list[str]:
    return list(dict.fromkeys(rows.apply(text.method_label, axis=1, prefix="teacher_")))


def _panel(ax: Axes, panel: cells.Panel, teachers: list[str], kinds: list[str], tables: Tables) -> None:
    colours, _ = look.method_style(cells.methods(tables))
    rows = panel.summary[panel.summary["mean"].notna()]
    names = rows.apply(text.method_label, axis=1, prefix="teacher_") if len(rows) else pd.Series([], dtype=str)
    for place, name in enumerate(teachers):
        students = rows[names == name]
        if not len(students):
            continue
        colour = colours[students["teacher_method"].iloc[0]]
        teacher = _teacher_of(students.iloc[0], panel, tables)
        if len(teacher):
            _mean(ax, teacher.iloc[0], place - 0.25, "|", colour, size=11)
        for _, row in students.iterrows():
            kind = kinds.index(text.student_label(row))
            lift = -0.25 + 0.55 * (kind + 1) / len(kinds)
            _mean(ax, row, place + lift, MARKERS[kind % len(MARKERS)], colour)
    ax.set_yticks(range(len(teachers)), [look.safe(name) for name in teachers])
    ax.set_ylim(len(teachers) - 0.4, -0.6)
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    ax.grid(axis="y", visible=False)
    ax.set_title(panel.title)
    ax.set_xlabel(f"{cells.accuracy_name(tables)}, %")


def _mean(ax: Axes, row: pd.Series, at: float, marker: str, colour: str, size: float = 4.5) -> None:
    mean, sd = 100 * row["mean"], 100 * row["std"]
    if not np.isnan(sd):
        ax.plot([mean - sd, mean + sd], [at, at], color=colour, linewidth=1.2, alpha=0.6)
    ax.plot(mean, at, marker, color=colour, markersize=size, markeredgewidth=2 if marker == "|" else 1)
    say(ax, mean, at, cells.mean_said(row))


def _teacher_of(student: pd.Series, panel: cells.Panel, tables: Tables) -> pd.DataFrame:
    """The teacher's row of the summary (empty if it is not there)."""
    rows = tables.summary[tables.summary["role"] == "teacher"]
    dataset, noise, recipe = panel.condition
    recipe = student["teacher_recipe"] or recipe
    rows = cells.at_rate(cells.within(rows, (dataset, noise, recipe)), panel.rate)
    for column in ("method", "transition", "options"):
        rows = rows[rows[column] == student[f"teacher_{column}"]]
    alpha = student["teacher_alpha"]
    rows = rows[rows["alpha"].isna() if np.isnan(alpha) else rows["alpha"] == alpha]
    return rows[rows["mean"].notna()]


def _handles(kinds: list[str]) -> list[Line2D]:
    ink = look.colour("muted")
    drawn = [Line2D([], [], color=ink, marker="|", markersize=11, markeredgewidth=2, linestyle="", label="teacher")]
    for i, kind in enumerate(kinds[: len(MARKERS)]):
        label = look.safe(f"student, {kind}")
        drawn.append(Line2D([], [], color=ink, marker=MARKERS[i], markersize=4.5, linestyle="", label=label))
    return drawn


def _caption(shown: list[cells.Panel], total: int, tables: Tables) -> str:
    rows = pd.concat([panel.summary for panel in shown])
    return (
        f"Down: the teacher's method. Across: {cells.accuracy_name(tables)}, in percent, mean ± one standard deviation "
        f"({cells.n_range(rows['n_finished'])}); the upright bar is the teacher, the markers below it its students."
        + _against_teachers(shown, tables)
        + cells.left_out(len(shown), total)
    )


def _against_teachers(shown: list[cells.Panel], tables: Tables) -> str:
    """How many student means lie above their teacher's mean."""
    pairs = [
        (row["mean"], teacher["mean"].iloc[0])
        for panel in shown
        for _, row in panel.summary[panel.summary["mean"].notna()].iterrows()
        if len(teacher := _teacher_of(row, panel, tables))
    ]
    if not pairs:
        return ""
    above = sum(student > teacher for student, teacher in pairs)
    return f" In {above} of {len(pairs)} pairs of means the student lies above its teacher (not tested)."


def _alt(shown: list[cells.Panel]) -> str:
    parts = []
    for panel in shown:
        rows = panel.summary[panel.summary["mean"].notna()].head(15)
        values = [
            f"student of {text.method_label(r, 'teacher_')}, {text.student_label(r)}: {text.percent(r['mean'])}"
            for _, r in rows.iterrows()
        ]
        parts.append(f"{panel.title}: {'; '.join(values)}")
    return "Accuracy of students beside their teachers. " + ". ".join(parts) + "."
