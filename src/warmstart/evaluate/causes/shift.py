"""Shift: the test rows are unlike those that taught and chose, so that what was learned fits them less."""

from dataclasses import dataclass

from warmstart.base.types import Cause, Predictions
from warmstart.evaluate.causes._case import Case, accuracy
from warmstart.evaluate.intervals import newcombe


@dataclass(frozen=True)
class Shift:
    """As strong as the share of the gap by which validation rows, too, are answered better than test rows."""

    def look(self, case: Case) -> Cause | None:
        validation, test = (case.run.predictions[split] for split in ("validation", "test"))
        if not len(validation.rows) or not len(test.rows) or case.gap.value <= 0:
            return None
        low, high = newcombe(right(validation), len(validation.rows), right(test), len(test.rows))
        apart = accuracy(validation) - accuracy(test)
        if low <= 0:
            return None
        share = min(1.0, apart / case.gap.value)
        why = (
            f"validation rows, which it did not learn from either, are answered {100 * apart:.1f} points "
            f"better than test rows (95 % interval {100 * low:.1f} to {100 * high:.1f})"
        )
        if (finding := case.found("shift")) is not None:
            why += f"; {finding.what}"
        seen = {"validation minus test accuracy": apart, "share of the gap": share}
        do = "look at how the test rows differ (warmstart check), and add training rows like them"
        return Cause("shift", why, seen, min(0.95, share), do)


def right(said: Predictions) -> float:
    return float((said.answers == said.truth).sum())


CAUSE = Shift
