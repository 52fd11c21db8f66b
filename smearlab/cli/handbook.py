"""docs/reference.md, written from the code: every config key and every registered name with its options."""

from collections.abc import Iterable
from dataclasses import dataclass
from textwrap import fill
from typing import Any

from smearlab.core import columns, registry
from smearlab.core.digest import ROOT
from smearlab.figures import _format as text
from smearlab.grid.schema import Config
from smearlab.reference import compare
from smearlab.statistics import cells, interaction, mitigation, pooled, rivals, selection, stopping
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
    "augmentations": "Augmentations, after crop and flip",
    "metrics": "Metrics",
    "figures": "Figures",
    "claims": "Claims computed without training",
}
COLUMNS = """## Columns

Every table that a grid writes. Shares are fractions, so a difference of 0.01 is one point of accuracy; a value that
does not apply is empty, in a column of type count there is always one. On a gold set (true labels of some test examples
only) the columns of one stopping rule, such as `verdict_last`, are empty: what each network predicts of each example is
kept at the reported checkpoint alone.
"""
FURTHER = """
Behind these, by the alphabet, what the metrics measure, those of your own under their own names:

"""


@dataclass(frozen=True)
class Written:
    """A table of results/NAME/: its files, what a row is, the columns that name a row, and those behind them."""

    files: tuple[str, ...]
    row: str
    named: tuple[str, ...]
    columns: tuple[columns.Column, ...]

    @property
    def title(self) -> str:
        """The heading: the files and what a row is."""
        return f"{text.listing([f'`results/NAME/{file}`' for file in self.files])}: a row for each {self.row}"


TABLES = (
    Written(("metrics.parquet", "metrics.csv"), "network", (), columns.METRICS),
    Written(("history.parquet",), "replicate and epoch", (), (*columns.HISTORY, columns.COMPUTATION)),
    Written(("curves.parquet",), "quantity of a point of a curve", (), columns.CURVES),
    Written(("gold.parquet",), "network and test example, where only some have a true label", (), columns.GOLD),
    Written(("suspects.csv",), "training example, of each noise the most suspect first", (), columns.SUSPECTS),
    Written(("suspects_by_noise.csv",), "noise, its suspects held against true labels", (), columns.SUSPECTS_BY_NOISE),
    Written(("summary.csv",), "cell", cells.NAMES, columns.SUMMARY),
    Written(("variance.csv",), "cell", cells.NAMES, columns.VARIANCE),
    Written(("interaction.csv",), "smoothing, over the noise rates", interaction.NAMES, columns.INTERACTION),
    Written(("choice.csv",), "data set, noise, rate, recipe and role", selection.NAMES, columns.CHOICE),
    Written(("passed_on.csv",), "student cell", cells.NAMES, columns.PASSED_ON),
    Written(("stopping.csv",), "teacher cell and stopping rule", stopping.NAMES, columns.STOPPING),
    Written(("mitigation.csv",), "teacher cell under noise", mitigation.NAMES, columns.MITIGATION),
    Written(("rivals.csv",), "other method in the place of a headline", rivals.NAMES, columns.RIVALS),
    Written(("own_treatment.csv",), "student with a treatment of its own", cells.NAMES, columns.OWN_TREATMENT),
    Written(("robustness.csv",), "headline and check", cells.NAMES, columns.ROBUSTNESS),
    Written(("pooled.csv",), "method, over its noisy rates", pooled.TREATED, columns.POOLED),
    Written(("reference.csv",), "published number beside a cell", tuple(compare.NAMED), columns.REFERENCE),
)
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
    return "\n".join([*parts, COLUMNS, *(f"### {table.title}\n\n{_described(table)}" for table in TABLES)])


def _described(table: Written) -> str:
    named = ", ".join(f"`{name}`" for name in table.named)
    first = f"{fill(f'First the columns that name the row, as in `metrics.*`: {named}.', 120)}\n\n" if named else ""
    return first + _columns(table.columns) + (FURTHER + _columns(columns.FURTHER) if table is TABLES[0] else "")


def _columns(described: Iterable[columns.Column]) -> str:
    rows = [f"| `{c.name}` | {c.type} | {c.unit} | {c.meaning} |" for c in described]
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
