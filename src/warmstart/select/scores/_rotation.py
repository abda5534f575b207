"""Rows in as few coordinates as they need: what reads angles and distances alone finds them the same."""

import numpy as np
from numpy.typing import NDArray


def narrow(features_ND: NDArray[np.float64]) -> NDArray[np.float64]:
    """N x min(N, D): the centred rows, in an orthonormal basis of what they span where N < D."""
    centred_ND: NDArray[np.float64] = features_ND - features_ND.mean(0)
    rows, columns = centred_ND.shape
    return np.linalg.qr(centred_ND.T).R.T if rows < columns else centred_ND


def principal(features_ND: NDArray[np.float64], most: int = 0, energy: float = 1.0) -> NDArray[np.float64]:
    """N x Q: the centred rows along their Q directions of largest variance.

    Q is at most `most`, if that is given, and the least that holds more than `energy` of the variance. From
    the smaller of F F' and F' F. Directions that only rounding made are left out; of constant rows all are.
    """
    centred_ND = features_ND - features_ND.mean(0)
    wide = centred_ND.shape[0] < centred_ND.shape[1]
    squares_R, turn_RR = np.linalg.eigh(centred_ND @ centred_ND.T if wide else centred_ND.T @ centred_ND)
    squares_R, turn_RR = squares_R[::-1], turn_RR[:, ::-1]
    floor = np.finfo(np.float64).eps * max(centred_ND.shape) * np.square(features_ND).sum()
    real = int((squares_R > floor).sum())
    shares_R = np.cumsum(squares_R[:real]) / max(squares_R[:real].sum(), np.finfo(np.float64).tiny)
    count = min(real, int(np.searchsorted(shares_R, energy, side="right")) + 1, most or real)
    turned_RQ = turn_RR[:, :count]
    rows_NQ: NDArray[np.float64] = turned_RQ * np.sqrt(squares_R[:count]) if wide else centred_ND @ turned_RQ
    return rows_NQ
