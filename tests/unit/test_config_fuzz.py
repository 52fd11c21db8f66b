"""Whatever stands in a config, it is a valid grid or refused in clear lines."""

import json
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from configs import TINY, config
from smearlab.core.errors import UserError
from smearlab.core.jobs import plain
from smearlab.core.registry import ENTRY_FUNCTIONS, names
from smearlab.grid.cells import Grid, load_grid
from smearlab.grid.jobs import settings_of, statistics_job
from smearlab.grid.schema import Config

RICH = config(
    ("noises.uneven", {"kind": "asymmetric", "rates": [0.2]}),
    ("noises.twin", {"kind": "matched_twin", "of": {"kind": "pair_flip"}, "rates": [0.2]}),
    ("noises.theirs", {"kind": "labels"}),
    ("recipes.small.augmentation", {"crop": 1, "flip": True}),
    ("recipes.small.optimiser", {"learning_rate": 0.1, "weight_decay": 0.001}),
    ("recipes.small.schedule", {"name": "step", "milestones": [0.5, 0.75], "factor": 0.1}),
    ("recipes.other", {**TINY["recipes"]["small"], "students_only": True}),
    ("methods.2.transition", ["true", "matched", "estimated(anchor)", "perturbed(0.1)"]),
    ("students.0.recipe", "other"),
    ("students.0.labels", ["noisy", "clean"]),
    ("students.0.views", ["auto", "same"]),
    ("students.0.student_temperature", 1),
    ("primary", {"method": "label_smoothing", "alpha": 0.1}),
    ("margin", 0.5),
    ("keep", "teachers"),
)
WORDS = [
    *sorted({name for kind in ENTRY_FUNCTIONS for name in names(kind)} | set(Config.model_fields)),
    "kind",
    "of",
    "path",
    "true",
    "alpha",
    "estimated()",
    "estimated(anchor, percentile=0.9)",
    "estimated(anchor, percentile=1e999)",
    "perturbed(1e400)",
    "perturbed(00.5)",
    "../x",
    "1e-05",
    "",
]
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([0, 1, -1, 2**31, 2**63, 10**400]),
    st.floats(),
    st.sampled_from([0.0, -0.0, 0.5, 0.9, 1.0]),
    st.text(max_size=5),
    st.sampled_from(WORDS),
)
keys = st.one_of(st.sampled_from(WORDS), st.text(max_size=4), st.integers(0, 2), st.none())
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3), max_leaves=6
)


def places(value: Any, path: tuple = ()) -> list[tuple]:
    """Return the path of every value in a config."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(found for key, item in items for found in places(item, (*path, key)))]


def change(content: Any, path: tuple, how: str, value: Any) -> Any:
    """Return a config with one value replaced, removed, added to or repeated."""
    if not path:
        return content
    *parents, last = path
    place = content
    for part in parents:
        place = place[part]
    if how == "replace":
        place[last] = value
    elif how == "remove":
        del place[last]
    elif isinstance(place, list):
        place.append(value if how == "add" else place[last])
    else:
        place[f"{last}x" if how == "add" else str(last).upper()] = value
    return content


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_any_change_gives_a_grid_or_clear_lines(data):
    content = json.loads(json.dumps(RICH))
    for _ in range(data.draw(st.integers(1, 3))):
        path = data.draw(st.sampled_from(places(content)[1:] or [()]))
        kind = data.draw(st.sampled_from(["replace", "remove", "add", "repeat"]))
        content = change(content, path, kind, data.draw(values))
    check(content)


@settings(max_examples=100, deadline=None)
@given(values)
def test_anything_at_all_gives_a_grid_or_clear_lines(content):
    check(content if isinstance(content, dict) else {"name": content})


def test_the_rich_config_is_valid():
    assert len(load_grid(RICH).cells) > 20


def check(content: dict) -> None:
    """Fail with anything but a usable grid or a UserError of whole lines."""
    try:
        grid = load_grid(content)
    except UserError as error:
        lines = str(error).splitlines()
        assert lines and all(line.startswith("config: ") and len(line) < 2000 for line in lines)
        return
    assert_usable(grid)


def assert_usable(grid: Grid) -> None:
    """Every path is safe, every dictionary plain JSON, every row named apart."""
    for folder in grid.folders():
        assert all(0 < len(part) <= 200 and part.isascii() and part.isprintable() for part in folder.split("/"))
        assert not {"..", "."} & set(folder.split("/")) and not set(folder) & set(" \\'\"$;&|<>*?(){}[]")
    for row in grid.rows:
        decided = [row.columns, plain(row.cell.recipe.settings), plain(settings_of(row.cell.method))]
        json.dumps(decided, allow_nan=False)
    columns = [json.dumps(row.columns, sort_keys=True) for row in grid.rows]
    assert len(set(columns)) == len(columns)
    json.dumps(plain(statistics_job(grid)), allow_nan=False)
