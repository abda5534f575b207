"""One temperature for all answers, fitted to validation rows (Guo et al. 2017, arXiv 1706.04599).

Dividing all logits by a number changes no answer, only how sure it is. As a function of the inverse
temperature the log-loss is convex: its logits enter linearly. A prior of one unit around 1 keeps few rows,
or rows that are all answered right, from asking for any extreme; it is convex as well.
"""

import numpy as np
from numpy.typing import NDArray

from warmstart.base.types import Predictions

Floats = NDArray[np.float64]
BOUNDS = (0.05, 20.0)  # of the inverse temperature
PRIOR = 1.0  # spread of the inverse temperature around 1 before any row was seen
TINY = 1e-300  # the smallest probability whose logarithm is taken


def logits_of(probabilities_NC: Floats) -> Floats:
    """Logits that give these probabilities; each row up to a constant."""
    return np.log(np.maximum(probabilities_NC, TINY))


def fit(said: Predictions) -> float:
    """The temperature that suits these rows; 1 where there are none. Exact: the root of the derivative."""
    from scipy.optimize import brentq

    if not len(said.rows):
        return 1.0
    logits_NC = logits_of(said.probabilities)
    rows = np.arange(len(said.truth))

    def slope(inverse: float) -> float:
        """Of the summed log-loss and the prior by the inverse temperature; rises with it."""
        expected_N = (softmax(inverse * logits_NC) * logits_NC).sum(1)
        return float((expected_N - logits_NC[rows, said.truth]).sum()) + (inverse - 1) / PRIOR**2

    low, high = BOUNDS
    if slope(low) >= 0 or slope(high) <= 0:
        return 1 / (low if slope(low) >= 0 else high)
    return 1 / float(brentq(slope, low, high, xtol=1e-12))


def at(probabilities_NC: Floats, temperature: float) -> Floats:
    """The probabilities at a temperature; at 1 the very same."""
    if temperature == 1.0:
        return probabilities_NC
    return softmax(logits_of(probabilities_NC) / temperature)


def cooled(said: Predictions, temperature: float) -> Predictions:
    return Predictions(said.rows, said.truth, at(said.probabilities, temperature))


def softmax(logits_NC: Floats) -> Floats:
    raised_NC = np.exp(logits_NC - logits_NC.max(1, keepdims=True))
    shares_NC: Floats = raised_NC / raised_NC.sum(1, keepdims=True)
    return shares_NC
