"""Does the score fall with more rows, by more than noise? Such a curve is not extrapolated.

About one curve in seven is ill-behaved (LCDB 1.1, Yan, Mohr and Viering 2025, arXiv 2505.15657), and no form
here can fall.
"""

from dataclasses import dataclass

import numpy as np

from warmstart.base.seeds import generator
from warmstart.decide.curves.noise import Floats, Seen

ALPHA = 0.05  # share of flat curves that are refused; of rising ones far fewer
DRAWS = 1000


@dataclass(frozen=True)
class Fall:
    """The largest drop from one size to a larger one, in standard errors; how often chance does that."""

    first: int  # places among the sizes
    second: int
    p: float


def largest_fall(seen: Seen) -> Fall:
    """The drop that is largest against its noise, tested against curves that are flat.

    The statistic is the largest of all standardised drops z = (mean_i - mean_j) / sd, i before j; what all
    sizes share, as the luck of the held-out rows, cancels. Its distribution on a flat curve (of all that do
    not fall the one where it is largest) is drawn for each noise of the grid, and p is averaged over them,
    each as likely as the seeds make it.
    """
    likely_G = seen.without_curve()
    sizes = seen.means_GS.shape[1]
    before, after = np.triu_indices(sizes, 1)
    normals_BS = generator(0, "curve", "falls").standard_normal((DRAWS, sizes))
    p, drops_J = 0.0, np.zeros(len(before))
    for likely, mean_S, precision_SS in zip(likely_G, seen.means_GS, seen.precision_GSS, strict=True):
        covariance_SS = np.linalg.inv(precision_SS)
        variance_S = np.diag(covariance_SS)
        sd_J = np.sqrt(variance_S[before] + variance_S[after] - 2 * covariance_SS[before, after])
        flat_BS = normals_BS @ np.linalg.cholesky(covariance_SS).T
        flat_B = ((flat_BS[:, before] - flat_BS[:, after]) / sd_J).max(1)
        drop_J = (mean_S[before] - mean_S[after]) / sd_J
        p += likely * float((flat_B >= drop_J.max()).mean())
        drops_J += likely * drop_J
    worst = int(drops_J.argmax())
    return Fall(int(before[worst]), int(after[worst]), p)


def typical_sd(seen: Seen) -> Floats:
    """Standard error of each size's angle, averaged over the noises."""
    variances = [np.diag(np.linalg.inv(precision)) for precision in seen.precision_GSS]
    sd: Floats = np.sqrt(seen.without_curve() @ np.array(variances))
    return sd
