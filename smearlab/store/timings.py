"""What differs between any two runs: times, memory and the machine. Beside a block's results, and no part of them.

Snakemake does not know the file: an output that came later would keep it from comparing the parameters of results
that were made before. Only the cost of a grid is read from it.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from smearlab.store.files import read_json, write_sealed

TIMINGS = "timings.json"
TIMED = ("train_seconds", "images_per_second", "peak_memory_mb")  # of a replicate
SPEED = "images_per_second"  # of an epoch too


def without_times(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return what an entry of one replicate says but for TIMED."""
    return {key: value for key, value in entry.items() if key not in TIMED}


def write_timings(
    run: str | Path, entries: Sequence[Mapping[str, Any]], machine: Mapping[str, Any], speeds: Sequence[list[Any]] = ()
) -> None:
    """Write the times of a block beside the account of its run.

    entries: of its replicates, with seeds and TIMED. machine: what computed it. speeds: images a second of each epoch,
    a list per replicate.
    """
    times: list[dict[str, Any]] = [
        {key: entry[key] for key in ("noise_seed", "seed", *TIMED) if key in entry} for entry in entries
    ]
    for entry, speed in zip(times, speeds, strict=False):
        entry["epochs"] = speed
    write_sealed(Path(run).with_name(TIMINGS), {"replicates": times, "machine": dict(machine)})


def read_timings(run: str | Path) -> dict[str, Any]:
    """Return the times of a block: of TIMINGS, else of its account, as 0.1.0 wrote it; empty where neither is there.

    A file that cannot be read costs the times alone.
    """
    for path in (Path(run).with_name(TIMINGS), Path(run)):
        try:
            said = read_json(path)
            machine = said.get("machine", said.get("environment", {}))
            return {"replicates": [dict(entry) for entry in said["replicates"]], "machine": dict(machine)}
        except (OSError, ValueError, RecursionError, KeyError, TypeError, AttributeError):
            continue
    return {}
