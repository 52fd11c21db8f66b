"""Gold sets that name examples by their files: a folder of class folders, or a table of paths, as a table of rows."""

import csv
from collections.abc import Callable, Sequence
from pathlib import Path

from smearlab.core.errors import UserError
from smearlab.core.identity import short_hash
from smearlab.store.example_paths import match_each
from smearlab.store.files import write_text
from smearlab.store.gold import Entry, class_of, gold_text
from smearlab.store.text_tables import delimiter_of

FOLDER = Path(".smearlab", "gold")
Names = Callable[[], Sequence[str]]


def table_of_rows(path: str, class_names: Sequence[str], names: Names) -> str:
    """Return the place of a gold set as a table of rows: itself, or one made from a folder or from a table of paths.

    A folder holds CLASS/FILE; a table has the columns `path` and `label`. names: gives the names of all examples in the
    data set's own order. UserError, in one line, for a class or a file that is none of the data's, and for an example
    that is named twice.
    """
    if Path(path).is_dir():
        given = _in_folder(Path(path))
    elif (table := _in_table(Path(path))) is not None:
        given = table
    else:
        return path
    entries = _entries(path, given, class_names, names())
    text = gold_text(entries, class_names)
    place = FOLDER / f"{short_hash(text)}.csv"
    if not place.is_file():
        write_text(place, text)
    return str(place)


def _in_folder(folder: Path) -> list[tuple[str, str]]:
    """Return (file, class) of each file below the class folders; what lies there may be copies or links."""
    found = []
    for path in sorted(folder.rglob("*")):
        parts = path.relative_to(folder).parts
        if path.is_file() and not any(part.startswith(".") for part in parts) and path.name != "Thumbs.db":
            if len(parts) == 1:
                raise UserError(f"{path}: a gold set is {folder}/CLASS/FILE, and this file has no class folder")
            found.append(("/".join(parts[1:]), parts[0]))
    if not found:
        raise UserError(f"{folder}: holds no files; a gold set is {folder}/CLASS/FILE")
    return found


def _in_table(path: Path) -> list[tuple[str, str]] | None:
    """Return (path, label) of each line of a table that has no column `row` but paths; None for any other."""
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            delimiter = delimiter_of(file.readline())
            file.seek(0)
            reader = csv.DictReader(file, strict=True, delimiter=delimiter)
            columns = {name.strip(): name for name in reader.fieldnames or []}
            if "row" in columns or not {"path", "label"} <= columns.keys():
                return None
            lines = [[(row[columns[name]] or "").strip() for name in ("path", "label")] for row in reader]
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror})") from error
    except (csv.Error, UnicodeDecodeError) as error:
        raise UserError(f"{path}: not a CSV file in UTF-8 ({error})") from error
    return [(name, label) for name, label in lines if name or label]


def _entries(
    path: str, given: Sequence[tuple[str, str]], class_names: Sequence[str], names: Sequence[str]
) -> list[Entry]:
    if not names:
        raise UserError(f"{path}: names examples by their files, and those of the data have none; give rows")
    matched = match_each([name for name, _ in given], names)
    strange = [name for (name, _), found in zip(given, matched, strict=True) if found is None]
    if strange:
        said = f"{len(strange)} of {len(given)} are no files of the data, or stand for several: {strange[0]!r}"
        raise UserError(f"{path}: {said}; name them by their place below the data's folder")
    row_of = {name: row for row, name in enumerate(names)}
    entries: dict[int, Entry] = {}
    for (name, label), found in zip(given, matched, strict=True):
        row = row_of[str(found)]
        if row in entries:
            raise UserError(f"{path}: {names[row]} stands there twice, again as {name!r}")
        entries[row] = Entry(0, row, names[row], "", "", "", 0, class_of(f"{path}: {name}", label, class_names))
    return [entries[row] for row in sorted(entries)]
