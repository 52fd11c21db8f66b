"""Packed SLURM jobs that fail: what their ended members have made is kept, and the others alone are sent again.

To Snakemake a group of jobs fails as a whole: it removes what all of them have made, sends all of them again, and holds
back every group in which one job reads what another has not made. Here each member counts for itself, as if it had a
SLURM job of its own.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from smearlab.watch.records import Records

if TYPE_CHECKING:
    from snakemake.jobs import GroupJob, Job


def count_members_alone() -> None:
    """Have Snakemake's scheduler look at each member of a group that has failed.

    Where a Snakemake has no such scheduler, groups fail as a whole.
    """
    from snakemake.scheduling.job_scheduler import JobScheduler

    plain = getattr(JobScheduler, "_handle_error", None)
    if plain is None or hasattr(plain, "plain"):
        return

    def handle_error(scheduler: Any, job: Any, postprocess_job: bool = True) -> None:
        if scheduler.workflow.remote_exec:  # members were seen to by the Snakemake below; this one can only spoil it
            plain(scheduler, job, postprocess_job=postprocess_job and not job.is_group())
            return
        if job.is_group() and postprocess_job:
            job = _without_ended(scheduler, job)
        if job is None:
            return
        plain(scheduler, job, postprocess_job=postprocess_job)
        _say(scheduler, job)
        if job in scheduler.failed:
            _free_others(scheduler.workflow.dag, job)

    handle_error.plain = plain  # type: ignore[attr-defined]
    JobScheduler._handle_error = handle_error


def has_ended(outputs: Iterable[str], records: Records) -> bool:
    """Return whether a job with these outputs has made them all since it was last submitted.

    At submission each output is marked, whatever lies there from before; a job takes its marks away when it ends, and
    where it has failed also its outputs.
    """
    return all(os.path.lexists(path) and records.begun(path) is None for path in outputs)


def _without_ended(scheduler: Any, group: GroupJob) -> GroupJob | None:
    """Take the members that have ended out of a failed group, as a group that has succeeded; return the rest."""
    records = Records()
    ended = [job for job in group if has_ended(map(str, job.output), records)]
    if not ended:
        return group
    others = [job for job in group if job not in ended]
    scheduler.running.remove(group)
    scheduler._free_resources(group)
    parts = [_part(scheduler.workflow.dag, group, jobs) for jobs in (ended, others) if jobs]
    scheduler.running.update(parts)
    scheduler.workflow.dag._running.discard(group)
    scheduler.workflow.dag.register_running(set(parts))
    scheduler.update_available_resources(parts)
    scheduler._tofinish.append(parts[0])
    scheduler._open_jobs.release()
    return parts[1] if others else None


def _part(dag: Any, group: GroupJob, jobs: Iterable[Job]) -> GroupJob:
    """Return a group of some jobs of another, at the same attempt, which they belong to from now on."""
    # Not from Snakemake's factory, which gives for the first member the group that all were merged into.
    part = type(group)(group.groupid, frozenset(jobs), group.global_resources)
    part.finalize()
    part.attempt = group.attempt
    dag._group.update(dict.fromkeys(part, part))
    return part


def _free_others(dag: Any, failed: Any) -> None:
    """Take what reads the outputs of failed jobs out of its groups, so that these do not wait for it."""
    never = set(dag.bfs(dag.depending, *(failed if failed.is_group() else [failed])))
    for group in {dag._group[job] for job in never if job in dag._group} - {failed}:
        if others := [job for job in group if job not in never]:
            _part(dag, group, others)
            dag.update_ready(others)


def _say(scheduler: Any, job: Any) -> None:
    """Name the members of a group that have failed, and what becomes of them."""
    if job.is_group():
        what = "not done in this run" if job in scheduler.failed else "sent again"
        logs = ", ".join(str(member.log[0]) for member in job)
        print(f"smearlab: of a packed job, {what}: {logs}", file=sys.stderr)
