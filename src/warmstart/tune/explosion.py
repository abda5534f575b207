"""A phase whose first epoch undoes what was learned before it is ended there, and that is said.

So it goes where the features that a head reads hardly differ between rows: its weights are as large as those
differences are small, and any step of the body moves the logits by far more than it should.
"""

from __future__ import annotations

from math import log

from warmstart.tune.job import Job

TIMES = 2.0  # what a loss must have become of what it was


def stop_if_exploded(job: Job) -> None:
    """End the phase if its first epoch brought both losses from below to above that of guessing.

    The training loss alone would not do: dropout raises it under a head that was solved without.
    """
    if job.epoch > 0 or len(job.history) < 2:
        return
    before, after = job.history[-2:]
    guessing = log(max(2, int(job.splits["train"].targets.max()) + 1))
    if all(exploded(before[name], after[name], guessing) for name in ("train_loss", "validation_loss")):
        job.stop = True
        what = (
            f"phase {job.phase + 1} is ended: in its first epoch the training loss went from "
            f"{before['train_loss']:.3g} to {after['train_loss']:.3g}, above {guessing:.3g} of guessing; "
            f"lower its rate (--set phases.{job.phase}.lr=...)"
        )
        job.tell({"event": "note", "what": what})


def exploded(before: float | None, after: float, guessing: float) -> bool:
    return before is not None and after > max(TIMES * before, guessing)
