"""Mean 0 and variance 1 by the training rows alone, in single or double precision."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]


def standardise(train_ND: Floats, held_MD: Floats) -> tuple[Floats, Floats]:
    """Both by mean and deviation of the training rows; columns constant there become 0 in training.

    As StandardScaler does, with its bound for "constant but for rounding", in either precision.
    """
    rows, eps = len(train_ND), float(np.finfo(train_ND.dtype).eps)
    mean_D = train_ND.mean(0)
    centred_ND = train_ND - mean_D
    variance_D = np.einsum("nd,nd->d", centred_ND, centred_ND) / rows
    constant_D = variance_D <= rows * eps * variance_D + np.square(rows * mean_D * eps)
    centred_ND[:, constant_D] = 0
    deviation_D = np.sqrt(np.where(constant_D, 1, variance_D))
    centred_ND /= deviation_D
    return centred_ND, (held_MD - mean_D) / deviation_D
