"""How far a training is, how fast it goes and how long it will take: told once a second at most."""

from __future__ import annotations

import time
from dataclasses import dataclass

from warmstart.base.types import Phase
from warmstart.tune.job import Job


@dataclass
class Progress:
    """Steps of this sitting against the clock."""

    job: Job
    started: float
    begun: int = 0  # steps when this sitting began
    told: float = 0.0

    def __call__(self, phase: Phase, per_epoch: int) -> None:
        """Tell the rate and the time left, unless that was told just now."""
        now = time.perf_counter()
        if now - self.told < 1:
            return
        self.told = now
        job, done = self.job, self.job.steps - self.begun
        rate = done / max(1e-9, now - self.started)
        left = (phase.epochs - job.epoch) * per_epoch - job.step
        left += sum(p.epochs * per_epoch for p in job.plan.phases[job.phase + 1 :] if p.solver == "adamw")
        job.tell(
            {
                "event": "step",
                "phase": job.phase + 1,
                "epoch": job.epoch + 1,
                "steps": job.steps,
                "of": job.steps + left,
                "loss": job.loss_sum / max(1, job.loss_count),
                "rows_per_second": rate * job.plan.batch,
                "seconds_left": left / max(1e-9, rate),
            }
        )
