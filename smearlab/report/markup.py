"""A table of the page as Markdown or LaTeX, with the same words and numbers."""

from smearlab.report.table import Field, Table

HEAD = "% needs \\usepackage{booktabs,amssymb}"
ESCAPED = {
    **{letter: f"\\{letter}" for letter in "&%$#_{}"},
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": "$<$",
    ">": "$>$",
    "±": r"$\pm$",
    "−": "$-$",
    "–": "--",
    "·": r"$\cdot$",
    "×": r"$\times$",
    "→": r"$\rightarrow$",
    "✓": r"\checkmark{}",
    "✗": r"$\times$",
    "≤": r"$\leq$",
    "≥": r"$\geq$",
    "²": "$^2$",
    "“": "``",
    "”": "''",
    "’": "'",
    "\u00a0": "~",
    "\u2009": r"\,",
    "\u202f": r"\,",
    **{
        letter: f"$\\{name}$"
        for letter, name in zip("αβγδετρσ", "alpha beta gamma delta epsilon tau rho sigma".split(), strict=True)
    },
    "Ω": r"$\Omega$",
}


def markdown(table: Table) -> str:
    """Return a table as GitHub's Markdown, its title as a bold line above, what is the same in all rows below it."""
    numbers = [kind == "num" for kind in _kinds(table)]
    lines = [
        [_plain(column) for column in table.columns],
        ["---:" if number else "---" for number in numbers],
        *([_plain(_text(field)) for field in row] for row in table.rows),
    ]
    body = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    return f"**{_plain(table.title)}**\n\n{_same(table, _plain)}{body}\n"


def latex(table: Table) -> str:
    """Return a table as a LaTeX float with booktabs' rules, its title and what all rows share as the caption."""
    alignment = "".join("r" if kind == "num" else "l" for kind in _kinds(table))
    same = _same(table, escaped).strip()
    caption = f"{escaped(table.title)}. {same}".strip()
    rows = [_row([_text(field) for field in row]) for row in table.rows]
    lines = [HEAD, r"\begin{table}", r"\centering", f"\\caption{{{caption}}}", f"\\begin{{tabular}}{{{alignment}}}"]
    lines += [r"\toprule", _row(table.columns), r"\midrule", *rows, r"\bottomrule", r"\end{tabular}", r"\end{table}"]
    return "\n".join(lines) + "\n"


def escaped(text: str) -> str:
    """Return a text as LaTeX sets it."""
    return "".join(ESCAPED.get(letter, letter) for letter in text)


def _row(texts: list[str]) -> str:
    return " & ".join(map(escaped, texts)) + r" \\"


def _text(field: Field) -> str:
    return f"{field.text} ({field.note})" if field.note else field.text


def _kinds(table: Table) -> list[str]:
    return table.kinds or [""] * len(table.columns)


def _plain(text: str) -> str:
    """Return a text that Markdown takes as it is and on one line."""
    return " ".join("".join(f"\\{letter}" if letter in "\\|*_`<" else letter for letter in text).split())


def _same(table: Table, write: object) -> str:
    if not table.same:
        return ""
    said = "; ".join(f"{name} {value}" for name, value in table.same)
    return f"In every row: {write(said)}.\n\n"  # type: ignore[operator]
