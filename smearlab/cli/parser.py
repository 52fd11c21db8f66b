"""The command line: what a user asks of a grid without running it."""

import argparse
import os
import sys
from collections.abc import Callable
from typing import Any

from smearlab.cli import commands
from smearlab.cli.schema import SCHEMA
from smearlab.core import registry
from smearlab.core.errors import UserError
from smearlab.host.joblog import reason
from smearlab.host.pipes import quiet_when_unread

Run = Callable[[argparse.Namespace], None]
GRID = "a grid's name, or the path of a config"
NOW = "say what is done, running, waiting and failed, and how long it takes"
CHECK = "check a config, read its data and labels as the run would, and say what its grid holds"
BY = "at random, by the class given, or evenly from where methods and cross-entropy differ and agree"
SORTED = "print how well they are the wrong ones, by noise, as Markdown; NAME may be a published folder"


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
    group = parser.add_subparsers(required=True, metavar="COMMAND")
    for add in (
        _add_planning,
        _add_watching,
        _add_keeping,
        _add_networks,
        _add_labels,
        _add_paper,
        _add_config,
    ):
        add(group)
    return parser


def _add(group: Any, name: str, run: Run, text: str, *, grid: bool | None = False) -> argparse.ArgumentParser:
    """Add a command; grid: whether it takes one, None where it may be left out."""
    command: argparse.ArgumentParser = group.add_parser(name, help=text, description=text)
    if grid:
        command.add_argument("grid", metavar="NAME", help=GRID)
    elif grid is None:
        command.add_argument("grid", metavar="NAME", nargs="?", help=f"{GRID}; default: config.yaml")
    command.set_defaults(run=run)
    return command


def _add_configs(command: argparse.ArgumentParser) -> None:
    text = "a config beside config.yaml and those in configs/; may be given several times"
    command.add_argument("--config", metavar="PATH", action="append", default=[], dest="configs", help=text)


def _add_planning(group: Any) -> None:
    _add(group, "report", commands.report, "write reports/NAME.html from what is there now; trains nothing", grid=True)
    _add(group, "plan", commands.plan, "print a grid's jobs, hours, disk and memory before it runs", grid=True)
    text = "print what a grid has cost: time per stage, speed and machine per recipe"
    _add(group, "cost", commands.cost, text, grid=True)
    check = _add(group, "check", commands.check, CHECK, grid=True)
    check.add_argument("--quick", action="store_true", help="check the config alone: read no image and no label file")


def _add_watching(group: Any) -> None:
    status = _add(group, "status", commands.status, NOW, grid=None)
    status.add_argument("--watch", action="store_true", help="look again and again, until the grid is done or Ctrl-C")
    status.add_argument("--json", action="store_true", help="print it for machines (docs/status.md)")
    text = "say what would run again, and why: module, parameter or input"
    explanation = _add(group, "explain", commands.explain, text)
    explanation.add_argument("what", metavar="CELL", help="a path below results/, a grid's name, or a config")
    _add_configs(explanation)


def _add_keeping(group: Any) -> None:
    text = "list the results, logs and checkpoints that no config names any more"
    clean = _add(group, "clean", commands.clean, text)
    clean.add_argument("--remove", action="store_true", help="remove what is listed")
    clean.add_argument("--earlier", action="store_true", help="also what an earlier version made from today's settings")
    _add_configs(clean)
    text = "check results that came from elsewhere, and take what fits as made"
    _add(group, "adopt", commands.adopt, text, grid=None)
    _add(group, "verify", commands.verify, "compare every file of a grid with its seal or SHA-256", grid=None)
    text = "make anew what is damaged or missing of a finished grid, nothing else"
    repair = _add(group, "repair", commands.repair, text, grid=None)
    repair.add_argument("--profile", metavar="FOLDER", help="Snakemake's profile for the jobs; default: this machine")
    text = "remove the lock of a killed run; refuses while one is alive"
    _add(group, "clear-locks", commands.clear_locks, text)
    publish = _add(group, "publish", commands.publish, "copy a run's report, tables and config to reports/published/")
    publish.add_argument("grid", metavar="CONFIG", help="the config that was run")


def _add_networks(group: Any) -> None:
    text = "write a trained network as files that need torch and no smearlab"
    export = _add(group, "export", commands.export, text)
    export.add_argument("cell", metavar="CELL", help="a cell's path below results/, or a block's")
    export.add_argument("--replicate", type=int, default=0, metavar="K", help="which one, from 0 (default)")
    export.add_argument("--checkpoint", choices=("last", "selected"), help="default: the one that the recipe reports")
    export.add_argument("--out", metavar="FOLDER", help="where to write; default: below exports/")
    _add_configs(export)
    text = "print the loss of a cell, or those that a grid chose, as torch code"
    snippet = _add(group, "snippet", commands.snippet, text)
    snippet.add_argument("what", metavar="CELL", help="a cell's path below results/, a grid's name, or a config")
    snippet.add_argument("--replicate", type=int, default=0, metavar="K", help="whose T, from 0 (default)")
    snippet.add_argument("--out", metavar="FILE", help="write it there instead")
    _add_configs(snippet)


def _add_labels(group: Any) -> None:
    text = "write cleaned and down-weighted labels of a finished grid as CSV"
    labels = _add(group, "labels", commands.labels, text, grid=True)
    labels.add_argument("--out", metavar="FOLDER", help="where to write; default: exports/NAME")
    text = "draw examples worth a true label, with pictures; or take the table back"
    gold = _add(group, "gold", commands.gold, text, grid=True)
    gold.add_argument("--n", type=int, default=200, metavar="N", help="how many to draw (default 200)")
    gold.add_argument("--take", metavar="CSV", help="join this filled-in table to the data set's gold set")
    gold.add_argument("--dataset", metavar="D", help="the data set's name in the config, where it has several")
    gold.add_argument("--part", choices=("test", "validation", "train"), default="test", help="what to draw from")
    gold.add_argument("--by", choices=("random", "class", "disagreement"), default="random", help=BY)
    gold.add_argument("--seed", type=int, default=0, metavar="S", help="draws them (default 0)")
    text = "list the labels that out-of-sample networks contradict most"
    suspects = _add(group, "suspects", commands.suspects, text)
    suspects.add_argument("grids", metavar="NAME", nargs="+", help=GRID)
    suspects.add_argument("--n", type=int, default=20, metavar="N", help="how many of each noise (default 20)")
    suspects.add_argument("--table", action="store_true", help=SORTED)


def _add_paper(group: Any) -> None:
    for name, run, forms, text in (
        ("tables", commands.tables, ("latex", "markdown"), "write a finished grid's tables for a paper"),
        ("figures", commands.figures, ("pdf", "svg", "png"), "draw a finished grid's figures for a paper"),
    ):
        command = _add(group, name, run, text, grid=True)
        command.add_argument("--format", choices=forms, default=forms[0], dest="form", help=f"default: {forms[0]}")
        command.add_argument("--out", metavar="FOLDER", help="where to write; default: exports/NAME")
    text = "write one page that sets two finished grids beside each other"
    compare = _add(group, "compare", commands.compare, text)
    for which in ("first", "second"):
        compare.add_argument(
            which, metavar="NAME", help="a grid's name, or a folder with its metrics.csv and summary.csv"
        )
    compare.add_argument("--out", metavar="FILE", help="default: reports/FIRST-SECOND.html")


def _add_config(group: Any) -> None:
    listing = _add(group, "list", commands.list_entries, "list what a config may name, with its options")
    listing.add_argument("kind", nargs="?", choices=sorted(registry.ENTRY_FUNCTIONS))
    text = f"write {SCHEMA}, which editors use to complete and check a config"
    _add(group, "schema", commands.schema, text)
