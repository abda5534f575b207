"""A linear head on frozen features is a convex problem: solve it instead of stepping towards it.

L2-regularised multinomial logistic regression on standardised features (L-BFGS); its strength is chosen on
the validation rows. The standardisation is folded into the weights, so that the head reads plain features.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

STRENGTHS = (1e-3, 1e-2, 1e-1, 1.0, 10.0)  # C of sklearn: larger is weaker regularisation


def solve_head(
    linear: nn.Linear, train: tuple[Tensor, Tensor], validation: tuple[Tensor, Tensor], classes: int
) -> dict[str, float]:
    """Set `linear` to the solution with the lowest validation log-loss; returns what was found.

    `train` and `validation` are features (N x D) and class numbers (N).
    """
    x_ND, y_N = train
    mean_D, std_D = x_ND.mean(0), x_ND.std(0, unbiased=False)
    std_D = torch.where(std_D > 1e-6 * std_D.max(), std_D, torch.ones_like(std_D))
    z_ND = ((x_ND - mean_D) / std_D).double().numpy()
    best: tuple[float, float, Tensor, Tensor] | None = None
    for strength in STRENGTHS:
        weight_CD, bias_C = fit(z_ND, y_N.numpy(), strength, classes)
        folded_CD = weight_CD / std_D.double()
        shifted_C = bias_C - folded_CD @ mean_D.double()
        logits = validation[0].double() @ folded_CD.T + shifted_C
        loss = float(nn.functional.cross_entropy(logits, validation[1]))
        if best is None or loss < best[0]:
            best = (loss, strength, folded_CD, shifted_C)
    assert best is not None
    with torch.no_grad():
        linear.weight.copy_(best[2])
        linear.bias.copy_(best[3])
    return {"strength": best[1], "validation_loss": best[0]}


def fit(
    z_ND: NDArray[np.float64], y_N: NDArray[np.int64], strength: float, classes: int
) -> tuple[Tensor, Tensor]:
    """Weights (C x D) and biases (C) of all classes, also of those that no row has."""
    from sklearn.linear_model import LogisticRegression

    weight, bias = np.zeros((classes, z_ND.shape[1])), np.full(classes, -30.0)
    seen = np.unique(y_N)
    if len(seen) == 1:
        bias[seen] = 0.0
        return torch.from_numpy(weight), torch.from_numpy(bias)
    model = LogisticRegression(C=strength, max_iter=1000, tol=1e-6).fit(z_ND, y_N)
    if len(seen) == 2:  # sklearn keeps one row for two classes: half the log-odds each
        weight[seen] = np.stack([-model.coef_[0], model.coef_[0]]) / 2
        bias[seen] = np.array([-model.intercept_[0], model.intercept_[0]]) / 2
    else:
        weight[seen], bias[seen] = model.coef_, model.intercept_
    return torch.from_numpy(weight), torch.from_numpy(bias)
