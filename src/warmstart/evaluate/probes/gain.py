"""How much the recommended run gains over each rival, on the same test rows, in every metric."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from warmstart.base.types import Measure, Run
from warmstart.evaluate.align import align
from warmstart.evaluate.compare import metrics, paired, samples


@dataclass(frozen=True)
class Gain:
    """Recommended minus rival with a paired 95 % interval; where lower is better, a negative gain is good.

    Measures are named "<metric>: <recommended> minus <rival>". Raises WarmstartError where rows differ.
    """

    seed: int = 0  # of the bootstrap

    def measure(self, recommended: str, runs: Mapping[str, Run]) -> list[Measure]:
        asked = metrics()
        runs = align(runs, runs[recommended].predictions["test"].probabilities.shape[1])
        found = samples({name: run.predictions["test"] for name, run in runs.items()}, asked, self.seed)
        return [
            replace(
                paired(found[recommended, metric], found[rival, metric])[0],
                name=f"{metric}: {recommended} minus {rival}",
            )
            for metric in asked
            for rival in runs
            if rival != recommended
        ]


PROBE = Gain
