"""How much better each run does on rows that it learned from than on rows that it never saw."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from warmstart.base.types import Measure, Run
from warmstart.evaluate.compare import samples
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
        both = {name: run for name, run in runs.items() if seen(run)}
        return [
            gap for name, run in both.items() for gap in (_accuracy(name, run), self._log_loss(name, run))
        ]

    def _log_loss(self, name: str, run: Run) -> Measure:
        test, train = (
            samples({name: run.predictions[rows]}, {"log_loss": LogLoss()}, self.seed, rows)[name, "log_loss"]
            for rows in ("test", "train")
        )
        value, span, called = (
            test.value - train.value,
            LogLoss.bounds[1],
            f"test minus train log_loss: {name}",
        )
        if min(test.n, train.n) == 1:
            return Measure(called, value, -span, span, test.n, "one row: the whole range of the metric")
        low, high = percentile(value, test.draws_B - train.draws_B)
        return Measure(called, value, low, high, test.n, "bootstrap of each side independently, percentile")


def _accuracy(name: str, run: Run) -> Measure:
    return replace(accuracy_gap(run), name=f"train minus test accuracy: {name}")


PROBE = OverfittingGap
