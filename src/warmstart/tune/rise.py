"""By how much a look at the validation rows is above the lowest of its phase, and how sure that is.

The rows are the same at every look, so that their losses are paired: the noise of the difference is far
smaller than that of either mean. It can only be known while the losses of single rows are at hand.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

from torch import Tensor

from warmstart.tasks._task import Look


@dataclass
class Lowest:
    """The losses of single rows at the lowest look of the phase and at the last one; N rows each.

    What a phase began with counts as a look of it.
    """

    phase: int = -1
    low_N: Tensor | None = None
    last_N: Tensor | None = None

    def seen(self, phase: int, look: Look) -> dict[str, float]:
        """Take a look in; returns its mean rise above the lowest, nats, and the standard error of that rise.

        0 and 0 for a look that is the lowest itself, as the first of all is.
        """
        if phase != self.phase:
            self.phase, self.low_N = phase, self.last_N
        before, now = self.low_N, look.losses_N
        self.last_N = now
        if before is None:
            self.low_N = now
            return {"rise": 0.0, "rise_error": 0.0}
        answers = float(look.answers_N.double().mean()) or 1.0
        above_N = (now - before) / answers
        if float(above_N.mean()) <= 0:
            self.low_N = now
            return {"rise": 0.0, "rise_error": 0.0}
        spread = float(above_N.std()) if len(above_N) > 1 else float("inf")
        error = spread / sqrt(len(above_N))
        return {"rise": float(above_N.mean()), **({"rise_error": error} if error < float("inf") else {})}

    def state(self) -> tuple[int, dict[str, Tensor]]:
        """The phase and copies of the rows, for a checkpoint."""
        rows = {"low": self.low_N, "last": self.last_N}
        return self.phase, {name: rows_N.clone() for name, rows_N in rows.items() if rows_N is not None}

    @staticmethod
    def of(phase: int, rows: dict[str, Tensor]) -> Lowest:
        """As `state` had it; without rows (an older checkpoint) the next look begins anew."""
        return Lowest(phase if rows else -1, rows.get("low"), rows.get("last"))
