"""How far a tuned network has moved from its source on the same rows: in its answers and in its features.

Answers: the divergence KL(source | tuned) of what the source's own head says above either body, row by row,
in nats; held-out rows of the new data suffice, and it goes with what is forgotten (Shenfeld, Pari & Agrawal
2025, "RL's Razor", arXiv 2509.04259). Features: linear CKA (Kornblith et al. 2019, arXiv 1905.00414) in its
unbiased form (Song et al. 2012, JMLR 13:1393), which few rows do not flatter.
"""

import numpy as np
from numpy.typing import NDArray

from warmstart.base.types import Measure
from warmstart.evaluate.intervals import LEVEL, mean_interval

Floats = NDArray[np.float64]
FOLDS = 10  # of the jackknife
FEWEST = 8  # rows below which unbiased CKA has no meaning


def divergences(source_NC: Floats, tuned_NC: Floats) -> Floats:
    """KL(source | tuned) of each of N rows, nats, from N x C probabilities."""
    least = np.finfo(np.float64).tiny
    logs_NC = np.log(np.maximum(source_NC, least)) - np.log(np.maximum(tuned_NC, least))
    found: Floats = np.where(source_NC > 0, source_NC * logs_NC, 0.0).sum(1)
    return found


def divergence(source_NC: Floats, tuned_NC: Floats) -> Measure:
    """The mean over rows with its 95 % interval."""
    rows_N = divergences(source_NC, tuned_NC)
    low, high = mean_interval(rows_N) if len(rows_N) > 1 and rows_N.std() > 0 else (rows_N.mean(),) * 2
    how = "t over rows, corrected for their skewness (Hall)"
    return Measure("KL", float(rows_N.mean()), max(0.0, float(low)), float(high), len(rows_N), how)


def cka(one_ND: Floats, other_NE: Floats) -> float:
    """Unbiased linear CKA of two sets of features of the same N >= 4 rows.

    1: the same but for a turn and a scale. NaN where either of them does not vary.
    """
    one_NN, other_NN = gram(one_ND), gram(other_NE)
    both = hsic(one_NN, other_NN)
    own, others = hsic(one_NN, one_NN), hsic(other_NN, other_NN)
    return both / float(np.sqrt(own * others)) if own > 0 and others > 0 else float("nan")


def gram(features_ND: Floats) -> Floats:
    """Inner products of all pairs of different rows, centred first so that sizes cannot drown them."""
    centred_ND = features_ND - features_ND.mean(0)
    found: Floats = centred_ND @ centred_ND.T
    np.fill_diagonal(found, 0.0)
    return found


def hsic(one_NN: Floats, other_NN: Floats) -> float:
    """Song et al.'s unbiased estimate, from inner products with an empty diagonal."""
    n = len(one_NN)
    trace = float((one_NN * other_NN).sum())
    sums = float(one_NN.sum() * other_NN.sum()) / ((n - 1) * (n - 2))
    crossed = 2 * float(one_NN.sum(0) @ other_NN.sum(0)) / (n - 2)
    return (trace + sums - crossed) / (n * (n - 3))


def similarity(source_ND: Floats, tuned_NE: Floats) -> Measure | None:
    """CKA with a jackknife over groups of rows; None where rows are too few or nothing varies."""
    from scipy.special import stdtrit

    n = len(source_ND)
    value = cka(source_ND, tuned_NE) if n >= FEWEST else float("nan")
    if np.isnan(value):
        return None
    folds = min(FOLDS, n // 2)
    kept = [np.arange(n) % folds != fold for fold in range(folds)]
    without_K = np.array([cka(source_ND[rows], tuned_NE[rows]) for rows in kept])
    error = float(np.sqrt((folds - 1) * without_K.var()))
    half = float(stdtrit(folds - 1, (1 + LEVEL) / 2)) * error
    low, high = max(-1.0, value - half), min(1.0, value + half)
    return Measure("CKA", value, min(low, value), max(high, value), n, f"jackknife over {folds} folds")
