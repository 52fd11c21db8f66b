"""Which labels are wrong: the suspects of each noise, pictures of them, and how two annotators agree."""

from typing import Any

from markupsafe import Markup

from smearlab.figures import _format as text
from smearlab.report.fields import number_of, place, text_of
from smearlab.report.table import Field, Table, table
from smearlab.store.tables import Tables


def suspects(tables: Tables) -> Table | None:
    """Return a row for each noise whose labels were held against out-of-sample networks; None where none was."""
    found = tables.context.get("suspects", [])
    return table("Labels that out-of-sample networks contradict", [_row(entry) for entry in found]) if found else None


def _row(entry: dict[str, Any]) -> dict[str, Field]:
    known = entry["n_wrong"] > 0
    return {
        **place(entry),
        "contradicted": Field(f"{entry['n_doubted']}"),
        "known true labels": Field(str(entry["n"]) if entry["n"] else text.DASH),
        "wrong among them": Field(str(entry["n_wrong"]) if known else text.DASH),
        "share wrong": Field(text.percent(entry["n_wrong"] / entry["n"]) if known else text.DASH),
        "wrong among the 100 most suspect": Field(text.percent(number_of(entry["precision_at_100"]))),
        "wrong among as many as are wrong": Field(text.percent(number_of(entry.get("precision_at_wrong")))),
        "AUC": Field(text.DASH if entry["auc"] is None else f"{entry['auc']:.2f}"),
    }


def sheets(tables: Tables) -> list[dict[str, Any]]:
    """Return the sheets of pictures: their title, what they show in words, and the PNG as a data address."""
    return [
        {
            "title": f"“{pair['given']}” that networks take for “{pair['predicted']}”",
            "words": f"{text.counted(pair['count'], 'label')} of {entry['dataset']}, {_noise(entry)}; "
            "the most suspect, under each its row",
            "png": Markup("data:image/png;base64,") + Markup(pair["png"]),
        }
        for entry in tables.context.get("suspects", [])
        for pair in entry["pairs"]
    ]


def _noise(entry: dict[str, Any]) -> str:
    rate = number_of(entry["noise_rate"])
    return f"noise {text_of(entry['noise']).replace('_', ' ')}" + ("" if rate != rate else f" of {text.rate(rate)}")


def annotators(tables: Tables) -> Table | None:
    """Return how any two given sets of labels of one data set agree; None where there are no two."""
    found = tables.context.get("annotators", [])
    return table("Two annotators of one data set", [_pair(entry) for entry in found]) if found else None


def _pair(entry: dict[str, Any]) -> dict[str, Field]:
    return {
        "data set": Field(text_of(entry["dataset"])),
        "one": Field(text_of(entry["one"])),
        "other": Field(text_of(entry["other"])),
        "n": Field(str(entry["n"])),
        "same label": Field(text.percent(number_of(entry["same"]))),
        "Cohen's κ": Field(text.DASH if entry["kappa"] is None else f"{entry['kappa']:.2f}"),
    }


def per_class(tables: Tables) -> list[Table]:
    """Return what each estimated T says of every class: how many keep their label, and where the rest goes."""
    return [_classes(tables, entry) for entry in tables.context.get("estimates", [])[:MOST_MATRICES]]


MOST_MATRICES = 6
MOST_CLASSES = 100


def _classes(tables: Tables, entry: dict[str, Any]) -> Table:
    matrix = entry["transition"]
    known = tables.context.get("datasets", {}).get(entry["dataset"], {}).get("class_names")
    names = known or [str(k) for k in range(len(matrix))]
    records = [_class(names, k, row) for k, row in enumerate(matrix[:MOST_CLASSES])]
    where = f"{entry['dataset']}, {_noise(entry)} ({entry['recipe']}), by {entry['estimator']}"
    return table(f"By class: {where}", records)


def _class(names: list[Any], k: int, row: list[float]) -> dict[str, Field]:
    others = [(p, j) for j, p in enumerate(row) if j != k]
    largest, j = max(others, key=lambda pair: (pair[0], -pair[1]))
    return {
        "class": Field(str(names[k])),
        "keeps its label, estimated": Field(text.percent(row[k])),
        "most often labelled as": Field(str(names[j])),
        "with probability": Field(text.percent(largest)),
    }
