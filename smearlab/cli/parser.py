"""The command line: what a user asks of a grid without running it."""

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from smearlab.core import registry
from smearlab.core.class_labels import class_order, sorts_as_text
from smearlab.core.errors import UserError
from smearlab.grid.find import find_grid
from smearlab.grid.schema import Config
from smearlab.host.joblog import reason
from smearlab.host.pipes import quiet_when_unread
from smearlab.store.files import write_text

SCHEMA = Path("docs/config.schema.json")


def main(arguments: list[str] | None = None) -> int:
    """Run one command; a fault of the user's is one line and exit code 1."""
    with quiet_when_unread():
        return _run(_parser().parse_args(arguments))
    return 0


def _run(options: argparse.Namespace) -> int:
    try:
        options.run(options)
    except UserError as error:
        print(error, file=sys.stderr)
        return 1
    except BrokenPipeError:
        raise
    except Exception as error:  # a damaged or hostile file; SMEARLAB_TRACEBACK=1 shows where
        if "SMEARLAB_TRACEBACK" in os.environ:
            raise
        print(f"smearlab: {reason(error)} (SMEARLAB_TRACEBACK=1 shows where)", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m smearlab", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, run, text in (
        ("report", _report, "write reports/NAME.html from what is there now; trains nothing"),
        ("plan", _plan, "print a grid's jobs, hours and disk before it runs"),
        ("cost", _cost, "print what a grid has cost: time per stage, speed and machine per recipe"),
    ):
        command = commands.add_parser(name, help=text, description=text)
        command.add_argument("grid", metavar="NAME", help="a grid's name, or the path of a config")
        command.set_defaults(run=run)
    text = "check a config, read its data and labels as the run would, and say what its grid holds"
    check = commands.add_parser("check", help=text, description=text)
    check.add_argument("grid", metavar="NAME", help="a grid's name, or the path of a config")
    check.add_argument("--quick", action="store_true", help="check the config alone: read no image and no label file")
    check.set_defaults(run=_check)
    status = commands.add_parser("status", help="say what is done, running, waiting and failed, and how long it takes")
    status.add_argument("grid", metavar="NAME", nargs="?", help="a grid's name, or a config; default: config.yaml")
    status.add_argument("--watch", action="store_true", help="look again and again, until the grid is done or Ctrl-C")
    status.add_argument("--json", action="store_true", help="print it for machines (docs/status.md)")
    status.set_defaults(run=_status)
    explanation = commands.add_parser("explain", help="say what would run again, and why: module, parameter or input")
    explanation.add_argument("what", metavar="CELL", help="a path below results/, a grid's name, or a config")
    _add_configs(explanation)
    explanation.set_defaults(run=_explain)
    clean = commands.add_parser("clean", help="list the results, logs and checkpoints that no config names any more")
    clean.add_argument("--remove", action="store_true", help="remove what is listed")
    clean.add_argument("--earlier", action="store_true", help="also what an earlier version made from today's settings")
    _add_configs(clean)
    clean.set_defaults(run=_clean)
    adoption = commands.add_parser("adopt", help="check results that came from elsewhere, and take what fits as made")
    adoption.add_argument("grid", metavar="NAME", nargs="?", help="a grid's name, or a config; default: config.yaml")
    adoption.set_defaults(run=_adopt)
    verification = commands.add_parser("verify", help="compare every file of a grid with its seal or SHA-256")
    verification.add_argument(
        "grid", metavar="NAME", nargs="?", help="a grid's name, or a config; default: config.yaml"
    )
    verification.set_defaults(run=_verify)
    repair = commands.add_parser("repair", help="make anew what is damaged or missing of a finished grid, nothing else")
    repair.add_argument("grid", metavar="NAME", nargs="?", help="a grid's name, or a config; default: config.yaml")
    repair.add_argument("--profile", metavar="FOLDER", help="Snakemake's profile for the jobs; default: this machine")
    repair.set_defaults(run=_repair)
    clear = commands.add_parser("clear-locks", help="remove the lock of a killed run; refuses while one is alive")
    clear.set_defaults(run=_clear_locks)
    publish = commands.add_parser("publish", help="copy a run's report, tables and config to reports/published/")
    publish.add_argument("grid", metavar="CONFIG", help="the config that was run")
    publish.set_defaults(run=_publish)
    _add_export(commands)
    gold = commands.add_parser("gold", help="draw examples worth a true label, with pictures; or take the table back")
    gold.add_argument("grid", metavar="NAME", help="a grid's name, or a config")
    gold.add_argument("--n", type=int, default=200, metavar="N", help="how many to draw (default 200)")
    gold.add_argument("--take", metavar="CSV", help="join this filled-in table to the data set's gold set")
    gold.add_argument("--dataset", metavar="D", help="the data set's name in the config, where it has several")
    gold.add_argument("--part", choices=("test", "validation", "train"), default="test", help="what to draw from")
    by = "at random, by the class given, or evenly from where methods and cross-entropy differ and agree"
    gold.add_argument("--by", choices=("random", "class", "disagreement"), default="random", help=by)
    gold.add_argument("--seed", type=int, default=0, metavar="S", help="draws them (default 0)")
    gold.set_defaults(run=_gold)
    suspects = commands.add_parser("suspects", help="list the labels that out-of-sample networks contradict most")
    suspects.add_argument("grids", metavar="NAME", nargs="+", help="a grid's name, or a config")
    suspects.add_argument("--n", type=int, default=20, metavar="N", help="how many of each noise (default 20)")
    text = "print how well they are the wrong ones, by noise, as Markdown; NAME may be a published folder"
    suspects.add_argument("--table", action="store_true", help=text)
    suspects.set_defaults(run=_suspects)
    _add_paper(commands)
    listing = commands.add_parser("list", help="list what a config may name, with its options")
    listing.add_argument("kind", nargs="?", choices=sorted(registry.ENTRY_FUNCTIONS))
    listing.set_defaults(run=_list)
    schema = commands.add_parser("schema", help=f"write {SCHEMA}, which editors use to complete and check a config")
    schema.set_defaults(run=_schema)
    return parser


def _add_export(commands: Any) -> None:
    export = commands.add_parser("export", help="write a trained network as files that need torch and no smearlab")
    export.add_argument("cell", metavar="CELL", help="a cell's path below results/, or a block's")
    export.add_argument("--replicate", type=int, default=0, metavar="K", help="which one, from 0 (default)")
    export.add_argument("--checkpoint", choices=("last", "selected"), help="default: the one that the recipe reports")
    export.add_argument("--out", metavar="FOLDER", help="where to write; default: below exports/")
    _add_configs(export)
    export.set_defaults(run=_export)
    snippet = commands.add_parser("snippet", help="print the loss of a cell, or those that a grid chose, as torch code")
    snippet.add_argument("what", metavar="CELL", help="a cell's path below results/, a grid's name, or a config")
    snippet.add_argument("--replicate", type=int, default=0, metavar="K", help="whose T, from 0 (default)")
    snippet.add_argument("--out", metavar="FILE", help="write it there instead")
    _add_configs(snippet)
    snippet.set_defaults(run=_snippet)
    labels = commands.add_parser("labels", help="write cleaned and down-weighted labels of a finished grid as CSV")
    labels.add_argument("grid", metavar="NAME", help="a grid's name, or the path of a config")
    labels.add_argument("--out", metavar="FOLDER", help="where to write; default: exports/NAME")
    labels.set_defaults(run=_labels)


def _add_paper(commands: Any) -> None:
    for name, run, forms, text in (
        ("tables", _tables, ("latex", "markdown"), "write a finished grid's tables for a paper"),
        ("figures", _figures, ("pdf", "svg", "png"), "draw a finished grid's figures for a paper"),
    ):
        command = commands.add_parser(name, help=text, description=text)
        command.add_argument("grid", metavar="NAME", help="a grid's name, or the path of a config")
        command.add_argument("--format", choices=forms, default=forms[0], dest="form", help=f"default: {forms[0]}")
        command.add_argument("--out", metavar="FOLDER", help="where to write; default: exports/NAME")
        command.set_defaults(run=run)
    compare = commands.add_parser("compare", help="write one page that sets two finished grids beside each other")
    for which in ("first", "second"):
        compare.add_argument(
            which, metavar="NAME", help="a grid's name, or a folder with its metrics.csv and summary.csv"
        )
    compare.add_argument("--out", metavar="FILE", help="default: reports/FIRST-SECOND.html")
    compare.set_defaults(run=_compare)


def _report(options: argparse.Namespace) -> None:
    from smearlab.host.surroundings import settle

    settle()  # before matplotlib is imported, which looks for a place to write

    from smearlab.figures._save import save
    from smearlab.grid.jobs import statistics_job
    from smearlab.grid.registration import place
    from smearlab.report.page import write_page
    from smearlab.stages.collect import collect
    from smearlab.stages.summarise import summarise_grid
    from smearlab.store.registered import NAME, write_stamps
    from smearlab.store.tables import read_tables
    from smearlab.watch.registration import stamps

    grid = find_grid(options.grid)
    page = Path("reports") / f"{grid.name}.html"
    with tempfile.TemporaryDirectory() as scratch:  # results/ belongs to Snakemake; only the page is written
        folder = Path(scratch)
        collect(grid, folder)
        job = statistics_job(grid)
        summarise_grid(folder, job)
        tables = read_tables(folder)
        for figure in registry.names("figures"):
            drawing = registry.load("figures", figure).draw(tables)
            save(drawing, folder / "figures" / f"{figure}.svg", folder / "figures" / f"{figure}.json")
        if place(grid.name).exists():
            write_stamps(folder / NAME, stamps(grid))
        write_page(folder, page)
    print(page)


def _check(options: argparse.Namespace) -> None:
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


def _add_configs(command: argparse.ArgumentParser) -> None:
    text = "a config beside config.yaml and those in configs/; may be given several times"
    command.add_argument("--config", metavar="PATH", action="append", default=[], dest="configs", help=text)


def _status(options: argparse.Namespace) -> None:
    from smearlab.grid.find import default_grid
    from smearlab.watch.terminal import show, watch

    grid = find_grid(options.grid) if options.grid else default_grid()
    (watch if options.watch else show)(grid, as_json=options.json)


def _explain(options: argparse.Namespace) -> None:
    from smearlab.watch.explain import explain, explain_path

    if "/" not in options.what or options.what.endswith((".yaml", ".yml")):
        lines = explain(find_grid(options.what))
    else:
        lines = explain_path(options.what, options.configs)
    print("\n".join(lines))


def _clean(options: argparse.Namespace) -> None:
    from smearlab.watch.clean import clean

    for line in clean(options.configs, remove=options.remove, earlier=options.earlier):
        print(line)


def _adopt(options: argparse.Namespace) -> None:
    from smearlab.cli.adopt import adopt, lines
    from smearlab.grid.find import default_grid

    grid = find_grid(options.grid) if options.grid else default_grid()
    found = adopt(grid)
    print("\n".join(lines(grid, found)))
    if found.damaged:
        raise UserError(f"{grid.name}: the results of {found.damaged} jobs are damaged")


def _verify(options: argparse.Namespace) -> None:
    from smearlab.cli.verify import verify
    from smearlab.grid.find import default_grid

    grid = find_grid(options.grid) if options.grid else default_grid()
    verify(grid)
    print(f"{grid.name}: all that is there is whole")


def _repair(options: argparse.Namespace) -> None:
    from smearlab.cli.repair import repair
    from smearlab.grid.find import DEFAULT, find_config

    config = find_config(options.grid) if options.grid else DEFAULT
    for line in repair(find_grid(str(config)), config, options.profile):
        print(line, flush=True)


def _plan(options: argparse.Namespace) -> None:
    from smearlab.cli.foresee import lines
    from smearlab.grid import memory
    from smearlab.grid.plan import plan
    from smearlab.host.memory import machine_mb

    grid = find_grid(options.grid)
    cores = len(os.sched_getaffinity(0))
    print("\n".join([plan(grid), *memory.lines(grid, cores, machine_mb()), *lines(grid)]))


def _cost(options: argparse.Namespace) -> None:
    from smearlab.cli.cost import lines

    print("\n".join(lines(find_grid(options.grid))))


def _clear_locks(_: argparse.Namespace) -> None:
    from smearlab.host.checkout import check_writable
    from smearlab.watch.leftovers import clear_stale_locks, clear_unreadable_records

    check_writable()
    for lock in clear_stale_locks():
        print(f"removed {lock}, left by a run that is no longer alive")
    for record in clear_unreadable_records():
        print(f"removed {record}, a damaged note of Snakemake's")


def _publish(options: argparse.Namespace) -> None:
    from smearlab.cli.publish import publish
    from smearlab.cli.verify import verify

    grid = find_grid(options.grid)
    verify(grid)
    print(publish(grid, Path(options.grid)))


def _export(options: argparse.Namespace) -> None:
    from smearlab.cli.export import export
    from smearlab.cli.replicate import find_replicate

    found = find_replicate(options.cell, options.replicate, options.configs)
    print("\n".join(map(str, export(found, options.checkpoint, options.out))))


def _gold(options: argparse.Namespace) -> None:
    from smearlab.cli.gold import draw_gold, said_of, take_gold, the_dataset

    grid = find_grid(options.grid)
    dataset = the_dataset(grid, options.dataset)
    if options.take:
        lines = said_of(dataset, *take_gold(dataset, options.take))
    else:
        table, *sheets = draw_gold(grid, dataset, options.n, part=options.part, by=options.by, seed=options.seed)
        lines = [*map(str, sheets), f"{table}: fill in the column label, then --take {table}"]
    print("\n".join(lines))


def _suspects(options: argparse.Namespace) -> None:
    from smearlab.cli.suspects import lines, table

    if options.table:
        print("\n".join(table(options.grids)))
    for name in [] if options.table else options.grids:
        print("\n".join(lines(find_grid(name), max(1, options.n))))


def _snippet(options: argparse.Namespace) -> None:
    from smearlab.cli.snippet import snippet_of_cell, snippets_of_grid

    if "/" not in options.what or options.what.endswith((".yaml", ".yml")):
        text = snippets_of_grid(find_grid(options.what).name)
    else:
        text = snippet_of_cell(options.what, options.replicate, options.configs)
    if options.out:
        write_text(options.out, text)
    print(options.out or text)


def _labels(options: argparse.Namespace) -> None:
    from smearlab.cli.labels import write_labels

    for line in write_labels(find_grid(options.grid), options.out):
        print(line)


def _tables(options: argparse.Namespace) -> None:
    from smearlab.cli.paper import write_tables

    for path in write_tables(find_grid(options.grid).name, options.form, options.out):
        print(path)


def _figures(options: argparse.Namespace) -> None:
    from smearlab.host.surroundings import settle

    settle()  # as for a report

    from smearlab.cli.paper import write_figures

    for path in write_figures(find_grid(options.grid).name, options.form, options.out):
        print(path)


def _compare(options: argparse.Namespace) -> None:
    from smearlab.cli.compare import compare

    path, apart = compare(options.first, options.second, options.out)
    print(path if not apart else f"{path}: {apart}")


def _list(options: argparse.Namespace) -> None:
    for kind in [options.kind] if options.kind else registry.ENTRY_FUNCTIONS:
        print(f"{kind}:")
        for name in registry.names(kind):
            entry = registry.describe(kind, name)
            print(f"  {name}: {entry.summary}")
            for option in entry.options.values():
                default = "required" if option.default is registry.REQUIRED else f"default {option.default!r}"
                print(f"      {option.name}: {option.text} ({default})")


def _schema(_: argparse.Namespace) -> None:
    write_text(SCHEMA, schema_text())
    print(SCHEMA)


def schema_text() -> str:
    """Return the JSON schema of a config, with the registered names as the allowed kinds."""
    schema = Config.model_json_schema()
    definitions = schema["$defs"]
    for model, key, kind in (
        ("DatasetConfig", "kind", "datasets"),
        ("NoiseConfig", "kind", "noises"),
        ("ArchitectureConfig", "name", "networks"),
        ("OptimiserConfig", "name", "optimisers"),
        ("ScheduleConfig", "name", "schedules"),
        ("AugmentationConfig", "name", "augmentations"),
        ("MethodConfig", "name", "methods"),
    ):
        definitions[model]["properties"][key]["enum"] = list(registry.names(kind))
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
