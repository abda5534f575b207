"""A training whose plan, data or model were changed after it had begun: refused, or gone on with on request.

Weights outlive a change of the plan, never one of the rows (which may have changed sides) or of the model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from warmstart.base.errors import WarmstartError
from warmstart.tune.checkpoint import Checkpoint
from warmstart.tune.identity import BEYOND_PLAN
from warmstart.tune.job import Job


def refusal(folder: Path, changed: Sequence[str]) -> WarmstartError:
    return WarmstartError(
        f"{folder.parent}: this training was begun otherwise than it is asked for now: {'; '.join(changed)}",
        "put it back, or go on with --allow-change",
        "changed",
    )


def carry_over(job: Job, kept: Checkpoint, now: Mapping[str, Any], changed: Sequence[str]) -> bool:
    """Take the weights of the other training over, if that is honest; says what was done and why.

    Its phase then begins anew under the new plan, with a fresh optimiser.
    """
    said = "; ".join(changed)
    why = obstacle(job, kept, now)
    if why:
        tell(job, f"begun anew, since {why} ({said})")
        return False
    numbers = kept.numbers["job"]
    job.set_weights(kept.tensors["weights"])
    job.steps, job.history = numbers["steps"], numbers["history"]
    job.phase = min(numbers["phase"], len(job.plan.phases) - 1)
    job.proofs = {**numbers["proofs"], "plan_changed": f"after {job.steps} steps: {said}"}
    job.skips, job.seconds = numbers["skips"], kept.numbers["seconds"]
    tell(job, f"gone on from the weights after {job.steps} steps; phase {job.phase + 1} begins anew ({said})")
    return True


def obstacle(job: Job, kept: Checkpoint, now: Mapping[str, Any]) -> str:
    """Why the weights of that training cannot be gone on from; "" where they can."""
    before = kept.identity.training
    if any(before.get(name) != now.get(name) for name in BEYOND_PLAN):
        return "weights that learned from other rows or another model prove nothing"
    if not set(kept.tensors["weights"]) <= set(job.moving):
        return "layers that have learned would be frozen now"
    return ""


def same_guards(kept: Checkpoint, now: Mapping[str, Any]) -> bool:
    """Does the plan name the guards that the checkpoint keeps something for?"""
    return bool(kept.identity.training["plan"]["guards"] == now["plan"]["guards"])


def tell(job: Job, what: str) -> None:
    job.tell({"event": "note", "what": f"the training was changed: {what}"})
