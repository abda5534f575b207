"""What guards ask about where a training started: the body's weights, and a head that knows the rows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from torch import Tensor, nn

from warmstart.base.errors import WarmstartError
from warmstart.tune.job import Job
from warmstart.tune.mixing import ADAPTER
from warmstart.tune.retained import Retained
from warmstart.tune.solution import solution

Pairs = dict[str, tuple[nn.Parameter, Tensor]]


def check(guard: str, setting: str, value: float, fits: bool, do: str) -> None:
    """Raise WarmstartError for a setting that does not fit; `do` says what does."""
    if not fits:
        raise WarmstartError(f"guard {guard!r}: {setting} = {value!r}", do, "wrong-value")


def body(job: Job, guard: str) -> Pairs:
    """Name -> a parameter of the body that some phase may move, and a copy of it as it came.

    Without the head, which has no start worth keeping, and without adapters, which have none at all. Where
    nothing is left, the guard has nothing to do, and that is told.
    """
    head = {id(p) for p in job.anatomy.groups[-1].parameters()}
    there = {n: p for n, p in job.anatomy.model.named_parameters() if id(p) not in head and ADAPTER not in n}
    found = {n: (there[n], start) for n, start in job.weights().items() if n in there}
    if not found:
        what = (
            f"{guard}: no weight that came with the body learns in this plan, so that the guard does nothing"
        )
        job.tell({"event": "note", "what": what})
    return found


def body_learns(job: Job) -> bool:
    """Does anything below the head learn in the job's phase?"""
    return job.anatomy.boundary(job.plan.phases[job.phase].learn) < len(job.anatomy.groups) - 1


def has_fresh_head(job: Job) -> bool:
    """Did the head come without a training, so that it is right by chance alone?"""
    inside = (m for part in job.anatomy.groups[-1].modules for m in part.modules())
    return any(getattr(module, "warmstart_fresh", False) for module in inside)


def source_head(job: Job, guard: str) -> Retained:
    """What the source knew. WarmstartError where it has no head, or one that this body cannot serve."""
    if job.retained is None:
        raise WarmstartError(
            f"guard {guard!r} keeps what the model's own head says, and this model has no trained one",
            "take the guard out (l2_sp and wise_ft need no head), or begin with a model that has classes",
            "no-head",
        )
    if not job.retained.fits(job.anatomy):
        raise WarmstartError(
            f"guard {guard!r}: edits changed the shape of the body, and the model's own head does not fit",
            "take the guard out, or the edits that add or drop layers",
            "wrong-guard",
        )
    return job.retained


@contextmanager
def knowing_head(job: Job, guard: str) -> Iterator[None]:
    """Meanwhile a fresh head is the linear probe of the body as it stands; one that has learned stays.

    WarmstartError where the head cannot be solved.
    """
    earlier = job.plan.phases[: job.phase]
    if not has_fresh_head(job) or any(job.anatomy.names[-1] in job.anatomy.chosen(p.learn) for p in earlier):
        yield
        return
    found = job.anatomy.head()
    if found is None or not job.anatomy.head_is_linear:
        raise WarmstartError(
            f"guard {guard!r} asks a head that has learned; the new one is not linear, and cannot be solved",
            "let the head learn alone in a first phase, `learn: [head]`",
            "no-linear-head",
        )
    parameters = list(found[1].parameters())
    kept = [p.data for p in parameters]
    for p in parameters:
        p.data = p.data.clone()
    try:
        solution(job, job.splits, 0, found[1])
        yield
    finally:
        for p, before in zip(parameters, kept, strict=True):
            p.data = before
