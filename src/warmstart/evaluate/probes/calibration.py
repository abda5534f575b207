"""Can the probabilities be believed? Calibration error, and whether a run is surer than it is right."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

from warmstart.base.types import Measure, Run
from warmstart.evaluate.compare import measure, samples
from warmstart.evaluate.metrics._metric import Floats, Ints, RowMean, hits
from warmstart.evaluate.metrics.ece import Ece


@dataclass(frozen=True)
class Overconfidence(RowMean):
    """Mean confidence minus accuracy, -1 to 1: above 0 the run is surer than it is right."""

    title: ClassVar[str] = "overconfidence"
    better: ClassVar[str] = "lower"
    unit: ClassVar[str] = "points"
    bounds: ClassVar[tuple[float, float]] = (-1.0, 1.0)

    def rows(self, truth_N: Ints, probabilities_NC: Floats) -> Floats:
        confidence_N: Floats = probabilities_NC.max(1)
        return confidence_N - hits(truth_N, probabilities_NC)


@dataclass(frozen=True)
class Calibration:
    """Calibration error (15 bins) and mean confidence minus accuracy of each run on its test rows.

    Measures are named "ece: <run>" and "confidence minus accuracy: <run>".
    """

    seed: int = 0  # of the bootstrap

    def measure(self, recommended: str, runs: Mapping[str, Run]) -> list[Measure]:
        asked = {"ece": Ece(), "confidence minus accuracy": Overconfidence()}
        found = samples({name: run.predictions["test"] for name, run in runs.items()}, asked, self.seed)
        return [
            replace(measure(found[run, metric]), name=f"{metric}: {run}") for metric in asked for run in runs
        ]


PROBE = Calibration
