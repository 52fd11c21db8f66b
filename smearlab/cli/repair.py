"""What is damaged or missing of a finished grid, made anew by Snakemake, and nothing else.

Each stage in a run of its own, with these files as the only targets: Snakemake then plans no job that reads them, and
so removes nothing that is made from them. What is made anew with the same bytes leaves all that valid.
"""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path

from smearlab.cli.verify import faults
from smearlab.core.digest import ROOT
from smearlab.core.errors import UserError
from smearlab.grid.cells import Grid
from smearlab.grid.dag import Node, nodes_of
from smearlab.watch.aside import CALLER_PUTS_BACK, keep, put_back
from smearlab.watch.living import refuse_if_alive
from smearlab.watch.rebuild import Rebuild
from smearlab.watch.records import Records
from smearlab.watch.words import number

AT_ONCE = 200  # targets of one run: a command line has a limit


def repair(grid: Grid, config: Path, profile: str | None = None) -> Iterator[str]:
    """Make anew what is damaged or missing of the finished jobs of a grid, and yield what was done.

    What was found whole before and has kept its size and times is not hashed again: `verify` does that, and what it
    finds is found here. config: where the grid is from. profile: of Snakemake, for the jobs; None: this machine.
    UserError while a run is alive, where a file cannot be read (nothing is removed then), and if a job fails: then what
    was there is there again.
    """
    refuse_if_alive("nothing is repaired")
    put_back()
    found = faults(grid, trusting=True)
    if unread := [fault.text for fault in found if not fault.readable]:
        raise UserError("\n".join(unread))
    yield from (fault.text for fault in found)
    nodes = list(dict.fromkeys(fault.node for fault in found))
    keep(node.outputs for node in nodes)
    for path in (path for node in nodes for path in node.outputs if os.path.lexists(path)):
        os.unlink(path)
    for _, group in groupby(nodes, key=lambda node: node.rule):
        stage = list(group)
        for start in range(0, len(stage), AT_ONCE):
            _make(stage[start : start + AT_ONCE], config, profile)
    put_back()
    for path in (path for node in nodes for path in node.transient):
        Path(path).unlink(missing_ok=True)  # which Snakemake leaves where no job of the same run reads them
    yield from _made(grid, nodes)


def _make(nodes: Sequence[Node], config: Path, profile: str | None) -> None:
    targets = [next(path for path in reversed(node.outputs) if path not in node.transient) for node in nodes]
    where = ("--workflow-profile", profile) if profile else ("--cores", "all")
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile")]
    command += [*targets, *where, "--configfile", str(config)]
    if subprocess.run(command, check=False, env={**os.environ, CALLER_PUTS_BACK: "1"}).returncode:
        put_back()
        raise UserError(f"{targets[0]}: could not be made anew (see above); what was there is there again")


def _made(grid: Grid, nodes: Sequence[Node]) -> Iterator[str]:
    """Yield what was made anew, and whether what reads it stays valid."""
    if not nodes:
        yield f"{grid.name}: nothing is damaged or missing"
        return
    yield f"{grid.name}: made anew: {number(len(nodes), 'job')}, as {nodes[0].name}"
    made = {path for node in nodes for path in node.outputs}
    again = [node for node, why in Rebuild(nodes_of(grid), Records()).reasons.items() if made & set(why.changed)]
    if again:
        yield f"with other contents than before (another machine?): the next run makes anew {number(len(again), 'job')}"
    else:
        yield "with the same contents as before: all that reads it stays valid"
