"""A phase whose first epoch undoes what was learned before it is ended there, and that is said.

So it goes where the features that a head reads hardly differ between rows: its weights are as large as they are
small, and any step of the body moves the logits by far more than it should.
"""

from __future__ import annotations

from math import log

from warmstart.tune.job import Job

TIMES = 3.0  # what the training loss must have become of what it was


def stop_if_exploded(job: Job, before: float | None, after: float) -> None:
    """End the phase if its first epoch brought the training loss from below to above that of guessing."""
    guessing = log(max(2, int(job.splits["train"].targets.max()) + 1))
    if job.epoch == 0 and before is not None and after > max(TIMES * before, guessing):
        job.stop = True
        what = (
            f"phase {job.phase + 1} is ended: in its first epoch the training loss went from {before:.3g} to "
            f"{after:.3g}, above {guessing:.3g} of guessing; lower its rate (--set phases.{job.phase}.lr=...)"
        )
        job.tell({"event": "note", "what": what})
