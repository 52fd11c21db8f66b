"""The claims that need no training, computed one after another."""

from dataclasses import asdict
from typing import Any

from smearlab.core import registry
from smearlab.core.jobs import ClaimsJob
from smearlab.store.files import write_sealed
from smearlab.store.inputs import Files


def check_all() -> list[dict[str, Any]]:
    """Return every registered claim: name, claim, source, measured, tolerance, holds, detail, curves.

    In the order of their constant ORDER, in plain values. Each takes seconds at most and draws from its own named
    streams, so the values are the same in every run.
    """
    names = sorted(registry.names("claims"), key=lambda n: registry.describe("claims", n).constants.get("ORDER", 99))
    return [{"name": name, **asdict(registry.load("claims", name).check())} for name in names]


def run(job: ClaimsJob, inputs: Files, outputs: Files) -> None:
    """Compute each claim and its largest error, and write claims.json."""
    write_sealed(outputs["claims"], {"claims": check_all()})
