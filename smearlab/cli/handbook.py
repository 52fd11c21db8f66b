"""docs/reference.md, written from the code: every config key and every registered name with its options."""

from collections.abc import Iterable
from typing import Any

from smearlab.core import registry
from smearlab.core.columns import HISTORY, METRICS, SUMMARY, Column
from smearlab.core.digest import ROOT
from smearlab.figures import _format as text
from smearlab.grid.schema import Config
from smearlab.store.files import write_text

PATH = ROOT / "docs" / "reference.md"
KINDS = {
    "datasets": "Data sets",
    "noises": "Noises",
    "methods": "Methods",
    "estimators": "Estimators of the transition matrix",
    "networks": "Networks",
    "optimisers": "Optimisers",
    "schedules": "Schedules of the learning rate",
    "metrics": "Metrics",
    "figures": "Figures",
    "claims": "Claims computed without training",
}
COLUMNS = """## Columns

Shares are fractions, so a difference of 0.01 is one point of accuracy; a value that does not apply is empty.
"""
TABLES = {
    "`results/NAME/metrics.parquet` and `.csv`: a row for each network, further metrics behind": METRICS,
    "`results/NAME/history.parquet`: a row for each epoch, and `cell`": HISTORY,
    "`results/NAME/summary.csv`: a row for each cell, its naming columns first": SUMMARY,
}
INTRODUCTION = """# Reference

Written by `make docs` from the code; do not edit. How to add an entry: [extending.md](extending.md).

## Config
"""


def reference_text() -> str:
    """Return the page as Markdown."""
    schema = Config.model_json_schema()
    parts = [INTRODUCTION, _keys(schema, "A config has these keys; only those without a default must be given.")]
    parts += [
        f"### {title}\n\n{_keys(schema['$defs'][model])}"
        for model, title in (
            ("DatasetConfig", "A data set: `datasets.NAME`"),
            ("NoiseConfig", "A noise: `noises.NAME`"),
            ("RecipeConfig", "A recipe: `recipes.NAME`"),
            ("OptimiserConfig", "`recipes.NAME.optimiser`"),
            ("ScheduleConfig", "`recipes.NAME.schedule`"),
            ("AugmentationConfig", "`recipes.NAME.augmentation`"),
            ("EstimateConfig", "`recipes.NAME.estimate`"),
            ("MethodConfig", "A method: an item of `methods`, of `students.N.methods`, of `students.N.teachers`"),
            ("StudentConfig", "Students: an item of `students`"),
            ("ReplicatesConfig", "`replicates`"),
            ("PrimaryConfig", "`primary`"),
        )
    ]
    parts += [f"## {title}\n\n{_entries(kind)}" for kind, title in KINDS.items()]
    return "\n".join([*parts, COLUMNS, *(f"### {title}\n\n{_columns(of)}" for title, of in TABLES.items())])


def _columns(columns: Iterable[Column]) -> str:
    rows = [f"| `{c.name}` | {c.type} | {c.unit} | {c.meaning} |" for c in columns]
    return "\n".join(["| column | type | unit | meaning |", "|---|---|---|---|", *rows, ""])


def _keys(schema: dict[str, Any], introduction: str | None = None) -> str:
    required = schema.get("required", [])
    rows = [
        f"| `{name}` | {_default(field, name in required)} | {_meaning(field)} |"
        for name, field in schema["properties"].items()
    ]
    head = introduction or schema["description"]
    return "\n".join([f"{head}\n", "| key | default | meaning |", "|---|---|---|", *rows, ""])


def _meaning(field: dict[str, Any]) -> str:
    """Return the description of a key and the values it may have, where they are few."""
    allowed = field.get("enum") or field.get("items", {}).get("enum") or []
    said = [field.get("description", ""), text.listing([f"`{value}`" for value in allowed]).replace(" and ", " or ")]
    return ": ".join(filter(None, said))


def _default(field: dict[str, Any], required: bool) -> str:
    if required:
        return "must be given"
    value = field.get("default")
    return "none" if value is None else f"`{value}`" if not isinstance(value, dict) else "see below"


def _entries(kind: str) -> str:
    entries = [registry.describe(kind, name) for name in registry.names(kind)]
    return "\n".join(["| name | what | options |", "|---|---|---|", *map(_entry, entries), ""])


def _entry(entry: registry.Entry) -> str:
    options = [
        f"`{option.name}`" + ("" if option.default is registry.REQUIRED else f" = {option.default!r}")
        for option in entry.options.values()
        if option.name != "rate"
    ]
    return f"| `{entry.name}` | {entry.summary.replace('|', chr(92) + '|')} | {', '.join(options)} |"


if __name__ == "__main__":
    write_text(PATH, reference_text())
