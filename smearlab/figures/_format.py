"""Numbers and names as the report writes them."""

import json
import math
from collections.abc import Sequence

from smearlab.core import columns, registry
from smearlab.store.tables import NamedRow

STUDENT_NUMBERS = tuple((c.sign, c.name) for c in columns.METRICS if c.group == columns.STUDENT and c.sign)
MINUS, THIN, DASH = "−", " ", "–"


def plain(value: float, digits: int = 2) -> str:
    """Return a number without trailing zeros: 0.1, 40, 1.25."""
    text = f"{value:.{digits}f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return ("0" if text in ("-0", "") else text).replace("-", MINUS)


def percent(share: float, digits: int = 1) -> str:
    """Return a share in [0, 1] as a percentage: 0.8712 -> 87.1 %."""
    return DASH if math.isnan(share) else f"{_signed_minus(f'{100 * share:.{digits}f}')} %"


def points(difference: float, digits: int = 1) -> str:
    """Return a difference of shares in percentage points, with its sign: 0.012 -> +1.2.

    More digits where one would hide a difference that is not zero.
    """
    if math.isnan(difference):
        return DASH
    text = f"{100 * difference:+.{digits}f}"
    if float(text) == 0 and difference != 0 and digits < 2:
        return points(difference, digits + 1)
    return "0.0" if float(text) == 0 else _signed_minus(text)


def size(difference: float) -> str:
    """Return the size of a difference of shares in points, without sign: -0.012 -> 1.2."""
    return points(abs(difference)).removeprefix("+")


def interval(low: float, high: float) -> str:
    """Return an interval of shares in points: +0.3 to +2.1; a dash where there is none.

    An end that a step-down test leaves just beside 0 (±1e-9) keeps its sign: −8.7 to −0.0.
    """
    return DASH if math.isnan(low) or math.isnan(high) else f"{_end(low)} to {_end(high)}"


def _end(value: float) -> str:
    said = points(value)
    return _signed_minus(f"{value:+.1f}") if said == "0.0" and abs(value) > 1e-12 else said


def p_value(p: float) -> str:
    """Return a p-value with three decimals, or that it is smaller."""
    if math.isnan(p):
        return DASH
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def rate(value: float) -> str:
    """Return a noise rate: 0.2 -> 20 %; where no rate was asked for, say so."""
    return "as given" if math.isnan(value) else f"{plain(100 * value, 1)} %"


def wall_time(seconds: float) -> str:
    """Return a time in the two largest units that matter: 75 -> 1 min 15 s."""
    if math.isnan(seconds):
        return DASH
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes = round(seconds / 60) if seconds >= 3600 else int(seconds // 60)
    if seconds < 3600:
        return f"{minutes} min {seconds - 60 * minutes:.0f} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"


def listing(items: Sequence[str]) -> str:
    """Join items as a sentence does: a, b and c."""
    items = list(items)
    return " and ".join(filter(None, [", ".join(items[:-1]), *items[-1:]]))


def whole(n: int) -> str:
    """Return a whole number, its thousands apart: 12 000."""
    return f"{n:,}".replace(",", THIN)


def counted(n: int, one: str, many: str | None = None) -> str:
    """Return a count with its noun: 1 cell, 3 cells."""
    return f"{whole(n)} {one if n == 1 else many or one + 's'}"


def method_name(method: str) -> str:
    """Return how a method is called: its file's LABEL, else its name with spaces."""
    if method in registry.names("methods"):
        label = registry.describe("methods", method).constants.get("LABEL")
        if isinstance(label, str):
            return label
    return method.replace("_", " ")


def method_label(row: NamedRow, prefix: str = "") -> str:
    """Return a cell's method with all that distinguishes it: label smoothing α = 0.1; forward (matched).

    row: a regular row of the tables. prefix "teacher_" names a student's teacher.
    """
    parts = [method_family(row, prefix)]
    if not math.isnan(row[f"{prefix}alpha"]):
        parts.append(f"α = {plain(row[f'{prefix}alpha'], 3)}")
    return " ".join(parts)


def method_phrase(row: NamedRow, prefix: str = "") -> str:
    """Return the same as a sentence says it: label smoothing with α = 0.1."""
    return method_label(row, prefix).replace(" α = ", " with α = ")


def method_family(row: NamedRow, prefix: str = "") -> str:
    """Return a cell's method without its strength α: what one line of a figure is."""
    details = [row[f"{prefix}transition"], *_options(row[f"{prefix}options"])]
    details = [text for text in details if text and text != "alpha"]
    return method_name(row[f"{prefix}method"]) + (f" ({', '.join(details)})" if details else "")


def student_label(row: NamedRow) -> str:
    """Return a student's own settings: τ, β, the labels it sees, its method where it is not plain."""
    parts = []
    if row["method"] != "cross_entropy":
        parts.append(method_label(row))
    parts += [f"{sign} = {plain(row[key])}" for sign, key in STUDENT_NUMBERS if row[key] == row[key]]
    if row["student_labels"] and row["student_labels"] != "noisy":
        parts.append(f"{row['student_labels'] if row['student_labels'] != 'none' else 'no'} labels")
    return ", ".join(parts)


def _options(text: str) -> list[str]:
    if not text:
        return []
    try:
        options = json.loads(text)
    except ValueError:
        return [text]
    if not isinstance(options, dict):
        return [text]
    return [f"{key.replace('_', ' ')} {value}" for key, value in options.items()]


def _signed_minus(text: str) -> str:
    return text.replace("-", MINUS)
