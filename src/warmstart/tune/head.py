"""A linear head on frozen features is a convex problem: solve it instead of stepping towards it.

L2-regularised multinomial logistic regression on standardised features (L-BFGS); its strength is chosen on
the validation rows. The standardisation is folded into the weights, so that the head reads plain features.
A head without biases reads features that are scaled but keep their mean, which can stand in for them.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from warmstart.base.errors import WarmstartError
from warmstart.base.seeds import generator
from warmstart.models.softmax import Floats, Problem, leading_directions, solve

STRENGTHS = (1e-3, 1e-2, 1e-1, 1.0, 10.0)  # C of scikit-learn: larger is weaker regularisation
SOFT = tuple(10.0 ** (i / 2) for i in range(-12, 1))
TOLERANCE = 1e-7  # largest scaled derivative of the mean loss
ROUNDING = 1e-6  # relative; features come in single precision
DRAWS, ENOUGH = 8, 4000  # of dropout, under which the loss that is left is measured, and rows in all
UNSEEN = -10.0  # logit of a class that no training row has


def solve_head(
    linear: nn.Linear,
    train: tuple[Tensor, Tensor],
    validation: tuple[Tensor, Tensor],
    classes: int,
    leave: float = 0.0,
    dropout: float = 0.0,
) -> dict[str, Any]:
    """Set `linear` to a solution and return what was found.

    With leave = 0 it is the one with the lowest validation log-loss; else the one whose training loss is
    nearest to `leave` times that of the class frequencies, so that a body above which it stands has something
    to learn. That loss is measured under the `dropout` that will stand before the head: of features that
    hardly vary about a large mean it makes many times what it would be without. `train` and `validation` are
    features (N x D) and class numbers (N). "converged" says whether L-BFGS came to its end for that solution.
    Raises WarmstartError if a feature is not finite.
    """
    x_ND, y_N = train[0].double(), train[1].numpy()
    check_finite(x_ND, validation[0])
    biased = linear.bias is not None
    mean_D, scale_D = standards(x_ND, biased)
    z_ND = ((x_ND - mean_D) / scale_D).numpy()
    aim = leave * entropy(y_N)
    seen_KND = dropped(train[0], dropout)
    seen_y = train[1].repeat(len(seen_KND) // len(y_N))
    found: list[tuple[float, float, float, bool, Tensor, Tensor]] = []
    strengths = SOFT if leave else STRENGTHS
    for strength, weight_CD, bias_C, converged in path(z_ND, y_N, classes, strengths, biased):
        folded_CD = weight_CD / scale_D
        shifted_C = bias_C - folded_CD @ mean_D
        loss = float(cross_entropy(validation[0].double() @ folded_CD.T + shifted_C, validation[1]))
        left = float(cross_entropy(seen_KND.double() @ folded_CD.T + shifted_C, seen_y)) if leave else 0.0
        found.append((abs(left - aim) if leave else loss, strength, loss, converged, folded_CD, shifted_C))
    _, strength, loss, converged, weight, bias = min(found, key=lambda solution: solution[:2])
    with torch.no_grad():
        linear.weight.copy_(weight)
        if biased:
            linear.bias.copy_(bias)
    return {"strength": strength, "validation_loss": loss, "converged": converged}


def dropped(x_ND: Tensor, rate: float) -> Tensor:
    """The rows as dropout shows them, some times over where they are few; as they are where there is none."""
    if not rate:
        return x_ND
    draws = max(1, min(DRAWS, ENOUGH // len(x_ND)))
    kept = torch.from_numpy(generator(0, "head-dropout").random((draws, *x_ND.shape)) >= rate)
    return (kept * x_ND / (1 - rate)).flatten(0, 1)


def standards(x_ND: Tensor, biased: bool) -> tuple[Tensor, Tensor]:
    """What to take from each column and what to divide it by; a column that says nothing is divided by 1."""
    mean_D = x_ND.mean(0)
    if not biased:
        size_D = x_ND.square().mean(0).sqrt()
        return torch.zeros_like(mean_D), torch.where(size_D > 0, size_D, torch.ones_like(size_D))
    std_D = x_ND.std(0, unbiased=False)
    return mean_D, torch.where(std_D > ROUNDING * mean_D.abs(), std_D, torch.ones_like(std_D))


def entropy(y_N: NDArray[np.int64]) -> float:
    """Log-loss of always giving the frequencies of the classes, in nats."""
    shares = np.bincount(y_N)[np.unique(y_N)] / len(y_N)
    return float(-(shares * np.log(shares)).sum())


def check_finite(*features: Tensor) -> None:
    if not all(bool(torch.isfinite(x).all()) for x in features):
        raise WarmstartError(
            "the features below the head are not finite for some rows",
            "look at the weights of the model and at the rows, or choose another model",
            "not-finite",
        )


def path(
    z_ND: NDArray[np.float64],
    y_N: NDArray[np.int64],
    classes: int,
    strengths: Sequence[float],
    biased: bool = True,
) -> list[tuple[float, Tensor, Tensor, bool]]:
    """For each strength: weights (C x D) and biases (C) of all classes, and whether they converged.

    From strong to weak regularisation, each beginning where the one before it ended. Without `biased` all
    biases are 0.
    """
    seen, truth_N = np.unique(y_N, return_inverse=True)
    unseen_D = np.zeros(z_ND.shape[1]) if biased else unseen_without_bias(z_ND)
    if len(seen) == 1:
        found = spread(seen, np.zeros((1, z_ND.shape[1])), np.zeros(1), classes, unseen_D)
        return [(strengths[0], *found, True)]
    problem = Problem.of(z_ND, truth_N, leading_directions(z_ND), biased)
    solutions, start = [], None
    for strength in strengths:
        solution = solve(problem, strength, start, TOLERANCE)
        start = solution.weights
        weight_SD, bias_S = start[1:].T, start[0] - start[0].mean()  # a shift of all biases says nothing
        all_of_them = spread(seen, weight_SD, bias_S, classes, unseen_D)
        solutions.append((strength, *all_of_them, solution.converged))
    return solutions


def unseen_without_bias(z_ND: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weights that give the mean row the logit UNSEEN."""
    mean_D = z_ND.mean(0)
    return np.asarray(UNSEEN * mean_D / max(float(mean_D @ mean_D), 1e-12))


def spread(
    seen: NDArray[np.int64], weight: Floats, bias: Floats, classes: int, unseen_D: NDArray[np.float64]
) -> tuple[Tensor, Tensor]:
    """Weights and biases of the classes that were seen, among those of all.

    The others have the weights `unseen_D`; where these are 0, the bias UNSEEN.
    """
    weight_CD = np.tile(unseen_D, (classes, 1))
    bias_C = np.full(classes, 0.0 if unseen_D.any() else UNSEEN)
    weight_CD[seen], bias_C[seen] = weight, bias
    return torch.from_numpy(weight_CD), torch.from_numpy(bias_C)
