"""What each command does: options of the command line in, lines on the terminal out.

A command loads what it needs when it is called: most of them need neither torch nor pandas.
"""

import os
import sys
from argparse import Namespace as Options
from pathlib import Path

from smearlab.core import registry
from smearlab.core.class_labels import class_order, sorts_as_text
from smearlab.core.errors import UserError
from smearlab.grid.cells import Grid
from smearlab.grid.find import DEFAULT, default_grid, find_config, find_grid
from smearlab.store.files import write_text


def report(options: Options) -> None:
    """Write a grid's page from what is there now."""
    from smearlab.host.surroundings import settle

    settle()  # before matplotlib is imported, which looks for a place to write

    from smearlab.cli.report_now import write_report

    print(write_report(find_grid(options.grid)))


def check(options: Options) -> None:
    """Check a config, read its data and labels, and say what its grid holds."""
    from smearlab.cli.trial import tried

    grid = find_grid(options.grid)
    teachers = sum(cell.role == "teacher" for cell in grid.cells.values())
    print(f"{grid.name}: {len(grid.named)} named cells, {len(grid.cells)} computations")
    print(f"  {teachers} teacher cells, {len(grid.cells) - teachers} student cells, {len(grid.folders())} blocks")
    sys.stdout.flush()  # reading the data can take a while
    for line in [] if options.quick else tried(grid):
        print(f"  {line}")
    for dataset in grid.datasets.values():
        text = ", sorted as text, not as numbers" if sorts_as_text(dataset.class_names) else ""
        print(f"  {dataset.name}: {dataset.n_classes} classes{text}: {class_order(dataset.class_names)}")


def status(options: Options) -> None:
    """Say where a grid is, once or again and again."""
    from smearlab.watch.terminal import show, watch

    grid = _grid_or_default(options.grid)
    (watch if options.watch else show)(grid, as_json=options.json)


def explain(options: Options) -> None:
    """Say what would run again of a grid or a place below results/, and why."""
    from smearlab.watch import explain as explanation

    if _is_grid(options.what):
        lines = explanation.explain(find_grid(options.what))
    else:
        lines = explanation.explain_path(options.what, options.configs)
    print("\n".join(lines))


def clean(options: Options) -> None:
    """List, or remove, what no config names any more."""
    from smearlab.watch import clean as cleaning

    for line in cleaning.clean(options.configs, remove=options.remove, earlier=options.earlier):
        print(line)


def adopt(options: Options) -> None:
    """Take results that came from elsewhere as made; UserError if some are damaged."""
    from smearlab.cli import adopt as adoption

    grid = _grid_or_default(options.grid)
    found = adoption.adopt(grid)
    print("\n".join(adoption.lines(grid, found)))
    if found.damaged:
        raise UserError(f"{grid.name}: the results of {found.damaged} jobs are damaged")


def verify(options: Options) -> None:
    """Compare all files of a grid with their hashes; UserError if one differs."""
    from smearlab.cli import verify as verification

    grid = _grid_or_default(options.grid)
    verification.verify(grid)
    print(f"{grid.name}: all that is there is whole")


def repair(options: Options) -> None:
    """Make anew what is damaged or missing."""
    from smearlab.cli import repair as repairing

    config = find_config(options.grid) if options.grid else DEFAULT
    for line in repairing.repair(find_grid(str(config)), config, options.profile):
        print(line, flush=True)


def plan(options: Options) -> None:
    """Print jobs, hours and disk of a grid before it runs."""
    from smearlab.cli.foresee import lines
    from smearlab.grid import memory
    from smearlab.grid import plan as planning
    from smearlab.host.memory import machine_mb

    grid = find_grid(options.grid)
    asked = memory.lines(grid, len(os.sched_getaffinity(0)), machine_mb())
    print("\n".join([planning.plan(grid), *asked, *lines(grid)]))


def cost(options: Options) -> None:
    """Print what a grid has cost."""
    from smearlab.cli.cost import lines

    print("\n".join(lines(find_grid(options.grid))))


def clear_locks(_: Options) -> None:
    """Remove what a killed run left."""
    from smearlab.host.checkout import check_writable
    from smearlab.watch.leftovers import clear_stale_locks, clear_unreadable_records

    check_writable()
    for lock in clear_stale_locks():
        print(f"removed {lock}, left by a run that is no longer alive")
    for record in clear_unreadable_records():
        print(f"removed {record}, a damaged note of Snakemake's")


def publish(options: Options) -> None:
    """Copy a whole run to reports/published/."""
    from smearlab.cli import publish as publishing
    from smearlab.cli import verify as verification

    grid = find_grid(options.grid)
    verification.verify(grid)
    print(publishing.publish(grid, Path(options.grid)))


def export(options: Options) -> None:
    """Write a trained network as files that need no smearlab."""
    from smearlab.cli import export as exporting
    from smearlab.cli.replicate import find_replicate

    found = find_replicate(options.cell, options.replicate, options.configs)
    print("\n".join(map(str, exporting.export(found, options.checkpoint, options.out))))


def gold(options: Options) -> None:
    """Draw examples worth a true label, or take the filled-in table."""
    from smearlab.cli.gold import draw_gold, said_of, take_gold, the_dataset

    grid = find_grid(options.grid)
    dataset = the_dataset(grid, options.dataset)
    if options.take:
        lines = said_of(dataset, *take_gold(dataset, options.take))
    else:
        table, *sheets = draw_gold(grid, dataset, options.n, part=options.part, by=options.by, seed=options.seed)
        lines = [*map(str, sheets), f"{table}: fill in the column label, then --take {table}"]
    print("\n".join(lines))


def suspects(options: Options) -> None:
    """List the labels that are contradicted most, or print how well they are the wrong ones."""
    from smearlab.cli.suspects import lines, table

    if options.table:
        print("\n".join(table(options.grids)))
    for name in [] if options.table else options.grids:
        print("\n".join(lines(find_grid(name), max(1, options.n))))


def snippet(options: Options) -> None:
    """Print or write the loss of a cell, or of those that a grid chose, as code."""
    from smearlab.cli.snippet import snippet_of_cell, snippets_of_grid

    if _is_grid(options.what):
        text = snippets_of_grid(find_grid(options.what).name)
    else:
        text = snippet_of_cell(options.what, options.replicate, options.configs)
    if options.out:
        write_text(options.out, text)
    print(options.out or text)


def labels(options: Options) -> None:
    """Write cleaned and down-weighted labels."""
    from smearlab.cli.labels import write_labels

    for line in write_labels(find_grid(options.grid), options.out):
        print(line)


def tables(options: Options) -> None:
    """Write a finished grid's tables for a paper."""
    from smearlab.cli.paper import write_tables

    for path in write_tables(find_grid(options.grid).name, options.form, options.out):
        print(path)


def figures(options: Options) -> None:
    """Draw a finished grid's figures for a paper."""
    from smearlab.host.surroundings import settle

    settle()  # as for a report

    from smearlab.cli.paper import write_figures

    for path in write_figures(find_grid(options.grid).name, options.form, options.out):
        print(path)


def compare(options: Options) -> None:
    """Write one page that sets two grids beside each other."""
    from smearlab.cli import compare as comparing

    path, apart = comparing.compare(options.first, options.second, options.out)
    print(path if not apart else f"{path}: {apart}")


def list_entries(options: Options) -> None:
    """List what a config may name."""
    for kind in [options.kind] if options.kind else registry.ENTRY_FUNCTIONS:
        print(f"{kind}:")
        for name in registry.names(kind):
            entry = registry.describe(kind, name)
            print(f"  {name}: {entry.summary}")
            for option in entry.options.values():
                default = "required" if option.default is registry.REQUIRED else f"default {option.default!r}"
                print(f"      {option.name}: {option.text} ({default})")


def schema(_: Options) -> None:
    """Write the JSON schema of a config."""
    from smearlab.cli.schema import SCHEMA, schema_text

    write_text(SCHEMA, schema_text())
    print(SCHEMA)


def _grid_or_default(name: str | None) -> Grid:
    """Return a grid by its name or its config; without one that of config.yaml."""
    return find_grid(name) if name else default_grid()


def _is_grid(what: str) -> bool:
    """Whether an argument names a grid or a config, and no path below results/."""
    return "/" not in what or what.endswith((".yaml", ".yml"))
