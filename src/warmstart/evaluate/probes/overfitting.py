"""How much better each run does on rows that it learned from than on rows that it never saw."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from warmstart.base.types import Measure, Run
from warmstart.evaluate.compare import WHOLE, Sample, samples
from warmstart.evaluate.intervals import percentile
from warmstart.evaluate.metrics.log_loss import LogLoss
from warmstart.evaluate.overfit import accuracy_gap, seen


@dataclass(frozen=True)
class OverfittingGap:
    """Train minus test accuracy, and test minus train log-loss, of each run with a sample of training rows.

    Above 0 means better on what it learned from. The rows differ, so each side of the log-loss gap has
    bootstrap draws of its own. Measures are named "train minus test accuracy: <run>" and "test minus train
    log_loss: <run>".
    """

    seed: int = 0  # of the bootstrap

    def measure(self, recommended: str, runs: Mapping[str, Run]) -> list[Measure]:
        taught = [name for name in runs if seen(runs[name])]
        accuracy = [replace(accuracy_gap(runs[n]), name=f"train minus test accuracy: {n}") for n in taught]
        return accuracy + [self._log_loss(name, runs[name]) for name in taught]

    def _log_loss(self, name: str, run: Run) -> Measure:
        test, train = (self._sample(run, split) for split in ("test", "train"))
        called, value = f"test minus train log_loss: {name}", test.value - train.value
        if min(test.n, train.n) == 1:
            most = LogLoss.bounds[1]
            return Measure(called, value, -most, most, test.n, WHOLE)
        low, high = percentile(value, test.draws_B - train.draws_B)
        return Measure(called, value, low, high, test.n, "bootstrap of each side independently, percentile")

    def _sample(self, run: Run, split: str) -> Sample:
        found = samples({run.name: run.predictions[split]}, {"log_loss": LogLoss()}, self.seed, split)
        return found[run.name, "log_loss"]


PROBE = OverfittingGap
