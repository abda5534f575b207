"""How well does a score order candidates? Weighted Kendall tau (Vigna 2015) and what its first choice costs.

tau_w is scipy's `weightedtau`, hyperbolic and additive: a pair of candidates of ranks r and s (0 is best)
weighs 1 / (r + 1) + 1 / (s + 1), so that the top counts most. Ranks are those of the truth, ties in it broken
by the score, as scipy breaks them; equal values make no pair right or wrong (tau-b). scipy's own default is
the mean of ranking by truth and by score; it is reported beside. A score that is the same for all candidates
says nothing: 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import weightedtau

from benchmarks.decisions.pools import Raced, halves, stacked
from warmstart.base.seeds import generator

SPLITS = 20
FEWEST = 3  # candidates, below which an order is no order
AS_SCORES = ("frozen", "partial", "plain")
RACERS = 3  # candidates that are tuned in a race
WITHIN = 0.005


def tau_w(score: Sequence[float], truth: Sequence[float], by_truth: bool = True) -> float:
    """Weighted tau of a score with the truth, -1 to 1; `by_truth` False: scipy's mean of both rankings."""
    score_M, truth_M = np.asarray(score, float), np.asarray(truth, float)
    if np.ptp(score_M) == 0 or np.ptp(truth_M) == 0:
        return 0.0
    best_first = np.lexsort((score_M, truth_M))[::-1]
    ranks_M = np.empty(len(best_first), int)
    ranks_M[best_first] = np.arange(len(best_first))
    return float(weightedtau(truth_M, score_M, rank=ranks_M if by_truth else True).statistic)


def truths(raced: Raced) -> dict[str, dict[str, float]]:
    """Final accuracy of each candidate: tuned in full, and by the best of the tuned strategies."""
    full = {m: e.scores["full"] for m, e in raced.tuned.items() if "full" in e.right}
    return {"full": full, "best": {m: e.best_tuned for m, e in raced.tuned.items()}}


@dataclass(frozen=True)
class Placed:
    """What a score did in one pool."""

    tau: dict[str, float]  # by truth
    tau_scipy: float  # of truth "full", by scipy's default
    default_tau: float  # of the default score among the candidates that this score has something to say of
    candidates: int
    regret: float  # best candidate minus the one that it puts first, on the same rows: too high by luck
    regret_fair: float  # best of one half of the proving rows, both asked on the other
    race: float  # the regret of the one that validation chooses of the first three, each tuned in full
    race_fair: float


def placed(
    raced: Raced, score: Mapping[str, float | None], default: Mapping[str, float | None]
) -> Placed | None:
    """The agreement of a score with the truths of a pool; None where it knows of fewer than three candidates.

    What it does not know it does not place: tau is among the others, and so is its first choice, whose regret
    counts against the best of all. Of equal ones the smallest is first, as in the product.
    """
    wanted = truths(raced)
    known = {m: v for m, v in score.items() if v is not None and m in wanted["full"]}
    if len(known) < FEWEST:
        return None
    names = list(known)
    also = [m for m in names if default.get(m) is not None]
    full = wanted["full"]
    racers = sorted(names, key=lambda m: (-known[m], raced.tuned[m].facts.parameters))[:RACERS]
    first, raced_first = racers[0], winner(raced, racers)
    costs = {m: fair_regret(raced, m) for m in {first, raced_first}}
    best = max(full.values())
    return Placed(
        tau={k: tau_w([known[m] for m in names], [t[m] for m in names]) for k, t in wanted.items()},
        tau_scipy=tau_w([known[m] for m in names], [full[m] for m in names], by_truth=False),
        default_tau=tau_w([float(default[m] or 0) for m in also], [full[m] for m in also]),
        candidates=len(names),
        regret=best - full[first],
        regret_fair=costs[first],
        race=best - full[raced_first],
        race_fair=costs[raced_first],
    )


def winner(raced: Raced, racers: Sequence[str]) -> str:
    """Whom the validation rows choose of candidates tuned in full: most right, then likeliest, then first."""
    return max(racers, key=lambda m: (raced.tuned[m].validated["full"].merit, -racers.index(m)))


def fair_regret(raced: Raced, chosen: str, splits: int = SPLITS) -> float:
    """Accuracy that a choice lacks of the best, where other rows say which is best than say how good it is.

    The highest of several measured accuracies is partly luck; here the luck is left behind in the half that
    chooses. What remains errs on the low side: on half the rows the best is not always found.
    """
    right_MN, names = answers(raced)
    return crossed(right_MN, names.index(chosen), halves(right_MN.shape[1], splits, raced.name))


def crossed(right_SN: NDArray[np.float64], chosen: int, masks: Iterable[NDArray[np.bool_]]) -> float:
    """Accuracy of the best of one half minus that of the chosen, on the other half; the mean over halves."""
    found = []
    for mask in masks:
        best = int(right_SN[:, mask].mean(1).argmax())
        other_S = right_SN[:, ~mask].mean(1)
        found.append(other_S[best] - other_S[chosen])
    return float(np.mean(found))


def answers(raced: Raced) -> tuple[NDArray[np.float64], list[str]]:
    """M x N: which proving rows the candidates answer right when tuned in full, and their names."""
    full = {m: e.right["full"] for m, e in raced.tuned.items() if "full" in e.right}
    return stacked(full, list(full)), list(full)


def ceilings(raced: Raced, splits: int = SPLITS) -> dict[str, float]:
    """How far the noise of the truth lets any score come: tau_w of the truth with itself, seen twice.

    "halves": of one half of the proving rows with the other (noisier than the whole: a low estimate);
    "drawn anew": of the measured truth with the same on rows drawn anew, as if the measured were the truth
    (whose differences noise has enlarged: a high estimate).
    """
    right_MN, _ = answers(raced)
    rows = right_MN.shape[1]
    twice = [
        tau_w(right_MN[:, mask].mean(1), right_MN[:, ~mask].mean(1))
        for mask in halves(rows, splits, raced.name)
    ]
    rng = generator(0, "ceiling", raced.name)
    anew = [
        tau_w(right_MN.mean(1), right_MN[:, rng.integers(rows, size=rows)].mean(1)) for _ in range(2 * splits)
    ]
    return {"halves": float(np.mean(twice)), "drawn anew": float(np.mean(anew))}


def other_strategies(raced: Raced) -> dict[str, float]:
    """tau_w of what other strategies reached on the proving rows: more than any score can know."""
    full = truths(raced)["full"]
    found = {}
    for strategy in AS_SCORES:
        theirs = {m: e.scores[strategy] for m, e in raced.tuned.items() if strategy in e.right and m in full}
        if len(theirs) >= FEWEST:
            found[strategy] = tau_w(list(theirs.values()), [full[m] for m in theirs])
    return found


def other_seeds(raced: Raced, all_of_them: Sequence[Raced]) -> float | None:
    """tau_w of the accuracies that other seeds' rows and trainings gave, mean over seeds, with this truth."""
    mine = truths(raced)["full"]
    found = []
    for other in all_of_them:
        same = (other.world, other.rows) == (raced.world, raced.rows)
        theirs = truths(other)["full"] if same and other.seed != raced.seed else {}
        names = [m for m in mine if m in theirs]
        if len(names) >= FEWEST:
            found.append(tau_w([theirs[m] for m in names], [mine[m] for m in names]))
    return float(np.mean(found)) if found else None


def hits_of_truth(
    raced: Raced, all_of_them: Sequence[Raced], splits: int = SPLITS
) -> dict[str, float | None]:
    """How often the best as the truth itself has it, seen elsewhere, is within WITHIN of the best here.

    "halves": seen on one half of the proving rows, asked on the other; "other seeds": by the mean accuracy of
    other seeds' rows and trainings. No choice from the training rows alone can be expected to do better.
    """
    right_MN, names = answers(raced)
    near = []
    for mask in halves(right_MN.shape[1], splits, raced.name):
        best, other_M = int(right_MN[:, mask].mean(1).argmax()), right_MN[:, ~mask].mean(1)
        near.append(other_M.max() - other_M[best] <= WITHIN)
    mine = truths(raced)["full"]
    others = [
        truths(o)["full"]
        for o in all_of_them
        if (o.world, o.rows) == (raced.world, raced.rows) and o is not raced
    ]
    found: float | None = None
    if others:
        best_there = max(names, key=lambda m: float(np.mean([o.get(m, 0.0) for o in others])))
        found = float(max(mine.values()) - mine[best_there] <= WITHIN)
    return {"halves": float(np.mean(near)), "other seeds": found}
