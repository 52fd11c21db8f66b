"""Whether what a grid has left is whole and all there: every seal and every SHA-256, whatever the times say."""

from collections.abc import Iterator
from dataclasses import dataclass

from smearlab.cli.sound import accounts, check_whole
from smearlab.core.errors import UserError
from smearlab.grid.cells import Grid
from smearlab.grid.dag import Node, nodes_of
from smearlab.watch.rebuild import Disk
from smearlab.watch.records import Records


@dataclass(frozen=True)
class Fault:
    """A job whose output is damaged or missing, and one line that begins with the file."""

    node: Node
    text: str


def faults(grid: Grid) -> list[Fault]:
    """Return the missing files of jobs that were finished, and of each job the first damaged one."""
    records, disk = Records(), Disk()
    return [fault for node in nodes_of(grid) if node.rule != "all" for fault in _of_job(node, records, disk)]


def _of_job(node: Node, records: Records, disk: Disk) -> Iterator[Fault]:
    if any(records.begun(path) is not None for path in node.outputs):
        return  # its last run did not end: Snakemake makes it anew
    if any(disk.has(path) or records.of(path) is not None for path in node.outputs):
        for path in disk.missing(node.outputs):
            if path not in node.transient:
                yield Fault(node, f"{path}: is missing")
    if disk.has(node.outputs[-1]) and not disk.missing(accounts(node)):
        try:
            check_whole(node)
        except UserError as error:
            yield Fault(node, str(error))


def verify(grid: Grid) -> None:
    """Raise UserError with one line for each damaged or missing file of a grid."""
    if found := faults(grid):
        raise UserError("\n".join([*(fault.text for fault in found), f"{grid.name}: damaged or missing: {len(found)}"]))
