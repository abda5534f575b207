"""Label noise: wrong labels can only be learned by heart, and answer no other row.

A finding of suspect labels counts first. Without one the rows that choose are asked: of those that the best
run is surest of, how many carry another label? What is merely hard is not among the surest; wrong labels,
which do not care how clear a row is, are among them as often as elsewhere. Errors of a weak model, or of one
with few rows of a class, look the same: the first are left out, and of the second the weight is less.
"""

from dataclasses import dataclass

import numpy as np

from warmstart.base.types import Cause, Predictions, Run
from warmstart.evaluate.causes._case import NATS, Case, accuracy
from warmstart.evaluate.intervals import wilson

SURE = 0.25  # of the rows: those that count as the surest
FEWEST = 10  # of them
SKILL = 0.4  # of the way from chance to all right, that these rows must be answered well
LEAST = 0.05  # share of wrong labels, surely, from which on it is told
CHECK = "label_noise"  # of the data, by out-of-fold probabilities: a warning where it is more than chance


@dataclass(frozen=True)
class LabelNoise:
    """As strong as the share of the gap that wrong labels explain, learned by heart as they are."""

    def look(self, case: Case) -> Cause | None:
        share, low, why = suspected(case)
        if low <= LEAST or case.gap.value <= 0:
            return None
        if accuracy(case.run.predictions["train"]) <= 1 - share:
            return None  # the wrong ones were not learned
        explained = min(1.0, share / case.gap.value)
        strength = explained * (1 - case.scarcity)
        seen = {"share of wrong labels": share, "share of the gap": explained}
        do = (
            "look at the rows named as suspect (warmstart check) and at the report's most wrong test rows; "
            "until then keep training short (guards: early_stop), or take --strategy frozen"
        )
        return Cause("label noise", why, seen, min(0.95, strength), do)


def suspected(case: Case) -> tuple[float, float, str]:
    """The share of wrong labels, its lower bound, and how that is known."""
    finding, looked = case.found(CHECK), case.looked or case.rows
    if finding is not None and looked:
        share = min(1.0, finding.count / looked) if finding.level == "warning" else 0.0
        return share, share, f"{finding.count:,} of {looked:,} training rows have suspect labels"
    said = surest(best(case).predictions["validation"])
    n = len(said.rows)
    if n < FEWEST:
        return 0.0, 0.0, ""
    wrong = int((said.answers != said.truth).sum())
    chance = float(np.bincount(said.truth).max() / n)
    if 1 - wrong / n < chance + SKILL * (1 - chance):
        return 0.0, 0.0, ""  # a model that can hardly tell the classes apart knows no wrong label either
    low, high = wilson(wrong, n)
    why = (
        f"of the {n:,} validation rows that can be told most surely {100 * wrong / n:.0f} % carry another "
        f"label (95 % interval {100 * low:.0f} to {100 * high:.0f})"
    )
    return wrong / n, low, why


def best(case: Case) -> Run:
    """The run of lowest log-loss on the validation rows: it tells best what they should be called."""

    def loss(run: Run) -> float:
        said = run.predictions["validation"]
        return NATS.measure(said.truth, said.probabilities) if len(said.rows) else float("inf")

    return min((case.run, *case.others.values()), key=loss)


def surest(said: Predictions) -> Predictions:
    """The quarter of the rows that are answered most surely."""
    order = np.argsort(-said.probabilities.max(1), kind="stable")[: int(SURE * len(said.rows))]
    return Predictions(said.rows[order], said.truth[order], said.probabilities[order])


CAUSE = LabelNoise
