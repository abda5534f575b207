"""What each run took: seconds and trained parameters."""

from collections.abc import Mapping
from dataclasses import dataclass

from warmstart.base.types import Measure, Run


@dataclass(frozen=True)
class Cost:
    """Exact numbers, so low and high are the value; n is 1, one training.

    Measures are named "seconds: <run>" and "trained parameters: <run>".
    """

    def measure(self, recommended: str, runs: Mapping[str, Run]) -> list[Measure]:
        return [
            Measure(f"{what}: {name}", value, value, value, 1, how)
            for name, run in runs.items()
            for what, value, how in (
                ("seconds", run.seconds, "clock of this one training"),
                ("trained parameters", float(run.trained_parameters), "counted"),
            )
        ]


PROBE = Cost
