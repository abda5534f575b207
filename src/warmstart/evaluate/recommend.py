"""Which run to use, chosen on validation rows alone: the planned one, unless another is surely better.

The plan was chosen by what is expected of it; few validation rows know less than that. The one-standard-error
rule (Breiman, Friedman, Olshen and Stone 1984, section 3.4.3), which takes the cheapest run that is near the
best, gave away 4 points of accuracy on the cells of the decision study, and the lowest log-loss 2 to 4: tuned
networks are surer of themselves than they are right (EXPERIMENTS.md). Test rows prove; they never choose.
Of several seeds the mean counts, and a standard error is over rows and seeds.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf, sqrt

import numpy as np
from numpy.typing import NDArray

from warmstart.base.types import Reason, Run
from warmstart.evaluate.arms import arms_of
from warmstart.evaluate.levels import seeds_variance
from warmstart.evaluate.metrics._metric import Metric, RowMean
from warmstart.evaluate.metrics.log_loss import LogLoss
from warmstart.evaluate.roles import as_it_is, cost, fine_tuned, never_improved, without_network

Floats = NDArray[np.float64]
FEW = 30  # validation rows below which a standard error is itself a guess
SURE = 2  # standard errors by which another run must be better than the plan

RULE = (
    f"the planned run, unless another is better on the validation rows by more than {SURE} standard errors; "
    "a trained run must be better than the model it came from"
)


@dataclass(frozen=True)
class Standing:
    """A run on the validation rows."""

    name: str
    run: Run  # of the first seed
    losses_SN: Floats  # log-loss of each row, nats, for every seed
    merits_SN: Floats  # by which runs are compared, higher is better
    primary: float  # the primary metric, turned so that higher is better
    binomial: bool  # is every merit 0 or 1?

    @property
    def loss(self) -> float:
        return float(self.losses_SN.mean())

    @property
    def merit(self) -> float:
        return float(self.merits_SN.mean())

    @property
    def rows(self) -> int:
        return len(self.losses_SN[0])

    def ahead(self, other: "Standing") -> tuple[float, float]:
        """Its merit minus the other's, and the standard error of that."""
        return ahead(self.merits_SN - other.merits_SN, self.binomial)

    def surely_better(self, other: "Standing") -> bool:
        return surely_ahead(self.merits_SN - other.merits_SN, self.binomial)


def ahead(more_SN: Floats, binomial: bool) -> tuple[float, float]:
    """The mean of a difference by seed and row, and its standard error (infinite for one row).

    Where rows are right or wrong, one more of each kind is counted (Bonett and Price 2012): a few that are
    won and none that are lost would else be surer than they are.
    """
    value, (seeds, n) = float(more_SN.mean()), more_SN.shape
    if n == 1:
        return value, inf
    if binomial:
        more_SN, n = np.hstack([more_SN, np.tile([1.0, -1.0], (seeds, 1))]), n + 2
    variance = float(more_SN.mean(0).var(ddof=1)) / n
    if seeds > 1:
        each = float(more_SN.var(axis=1, ddof=1).mean()) / n
        variance += seeds_variance(more_SN.mean(1).tolist(), variance, each)
    return value, sqrt(variance)


def surely_ahead(more_SN: Floats, binomial: bool) -> bool:
    more, error = ahead(more_SN, binomial)
    return more > 0 and more > SURE * error


def recommend(runs: Mapping[str, Run | Sequence[Run]], primary: Metric, planned: str) -> tuple[str, Reason]:
    """Name of the recommended run, and why.

    Runs are compared in the primary metric, row by row; in log-loss where it is no mean over rows. A trained
    run may be recommended only if, on validation, it has a lower log-loss than the untouched model it came
    from and is not behind it in the primary metric; where the planned one may not, that model takes its
    place. Of several that are surely better the best is taken, of equals the cheapest (`roles.cost`); so
    it is of runs that answer every row alike. The baseline, which has no network, is never recommended.
    """
    standings = {name: _standing(name, arm, primary) for name, arm in arms_of(runs).items()}
    held = {
        s.name: base.name for s in standings.values() for base in standings.values() if _is_held_back(s, base)
    }
    able = [s for s in standings.values() if s.name not in held and not without_network(s.run)]
    start = cheapest_twin(standings[held.get(planned, planned)], able)
    better = [s for s in able if s.surely_better(start)]
    taken = min(better or [start], key=lambda s: (-s.merit, s.loss, cost(s.run), s.name))
    told = list(standings.values())
    return taken.name, Reason(RULE, _saw(told, start, primary), _so(taken, start, held, told))


def cheapest_twin(standing: Standing, able: Sequence[Standing]) -> Standing:
    """The cheapest of the runs that answer as this one does, which may be itself."""
    twins = [s for s in able if np.array_equal(s.losses_SN, standing.losses_SN)]
    return min([*twins, standing], key=lambda s: (cost(s.run), s.name != standing.name))


def in_order(runs: Mapping[str, Run | Sequence[Run]], primary: Metric) -> list[str]:
    """Names of the runs, lowest validation log-loss first."""
    standings = [_standing(name, arm, primary) for name, arm in arms_of(runs).items()]
    return [s.name for s in sorted(standings, key=lambda s: (s.loss, cost(s.run), s.name))]


def _standing(name: str, arm: Sequence[Run], primary: Metric) -> Standing:
    answers = [run.predictions["validation"] for run in arm]
    sign = 1 if primary.better == "higher" else -1
    value = float(np.mean([primary.measure(said.truth, said.probabilities) for said in answers]))
    losses_SN = np.stack([LogLoss().rows(said.truth, said.probabilities) for said in answers])
    merits_SN = -losses_SN
    if isinstance(primary, RowMean):
        merits_SN = sign * np.stack([primary.rows(said.truth, said.probabilities) for said in answers])
    binomial = isinstance(primary, RowMean) and primary.binomial
    return Standing(name, arm[0], losses_SN, merits_SN, sign * value, binomial)


def _is_held_back(tuned: Standing, base: Standing) -> bool:
    """Is `tuned` not better on validation than `base`, the model that it came from?"""
    if not (fine_tuned(tuned.run) and as_it_is(base.run) and tuned.run.plan.model == base.run.plan.model):
        return False
    return tuned.loss >= base.loss or tuned.primary < base.primary


def _saw(standings: Sequence[Standing], start: Standing, primary: Metric) -> str:
    n = start.rows
    seeds = max(len(standing.losses_SN) for standing in standings)
    where = f"{n:,} row{'s' * (n != 1)}" + (f", mean over {seeds} seeds" if seeds > 1 else "")
    kind = primary.title if isinstance(primary, RowMean) else "log-loss"
    words = [f"validation {kind} on {where}: {start.name} {abs(start.merit):.3f}"]
    for standing in sorted((s for s in standings if s is not start), key=lambda s: -s.merit):
        more, error = standing.ahead(start)
        doubt = f"standard error {error:.3f}" if n > 1 else "no standard error from one row"
        signed = -more if kind == "log-loss" or primary.better == "lower" else more
        words.append(f"{standing.name} {abs(standing.merit):.3f} ({signed:+.3f}, {doubt})")
    return ", ".join(words)


def _so(taken: Standing, start: Standing, held: Mapping[str, str], standings: Sequence[Standing]) -> str:
    words = [taken.name]
    if taken is not start:
        words.append(f"better than {start.name} by more than {SURE} standard errors")
    words += [
        f"{name} is not better than {base} on validation, so it is not recommended"
        for name, base in held.items()
    ]
    words += [
        f"{s.name}: tuning never improved on its frozen head" for s in standings if never_improved(s.run)
    ]
    words += [
        f"{s.name} is ahead, and has no network to recommend"
        for s in standings
        if without_network(s.run) and s.merit > taken.merit
    ]
    if start.rows < FEW:
        count = f"{start.rows} validation row{'s' * (start.rows != 1)}"
        words.append(f"only {count}: they could overrule the plan in the clearest of cases alone")
    return "; ".join(words)
