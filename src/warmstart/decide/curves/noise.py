"""Why a measured score is not the true one, and what scores say in spite of it.

Four causes, all on the scale of the angles (points.py), where a score of 80 % moves 0.8 points per 0.01:

    trainings  of different seeds differ                  sd `training`, of each point
    sizes      whose rows happened to be easy or hard,    sd `size`, of all points of a size
               and forms that are not quite right
    rows       held out, answered by luck                 (1 - likeness) / (4 rows), of each point
               that happened to be easy or hard           likeness / (4 rows), of ALL points

The last is shared where the same rows are held out: more sizes or seeds never average it away, differences
between sizes are free of it, and it is why the score on fresh rows is less sure than on these. `likeness` is
the correlation of two trainings' right answers. The first two are larger where rows are few: (n / largest)
to the power of -`flare`.

None of the four is known. They lie on a grid with a prior, and a likelihood is the average over the grid.
So the seeds of a size say how much trainings differ, pooled over sizes, and where each size has one
seed the prior does. The smallest value of the grid is the floor.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

from warmstart.decide.curves.points import Point, angles

Floats = NDArray[np.float64]

TRAINING = ((0.004, 1.0), (0.008, 2.0), (0.015, 3.0), (0.028, 2.0), (0.05, 1.0))  # sd, weight
SIZE = ((0.003, 1.0), (0.008, 1.0), (0.016, 1.0))
LIKENESS = ((0.3, 1.0), (0.55, 2.0), (0.8, 1.0))
FLARE = ((0.0, 1.0), (0.4, 1.0))


@dataclass(frozen=True)
class Noise:
    """One point of the grid."""

    training: float
    size: float
    likeness: float
    flare: float
    weight: float

    def swell(self, points: Sequence[Point]) -> Floats:
        n = np.array([p.n for p in points], dtype=np.float64)
        swollen: Floats = (n / n.max()) ** -self.flare
        return swollen

    def covariance(self, points: Sequence[Point], shared: bool) -> Floats:
        """Of the angles of the points, P x P."""
        n, total = np.array([(p.n, p.total) for p in points], dtype=np.float64).T
        swell = self.swell(points)
        common = self.likeness / (4 * np.maximum.outer(total, total)) if shared else 0.0
        own = self.training**2 * swell**2 + (1 - self.likeness * shared) / (4 * total)
        same_size = np.equal.outer(n, n) * np.outer(swell, swell)
        covariance: Floats = np.diag(own) + self.size**2 * same_size + common
        return covariance


def grid(likeness: float | None = None) -> tuple[Noise, ...]:
    """All noises; with one likeness, where it was measured."""
    likenesses = LIKENESS if likeness is None else ((likeness, 1.0),)
    cells = product(TRAINING, SIZE, likenesses, FLARE)
    return tuple(Noise(t, s, k, f, tw * sw * kw * fw) for (t, tw), (s, sw), (k, kw), (f, fw) in cells)


def likeness(right_TN: NDArray[np.bool_]) -> float:
    """Correlation of right answers between T trainings on the same N held-out rows, pooled over all pairs."""
    off_TN = right_TN - right_TN.mean(1, keepdims=True)
    covariance_TT = off_TN @ off_TN.T / right_TN.shape[1]
    sd_T = np.sqrt(np.diag(covariance_TT))
    first, second = np.triu_indices(len(sd_T), 1)
    possible = float((sd_T[first] * sd_T[second]).sum())
    return float(covariance_TT[first, second].sum()) / possible if possible else 0.0


@dataclass(frozen=True)
class Seen:
    """The points as angles per size, with their precision, under each of G noises."""

    noises: tuple[Noise, ...]
    means_GS: Floats
    precision_GSS: Floats
    log_G: Floats  # log density of the points around their own means, with the prior of the noise
    shared: bool  # were all measured on the same held-out rows?

    def log_likelihoods(self, angles_DS: Floats) -> Floats:
        """Of D curves under each noise, its prior included: D x G."""
        # A quadratic form per noise, written as one product: the squares of a curve with a matrix.
        origin_S = self.means_GS.mean(0)
        off_DS, means_GS = angles_DS - origin_S, self.means_GS - origin_S
        linear_GS = np.einsum("gst,gt->gs", self.precision_GSS, means_GS)
        squares_DT = (off_DS[:, :, None] * off_DS[:, None, :]).reshape(len(off_DS), -1)
        quadratic_DG = squares_DT @ self.precision_GSS.reshape(len(means_GS), -1).T
        constant_G = (means_GS * linear_GS).sum(1)
        logs: Floats = self.log_G - 0.5 * (quadratic_DG - 2 * off_DS @ linear_GS.T + constant_G)
        return logs

    def log_likelihood(self, angles_DS: Floats) -> Floats:
        """Of D curves, averaged over the noises: D values."""
        logs: Floats = logsumexp(self.log_likelihoods(angles_DS), axis=1)
        return logs

    def without_curve(self) -> Floats:
        """How likely each noise is if nothing is assumed of the curve: G weights that sum to 1."""
        logs_G = self.log_G - 0.5 * np.linalg.slogdet(self.precision_GSS)[1]
        weights: Floats = np.exp(logs_G - logsumexp(logs_G))
        return weights


def seen(points: Sequence[Point], shared: bool, likeness: float | None = None) -> Seen:
    """What the points say of each size, under each noise: generalised least squares without a curve."""
    noises = grid(likeness)
    angle_P, n_P = angles(points), np.array([p.n for p in points])
    belongs_PS = np.equal.outer(n_P, np.unique(n_P)).astype(np.float64)
    rows = [per_size(angle_P, belongs_PS, noise.covariance(points, shared)) for noise in noises]
    means, precisions, logs = zip(*rows, strict=True)
    weights_G = np.array([noise.weight for noise in noises])
    logs_G = np.array(logs) + np.log(weights_G)
    return Seen(noises, np.array(means), np.array(precisions), logs_G, shared)


def per_size(angle_P: Floats, belongs_PS: Floats, covariance_PP: Floats) -> tuple[Floats, Floats, float]:
    """Means of the sizes, their precision, and up to a constant the log density of the points around them."""
    inverse_PP: Floats = np.linalg.inv(covariance_PP).astype(np.float64)
    weighted_SP: Floats = belongs_PS.T @ inverse_PP
    precision_SS = weighted_SP @ belongs_PS
    mean_S: Floats = np.linalg.inv(precision_SS) @ weighted_SP @ angle_P
    off_P = angle_P - belongs_PS @ mean_S
    log = -0.5 * (np.linalg.slogdet(covariance_PP)[1] + off_P @ inverse_PP @ off_P)
    return mean_S, precision_SS, float(log)
