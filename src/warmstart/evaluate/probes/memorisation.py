"""How well each run's losses tell the rows that it learned from and the test rows apart."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from warmstart.base.types import Measure, Run
from warmstart.evaluate.memorised import NAME, membership


@dataclass(frozen=True)
class Memorisation:
    """Area under the ROC curve of the loss, 0.5 is none, with DeLong's interval.

    Measures are named "membership by loss: <run>"; a run without training rows has none.
    """

    seed: int = 0  # of the draw of rows

    def measure(self, recommended: str, runs: Mapping[str, Run]) -> list[Measure]:
        found = {name: membership(run, self.seed) for name, run in runs.items()}
        return [replace(m, name=f"{NAME}: {name}") for name, m in found.items() if m is not None]


PROBE = Memorisation
