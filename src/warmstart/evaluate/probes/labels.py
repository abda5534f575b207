"""What a number of labels gives: the accuracy of trainings on parts of the rows, on the same test rows."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from warmstart.base.types import Measure, Run
from warmstart.evaluate.compare import measure, samples
from warmstart.evaluate.metrics.accuracy import Accuracy


@dataclass(frozen=True)
class Labels:
    """Accuracy of each run on its test rows, with Wilson's interval: what a learning curve is drawn through.

    Measures are named "accuracy: <run>". The street trains the parts (`prove --probe labels`).
    """

    seed: int = 0  # nothing is drawn

    def measure(self, recommended: str, runs: Mapping[str, Run]) -> list[Measure]:
        return [replace(found, name=f"accuracy: {name}") for name, found in accuracies(runs).items()]


def accuracies(runs: Mapping[str, Run]) -> dict[str, Measure]:
    """Accuracy on test rows by run."""
    said = {name: run.predictions["test"] for name, run in runs.items()}
    found = samples(said, {"accuracy": Accuracy()}, 0) if said else {}
    return {name: measure(found[name, "accuracy"]) for name in runs}


PROBE = Labels
