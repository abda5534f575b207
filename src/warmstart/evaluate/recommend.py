"""Which run to use, chosen on validation rows alone: the cheapest within one standard error of the best.

The one-standard-error rule (Breiman, Friedman, Olshen and Stone 1984, section 3.4.3), on log-loss because it
moves with every row and not only with the rows that change sides. Test rows prove; they never choose. Of
several seeds the mean counts, and a standard error is over rows and seeds.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf, sqrt

import numpy as np
from numpy.typing import NDArray

from warmstart.base.types import Reason, Run
from warmstart.evaluate.arms import arms_of
from warmstart.evaluate.levels import seeds_variance
from warmstart.evaluate.metrics._metric import Metric
from warmstart.evaluate.metrics.log_loss import LogLoss
from warmstart.evaluate.roles import as_it_is, cost, fine_tuned, from_scratch, never_improved, without_network

Floats = NDArray[np.float64]
FEW = 30  # validation rows below which a standard error is itself a guess
FEW_ERRORS = (
    2  # standard errors by which scratch must be ahead there: its best of many looks was chosen on them
)

RULE = (
    "lowest validation log-loss; a cheaper run is preferred while it is within one standard error "
    "(Breiman et al. 1984), and a trained run must be better than the model it came from"
)


@dataclass(frozen=True)
class Standing:
    """A run on the validation rows."""

    name: str
    run: Run  # of the first seed
    losses_SN: Floats  # log-loss of each row, nats, for every seed
    primary: float  # the primary metric, turned so that higher is better

    @property
    def loss(self) -> float:
        return float(self.losses_SN.mean())

    @property
    def rows(self) -> int:
        return len(self.losses_SN[0])

    def behind(self, other: "Standing") -> tuple[float, float]:
        """Its log-loss minus the other's, and the standard error of that (infinite for one row)."""
        excess_SN = self.losses_SN - other.losses_SN
        seeds, n = excess_SN.shape
        if n == 1:
            return float(excess_SN.mean()), inf
        variance = float(excess_SN.mean(0).var(ddof=1)) / n
        if seeds > 1:
            each = float(excess_SN.var(axis=1, ddof=1).mean()) / n
            variance += seeds_variance(excess_SN.mean(1).tolist(), variance, each)
        return float(excess_SN.mean()), sqrt(variance)


def recommend(runs: Mapping[str, Run | Sequence[Run]], primary: Metric) -> tuple[str, Reason]:
    """Name of the recommended run, and why.

    Of the runs that may be recommended, the one of lowest validation log-loss is the best; of those whose
    paired difference to it is at most one standard error, the cheapest is taken (`roles.cost`). From scratch
    counts as the most expensive, so it is recommended only if every pretrained run is more than one standard
    error behind it; of two where there are fewer than 30 validation rows. A trained run may be recommended
    only if, on validation, it has a lower log-loss than the untouched model it came from and is not behind it
    in the primary metric. The baseline, which has no network, is never recommended.
    """
    standings = [_standing(name, arm, primary) for name, arm in arms_of(runs).items()]
    held = {s.name: base.name for s in standings for base in standings if _is_held_back(s, base)}
    able = [s for s in standings if s.name not in held and not without_network(s.run)]
    best = min(able, key=lambda s: (s.loss, cost(s.run), s.name))
    close = [s for s in able if _is_close(s, best)]
    taken = min(close, key=lambda s: (cost(s.run), s.loss, s.name))
    return taken.name, Reason(RULE, _saw(standings, best), _so(taken, best, held, standings))


def in_order(runs: Mapping[str, Run | Sequence[Run]], primary: Metric) -> list[str]:
    """Names of the runs, lowest validation log-loss first."""
    standings = [_standing(name, arm, primary) for name, arm in arms_of(runs).items()]
    return [s.name for s in sorted(standings, key=lambda s: (s.loss, cost(s.run), s.name))]


def _standing(name: str, arm: Sequence[Run], primary: Metric) -> Standing:
    answers = [run.predictions["validation"] for run in arm]
    value = float(np.mean([primary.measure(said.truth, said.probabilities) for said in answers]))
    losses_SN = np.stack([LogLoss().rows(said.truth, said.probabilities) for said in answers])
    return Standing(name, arm[0], losses_SN, value if primary.better == "higher" else -value)


def _is_close(standing: Standing, best: Standing) -> bool:
    excess, error = standing.behind(best)
    return excess <= error * errors(standing, best)


def errors(standing: Standing, best: Standing) -> int:
    """How many standard errors behind the best still are close."""
    few = best.rows < FEW and from_scratch(best.run) and not from_scratch(standing.run)
    return FEW_ERRORS if few else 1


def _is_held_back(tuned: Standing, base: Standing) -> bool:
    """Is `tuned` not better on validation than `base`, the model that it came from?"""
    if not (fine_tuned(tuned.run) and as_it_is(base.run) and tuned.run.plan.model == base.run.plan.model):
        return False
    return tuned.loss >= base.loss or tuned.primary < base.primary


def _saw(standings: list[Standing], best: Standing) -> str:
    n = best.rows
    seeds = max(len(standing.losses_SN) for standing in standings)
    where = f"{n:,} row{'s' * (n != 1)}" + (f", mean over {seeds} seeds" if seeds > 1 else "")
    words = [f"validation log-loss on {where}: {best.name} {best.loss:.3f}"]
    for standing in sorted((s for s in standings if s is not best), key=lambda s: s.loss):
        excess, error = standing.behind(best)
        doubt = f"standard error {error:.3f}" if n > 1 else "no standard error from one row"
        words.append(f"{standing.name} {standing.loss:.3f} ({excess:+.3f}, {doubt})")
    return ", ".join(words)


def _so(taken: Standing, best: Standing, held: Mapping[str, str], standings: list[Standing]) -> str:
    words = [taken.name]
    if taken is not best:
        count = "two standard errors" if errors(taken, best) > 1 else "one standard error"
        words.append(f"cheaper than {best.name} and within {count} of it")
    words += [
        f"{name} is not better than {base} on validation, so it is not recommended"
        for name, base in held.items()
    ]
    words += [
        f"{s.name}: tuning never improved on its frozen head" for s in standings if never_improved(s.run)
    ]
    words += [
        f"{s.name} has a lower log-loss, and no network to recommend"
        for s in standings
        if without_network(s.run) and s.loss < taken.loss
    ]
    n = best.rows
    if n < FEW:
        words.append(f"only {n} validation row{'s' * (n != 1)}: the choice is uncertain")
    return "; ".join(words)
