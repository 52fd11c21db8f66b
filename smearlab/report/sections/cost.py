"""What the grid cost: time per stage, and how fast networks trained."""

from typing import Any

import pandas as pd

from smearlab.figures import _format as text
from smearlab.report.fields import number_of
from smearlab.report.table import Field, Table, table, wide_table
from smearlab.store.tables import Tables

TRAINING = ["recipe", "role", "device", "precision"]


def cost(tables: Tables) -> Table | None:
    """Return jobs and time per stage, as the jobs' own records have them."""
    stages = tables.context.get("cost", [])
    if not stages:
        return None
    jobs, seconds = sum(stage["jobs"] for stage in stages), sum(number_of(stage["seconds"]) for stage in stages)
    return table("Time", [*(_stage_row(stage) for stage in stages), _time_row("all", str(jobs), seconds)])


def _stage_row(stage: dict[str, Any]) -> dict[str, Field]:
    jobs = f"{stage['jobs']} of {stage['of']}" if "of" in stage else str(stage["jobs"])
    return _time_row(str(stage["stage"]), jobs, number_of(stage["seconds"]))


def _time_row(stage: str, jobs: str, seconds: float) -> dict[str, Field]:
    return {"stage": Field(stage), "jobs": Field(jobs), "wall time": Field(text.wall_time(seconds))}


def speed(tables: Tables) -> Table | None:
    """Return images per second and training time per recipe, role and device."""
    rows = tables.metrics[tables.metrics["images_per_second"] > 0]
    if not len(rows):
        return None
    records = [_speed_row(group) for _, group in rows.groupby(TRAINING, sort=False)]
    return wide_table("Speed", records, ["", "", "", "num", "num", "num"])


def _speed_row(group: pd.DataFrame) -> dict[str, Field]:
    recipe, role, device, precision = group[TRAINING].iloc[0]
    return {
        "recipe": Field(recipe),
        "role": Field(role),
        "device": Field(f"{device} {precision}"),
        "networks": Field(str(len(group))),
        "images/s, median": Field(f"{group['images_per_second'].median():.0f}"),
        "training time, median": Field(text.wall_time(group["train_seconds"].median())),
    }
