"""What the pretrained weights are worth: the run beside the same recipe from weaker weights."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from warmstart.base.types import Gain, Measure, Run
from warmstart.evaluate.align import align
from warmstart.evaluate.compare import gain, measure, samples
from warmstart.evaluate.metrics.accuracy import Accuracy
from warmstart.evaluate.weigh import corrected


@dataclass(frozen=True)
class Weights:
    """Accuracy of each run on the test rows, and how far each other run is behind the recommended one.

    Measures are named "accuracy: <run>" and "behind: <run>"; the latter is paired by row. The street trains
    the weaker starts (`prove --probe weights`).
    """

    seed: int = 0  # nothing is drawn

    def measure(self, recommended: str, runs: Mapping[str, Run]) -> list[Measure]:
        accuracy, gains = behind(recommended, runs)
        apart = [Measure(f"behind: {n}", g.value, g.low, g.high, g.n, PAIRED) for n, g in gains.items()]
        return [replace(found, name=f"accuracy: {name}") for name, found in accuracy.items()] + apart


PAIRED = "paired, Bonett-Price"


def behind(ours: str, runs: Mapping[str, Run]) -> tuple[dict[str, Measure], dict[str, Gain]]:
    """Accuracy of every run, and ours minus each other's on the same rows; p is also corrected (Holm)."""
    runs = align(runs, runs[ours].predictions["test"].probabilities.shape[1])
    found = samples({n: run.predictions["test"] for n, run in runs.items()}, {"accuracy": Accuracy()}, 0)
    gains = {n: gain(n, found[ours, "accuracy"], found[n, "accuracy"]) for n in runs if n != ours}
    return {n: measure(found[n, "accuracy"]) for n in runs}, corrected(gains)


PROBE = Weights
