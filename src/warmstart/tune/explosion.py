"""A phase whose first epoch undoes what was learned before it is ended there, and that is said.

So it goes where the features that a head reads hardly differ between rows: its weights are as large as those
differences are small, and any step of the body moves the logits by far more than it should.
"""

from __future__ import annotations

from math import log

from warmstart.tune.job import Job

TIMES = 4.0  # what the training loss must have become of what it was


def stop_if_exploded(job: Job) -> None:
    """End the phase if its first epoch raised the training loss to several times what it was, above guessing.

    The training loss alone would not do: dropout raises it under a head solved without. Nor is a phase
    ended where no guard keeps the weights from before it: it may recover, and there is nothing to go back to.
    """
    kept = any(guard["name"] == "early_stop" for guard in job.plan.guards)
    if not kept or job.epoch > 0 or len(job.history) < 2 or job.history[-2]["train_loss"] is None:
        return
    before, after = job.history[-2:]
    guessing = log(max(2, int(job.splits["train"].targets.max()) + 1))
    unlearned = after["validation_loss"] > max(before["validation_loss"], guessing)
    if unlearned and after["train_loss"] > max(TIMES * before["train_loss"], guessing):
        job.stop, job.exploded = True, job.phase + 1
        what = (
            f"phase {job.phase + 1} is ended: in its first epoch the training loss went from "
            f"{before['train_loss']:.3g} to {after['train_loss']:.3g}, above {guessing:.3g} of guessing; "
            f"lower its rate (--set phases.{job.phase}.lr=...)"
        )
        job.tell({"event": "note", "what": what})
